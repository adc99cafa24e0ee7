use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::{
    CheckpointError, Keep, Record, Totals,
    tracked::{Ended, Tracked},
};
use crate::{
    around,
    error::Error,
    failure::{Classify, Failure, FailureKind},
    guard::Limiter,
    handle::Handle,
    report::Report,
};

/// The records of a batch, each as its calls end; made by [`Batch::stream`](super::Batch::stream).
///
/// A [`Stream`], and without one: [`next`](Self::next). Dropping it drops the calls that run.
///
/// ```
/// use fcretry::{batch, prelude::*};
///
/// # #[retry_policy]
/// # async fn length(text: &str) -> fcretry::Result<usize> { Ok(text.len()) }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut records = batch(["one", "three"]).stream(length);
/// while let Some(record) = records.next().await {
///     println!("{}: {:?}", record.index, record.result);
/// }
/// assert_eq!(records.totals().done, 2);
/// # });
/// ```
pub struct Records<I, K, F, R> {
    inputs: Option<I>,
    kept: K,
    function: F,
    concurrency: usize,
    throttle: Option<Handle<dyn Limiter>>,
    next_index: usize,
    started: Instant,
    totals: Totals,
    fault: Option<CheckpointError>,
    running: FuturesUnordered<Tracked<R>>,
}

// Nothing in it is pinned but the futures, which are on the heap.
impl<I, K, F, R> Unpin for Records<I, K, F, R> {}

impl<I, K, F, R> Records<I, K, F, R> {
    pub(super) fn new(
        inputs: I,
        concurrency: usize,
        throttle: Option<Handle<dyn Limiter>>,
        kept: K,
        function: F,
    ) -> Self {
        Self {
            inputs: Some(inputs),
            kept,
            function,
            concurrency,
            throttle,
            next_index: 0,
            started: Instant::now(),
            totals: Totals::default(),
            fault: None,
            running: FuturesUnordered::new(),
        }
    }

    /// How many calls run.
    pub fn in_flight(&self) -> usize {
        self.running.len()
    }

    /// The sums over the records that were given.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Why no more inputs are pulled, if the checkpoint could not be written, or is of other inputs.
    pub fn fault(&self) -> Option<&CheckpointError> {
        self.fault.as_ref()
    }

    pub(super) fn into_totals(self) -> (Totals, Option<CheckpointError>) {
        (self.totals, self.fault)
    }
}

impl<I, K, F, R, T, E> Records<I, K, F, R>
where
    I: Iterator,
    F: FnMut(I::Item) -> R,
    R: Future<Output = Result<T, E>>,
    E: Classify + From<Error>,
    K: Keep<I::Item, T>,
{
    /// The next record; `None` once there is one for each input.
    pub async fn next(&mut self) -> Option<Record<T, E>> {
        std::future::poll_fn(|context| self.poll_record(context)).await
    }

    pub(super) fn poll_record(&mut self, context: &mut Context<'_>) -> Poll<Option<Record<T, E>>> {
        let record = loop {
            // What is in the checkpoint is given at once.
            let mut given = None;
            while given.is_none() && self.running.len() < self.concurrency {
                let Some(input) = self.inputs.as_mut().and_then(Iterator::next) else {
                    self.inputs = None;
                    break;
                };
                let index = self.next_index;
                self.next_index += 1;
                let hash = self.kept.hash(&input);
                match self.kept.kept(index, hash) {
                    Ok(None) => {
                        let calls = (self.function)(input);
                        let throttle = self.throttle.clone();
                        self.running.push(Tracked::new(index, hash, calls, throttle));
                    }
                    Ok(Some(value)) => {
                        let report = Report::default();
                        given = Some(Record { index, result: Ok(value), report, is_kept: true });
                    }
                    Err(fault) => {
                        let failure = Failure::new(FailureKind::InvalidRequest);
                        let failure =
                            failure.with_note(fault.to_string()).with_source(fault.clone());
                        self.fault = Some(fault);
                        self.inputs = None;
                        let (report, result) =
                            (Report::default(), Err(Error::from(failure).into()));
                        given = Some(Record { index, result, report, is_kept: false });
                    }
                }
            }
            if let Some(record) = given {
                break record;
            }
            match Pin::new(&mut self.running).poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) if self.inputs.is_none() => return Poll::Ready(None),
                Poll::Ready(None) => {}
                Poll::Ready(Some(Ended { index, hash, output, report })) => {
                    // Whoever wants the report of the whole has this in it.
                    if let Some(ledger) = around::ledger() {
                        ledger.file(&report);
                    }
                    if let Ok(value) = &output
                        && let Err(fault) = self.kept.keep(index, hash, value)
                    {
                        // What cannot be kept is not paid for.
                        self.fault.get_or_insert(fault);
                        self.inputs = None;
                    }
                    break Record { index, result: output, report, is_kept: false };
                }
            }
        };
        let failed = record.result.as_ref().err().map(Classify::kind);
        self.totals.add(&record.report, failed, record.is_kept);
        self.totals.elapsed = self.started.elapsed();
        Poll::Ready(Some(record))
    }
}

impl<I, K, F, R, T, E> Stream for Records<I, K, F, R>
where
    I: Iterator,
    F: FnMut(I::Item) -> R,
    R: Future<Output = Result<T, E>>,
    E: Classify + From<Error>,
    K: Keep<I::Item, T>,
{
    type Item = Record<T, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_record(context)
    }
}

impl<I, K, F, R> fmt::Debug for Records<I, K, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("in_flight", &self.in_flight())
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}
