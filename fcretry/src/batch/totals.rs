use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::CheckpointError;
use crate::{cost::Cost, failure::FailureKind, report::Report, usage::Usage};

/// What came of one input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record<T, E> {
    /// The place of the input, from 0.
    pub index: usize,
    /// The value, or why there is none.
    pub result: Result<T, E>,
    /// Every call that was awaited for it; empty if the value was in the checkpoint.
    pub report: Report,
    /// The value was in the checkpoint: nothing was called.
    pub is_kept: bool,
}

/// What came of all inputs.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchReport<T, E> {
    /// The records, in the order of the inputs.
    pub records: Vec<Record<T, E>>,
    /// Their sums.
    pub totals: Totals,
    /// Whether there is a record for every input.
    pub is_complete: bool,
    /// Why the batch ended before its inputs did, if its checkpoint could not be written, or is of other inputs.
    pub fault: Option<CheckpointError>,
}

/// Sums over the records of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Inputs with a value, those that were kept among them.
    pub done: u64,
    /// Values that were in the checkpoint.
    pub kept: u64,
    /// Inputs without one.
    pub failed: u64,
    /// Those by the kind of their last failure.
    pub failed_by_kind: BTreeMap<FailureKind, u64>,
    /// The failures of all attempts, also those that another attempt made good, by kind.
    pub failures_by_kind: BTreeMap<FailureKind, u64>,
    /// Requests that went to a server.
    pub wire_requests: u64,
    /// Tokens of all answers, of failed attempts too.
    pub usage: Usage,
    /// Whether there was a request whose tokens are unknown.
    pub partial: bool,
    /// What the attempts cost whose models all have a known price; `None` if none has. What `partial` is about is not in it.
    pub cost: Option<Cost>,
    /// Whether there were attempts with an answer of a model whose price is not known: they are not in `cost`.
    pub cost_partial: bool,
    /// From the start to the last record.
    #[serde(rename = "elapsed_ms", serialize_with = "crate::millis::millis")]
    pub elapsed: Duration,
}

impl Totals {
    pub(super) fn add(&mut self, report: &Report, failed: Option<FailureKind>, is_kept: bool) {
        self.kept += u64::from(is_kept);
        match failed {
            None => self.done += 1,
            Some(kind) => {
                self.failed += 1;
                *self.failed_by_kind.entry(kind).or_default() += 1;
            }
        }
        for kind in report.attempts.iter().filter_map(|attempt| attempt.kind) {
            *self.failures_by_kind.entry(kind).or_default() += 1;
        }
        self.wire_requests = self.wire_requests.saturating_add(report.wire_requests.into());
        self.usage += report.usage;
        self.partial |= report.partial;
        self.cost_partial |= report.cost_partial;
        self.cost = Cost::sum_of(self.cost, report.cost, self.cost_partial);
    }
}
