//! A report for people, and for other programs.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{AttemptReport, Report};
use crate::{
    failure::FailureKind,
    millis,
    policy::{Action, StoppedBy},
};

impl Report {
    /// What the last call came to, and why, in one line: `done at attempt 3, after schema_validation, rate_limit`, or `failed at
    /// attempt 2 with refusal: the rule is to fail`.
    pub fn decision(&self) -> String {
        // The attempts of the call whose report this is, or of the last one in it, end with its own last.
        if self.stopped_by == Some(StoppedBy::InvalidPolicy) {
            let kind = FailureKind::InvalidPolicy;
            return format!("failed with {kind}: {}", reason(StoppedBy::InvalidPolicy, None));
        }
        // Calls inside it may have ended after its own last attempt.
        let own = self.attempts.iter().rev().find(|attempt| !attempt.marks.is_inside);
        let Some(last) = own.or(self.attempts.last()) else {
            return match (self.kind, self.stopped_by) {
                (Some(kind), Some(by)) => format!("failed with {kind}: {}", reason(by, None)),
                (None, Some(StoppedBy::Cancelled)) => "dropped before its first attempt".to_owned(),
                _ => "nothing was asked".to_owned(),
            };
        };
        let number = last.number;
        match (self.kind, self.stopped_by) {
            (Some(kind), Some(by)) => {
                let what = if self.degraded { "degraded" } else { "failed" };
                format!("{what} at attempt {number} with {kind}: {}", reason(by, last.action))
            }
            (None, Some(_)) => format!("dropped at attempt {number}"),
            (kind, None) => {
                let done = if kind.is_some() { "over" } else { "done" };
                let before = self.before(last);
                let after = if before.is_empty() { "" } else { ", after " };
                format!("{done} at attempt {number}{after}{}", before.join(", "))
            }
        }
    }

    /// What went wrong in the last call before its last attempt.
    fn before(&self, last: &AttemptReport) -> Vec<&'static str> {
        let of_call = |attempt: &&AttemptReport| attempt.function == last.function;
        let mut next = last.number;
        let earlier = self.attempts.iter().rev().filter(of_call).skip(1).take_while(|attempt| {
            // What a guard refused has the number of what follows.
            let goes_on =
                matches!(attempt.action, Some(Action::Retry | Action::Repair | Action::Fallback));
            let is_of_it = attempt.number <= next && goes_on;
            next = attempt.number;
            is_of_it
        });
        let mut kinds: Vec<_> =
            earlier.filter_map(|attempt| attempt.kind).map(FailureKind::as_str).collect();
        kinds.reverse();
        kinds
    }
}

/// Why nothing more was done.
fn reason(by: StoppedBy, action: Option<Action>) -> &'static str {
    match by {
        StoppedBy::Rule if action == Some(Action::Escalate) => "the rule is to have a person look",
        StoppedBy::Rule => "the rule is to fail",
        StoppedBy::Count => "the counts of its rule are used up, and nothing follows",
        StoppedBy::MaxAttempts => "no attempt is left",
        StoppedBy::RetryBudget => "the retry budget that calls share has nothing left",
        StoppedBy::Deadline => "no time is left",
        StoppedBy::RetryAfter => {
            "the server wants a longer wait than there is time or patience for"
        }
        StoppedBy::InvalidPolicy => "the policy contradicts itself",
        StoppedBy::Cancelled => "the call was dropped",
    }
}

impl fmt::Display for AttemptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.number, self.model.as_deref().unwrap_or("-"))?;
        if let Some(endpoint) = &self.endpoint {
            write!(f, " at {endpoint}")?;
        }
        match (self.kind, self.action) {
            (Some(kind), Some(action)) => write!(f, ": {kind}, then {}", action.as_str())?,
            (Some(kind), None) => write!(f, ": {kind}")?,
            (None, None) => f.write_str(": ok")?,
            (None, Some(_)) => f.write_str(": cancelled")?,
        }
        if !self.delay.is_zero() {
            write!(f, " after {:.3} s", self.delay.as_secs_f64())?;
        }
        if !self.violations.is_empty() {
            write!(f, "; {}", counted(self.violations.len(), "violation"))?;
        }
        if !self.recovered.is_empty() {
            write!(f, "; {} put right", self.recovered.len())?;
        }
        if self.usage.total() > 0 {
            write!(f, "; {} tokens", self.usage.total())?;
            if let Some(cost) = self.cost {
                write!(f, ", {cost}")?;
            }
        }
        write!(f, "; {:.3} s", self.elapsed.as_secs_f64())
    }
}

fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for attempt in &self.attempts {
            writeln!(f, "{attempt}")?;
        }
        let requests = usize::try_from(self.wire_requests).unwrap_or(usize::MAX);
        let tokens = self.usage.total();
        let known = if self.partial { " known" } else { "" };
        write!(f, "{}, {tokens} tokens{known}, ", counted(requests, "request"))?;
        match self.cost {
            Some(cost) if self.cost_partial || self.partial => write!(f, "{cost} known")?,
            Some(cost) => write!(f, "{cost}")?,
            None => f.write_str("cost not known")?,
        }
        writeln!(f, ", {:.3} s", self.elapsed.as_secs_f64())?;
        f.write_str(&self.decision())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Without `..`, so that a new field is not forgotten here.
        let Self {
            attempts,
            wire_requests,
            usage,
            partial,
            cost,
            cost_partial,
            elapsed,
            kind,
            stopped_by,
            degraded,
        } = self;
        let mut report = serializer.serialize_struct("Report", 11)?;
        report.serialize_field("attempts", attempts)?;
        report.serialize_field("wire_requests", wire_requests)?;
        report.serialize_field("usage", usage)?;
        report.serialize_field("partial", partial)?;
        report.serialize_field("cost", cost)?;
        report.serialize_field("cost_partial", cost_partial)?;
        report.serialize_field("elapsed_ms", &millis::whole(*elapsed))?;
        report.serialize_field("kind", kind)?;
        report.serialize_field("stopped_by", stopped_by)?;
        report.serialize_field("degraded", degraded)?;
        report.serialize_field("decision", &self.decision())?;
        report.end()
    }
}
