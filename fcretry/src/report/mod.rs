//! The ledger of a call.

mod attempt;
mod captured;
mod measured;
mod shown;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

pub use attempt::{AttemptReport, ViolationReport};
pub use captured::Captured;
pub(crate) use captured::without_keys;

use crate::{
    around::{self, Ledger},
    cost::Cost,
    failure::FailureKind,
    policy::StoppedBy,
    usage::Usage,
};

/// What happened in a call, or in every call awaited in [`report`]: the same on success and on failure.
///
/// Nothing of prompts, arguments, answers or providers' messages is in it, unless the policy says
/// [`capture_content`](crate::RetryPolicyBuilder::capture_content); keys of providers never are.
///
/// Serializes with durations as whole milliseconds (`delay_ms`, `elapsed_ms`), costs as decimals of dollars in strings, and with
/// the [`decision`](Self::decision). `Display` shows a line for each attempt, one of totals, and the decision.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The attempts, in the order in which they ended: those of calls inside a call before the attempt of it that made
    /// them.
    pub attempts: Vec<AttemptReport>,
    /// Requests that went to a server. More than there are attempts, if a body asks more than once.
    pub wire_requests: u32,
    /// Tokens of all answers, of failed attempts too.
    pub usage: Usage,
    /// Whether a request went out whose tokens are unknown: it failed, or the provider gave no usage.
    pub partial: bool,
    /// What the attempts cost whose models all have a known price; `None` if none has. What `partial` is about is not in it.
    pub cost: Option<Cost>,
    /// Whether there were attempts with an answer of a model whose price is not known: they are not in `cost`.
    pub cost_partial: bool,
    /// From the start to the end, waits included.
    pub elapsed: Duration,
    /// The kind of the last call's last failure; `None` if it gave a value.
    pub kind: Option<FailureKind>,
    /// What ended the last call, if it failed.
    pub stopped_by: Option<StoppedBy>,
    /// Whether the last call failed and gave what `degrade` makes of the error; `kind` and `stopped_by` are those of the failure.
    pub degraded: bool,
}

impl Report {
    pub(crate) fn add(&mut self, attempt: AttemptReport) {
        self.wire_requests = self.wire_requests.saturating_add(attempt.wire_requests);
        self.partial |= attempt.partial;
        self.cost_partial |= attempt.cost.is_none();
        self.cost = Cost::sum_of(self.cost, attempt.cost, self.cost_partial);
        self.usage += attempt.usage;
        self.attempts.push(attempt);
    }

    /// This report of a call, with that of another that ended with its error.
    pub(crate) fn followed_by(&self, outer: &Report) -> Self {
        let mut both = self.clone();
        both.merge(outer);
        both.elapsed = outer.elapsed;
        both
    }

    pub(crate) fn merge(&mut self, call: &Report) {
        for attempt in &call.attempts {
            self.add(attempt.clone());
        }
        self.kind = call.kind;
        self.stopped_by = call.stopped_by;
        self.degraded = call.degraded;
    }
}

/// Awaits `future` and returns its output with the report of every call awaited in it, in success and
/// in failure. Calls that it spawned as tasks of their own are not in it, unless a call spawned them with
/// [`inherit`](crate::inherit).
///
/// ```
/// # use fcretry::prelude::*;
/// # #[retry_policy(max_attempts = 2)]
/// # async fn ask() -> fcretry::Result<u8> { Ok(1) }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let (answer, report) = fcretry::report(ask()).await;
/// assert!(answer.is_ok());
/// assert_eq!(report.attempts.len(), 1);
/// # });
/// ```
pub async fn report<F: Future>(future: F) -> (F::Output, Report) {
    let ledger = Arc::new(Ledger::default());
    let start = Instant::now();
    let output = around::filed(future, Arc::clone(&ledger), None).await;
    let mut report = ledger.take();
    report.elapsed = start.elapsed();
    if let Some(ledger) = around::ledger() {
        ledger.file(&report);
    }
    (output, report)
}
