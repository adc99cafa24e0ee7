//! The spans of a call: see [`telemetry`](crate::telemetry).

use tracing::{
    Level, Span, event,
    field::Empty,
    info_span,
    level_filters::LevelFilter,
    span::{Entered, Id},
};

#[cfg(feature = "openai")]
use crate::short::short;
use crate::{
    policy::{Action, StoppedBy},
    report::{AttemptReport, Report},
    telemetry::{
        ACTION, ATTEMPT, ATTEMPTS, CACHED_TOKENS, CHAT, COST, DELAY, ENDPOINT, ERROR_TYPE,
        FIRST_TOKEN, FUNCTION, INPUT_TOKENS, LEFT_EARLY, OPERATION_NAME, OUTCOME, OUTPUT_TOKENS,
        REASONING_TOKENS, RECOVERIES, REQUEST_ID, REQUEST_MODEL, REQUESTS, RESPONSE_ID,
        RESPONSE_MODEL, STATUS_CODE, STOPPED_BY, TARGET, outcome_of_attempt, outcome_of_call,
    },
};

/// What `tracing-opentelemetry` takes a span's name, kind and status from.
const OTEL_NAME: &str = "otel.name";
const OTEL_KIND: &str = "otel.kind";
const OTEL_STATUS: &str = "otel.status_code";

/// The spans of a call, if somebody collects them. A call that nobody looks at pays for one look at whether somebody does.
#[derive(Debug, Default)]
pub(super) struct Spans(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    call: Span,
    /// Of the attempt under way.
    attempt: Span,
}

impl Spans {
    pub(super) fn are_open(&self) -> bool {
        self.0.is_some()
    }

    /// An attempt begins, and with the first the call.
    pub(super) fn begin(&mut self, function: &'static str, number: u32) {
        // Before anything is made of it: most often there is no subscriber.
        if self.0.is_some() || LevelFilter::current() >= LevelFilter::INFO {
            self.open(function, number);
        }
    }

    #[cold]
    fn open(&mut self, function: &'static str, number: u32) {
        if self.0.is_none() {
            let call = call_span(function);
            if call.is_disabled() {
                return;
            }
            self.0 = Some(Box::new(Open { call, attempt: Span::none() }));
        }
        if let Some(open) = &mut self.0 {
            open.attempt = attempt_span(open.call.id(), function, number);
        }
    }

    /// Enters the span of the attempt: while its body is polled, or dropped.
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_ref().map(|open| open.attempt.enter())
    }

    /// An answer came, of which the provider says this.
    #[cfg(feature = "openai")]
    pub(super) fn answered(&self, id: &str, model: &str) {
        let Some(open) = &self.0 else { return };
        for (field, said) in [(RESPONSE_ID, id), (RESPONSE_MODEL, model)] {
            if !said.is_empty() {
                open.attempt.record(field, short(said));
            }
        }
    }

    /// The attempt is over.
    pub(super) fn end_attempt(&mut self, attempt: &AttemptReport) {
        let Some(open) = &mut self.0 else { return };
        let span = std::mem::replace(&mut open.attempt, Span::none());
        span.record(OUTCOME, outcome_of_attempt(attempt));
        if let Some(kind) = attempt.kind {
            span.record(ERROR_TYPE, kind.as_str()).record(OTEL_STATUS, "ERROR");
            span.record(DELAY, attempt.delay.as_secs_f64());
            if let Some(action) = attempt.action {
                span.record(ACTION, action.as_str());
            }
        }
        if let Some(status) = attempt.status {
            span.record(STATUS_CODE, status);
        }
        asked(&span, attempt);
    }

    /// It was decided what follows the attempt that ended last.
    pub(super) fn decided(&self, attempt: &AttemptReport, stopped_by: Option<StoppedBy>) {
        // The two levels differ in nothing else, and a level is part of an event's static description.
        macro_rules! tell {
            ($level:expr, $what:literal) => {
                event!(
                    target: TARGET,
                    $level,
                    { FUNCTION } = attempt.function,
                    { ATTEMPT } = attempt.number,
                    { REQUEST_MODEL } = attempt.model.as_deref(),
                    { ERROR_TYPE } = attempt.kind.map(|kind| kind.as_str()),
                    { ACTION } = attempt.action.map(Action::as_str),
                    { DELAY } = attempt.delay.as_secs_f64(),
                    { STOPPED_BY } = stopped_by.map(StoppedBy::as_str),
                    $what
                )
            };
        }
        let _call = self.0.as_ref().map(|open| open.call.enter());
        match attempt.action {
            Some(Action::Escalate) => tell!(Level::WARN, "a call failed: a person must look"),
            Some(Action::Retry) => tell!(Level::DEBUG, "an attempt failed: the same again"),
            Some(Action::Repair) => {
                tell!(Level::DEBUG, "an attempt failed: asked again with what was wrong");
            }
            Some(Action::Fallback) => tell!(Level::DEBUG, "an attempt failed: the next model"),
            Some(Action::Fail) | None => tell!(Level::DEBUG, "a call failed"),
        }
    }

    /// The call is over.
    pub(super) fn end_call(&mut self, report: &Report) {
        let Some(open) = self.0.take() else { return };
        let own = report.attempts.iter().filter(|attempt| !attempt.marks.is_inside);
        let attempts = own.map(|attempt| attempt.number).max().unwrap_or_default();
        let span = open.call;
        span.record(OUTCOME, outcome_of_call(report)).record(ATTEMPTS, attempts);
        span.record(REQUESTS, report.wire_requests);
        if let Some(kind) = report.kind {
            span.record(ERROR_TYPE, kind.as_str());
            if !report.degraded {
                span.record(OTEL_STATUS, "ERROR");
            }
        }
        if let Some(stopped_by) = report.stopped_by {
            span.record(STOPPED_BY, stopped_by.as_str());
        }
    }
}

/// What was asked in an attempt, and what came.
fn asked(span: &Span, attempt: &AttemptReport) {
    if let Some(model) = &attempt.model {
        let name = format_args!("{CHAT} {model}");
        span.record(OPERATION_NAME, CHAT).record(REQUEST_MODEL, model.as_str());
        span.record(OTEL_NAME, tracing::field::display(name)).record(OTEL_KIND, "client");
    }
    if let Some(endpoint) = &attempt.endpoint {
        span.record(ENDPOINT, endpoint.as_str());
    }
    if let Some(id) = &attempt.request_id {
        span.record(REQUEST_ID, id.as_str());
    }
    span.record(REQUESTS, attempt.wire_requests);
    let usage = attempt.usage;
    if usage.total() > 0 {
        span.record(INPUT_TOKENS, usage.prompt_tokens);
        span.record(OUTPUT_TOKENS, usage.completion_tokens);
        if let Some(cost) = attempt.cost {
            span.record(COST, cost.as_usd());
        }
    }
    let parts = [
        (CACHED_TOKENS, usage.cached_tokens),
        (REASONING_TOKENS, usage.reasoning_tokens),
        (RECOVERIES, attempt.recovered.len() as u64),
    ];
    for (field, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        span.record(field, count);
    }
    if let Some(after) = attempt.first_token {
        span.record(FIRST_TOKEN, after.as_secs_f64());
    }
    if attempt.left_early {
        span.record(LEFT_EARLY, true);
    }
}

/// Inside whatever span is around.
fn call_span(function: &'static str) -> Span {
    info_span!(
        target: TARGET,
        "call",
        { FUNCTION } = function,
        { OUTCOME } = Empty,
        { ERROR_TYPE } = Empty,
        { STOPPED_BY } = Empty,
        { ATTEMPTS } = Empty,
        { REQUESTS } = Empty,
        { OTEL_NAME } = function,
        { OTEL_STATUS } = Empty,
    )
}

fn attempt_span(call: Option<Id>, function: &'static str, number: u32) -> Span {
    info_span!(
        target: TARGET,
        parent: call,
        "attempt",
        { FUNCTION } = function,
        { ATTEMPT } = number,
        { OUTCOME } = Empty,
        { ERROR_TYPE } = Empty,
        { OPERATION_NAME } = Empty,
        { REQUEST_MODEL } = Empty,
        { ENDPOINT } = Empty,
        { RESPONSE_MODEL } = Empty,
        { RESPONSE_ID } = Empty,
        { REQUEST_ID } = Empty,
        { REQUESTS } = Empty,
        { STATUS_CODE } = Empty,
        { INPUT_TOKENS } = Empty,
        { OUTPUT_TOKENS } = Empty,
        { CACHED_TOKENS } = Empty,
        { REASONING_TOKENS } = Empty,
        { COST } = Empty,
        { FIRST_TOKEN } = Empty,
        { RECOVERIES } = Empty,
        { LEFT_EARLY } = Empty,
        { ACTION } = Empty,
        { DELAY } = Empty,
        { OTEL_NAME } = Empty,
        { OTEL_KIND } = Empty,
        { OTEL_STATUS } = Empty,
    )
}
