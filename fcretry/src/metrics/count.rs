use ::metrics::{Label, SharedString, counter, histogram};

use super::{
    ATTEMPTS, CACHED_TOKENS, CALL_DURATION, CALLS, COST, DECISIONS, DELAY, FIRST_CHUNK, LEFT_EARLY,
    Metrics, OPERATION_DURATION, REASONING_TOKENS, RECOVERIES, REQUESTS, TOKEN_USAGE, UNACCOUNTED,
    UNPRICED,
};
use crate::{
    cost::Cost,
    failure::FailureKind,
    report::{AttemptReport, Report},
    telemetry::{
        ACTION, CHAT, ENDPOINT, ERROR_TYPE, FUNCTION, OPERATION_NAME, OUTCOME, REQUEST_MODEL,
        TOKEN_TYPE, outcome_of_attempt, outcome_of_call,
    },
};

/// Who and where: what every metric of an attempt is labelled with.
struct Labels(Vec<Label>);

impl Labels {
    fn of_function(function: &'static str) -> Self {
        Self(vec![label(FUNCTION, function)])
    }

    fn with(&self, name: &'static str, value: &'static str) -> Self {
        let mut labels = self.0.clone();
        labels.push(label(name, value));
        Self(labels)
    }

    fn with_error(&self, kind: Option<FailureKind>) -> Self {
        match kind {
            Some(kind) => self.with(ERROR_TYPE, kind.as_str()),
            None => Self(self.0.clone()),
        }
    }

    /// Counts, if there is anything: what never was needs no time series.
    fn count(&self, name: &'static str, count: u64) {
        if count > 0 {
            counter!(name, self.0.clone()).increment(count);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "tokens of an answer are not as many")]
    fn spread(&self, name: &'static str, tokens: u64) {
        histogram!(name, self.0.clone()).record(tokens as f64);
    }

    fn took(&self, name: &'static str, time: std::time::Duration) {
        histogram!(name, self.0.clone()).record(time);
    }
}

fn label(name: &'static str, value: &'static str) -> Label {
    Label::from_static_parts(name, value)
}

impl Metrics {
    /// Writes a call that ended, with those attempts of it that were not written before.
    pub(super) fn count(&self, function: &'static str, report: &Report) {
        let who = self.who.id();
        for attempt in &report.attempts {
            if attempt.marks.is_new_to(who) {
                self.count_attempt(attempt);
            }
        }
        let labels = Labels::of_function(function).with(OUTCOME, outcome_of_call(report));
        labels.with_error(report.kind).count(CALLS, 1);
        labels.took(CALL_DURATION, report.elapsed);
    }

    fn count_attempt(&self, attempt: &AttemptReport) {
        let labels = self.labels(attempt);
        let outcome = labels.with(OUTCOME, outcome_of_attempt(attempt));
        outcome.with_error(attempt.kind).count(ATTEMPTS, 1);
        count_decision(attempt);
        count_requests(attempt, &labels);
        count_spent(attempt, &labels);
        labels.count(RECOVERIES, attempt.recovered.len() as u64);
        labels.count(LEFT_EARLY, attempt.left_early.into());
    }

    fn labels(&self, attempt: &AttemptReport) -> Labels {
        let Labels(mut labels) = Labels::of_function(attempt.function);
        let mut push = |name: &'static str, value: SharedString| {
            labels.push(Label::new(name, value));
        };
        if let Some(model) = &attempt.model {
            push(REQUEST_MODEL, self.models.label(model, self.limit));
        }
        if let Some(endpoint) = &attempt.endpoint {
            push(ENDPOINT, self.endpoints.label(endpoint, self.limit));
        }
        Labels(labels)
    }
}

fn count_decision(attempt: &AttemptReport) {
    // One that was dropped is nothing that was decided.
    let (Some(kind), Some(action)) = (attempt.kind, attempt.action) else { return };
    let labels = Labels::of_function(attempt.function).with_error(Some(kind));
    let labels = labels.with(ACTION, action.as_str());
    labels.count(DECISIONS, 1);
    if !attempt.delay.is_zero() {
        labels.took(DELAY, attempt.delay);
    }
}

fn count_requests(attempt: &AttemptReport, labels: &Labels) {
    labels.count(REQUESTS, attempt.wire_requests.into());
    let operation = labels.with(OPERATION_NAME, CHAT);
    // An attempt around other calls, or that a guard refused, asked nobody.
    if attempt.wire_requests > 0 && !attempt.is_dropped() {
        operation.with_error(attempt.kind).took(OPERATION_DURATION, attempt.elapsed);
    }
    if let Some(after) = attempt.first_token {
        operation.took(FIRST_CHUNK, after);
    }
}

/// What an attempt spent, whatever came of it.
fn count_spent(attempt: &AttemptReport, labels: &Labels) {
    let usage = attempt.usage;
    if usage.total() > 0 {
        let operation = labels.with(OPERATION_NAME, CHAT);
        operation.with(TOKEN_TYPE, "input").spread(TOKEN_USAGE, usage.prompt_tokens);
        operation.with(TOKEN_TYPE, "output").spread(TOKEN_USAGE, usage.completion_tokens);
    }
    labels.count(CACHED_TOKENS, usage.cached_tokens);
    labels.count(REASONING_TOKENS, usage.reasoning_tokens);
    labels.count(UNPRICED, attempt.cost.is_none().into());
    if let Some(cost) = attempt.cost.filter(|cost| *cost > Cost::ZERO) {
        histogram!(COST, labels.0.clone()).record(cost.as_usd());
    }
    labels.count(UNACCOUNTED, attempt.partial.into());
}
