//! The ledger of a call.

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    answer::Finish,
    around::{self, Ledger},
    failure::{Failure, FailureKind, Violation},
    marks::Marks,
    millis::{millis, some_millis},
    parse::Recovered,
    policy::{Action, StoppedBy},
    usage::Usage,
};

/// What happened in a call, or in every call awaited in [`report`]: the same on success and on failure.
///
/// Nothing of prompts, arguments, answers or providers' messages is in it. Serializes with durations as whole
/// milliseconds (`delay_ms`, `elapsed_ms`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
    /// From the start to the end, waits included.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// The kind of the last call's last failure; `None` if it gave a value.
    pub kind: Option<FailureKind>,
    /// What ended the last call, if it failed.
    pub stopped_by: Option<StoppedBy>,
    /// Whether the last call failed and gave what `degrade` makes of the error; `kind` and `stopped_by` are those of the failure.
    pub degraded: bool,
}

/// One attempt: one run of a function's body.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The function, as `module::name`.
    pub function: &'static str,
    /// 1 for the first.
    pub number: u32,
    /// The model that was asked last.
    pub model: Option<String>,
    /// The endpoint of the [`Route`](crate::Route) that was asked last, by its name; `None` for the ask's own.
    pub endpoint: Option<String>,
    /// Why it failed; `None` if it gave a value.
    pub kind: Option<FailureKind>,
    /// What was decided about it; `None` if it gave a value, `Fail` without a kind if it was dropped.
    pub action: Option<Action>,
    /// The wait before what was decided.
    #[serde(rename = "delay_ms", serialize_with = "millis")]
    pub delay: Duration,
    /// How long the attempt took.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// Requests that went to a server.
    pub wire_requests: u32,
    /// Tokens of its answers.
    pub usage: Usage,
    /// Whether there was a request whose tokens are unknown.
    pub partial: bool,
    /// The HTTP status of the failure.
    pub status: Option<u16>,
    /// The provider's code for the failure.
    pub code: Option<String>,
    /// The provider's id of the last request.
    pub request_id: Option<String>,
    /// What was wrong with the arguments.
    pub violations: Vec<ViolationReport>,
    /// What was put right in the arguments without asking again.
    pub recovered: Vec<Recovered>,
    /// From sending to the first token of the last answer that was streamed.
    #[serde(rename = "first_token_ms", serialize_with = "some_millis")]
    pub first_token: Option<Duration>,
    /// About how many tokens of streamed answers came, also of those that were dropped midway: one for each piece, or four
    /// bytes each, whichever is more. The provider's own count is `usage`.
    pub streamed_tokens: Option<u64>,
    /// Whether the stream of the answer was left before its end, because nothing good could come of it any more.
    pub left_early: bool,
    #[serde(skip)]
    pub(crate) marks: Marks,
}

/// A violation without what the model wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ViolationReport {
    /// JSON pointer into the arguments.
    pub pointer: String,
    /// What the schema expects there; `None` for a validation hook or a type, whose message may quote the answer.
    pub expected: Option<String>,
    /// The JSON type of what was there; `"nothing"` if it was absent.
    pub got: &'static str,
}

impl From<&Violation> for ViolationReport {
    fn from(violation: &Violation) -> Self {
        Self {
            pointer: violation.pointer().to_owned(),
            expected: (!violation.is_in_words()).then(|| violation.expected().to_owned()),
            got: violation.got_type(),
        }
    }
}

impl AttemptReport {
    /// Adds what is known of the failure that ended the attempt.
    pub(crate) fn describe(&mut self, failure: &Failure) {
        self.kind = Some(failure.kind());
        self.status = failure.status();
        self.code = failure.code().map(str::to_owned);
        if let Some(id) = failure.request_id() {
            self.request_id = Some(id.to_owned());
        }
        self.violations = failure.violations().iter().map(ViolationReport::from).collect();
        // The failure of a call inside may have become that of this attempt, which then read no stream.
        self.left_early = self.streamed_tokens.is_some()
            && failure.answer().is_some_and(|answer| answer.finish == Finish::Stopped);
    }
}

impl Report {
    pub(crate) fn add(&mut self, attempt: AttemptReport) {
        self.wire_requests = self.wire_requests.saturating_add(attempt.wire_requests);
        self.usage += attempt.usage;
        self.partial |= attempt.partial;
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for attempt in &self.attempts {
            write!(f, "{}. {}", attempt.number, attempt.model.as_deref().unwrap_or("-"))?;
            if let Some(endpoint) = &attempt.endpoint {
                write!(f, " at {endpoint}")?;
            }
            match (attempt.kind, attempt.action) {
                (Some(kind), Some(action)) => {
                    write!(f, ": {kind}, then {}", action.as_str())?;
                }
                (Some(kind), None) => write!(f, ": {kind}")?,
                (None, None) => f.write_str(": ok")?,
                (None, Some(_)) => f.write_str(": cancelled")?,
            }
            if !attempt.delay.is_zero() {
                write!(f, " after {:.3} s", attempt.delay.as_secs_f64())?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "{} requests, {} tokens{}, {:.3} s",
            self.wire_requests,
            self.usage.total(),
            if self.partial { " known" } else { "" },
            self.elapsed.as_secs_f64()
        )?;
        if self.degraded { f.write_str(", degraded") } else { Ok(()) }
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
