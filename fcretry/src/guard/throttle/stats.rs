use std::time::Duration;

use serde::Serialize;

use super::settings::Settings;
use crate::millis::{millis, some_millis};

/// What a throttle allows now, and what it did so far. Serializes with durations in milliseconds (`paused_for_ms`,
/// `longest_wait_ms`, `mean_latency_ms`).
///
/// `tokens_reserved` is always `tokens_settled` and `tokens_refunded` and what is reserved by calls in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ThrottleStats {
    /// How many keys these are the figures of.
    pub keys: u64,
    /// Requests per second that are allowed now.
    pub requests_per_second: f64,
    /// Tokens per minute that are allowed now.
    pub tokens_per_minute: f64,
    /// Requests per second that the server says it allows, if it does.
    pub server_requests_per_second: Option<f64>,
    /// Tokens per minute that the server says it allows, if it does.
    pub server_tokens_per_minute: Option<f64>,
    /// Calls in flight that are allowed now.
    pub concurrency: u32,
    /// How long nothing will be sent, because the server said so.
    #[serde(rename = "paused_for_ms", serialize_with = "millis")]
    pub paused_for: Duration,
    /// Permits that are out.
    pub in_flight: u64,
    /// Callers that wait for their turn.
    pub waiting: u64,
    /// The longest that one who got a permit waited for it, so far.
    #[serde(rename = "longest_wait_ms", serialize_with = "millis")]
    pub longest_wait: Duration,
    /// Permits given so far.
    pub admitted: u64,
    /// Callers refused so far.
    pub refused: u64,
    /// Requests that the server refused for their rate (429) so far.
    pub pushed_back: u64,
    /// How many results, at most the last hundred of a key, the next two are of.
    pub results: u32,
    /// The mean time from a permit to the end of the answer, of the last hundred results of a key.
    #[serde(rename = "mean_latency_ms", serialize_with = "some_millis")]
    pub mean_latency: Option<Duration>,
    /// The share of failures (429, overload, no answer in time, a connection or stream that broke) among them, 0 to 1.
    pub error_share: f64,
    /// Tokens reserved so far; what was used beyond an estimate counts as reserved when it is known.
    pub tokens_reserved: u64,
    /// Tokens used so far; the estimate, where the use is not known.
    pub tokens_settled: u64,
    /// Tokens given back so far.
    pub tokens_refunded: u64,
}

impl ThrottleStats {
    /// What a throttle that was not asked yet allows, for those who implement a [`Limiter`](super::Limiter).
    pub const fn new(requests_per_second: f64, tokens_per_minute: f64, concurrency: u32) -> Self {
        Self {
            keys: 0,
            requests_per_second,
            tokens_per_minute,
            server_requests_per_second: None,
            server_tokens_per_minute: None,
            concurrency,
            paused_for: Duration::ZERO,
            in_flight: 0,
            waiting: 0,
            longest_wait: Duration::ZERO,
            admitted: 0,
            refused: 0,
            pushed_back: 0,
            results: 0,
            mean_latency: None,
            error_share: 0.0,
            tokens_reserved: 0,
            tokens_settled: 0,
            tokens_refunded: 0,
        }
    }

    pub(super) fn unused(settings: &Settings) -> Self {
        Self::new(settings.requests, settings.tokens * 60.0, settings.most_in_flight())
    }

    /// Of both together: counts are sums, limits the lower, means weighted by results.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (ours, theirs) = (f64::from(self.results), f64::from(other.results));
        let weighted = |a: f64, b: f64| {
            if ours + theirs > 0.0 { (a * ours + b * theirs) / (ours + theirs) } else { 0.0 }
        };
        let mean_latency = match (self.mean_latency, other.mean_latency) {
            (Some(a), Some(b)) => {
                Some(Duration::from_secs_f64(weighted(a.as_secs_f64(), b.as_secs_f64())))
            }
            (a, b) => a.or(b),
        };
        Self {
            keys: self.keys + other.keys,
            requests_per_second: self.requests_per_second.min(other.requests_per_second),
            tokens_per_minute: self.tokens_per_minute.min(other.tokens_per_minute),
            server_requests_per_second: lower(
                self.server_requests_per_second,
                other.server_requests_per_second,
            ),
            server_tokens_per_minute: lower(
                self.server_tokens_per_minute,
                other.server_tokens_per_minute,
            ),
            concurrency: self.concurrency.min(other.concurrency),
            paused_for: self.paused_for.max(other.paused_for),
            in_flight: self.in_flight + other.in_flight,
            waiting: self.waiting + other.waiting,
            longest_wait: self.longest_wait.max(other.longest_wait),
            admitted: self.admitted + other.admitted,
            refused: self.refused + other.refused,
            pushed_back: self.pushed_back + other.pushed_back,
            results: self.results + other.results,
            mean_latency,
            error_share: weighted(self.error_share, other.error_share),
            tokens_reserved: self.tokens_reserved.saturating_add(other.tokens_reserved),
            tokens_settled: self.tokens_settled.saturating_add(other.tokens_settled),
            tokens_refunded: self.tokens_refunded.saturating_add(other.tokens_refunded),
        }
    }
}

fn lower(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
