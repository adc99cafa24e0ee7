//! What a throttle is made with.

use std::time::Duration;

use super::Concurrency;

/// The slowest rate there is, per second: one a day.
const SLOWEST: f64 = 1.0 / 86_400.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Requests per second.
    pub(super) requests: f64,
    /// Tokens per second.
    pub(super) tokens: f64,
    /// Requests that may come at once.
    pub(super) burst: u32,
    /// The most calls in flight; the burst if it is not said.
    pub(super) in_flight: Option<u32>,
    /// Tokens that may be taken at once.
    pub(super) burst_tokens: f64,
    pub(super) concurrency: Concurrency,
    pub(super) cooldown: Duration,
}

impl Settings {
    #[allow(clippy::cast_precision_loss, reason = "a limit, not a count")]
    pub(super) const fn new(requests_per_second: f64, tokens_per_minute: u64) -> Self {
        let tokens = tokens_per_minute as f64;
        // Written so that what is no number is the slowest rate, too.
        let requests = if requests_per_second > SLOWEST { requests_per_second } else { SLOWEST };
        Self {
            requests: if requests < 1e9 { requests } else { 1e9 },
            tokens: if tokens_per_minute == 0 { SLOWEST } else { tokens / 60.0 },
            burst: 50,
            in_flight: None,
            burst_tokens: if tokens > 10.0 { tokens / 10.0 } else { 1.0 },
            concurrency: Concurrency::ByFirstToken,
            cooldown: Duration::from_secs(60),
        }
    }

    /// The most calls that are ever in flight.
    pub(super) const fn most_in_flight(&self) -> u32 {
        match self.in_flight {
            Some(calls) => calls,
            None => self.burst,
        }
    }
}
