use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};

use crate::{error::Error, failure::Classify};

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

pin_project! {
    /// A run of the body under its time limit. Written by hand, because an `async fn` would hold the body twice.
    #[derive(Debug)]
    pub struct Drive<F> {
        #[pin]
        body: Timeout<F>,
        may_run: bool,
    }
}

impl<F: Future> Drive<F> {
    pub(super) fn new(body: F, ends: Instant, may_run: bool) -> Self {
        Self { body: timeout_at(ends, body), may_run }
    }
}

impl<F: Future> Future for Drive<F> {
    type Output = Driven<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !*this.may_run {
            return Poll::Ready(Driven::NotRun);
        }
        this.body.poll(context).map(|end| match end {
            Ok(returned) => Driven::Returned(returned),
            Err(_) => Driven::TimedOut,
        })
    }
}
