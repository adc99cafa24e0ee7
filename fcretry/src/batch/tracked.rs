use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::{
    around::{Filed, Ledger, filed},
    guard::Limiter,
    handle::Handle,
    report::Report,
};

pin_project! {
    /// The calls for one input, with a ledger of their own.
    pub(super) struct Tracked<R> {
        index: usize,
        // Of the input, where values are kept.
        hash: Option<u128>,
        ledger: Arc<Ledger>,
        started: Instant,
        #[pin]
        calls: Filed<R>,
    }
}

/// What ended.
pub(super) struct Ended<O> {
    pub(super) index: usize,
    pub(super) hash: Option<u128>,
    pub(super) output: O,
    pub(super) report: Report,
}

impl<R: Future> Tracked<R> {
    pub(super) fn new(
        index: usize,
        hash: Option<u128>,
        calls: R,
        throttle: Option<Handle<dyn Limiter>>,
    ) -> Self {
        let ledger = Arc::new(Ledger::default());
        let calls = filed(calls, Arc::clone(&ledger), throttle);
        Self { index, hash, ledger, started: Instant::now(), calls }
    }
}

impl<R: Future> Future for Tracked<R> {
    type Output = Ended<R::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(this.calls.poll(context));
        let mut report = this.ledger.take();
        report.elapsed = this.started.elapsed();
        Poll::Ready(Ended { index: *this.index, hash: *this.hash, output, report })
    }
}
