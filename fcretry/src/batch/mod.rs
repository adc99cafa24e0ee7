//! Many calls at once: inputs pulled as there is room, results as they come, what was done kept.

mod checkpoint;
mod records;
mod totals;
mod tracked;

use std::{future::poll_fn, io, path::Path, pin::pin, task::Poll};

pub use self::{
    checkpoint::{Checkpoint, CheckpointError, Keep, NotKept},
    records::Records,
    totals::{BatchReport, Record, Totals},
};
use crate::{
    error::Error,
    failure::Classify,
    guard::Limiter,
    handle::{Attach, Handle},
};

/// How many calls run at once where nothing is said.
const CONCURRENCY: usize = 16;

/// Calls a function for each of `inputs`, some at a time.
///
/// Inputs are pulled when there is room for another call, so that a million of them take no more memory than those that run. Nothing
/// is spawned: the calls run in the task that awaits the batch, may borrow, and stop when it is dropped.
///
/// ```
/// use fcretry::{batch, prelude::*};
///
/// #[retry_policy]
/// async fn length(text: &str) -> fcretry::Result<usize> {
///     if text.is_empty() { Err(FailureKind::InvalidRequest.into()) } else { Ok(text.len()) }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let report = batch(["one", "", "three"]).concurrency(2).run(|text| length(text)).await;
/// assert_eq!((report.totals.done, report.totals.failed), (2, 1));
/// assert_eq!(report.totals.failed_by_kind[&FailureKind::InvalidRequest], 1);
/// assert_eq!(report.records[2].result.as_ref().ok(), Some(&5));
/// # });
/// ```
pub fn batch<I: IntoIterator>(inputs: I) -> Batch<I::IntoIter> {
    let inputs = inputs.into_iter();
    Batch { inputs, concurrency: CONCURRENCY, throttle: None, kept: NotKept }
}

/// Calls to be made; made by [`batch`].
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `run` or `stream`"]
pub struct Batch<I, K = NotKept> {
    inputs: I,
    concurrency: usize,
    throttle: Option<Handle<dyn Limiter>>,
    kept: K,
}

impl<I, K> Batch<I, K> {
    /// How many calls run at once; at least 1. Default 16.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Throttles the requests of every call in the batch whose function names no throttle of its own: a reference to a `static`, to
    /// a `LazyLock` that is one, or to an `Arc`. Default: they are limited by [`concurrency`](Self::concurrency) alone.
    ///
    /// ```
    /// use fcretry::{batch, guard::Throttle, prelude::*};
    ///
    /// // Ten requests a second, and 200 000 tokens a minute.
    /// static LIMITS: Throttle = Throttle::new(10.0, 200_000);
    ///
    /// # #[retry_policy]
    /// # async fn length(text: &str) -> fcretry::Result<usize> { Ok(text.len()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let report = batch(["one", "three"]).concurrency(50).throttle(&LIMITS).run(length).await;
    /// # assert_eq!(report.totals.done, 2);
    /// # });
    /// ```
    pub fn throttle<By>(mut self, throttle: impl Attach<dyn Limiter, By>) -> Self {
        self.throttle = Some(throttle.handle());
        self
    }
}

impl<I: Iterator> Batch<I> {
    /// Keeps every value in the file at `path`, and takes from it those that an earlier run has kept: what was paid for is not paid for
    /// again. Failures are not kept, so that they are tried again.
    ///
    /// The file has a line of JSON for each value, with the place of its input and a hash of it. **Values are stored as they
    /// are.** A line is handed to the operating system as soon as its value is there: it outlives the process, not a crash of the machine.
    /// A last line that is cut is dropped. Inputs must come in the same order again; a batch whose inputs are others is refused at the
    /// first that differs: its record is an [`InvalidRequest`](crate::FailureKind::InvalidRequest), and no more are pulled.
    ///
    /// ```no_run
    /// use fcretry::{batch, prelude::*};
    ///
    /// # #[retry_policy]
    /// # async fn length(text: String) -> fcretry::Result<usize> { Ok(text.clone().len()) }
    /// # async fn run(lines: Vec<String>) -> Result<(), fcretry::CheckpointError> {
    /// let report = batch(lines).checkpoint("lengths.jsonl")?.run(length).await;
    /// println!("{} of them were there already", report.totals.kept);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is none that a batch has made.
    pub fn checkpoint(
        self,
        path: impl AsRef<Path>,
    ) -> Result<Batch<I, Checkpoint>, CheckpointError> {
        let Self { inputs, concurrency, throttle, kept: NotKept } = self;
        Ok(Batch { inputs, concurrency, throttle, kept: Checkpoint::open(path.as_ref())? })
    }
}

impl<I: Iterator, K> Batch<I, K> {
    /// Calls `function` for each input, and gives the records as the calls end.
    pub fn stream<F, R, T, E>(self, function: F) -> Records<I, K, F, R>
    where
        F: FnMut(I::Item) -> R,
        R: Future<Output = Result<T, E>>,
        E: Classify + From<Error>,
        K: Keep<I::Item, T>,
    {
        Records::new(self.inputs, self.concurrency, self.throttle, self.kept, function)
    }

    /// Calls `function` for each input, and gives all records in the order of the inputs.
    pub async fn run<F, R, T, E>(self, function: F) -> BatchReport<T, E>
    where
        F: FnMut(I::Item) -> R,
        R: Future<Output = Result<T, E>>,
        E: Classify + From<Error>,
        K: Keep<I::Item, T>,
    {
        self.run_until(std::future::pending::<()>(), function).await
    }

    /// As [`run`](Self::run), until `stop` ends: then the calls that run are dropped, and what has ended is given, not
    /// [complete](BatchReport::is_complete).
    ///
    /// ```no_run
    /// # use fcretry::{batch, prelude::*};
    /// # #[retry_policy]
    /// # async fn length(text: String) -> fcretry::Result<usize> { Ok(text.clone().len()) }
    /// # async fn run(lines: Vec<String>, ctrl_c: impl Future) {
    /// let report = batch(lines).run_until(ctrl_c, length).await;
    /// # }
    /// ```
    pub async fn run_until<S, F, R, T, E>(self, stop: S, function: F) -> BatchReport<T, E>
    where
        S: Future,
        F: FnMut(I::Item) -> R,
        R: Future<Output = Result<T, E>>,
        E: Classify + From<Error>,
        K: Keep<I::Item, T>,
    {
        let mut records = self.stream(function);
        let mut stop = pin!(stop);
        let mut ended = Vec::new();
        let is_complete = poll_fn(|context| {
            loop {
                match records.poll_record(context) {
                    Poll::Ready(Some(record)) => ended.push(record),
                    Poll::Ready(None) => return Poll::Ready(true),
                    Poll::Pending => return stop.as_mut().poll(context).map(|_| false),
                }
            }
        })
        .await;
        ended.sort_by_key(|record| record.index);
        let (totals, fault) = records.into_totals();
        BatchReport { records: ended, totals, is_complete: is_complete && fault.is_none(), fault }
    }
}

/// What went wrong with a file.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
