//! Calls as metrics, for whatever recorder of the crate `metrics` the program installs: Prometheus, OpenTelemetry, `StatsD`.
//!
//! [`Metrics`] is an [`Observer`]. What it writes:
//!
//! | metric | kind, unit | labels | what |
//! |---|---|---|---|
//! | [`fcretry.calls`](CALLS) | counter | function, outcome, error | calls that ended |
//! | [`fcretry.call.duration`](CALL_DURATION) | histogram, seconds | function, outcome | how long calls took, waits included |
//! | [`fcretry.attempts`](ATTEMPTS) | counter | function, model, endpoint, outcome, error | attempts that ended |
//! | [`fcretry.decisions`](DECISIONS) | counter | function, error, action | what was decided about failed attempts: `retry`, `repair`, `fallback`, `fail`, `escalate` |
//! | [`fcretry.delay`](DELAY) | histogram, seconds | function, error, action | the waits that were decided, where there was one |
//! | [`fcretry.requests`](REQUESTS) | counter | function, model, endpoint | requests that went to a server |
//! | [`gen_ai.client.operation.duration`](OPERATION_DURATION) | histogram, seconds | operation, function, model, endpoint, error | how long attempts took that sent a request and were not dropped |
//! | [`gen_ai.client.operation.time_to_first_chunk`](FIRST_CHUNK) | histogram, seconds | operation, function, model, endpoint | from sending to the first token, of streamed answers |
//! | [`gen_ai.client.token.usage`](TOKEN_USAGE) | histogram, tokens | operation, token type, function, model, endpoint | tokens of an attempt's answers, of failed attempts too; its sum is what was spent |
//! | [`fcretry.tokens.cached`](CACHED_TOKENS) | counter, tokens | function, model, endpoint | the part of the input that the provider had cached |
//! | [`fcretry.tokens.reasoning`](REASONING_TOKENS) | counter, tokens | function, model, endpoint | the part of the output that was reasoning |
//! | [`fcretry.cost`](COST) | histogram, dollars | function, model, endpoint | what an attempt's answers cost, by the call's prices, if it is known and more than nothing; its sum is what was spent |
//! | [`fcretry.unpriced`](UNPRICED) | counter | function, model, endpoint | attempts with an answer whose price is not known |
//! | [`fcretry.unaccounted`](UNACCOUNTED) | counter | function, model, endpoint | attempts with a request whose tokens are unknown |
//! | [`fcretry.recoveries`](RECOVERIES) | counter | function, model, endpoint | what was put right in arguments without asking again |
//! | [`fcretry.left_early`](LEFT_EARLY) | counter | function, model, endpoint | streams that were left, because nothing good could come of them any more |
//!
//! The labels have the names that fields of [spans](crate::telemetry) have: `fcretry.function`, `fcretry.outcome` (`ok`,
//! `degraded`, `failed`, `cancelled`), `error.type` (the [kind](crate::FailureKind)), `gen_ai.request.model`, `fcretry.endpoint`,
//! `fcretry.action`, `gen_ai.operation.name` (`chat`), `gen_ai.token.type` (`input`, `output`). One that there is nothing for is
//! left out. Nothing else becomes a label: only what the code and the policy name, and of models and endpoints no more than
//! [`limit`](Metrics::limit) of each.
//!
//! # In Prometheus
//!
//! ```no_run
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//! use fcretry::metrics::{BUCKETS, Metrics};
//! # use fcretry::prelude::*;
//!
//! static METRICS: Metrics = Metrics::new();
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut builder = PrometheusBuilder::new().with_recommended_naming(true);
//! for (name, bounds) in BUCKETS {
//!     builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)?;
//! }
//! builder.install_recorder()?;
//! # Ok(()) }
//!
//! #[retry_policy(observer(METRICS))]
//! async fn ask(attempt: &Attempt) -> fcretry::Result<u32> {
//!     Ok(attempt.number())
//! }
//! ```
//!
//! With the recommended naming dots are underscores, counters end in `_total` and seconds in `_seconds`:
//! `fcretry_calls_total`, `gen_ai_client_operation_duration_seconds_bucket`. So do collectors of OpenTelemetry name them.
//! `assets/grafana.json` of this crate is a dashboard for Grafana that works with these names and buckets.

mod count;
mod names;
mod written;

use std::{fmt, sync::Once};

pub use written::{
    ATTEMPTS, BUCKETS, CACHED_TOKENS, CALL_DURATION, CALLS, COST, DECISIONS, DELAY, FIRST_CHUNK,
    LEFT_EARLY, OPERATION_DURATION, REASONING_TOKENS, RECOVERIES, REQUESTS, TOKEN_USAGE,
    UNACCOUNTED, UNPRICED,
};

use self::names::Names;
use crate::{
    marks::Who,
    run::{FinishEvent, Observer},
};

/// Writes what came of calls to the recorder of the crate `metrics` that is installed, as their [`Observer`]: see the [list of
/// metrics](self).
///
/// A call counts when it ends, also when it is dropped. Each attempt counts once, as in [`Stats`](crate::Stats): those of a call
/// inside a call are in the reports of both, and are counted by whichever of them this observes first. To have both, observe by
/// a pair: `static WATCHES: (Stats, Metrics)`.
///
/// What is written before a recorder is installed is lost. Nothing is held of a recorder, so that one may forget what is idle.
///
/// ```
/// use fcretry::{metrics::Metrics, prelude::*};
///
/// static METRICS: Metrics = Metrics::new();
///
/// #[retry_policy(observer(METRICS))]
/// async fn ask(attempt: &Attempt) -> fcretry::Result<u32> {
///     Ok(attempt.number())
/// }
/// ```
pub struct Metrics {
    who: Who,
    described: Once,
    models: Names,
    endpoints: Names,
    limit: usize,
}

impl Metrics {
    /// How many models, and how many endpoints, have a name of their own by default.
    pub const LIMIT: usize = 64;

    /// One that has written nothing.
    pub const fn new() -> Self {
        Self {
            who: Who::new(),
            described: Once::new(),
            models: Names::new(),
            endpoints: Names::new(),
            limit: Self::LIMIT,
        }
    }

    /// Gives no more than this many models, and as many endpoints, a name of their own, of at most 96 bytes; those that come
    /// later are `other`. Default: 64. Each costs the recorder, and whatever reads it, a time series of every metric.
    pub const fn limit(mut self, names: usize) -> Self {
        self.limit = names;
        self
    }

    /// Tells the recorder what each metric is, and its unit. Done when the first call ends; by hand for a recorder that is
    /// installed after that.
    pub fn describe(&self) {
        self.described.call_once(|| {});
        written::describe();
    }
}

impl Observer for Metrics {
    fn on_finish(&self, event: &FinishEvent<'_>) {
        self.described.call_once(written::describe);
        self.count(event.function, event.report);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("limit", &self.limit).finish_non_exhaustive()
    }
}
