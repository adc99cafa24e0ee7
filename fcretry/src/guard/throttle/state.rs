//! The state of one key: all that happens under its lock.

mod advancing;
mod ends;
mod turns;

use std::time::Duration;

use tokio::time::Instant;

use advancing::Ahead;
pub(super) use ends::news;
pub(super) use turns::{Asked, Turn};

use super::{
    ThrottleStats,
    advances::Advances,
    bucket::{Bucket, FORGIVEN},
    concurrency::Gate,
    line::Line,
    rate::{Rate, Sent},
    recent::Recent,
    server::Told,
    settings::Settings,
};
use crate::guard::keyed::nanos;

/// Longer than this a wait means never, in seconds; it also keeps sums from overflowing.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

#[derive(Debug)]
pub(super) struct State {
    settings: Settings,
    start: Instant,
    /// The same in [`nanos`].
    origin: u64,
    requests: Bucket,
    tokens: Bucket,
    /// Nothing is sent before.
    paused: f64,
    in_flight: u32,
    gate: Gate,
    rate: Rate,
    sent: Sent,
    /// How many requests a token weighs: where tokens are what is short, they are what the rate is measured by.
    weight: f64,
    /// What the server allows, and when the first of that is no longer believed.
    told_requests: Told,
    told_tokens: Told,
    told_until: f64,
    recent: Recent,
    line: Line,
    ahead: Ahead,
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
    longest_wait: f64,
}

impl State {
    #[cold]
    pub(super) fn new(settings: &Settings, advances: &Advances, now: Instant) -> Self {
        let ahead = Ahead::none(settings);
        if ahead.is_possible() {
            advances.make();
        }
        Self {
            settings: *settings,
            start: now,
            origin: nanos(now),
            requests: Bucket::full(settings.requests, f64::from(settings.burst)),
            tokens: Bucket::full(settings.tokens, settings.burst_tokens),
            paused: 0.0,
            in_flight: 0,
            gate: Gate::open(settings.most_in_flight()),
            rate: Rate::new(settings.requests),
            sent: Sent::nothing(),
            weight: settings.requests / settings.tokens,
            told_requests: Told::NOTHING,
            told_tokens: Told::NOTHING,
            told_until: f64::INFINITY,
            recent: Recent::new(),
            line: Line::empty(),
            ahead,
            counted: Counted::default(),
        }
    }

    #[inline]
    fn time(&self, at: Instant) -> f64 {
        self.since_start(nanos(at))
    }

    /// In seconds, of a time in [`nanos`].
    #[inline]
    fn since_start(&self, nanos: u64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "nanoseconds since the start")]
        let passed = nanos.saturating_sub(self.origin).cast_signed() as f64;
        passed * 1e-9
    }

    /// Brings the buckets up to now.
    #[inline]
    fn refill(&mut self, now: Instant) -> f64 {
        let now = self.time(now);
        if now + FORGIVEN >= self.told_until {
            self.doubt(now);
        }
        self.requests.refill(now);
        self.tokens.refill(now);
        now
    }

    /// What the server told too long ago is not believed from when it was.
    #[cold]
    fn doubt(&mut self, now: f64) {
        while now + FORGIVEN >= self.told_until {
            let until = self.told_until;
            self.requests.refill(until.min(now));
            self.tokens.refill(until.min(now));
            self.told_requests.doubt(until);
            self.told_tokens.doubt(until);
            self.set_rates();
        }
    }

    #[inline]
    fn can_serve(&mut self, tokens: u64, now: f64) -> bool {
        if self.in_flight >= self.gate.limit() {
            self.gate.reached = true;
            return false;
        }
        now + FORGIVEN >= self.paused && self.requests.has(1.0) && self.tokens.has(amount(tokens))
    }

    #[inline]
    fn take(&mut self, number: u64, tokens: u64, now: f64) {
        let is_only = self.in_flight == 0;
        self.requests.take(1.0, number, is_only);
        self.tokens.take(amount(tokens), number, is_only);
        self.in_flight += 1;
        self.gate.reached |= self.in_flight >= self.gate.limit();
        self.sent.add((amount(tokens) * self.weight).max(1.0), now);
        self.counted.admitted += 1;
        self.counted.reserved = self.counted.reserved.saturating_add(tokens);
    }

    /// Whether it is nobody's just now, if nothing is out in advance.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.line.is_empty()
    }

    /// Whether something was learned that it would be a pity to forget: a debt, a pause, a rate that is still coming back.
    pub(super) fn is_held_back(&self) -> bool {
        self.rate.is_reduced() || self.requests.level() < 1.0 || self.tokens.level() < 1.0
    }

    pub(super) fn stats(&mut self, at: Instant, advances: &Advances) -> ThrottleStats {
        self.call_back(advances);
        let now = self.refill(at);
        let counted = &self.counted;
        let per_second = |rate: f64| rate.is_finite().then_some(rate);
        ThrottleStats {
            keys: 1,
            requests_per_second: self.requests.rate(),
            tokens_per_minute: self.tokens.rate() * 60.0,
            server_requests_per_second: per_second(self.told_requests.rate),
            server_tokens_per_minute: per_second(self.told_tokens.rate * 60.0),
            concurrency: self.gate.limit(),
            paused_for: seconds(self.paused - now),
            in_flight: u64::from(self.in_flight),
            waiting: self.line.len() as u64,
            longest_wait: seconds(counted.longest_wait),
            admitted: counted.admitted,
            refused: counted.refused,
            pushed_back: counted.pushed_back,
            results: self.recent.len(),
            mean_latency: self.recent.mean(),
            error_share: self.recent.share(),
            tokens_reserved: counted.reserved,
            tokens_settled: counted.settled,
            tokens_refunded: counted.refunded,
        }
    }
}

#[inline]
#[allow(clippy::cast_precision_loss, reason = "2⁵³ tokens are more than there are")]
pub(super) fn amount(count: u64) -> f64 {
    count as f64
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
}
