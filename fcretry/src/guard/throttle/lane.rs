//! The state of one key: all that happens under the lock. Nothing here waits, and the time is given.

mod ends;
mod turns;

use std::time::Duration;

use tokio::time::Instant;

pub(super) use turns::Turn;

use super::{
    ThrottleStats,
    bucket::Bucket,
    concurrency::Gate,
    line::Line,
    rate::{Rate, Sent},
    recent::Recent,
    settings::Settings,
};

/// Longer than this a wait means never, in seconds; it also keeps sums from overflowing.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

#[derive(Debug)]
pub(super) struct Lane {
    settings: Settings,
    start: Instant,
    requests: Bucket,
    tokens: Bucket,
    /// Nothing is sent before.
    paused: f64,
    in_flight: u32,
    gate: Gate,
    rate: Rate,
    sent: Sent,
    /// What the server allows, per second.
    server_requests: f64,
    server_tokens: f64,
    recent: Recent,
    line: Line,
    /// When it was last asked.
    pub(super) asked: Instant,
    counted: Counted,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    admitted: u64,
    refused: u64,
    pushed_back: u64,
    reserved: u64,
    settled: u64,
    refunded: u64,
}

impl Lane {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            settings: *settings,
            start: now,
            requests: Bucket::full(settings.requests, f64::from(settings.burst)),
            tokens: Bucket::full(settings.tokens, settings.burst_tokens),
            paused: 0.0,
            in_flight: 0,
            gate: Gate::open(settings.most_in_flight()),
            rate: Rate::new(settings.requests),
            sent: Sent::nothing(),
            server_requests: f64::INFINITY,
            server_tokens: f64::INFINITY,
            recent: Recent::new(),
            line: Line::empty(),
            asked: now,
            counted: Counted::default(),
        }
    }

    fn time(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }

    /// Brings the buckets up to now.
    fn refill(&mut self, now: Instant) -> f64 {
        let now = self.time(now);
        self.requests.refill(now);
        self.tokens.refill(now);
        now
    }

    fn can_serve(&mut self, tokens: u64, now: f64) -> bool {
        if self.in_flight >= self.gate.limit() {
            self.gate.reached = true;
            return false;
        }
        now >= self.paused && self.requests.has(1.0) && self.tokens.has(amount(tokens))
    }

    fn take(&mut self, tokens: u64, now: f64) {
        self.requests.take(1.0);
        self.tokens.take(amount(tokens));
        self.in_flight += 1;
        self.gate.reached |= self.in_flight >= self.gate.limit();
        let weight = amount(tokens) * self.settings.requests / self.settings.tokens;
        self.sent.add(weight.max(1.0), now);
        self.counted.admitted += 1;
        self.counted.reserved = self.counted.reserved.saturating_add(tokens);
    }

    /// Whether nothing would be lost by forgetting it but its counts.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.line.is_empty()
    }

    /// Whether nothing at all would be lost: no debt, no pause, no rate that is still coming back.
    pub(super) fn is_rested(&mut self, at: Instant) -> bool {
        let now = self.refill(at);
        self.is_idle()
            && now >= self.paused
            && !self.rate.is_reduced()
            && self.requests.is_full()
            && self.tokens.is_full()
    }

    pub(super) fn stats(&self, at: Instant) -> ThrottleStats {
        let Counted { admitted, refused, pushed_back, reserved, settled, refunded } = self.counted;
        ThrottleStats {
            keys: 1,
            requests_per_second: self.requests.rate(),
            tokens_per_minute: self.tokens.rate() * 60.0,
            concurrency: self.gate.limit(),
            paused_for: seconds(self.paused - self.time(at)),
            in_flight: u64::from(self.in_flight),
            waiting: self.line.len() as u64,
            admitted,
            refused,
            pushed_back,
            results: self.recent.len(),
            mean_latency: self.recent.mean(),
            error_share: self.recent.share(),
            tokens_reserved: reserved,
            tokens_settled: settled,
            tokens_refunded: refunded,
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "2⁵³ tokens are more than there are")]
fn amount(count: u64) -> f64 {
    count as f64
}

/// A time of this lane, rounded up: an alarm is never too early.
fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
}
