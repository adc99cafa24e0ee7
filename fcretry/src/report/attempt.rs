use std::time::Duration;

use serde::Serialize;

use super::Captured;
use crate::{
    answer::Finish,
    cost::Cost,
    failure::{Failure, FailureKind, Violation},
    marks::Marks,
    millis::{millis, some_millis},
    parse::Recovered,
    policy::Action,
    usage::Usage,
};

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
    /// What its answers cost, each at the price of its model; `None` if one of these is not known. What `partial` is about is not
    /// in it.
    pub cost: Option<Cost>,
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
    /// How the last answer ended: cut, for one, if it is [`Length`](Finish::Length). `None` if none came.
    pub finish: Option<Finish>,
    /// Whether the stream of the answer was left before its end, because nothing good could come of it any more.
    pub left_early: bool,
    /// What was asked and answered, by the number of the ask in the body: empty, unless the policy says
    /// [`capture_content`](crate::RetryPolicyBuilder::capture_content).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub captured: Vec<Captured>,
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
    /// Whether it neither gave a value nor failed.
    pub(crate) fn is_dropped(&self) -> bool {
        self.kind.is_none() && self.action.is_some()
    }

    /// Adds what is known of the failure that ended the attempt.
    pub(crate) fn describe(&mut self, failure: &Failure) {
        self.kind = Some(failure.kind());
        self.status = failure.status();
        self.code = failure.code().map(str::to_owned);
        if let Some(id) = failure.request_id() {
            self.request_id = Some(id.to_owned());
        }
        if let Some(answer) = failure.answer() {
            self.finish = Some(answer.finish);
        }
        self.violations = failure.violations().iter().map(ViolationReport::from).collect();
        // The failure of a call inside may have become that of this attempt, which then read no stream.
        self.left_early = self.streamed_tokens.is_some()
            && failure.answer().is_some_and(|answer| answer.finish == Finish::Stopped);
    }
}
