//! What is around a call: the call in whose body it runs, and whoever wants its report. Known to the thread while a
//! body is polled, and to no other thread, so that nothing has to be passed.

use std::{
    cell::RefCell,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tracing::Span;

use crate::{
    guard::Limiter,
    handle::Handle,
    purse::Purse,
    report::{AttemptReport, Report},
};

thread_local! {
    static AROUND: RefCell<Around> = const { RefCell::new(Around { outer: None, ledger: None, throttle: None, now: None }) };
}

/// What is around whatever the thread polls.
#[derive(Default)]
struct Around {
    /// The call whose body it is.
    outer: Option<Outer>,
    /// Who wants the reports of calls that end here: not those of calls that are inside another, whose report they are in.
    ledger: Option<Arc<Ledger>>,
    /// The throttle of calls that name none.
    throttle: Option<Handle<dyn Limiter>>,
    /// The time, if it was just looked at. Told once.
    now: Option<Instant>,
}

/// What a call shares with the calls in its body.
#[derive(Clone, Debug)]
pub(crate) struct Outer {
    /// When it must be over.
    pub(crate) deadline: Instant,
    /// What it may spend, if there is a limit, and what models cost in it, if that was said.
    pub(crate) purse: Option<Arc<Purse>>,
    /// Where the calls in it leave their attempts; made when the first of them begins.
    pub(crate) link: Option<Arc<Link>>,
}

/// What the calls inside a call leave for its report.
#[derive(Debug, Default)]
pub(crate) struct Link(Mutex<Linked>);

#[derive(Debug, Default)]
struct Linked {
    attempts: Vec<AttemptReport>,
    /// The call has ended, and its report is out.
    is_closed: bool,
}

impl Link {
    fn linked(&self) -> MutexGuard<'_, Linked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the attempts of a call; `false` if it is too late.
    pub(crate) fn file(&self, attempts: &[AttemptReport]) -> bool {
        let mut linked = self.linked();
        if !linked.is_closed {
            let from = linked.attempts.len();
            linked.attempts.extend_from_slice(attempts);
            for attempt in linked.attempts.iter_mut().skip(from) {
                attempt.marks.is_inside = true;
            }
        }
        !linked.is_closed
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.linked().is_closed
    }

    /// Whether a call that is not taken yet sent anything.
    pub(crate) fn has_sent(&self) -> bool {
        self.linked().attempts.iter().any(|attempt| attempt.wire_requests > 0)
    }

    /// What was left since the last time.
    pub(crate) fn take(&self) -> Vec<AttemptReport> {
        std::mem::take(&mut self.linked().attempts)
    }

    /// As [`take`](Self::take), for the last time.
    pub(crate) fn close(&self) -> Vec<AttemptReport> {
        let mut linked = self.linked();
        linked.is_closed = true;
        std::mem::take(&mut linked.attempts)
    }
}

/// The report of several calls, while it is being written.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Report>);

impl Ledger {
    /// Adds a call that has ended.
    pub(crate) fn file(&self, call: &Report) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).merge(call);
    }

    pub(crate) fn take(&self) -> Report {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks at what is around, if the thread is not ending. `at` runs nothing of a user's.
fn look<R: Default>(at: impl FnOnce(&mut Around) -> R) -> R {
    let seen = AROUND.try_with(|around| Some(at(&mut *around.try_borrow_mut().ok()?)));
    seen.ok().flatten().unwrap_or_default()
}

/// What can take the place of a part of what is around.
trait Swap {
    fn swap(&mut self, around: &mut Around);
}

/// What takes the place of a part of what is around until this is dropped.
struct Exchanged<'a, T: Swap>(&'a mut T);

impl<'a, T: Swap> Exchanged<'a, T> {
    fn new(other: &'a mut T) -> Self {
        look(|around| other.swap(around));
        Self(other)
    }
}

impl<T: Swap> Drop for Exchanged<'_, T> {
    fn drop(&mut self) {
        look(|around| self.0.swap(around));
    }
}

/// What is around in the body of a call: all but the throttle, which reaches into the calls in it.
struct Body<'a> {
    outer: &'a mut Option<Outer>,
    /// Who wants the report of the outer call finds in it what is inside.
    ledger: Option<Arc<Ledger>>,
    now: Option<Instant>,
}

impl Swap for Body<'_> {
    fn swap(&mut self, around: &mut Around) {
        std::mem::swap(&mut around.outer, self.outer);
        std::mem::swap(&mut around.ledger, &mut self.ledger);
        std::mem::swap(&mut around.now, &mut self.now);
    }
}

/// Does something in the body of the call that `outer` is of, where the link is left that it may get.
pub(crate) fn inside<R>(
    outer: &mut Option<Outer>,
    now: Option<Instant>,
    act: impl FnOnce() -> R,
) -> R {
    let mut body = Body { outer, ledger: None, now };
    let _body = Exchanged::new(&mut body);
    act()
}

impl Around {
    /// The call in whose body this is, with a link to it.
    fn linked(&mut self) -> Option<Outer> {
        let outer = self.outer.as_mut()?;
        outer.link.get_or_insert_default();
        Some(outer.clone())
    }
}

/// What is around a call that begins here, put where there is nothing yet: the call in whose body it is, and the throttle that it has
/// unless it names one.
pub(crate) fn call(outer: &mut Option<Outer>, throttle: &mut Option<Handle<dyn Limiter>>) {
    look(|around| {
        if around.outer.is_some() {
            *outer = around.linked();
        }
        if around.throttle.is_some() {
            throttle.clone_from(&around.throttle);
        }
    });
}

/// The time. Who asks first where a body has just begun is told when its attempt did, which was just now; whoever asks after that
/// may have waited for something that blocks.
pub(crate) fn now() -> Instant {
    look(|around| around.now.take()).unwrap_or_else(Instant::now)
}

/// Who wants the reports of calls that end here.
pub(crate) fn ledger() -> Option<Arc<Ledger>> {
    look(|around| around.ledger.clone())
}

/// Whether anybody wants the reports of calls that end here.
pub(crate) fn has_ledger() -> bool {
    look(|around| around.ledger.is_some())
}

/// What is around calls that are filed.
struct Filing {
    ledger: Option<Arc<Ledger>>,
    throttle: Option<Handle<dyn Limiter>>,
}

impl Swap for Filing {
    fn swap(&mut self, around: &mut Around) {
        std::mem::swap(&mut around.ledger, &mut self.ledger);
        std::mem::swap(&mut around.throttle, &mut self.throttle);
    }
}

impl Swap for Option<Outer> {
    fn swap(&mut self, around: &mut Around) {
        std::mem::swap(&mut around.outer, self);
    }
}

pin_project! {
    /// A future whose calls are filed in a ledger.
    pub(crate) struct Filed<F> {
        #[pin]
        future: Option<F>,
        filing: Filing,
    }

    impl<F> PinnedDrop for Filed<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _filing = Exchanged::new(this.filing);
            this.future.set(None);
        }
    }
}

/// Files the calls of `future` in `ledger`, also those that are dropped with it. They have this throttle, or else the one that
/// is around.
pub(crate) fn filed<F>(
    future: F,
    ledger: Arc<Ledger>,
    throttle: Option<Handle<dyn Limiter>>,
) -> Filed<F> {
    let throttle = throttle.or_else(|| look(|around| around.throttle.clone()));
    Filed { future: Some(future), filing: Filing { ledger: Some(ledger), throttle } }
}

impl<F: Future> Future for Filed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _filing = Exchanged::new(this.filing);
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(context))
    }
}

pin_project! {
    /// A future that takes part in the call that it was made in, wherever it runs: see [`inherit`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited or spawned"]
    pub struct Inherit<F> {
        #[pin]
        future: F,
        outer: Option<Outer>,
        // What is logged in it, and the calls in it, are inside that of the attempt.
        span: Span,
    }
}

/// Carries the link to the call in whose body it is made along with `future`, into another task. Calls in `future` end with the
/// outer call's deadline, draw on its budget, and their attempts are in its report, as if they were awaited in the body; so are
/// their [spans](crate::telemetry).
///
/// Outside a call it does nothing. What ends after the outer call has ended is in no report of it.
///
/// ```
/// use fcretry::prelude::*;
///
/// #[retry_policy]
/// async fn inner() -> fcretry::Result<u8> {
///     Ok(1)
/// }
///
/// #[retry_policy(deadline = "20s")]
/// async fn outer() -> fcretry::Result<u8> {
///     // Not as `tokio::spawn(inner())`, which would be a call of its own.
///     let task = tokio::spawn(fcretry::inherit(inner()));
///     task.await.unwrap_or(Ok(0))
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let (answer, report) = fcretry::report(outer()).await;
/// assert_eq!(answer.unwrap(), 1);
/// assert_eq!(report.attempts.len(), 2);
/// # });
/// ```
pub fn inherit<F: Future>(future: F) -> Inherit<F> {
    let outer = look(Around::linked);
    let span = if outer.is_some() { Span::current() } else { Span::none() };
    Inherit { future, outer, span }
}

impl<F: Future> Future for Inherit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Outside a call it is as if it were not there.
        let _outer = this.outer.is_some().then(|| Exchanged::new(this.outer));
        let polled = this.span.in_scope(|| this.future.poll(context));
        if polled.is_ready() {
            // Whoever keeps the future keeps no span open.
            *this.span = Span::none();
        }
        polled
    }
}
