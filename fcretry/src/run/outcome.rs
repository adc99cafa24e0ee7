use std::{
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep_until},
};

use super::Attempt;
use crate::{around::Outer, error::Error, failure::Classify};

/// What a function under `#[retry_policy]` returns: a `Result` whose error says what kind it is and can hold one
/// of ours. Implemented for just those.
#[diagnostic::on_unimplemented(
    message = "a function under `#[retry_policy]` returns a `Result`, not `{Self}`",
    label = "this is no `Result` whose error implements `Classify` and `From<fcretry::Error>`",
    note = "return `fcretry::Result<{Self}>`"
)]
pub trait Outcome: sealed::Sealed {
    /// What it gives.
    type Value;
    /// What it fails with.
    type Error: Classify + From<Error>;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, Self::Error>;

    #[doc(hidden)]
    fn from_result(result: Result<Self::Value, Self::Error>) -> Self;
}

impl<T, E: Classify + From<Error>> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Result<T, E> {
        self
    }

    fn from_result(result: Result<T, E>) -> Self {
        result
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
}

/// How a run of the body ended.
#[derive(Debug)]
pub enum Driven<R> {
    /// It returned.
    Returned(R),
    /// Its time was up.
    TimedOut,
    /// It was never run: the policy contradicts itself.
    NotRun,
}

/// A run of the body that is to be.
#[derive(Debug)]
#[must_use = "a round is to be driven"]
pub struct Round<'a> {
    attempt: &'a Attempt,
    /// What the calls in the body see of this one.
    outer: &'a mut Option<Outer>,
    may_run: bool,
}

impl<'a> Round<'a> {
    pub(super) const fn new(
        attempt: &'a Attempt,
        outer: &'a mut Option<Outer>,
        may_run: bool,
    ) -> Self {
        Self { attempt, outer, may_run }
    }

    /// The attempt, for the body.
    pub fn attempt(&self) -> &'a Attempt {
        self.attempt
    }

    /// Runs the body, as long as the attempt may take.
    pub fn drive<F: Future>(self, body: F) -> Drive<'a, F> {
        let Self { attempt, outer, may_run } = self;
        Drive { body: may_run.then_some(body), timer: None, attempt, outer }
    }
}

pin_project! {
    /// A run of the body under its time limit. Written by hand, because an `async fn` would hold the body twice, and so
    /// that a body that is ready at once pays for no timer.
    pub struct Drive<'a, F> {
        // `None` if it is not to run, or is over.
        #[pin]
        body: Option<F>,
        // Made once the body has to wait. On the heap: it is larger than the rest, and moved with it until then.
        timer: Option<Pin<Box<Sleep>>>,
        attempt: &'a Attempt,
        outer: &'a mut Option<Outer>,
    }

    impl<F> PinnedDrop for Drive<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.body.is_some() {
                // Before the books are closed: what is dropped in the body is in them.
                this.attempt.inside(this.outer, None, || this.body.set(None));
            }
        }
    }
}

impl<F: Future> Future for Drive<'_, F> {
    type Output = Driven<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(Driven::NotRun);
        };
        // The first time, the attempt has just begun.
        let now = this.timer.is_none().then_some(this.attempt.began);
        if let Poll::Ready(returned) = this.attempt.inside(this.outer, now, || body.poll(context)) {
            // It is over: there is nothing in it to be dropped inside.
            this.body.set(None);
            return Poll::Ready(Driven::Returned(returned));
        }
        // What the body waits for its guards is not counted, and nobody knows beforehand how long that is.
        let ends = this.attempt.ends();
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(ends)));
        if timer.deadline() != ends {
            timer.as_mut().reset(ends);
        }
        // A body that has used up what its task may do in one go would else never be out of time.
        ready!(pin!(unconstrained(timer)).poll(context));
        this.attempt.state().is_out_of_time = ends < this.attempt.deadline;
        this.attempt.inside(this.outer, None, || this.body.set(None));
        Poll::Ready(Driven::TimedOut)
    }
}

impl<F> fmt::Debug for Drive<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("attempt", self.attempt).finish_non_exhaustive()
    }
}
