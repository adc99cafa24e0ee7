//! What is around a call: the call in whose body it runs, and whoever wants its report. Known to the thread while a
//! body is polled, and to no other thread, so that nothing has to be passed.

use std::{
    cell::Cell,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    thread::LocalKey,
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::{
    guard::TokenBudget,
    report::{AttemptReport, Report},
};

thread_local! {
    /// The call whose body is being polled.
    static OUTER: Cell<Option<Outer>> = const { Cell::new(None) };
    /// Who wants the reports of calls that end here: not those of calls that are inside another, whose report they are in.
    static LEDGER: Cell<Option<Arc<Ledger>>> = const { Cell::new(None) };
}

/// What a call shares with the calls in its body.
#[derive(Clone, Debug)]
pub(crate) struct Outer {
    /// When it must be over.
    pub(crate) deadline: Instant,
    /// The tokens that it may spend, if there is a limit.
    pub(crate) tokens: Option<Arc<TokenBudget>>,
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
            linked.attempts.extend_from_slice(attempts);
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

/// Puts `other` where the thread looks, until it is dropped; then they are exchanged back.
struct Exchanged<'a, T: 'static> {
    place: &'static LocalKey<Cell<Option<T>>>,
    other: &'a mut Option<T>,
}

impl<'a, T> Exchanged<'a, T> {
    fn new(place: &'static LocalKey<Cell<Option<T>>>, other: &'a mut Option<T>) -> Self {
        exchange(place, other);
        Self { place, other }
    }
}

impl<T> Drop for Exchanged<'_, T> {
    fn drop(&mut self) {
        exchange(self.place, self.other);
    }
}

fn exchange<T>(place: &'static LocalKey<Cell<Option<T>>>, other: &mut Option<T>) {
    // A thread that is ending has no place any more.
    let _ = place.try_with(|cell| *other = cell.replace(other.take()));
}

/// Looks at what is there, and leaves it there.
fn look<T, R>(
    place: &'static LocalKey<Cell<Option<T>>>,
    at: impl FnOnce(&mut Option<T>) -> R,
) -> Option<R> {
    let seen = place.try_with(|cell| {
        let mut value = cell.take();
        let seen = at(&mut value);
        cell.set(value);
        seen
    });
    seen.ok()
}

/// Does something in the body of the call that `outer` is of, and leaves in `outer` the link that it may have got.
pub(crate) fn inside<R>(outer: &mut Option<Outer>, act: impl FnOnce() -> R) -> R {
    let mut no_ledger = None;
    let _outer = Exchanged::new(&OUTER, outer);
    // Who wants the report of the outer call finds in it what is inside.
    let _ledger = Exchanged::new(&LEDGER, &mut no_ledger);
    act()
}

/// The call in whose body this is, with a link to it.
pub(crate) fn outer() -> Option<Outer> {
    let linked = |outer: &mut Option<Outer>| {
        let outer = outer.as_mut()?;
        outer.link.get_or_insert_default();
        Some(outer.clone())
    };
    look(&OUTER, linked).flatten()
}

/// Who wants the reports of calls that end here.
pub(crate) fn ledger() -> Option<Arc<Ledger>> {
    look(&LEDGER, |ledger| ledger.clone()).flatten()
}

/// Whether anybody wants the reports of calls that end here.
pub(crate) fn has_ledger() -> bool {
    look(&LEDGER, |ledger| ledger.is_some()).unwrap_or_default()
}

pin_project! {
    /// A future whose calls are filed in a ledger.
    pub(crate) struct Filed<F> {
        #[pin]
        future: Option<F>,
        ledger: Option<Arc<Ledger>>,
    }

    impl<F> PinnedDrop for Filed<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _ledger = Exchanged::new(&LEDGER, this.ledger);
            this.future.set(None);
        }
    }
}

/// Files the calls of `future` in `ledger`, also those that are dropped with it.
pub(crate) fn filed<F>(future: F, ledger: Arc<Ledger>) -> Filed<F> {
    Filed { future: Some(future), ledger: Some(ledger) }
}

impl<F: Future> Future for Filed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _ledger = Exchanged::new(&LEDGER, this.ledger);
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
    }
}

/// Carries the link to the call in whose body it is made along with `future`, into another task. Calls in `future` end with the
/// outer call's deadline, draw on its budget, and their attempts are in its report, as if they were awaited in the body.
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
    Inherit { future, outer: outer() }
}

impl<F: Future> Future for Inherit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Outside a call it is as if it were not there.
        let _outer = this.outer.is_some().then(|| Exchanged::new(&OUTER, this.outer));
        this.future.poll(context)
    }
}
