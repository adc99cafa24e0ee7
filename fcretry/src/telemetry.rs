//! The names under which calls show in traces and metrics. Nothing to call here.
//!
//! # Spans
//!
//! Every call has a [`tracing`] span, and every attempt of it one inside that, of the target [`TARGET`] at the level `INFO`: a
//! subscriber that keeps `fcretry=info` sees them, one that keeps less pays nothing. A call inside a call is inside the attempt
//! that made it, also in a task that was spawned with [`inherit`](crate::inherit). A span is entered while the body is polled,
//! so that what the body logs is inside it, and closed when its attempt or call ends or is dropped.
//!
//! The names are those of the OpenTelemetry conventions for generative AI, where there is one; for what only this crate knows
//! they begin with `fcretry.`. Each is a constant here.
//!
//! | field | of | type, unit | when |
//! |---|---|---|---|
//! | [`fcretry.function`](FUNCTION) | call, attempt | text, `module::name` | at the start |
//! | [`fcretry.attempt`](ATTEMPT) | attempt | integer, 1 for the first | at the start |
//! | [`fcretry.outcome`](OUTCOME) | call, attempt | `ok`, `failed`, `cancelled`; of a call also `degraded` | at the end |
//! | [`error.type`](ERROR_TYPE) | call, attempt | the [kind](crate::FailureKind), `snake_case` | if it failed |
//! | [`fcretry.stopped_by`](STOPPED_BY) | call | [what ended it](crate::StoppedBy), `snake_case` | if it gave no value of its own |
//! | [`fcretry.attempts`](ATTEMPTS) | call | integer: of its own, not of calls inside it | at the end |
//! | [`fcretry.requests`](REQUESTS) | call, attempt | integer: those that went to a server; of a call, with the calls inside it | at the end |
//! | [`gen_ai.operation.name`](OPERATION_NAME) | attempt | `chat` | if a model was asked |
//! | [`gen_ai.request.model`](REQUEST_MODEL) | attempt | text: the model that was asked last | if a model was asked |
//! | [`fcretry.endpoint`](ENDPOINT) | attempt | text: the endpoint of the route | if it was one of a route |
//! | [`gen_ai.response.model`](RESPONSE_MODEL) | attempt | text, at most 96 bytes: what the provider says | when an answer came, through the feature `openai` |
//! | [`gen_ai.response.id`](RESPONSE_ID) | attempt | text, at most 96 bytes: the provider's id of the answer | when an answer came, through the feature `openai` |
//! | [`fcretry.request_id`](REQUEST_ID) | attempt | text: the provider's id of the last request | if there is one |
//! | [`http.response.status_code`](STATUS_CODE) | attempt | integer | if it failed with one |
//! | [`gen_ai.usage.input_tokens`](INPUT_TOKENS) | attempt | integer | if tokens are known |
//! | [`gen_ai.usage.output_tokens`](OUTPUT_TOKENS) | attempt | integer | if tokens are known |
//! | [`gen_ai.usage.cache_read.input_tokens`](CACHED_TOKENS) | attempt | integer, part of the input's | if there are any |
//! | [`gen_ai.usage.reasoning.output_tokens`](REASONING_TOKENS) | attempt | integer, part of the output's | if there are any |
//! | [`fcretry.cost`](COST) | attempt | number, dollars of its answers | if tokens are known, and the price |
//! | [`fcretry.first_token`](FIRST_TOKEN) | attempt | number, seconds from sending | if the answer was streamed |
//! | [`fcretry.recoveries`](RECOVERIES) | attempt | integer: what was put right without asking again | if there are any |
//! | [`fcretry.left_early`](LEFT_EARLY) | attempt | `true` | if the stream was left before its end |
//! | [`fcretry.action`](ACTION) | attempt | [what was decided](crate::Action), `snake_case` | if it failed |
//! | [`fcretry.delay`](DELAY) | attempt | number, seconds before what was decided | if it failed |
//! | `otel.name`, `otel.kind`, `otel.status_code` | call, attempt | what `tracing-opentelemetry` names a span by, `client`, `ERROR` | at the end |
//!
//! Tokens are at the attempts alone, each at its own, so that their sum over all spans is what was spent.
//!
//! # Events
//!
//! Of the target [`TARGET`], in the span of the call, with `fcretry.function`, `fcretry.attempt`, `gen_ai.request.model`,
//! `error.type`, `fcretry.action`, `fcretry.delay` and, if the call ends, `fcretry.stopped_by`:
//!
//! | level | when |
//! |---|---|
//! | `WARN` | an escalation: a person must look |
//! | `DEBUG` | a retry, a repair, a fallback, and a call that fails: its caller has the error, and a provider that is down is to drown nobody |
//!
//! # Metrics
//!
//! Behind the feature `metrics`: those of `fcretry::metrics::Metrics`, whose labels have the names of the fields above.
//!
//! # What is never there
//!
//! Prompts, arguments, answers, what violations quote, providers' messages, keys. Names of providers' making (`gen_ai.response.*`,
//! `fcretry.request_id`) are in spans only: nothing that others can choose becomes a label of a metric.

use crate::report::{AttemptReport, Report};

/// The target of all spans and events.
pub const TARGET: &str = "fcretry";

/// `fcretry.function`
pub const FUNCTION: &str = "fcretry.function";
/// `fcretry.attempt`
pub const ATTEMPT: &str = "fcretry.attempt";
/// `fcretry.outcome`
pub const OUTCOME: &str = "fcretry.outcome";
/// `error.type`
pub const ERROR_TYPE: &str = "error.type";
/// `fcretry.stopped_by`
pub const STOPPED_BY: &str = "fcretry.stopped_by";
/// `fcretry.attempts`
pub const ATTEMPTS: &str = "fcretry.attempts";
/// `fcretry.requests`
pub const REQUESTS: &str = "fcretry.requests";
/// `gen_ai.operation.name`
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// `gen_ai.request.model`
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// `fcretry.endpoint`
pub const ENDPOINT: &str = "fcretry.endpoint";
/// `gen_ai.response.model`
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// `gen_ai.response.id`
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// `fcretry.request_id`
pub const REQUEST_ID: &str = "fcretry.request_id";
/// `http.response.status_code`
pub const STATUS_CODE: &str = "http.response.status_code";
/// `gen_ai.usage.input_tokens`
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// `gen_ai.usage.output_tokens`
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// `gen_ai.usage.cache_read.input_tokens`
pub const CACHED_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// `gen_ai.usage.reasoning.output_tokens`
pub const REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// `fcretry.cost`
pub const COST: &str = "fcretry.cost";
/// `fcretry.first_token`
pub const FIRST_TOKEN: &str = "fcretry.first_token";
/// `fcretry.recoveries`
pub const RECOVERIES: &str = "fcretry.recoveries";
/// `fcretry.left_early`
pub const LEFT_EARLY: &str = "fcretry.left_early";
/// `fcretry.action`
pub const ACTION: &str = "fcretry.action";
/// `fcretry.delay`
pub const DELAY: &str = "fcretry.delay";

/// `gen_ai.token.type`, a label of metrics: `input` or `output`.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";

/// The value of [`OPERATION_NAME`].
pub const CHAT: &str = "chat";

/// The value of [`OUTCOME`] for a call.
pub(crate) fn outcome_of_call(report: &Report) -> &'static str {
    match (report.kind, report.stopped_by) {
        (Some(_), _) if report.degraded => "degraded",
        (Some(_), _) => "failed",
        (None, Some(_)) => "cancelled",
        (None, None) => "ok",
    }
}

/// The value of [`OUTCOME`] for an attempt.
pub(crate) fn outcome_of_attempt(attempt: &AttemptReport) -> &'static str {
    match (attempt.kind, attempt.action) {
        (Some(_), _) => "failed",
        (None, Some(_)) => "cancelled",
        (None, None) => "ok",
    }
}
