//! What a call that ends gives back, and what is learned from it.

use tokio::time::Instant;

use super::{
    super::{Ended, Outcome, ServerLimits, Used, bucket::Bucket, concurrency::News, wakes::Wakes},
    LONGEST, State, amount,
};
use crate::failure::FailureKind;

impl State {
    /// A permit is over.
    pub(in super::super) fn ended(&mut self, ended: &Ended, at: Instant, wakes: &mut Wakes) {
        let now = self.refill(at);
        let since = self.time(ended.granted);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.settle(ended);
        let news = news(ended);
        match news {
            Some(News::Answered) => {
                self.recent.answered(at.saturating_duration_since(ended.granted));
                if self.rate.is_reduced() {
                    let tried = self.tried(now);
                    if self.rate.answered(now, tried) {
                        self.set_rates();
                    }
                }
            }
            Some(News::Failed | News::PushedBack) => {
                self.recent.failed();
                self.push_back(ended, since, now);
            }
            None => {}
        }
        self.gate.learn(news, ended.first_token, &self.recent, &self.settings, now);
        self.serve(now, wakes);
    }

    fn settle(&mut self, ended: &Ended) {
        let reserved = ended.reserved;
        let counted = &mut self.counted;
        let used = match ended.used {
            Used::Unsent => {
                self.requests.give_back(1.0, ended.number);
                0
            }
            Used::Unknown => reserved,
            Used::Tokens(used) => used,
        };
        counted.settled = counted.settled.saturating_add(used);
        if used > reserved {
            counted.reserved = counted.reserved.saturating_add(used - reserved);
            self.tokens.take(amount(used - reserved), self.line.served());
        } else {
            counted.refunded = counted.refunded.saturating_add(reserved - used);
            self.tokens.give_back(amount(reserved - used), ended.number);
        }
    }

    /// The rate at which requests are made, sent or held back here: whoever waits for nothing but the rate would use all of it.
    fn tried(&mut self, now: f64) -> f64 {
        let sent = self.sent.rate(now);
        let is_held_back = !self.line.is_empty() && self.in_flight < self.gate.limit();
        if is_held_back { sent.max(self.rate.allowed()) } else { sent }
    }

    fn push_back(&mut self, ended: &Ended, since: f64, now: f64) {
        if let Some(wait) = ended.retry_after {
            self.paused = self.paused.max(now + wait.as_secs_f64().min(LONGEST));
        }
        let limited = ended.outcome == Outcome::Failed(FailureKind::RateLimit);
        self.counted.pushed_back += u64::from(limited);
        let tried = self.tried(now);
        let reduced = limited && self.rate.pushed_back(since, now, self.paused, tried);
        if reduced {
            self.set_rates();
        }
        // What the server does not have is not in store here either, so that the pause does not end in a burst.
        if reduced || ended.retry_after.is_some() {
            let (until, next) = (self.paused.max(now), self.line.served());
            self.requests.pause(until, next);
            self.tokens.pause(until, next);
        }
    }

    /// The server says what it allows.
    pub(in super::super) fn server(
        &mut self,
        limits: &ServerLimits,
        at: Instant,
        wakes: &mut Wakes,
    ) {
        let now = self.refill(at);
        if let Some(rate) = limits.requests.rate() {
            self.server_requests = rate;
        }
        if let Some(rate) = limits.tokens.rate() {
            self.server_tokens = rate;
        }
        self.set_rates();
        if let Some(remaining) = limits.requests.remaining {
            self.requests.lower(amount(remaining), self.line.served());
        }
        if let Some(remaining) = limits.tokens.remaining {
            self.tokens.lower(amount(remaining), self.line.served());
        }
        self.serve(now, wakes);
    }

    /// Both rates are the same part of what they were made with, if the server allows that much.
    fn set_rates(&mut self) {
        let (share, next) = (self.rate.share(), self.line.served());
        let settings = &self.settings;
        let set = |bucket: &mut Bucket, most: f64, server: f64, capacity: f64| {
            let rate = (most * share).min(server);
            bucket.set(rate, (capacity * rate / most).max(1.0), next);
        };
        let burst = f64::from(settings.burst);
        set(&mut self.requests, settings.requests, self.server_requests, burst);
        set(&mut self.tokens, settings.tokens, self.server_tokens, settings.burst_tokens);
    }
}

/// What a call that ended says about the server; nothing if it was dropped, or never got to it, or was not to its liking.
fn news(ended: &Ended) -> Option<News> {
    use FailureKind as Kind;
    match (ended.outcome, ended.used) {
        (_, Used::Unsent) | (Outcome::Unknown, Used::Unknown) => None,
        (Outcome::Answered, _) | (Outcome::Unknown, Used::Tokens(_)) => Some(News::Answered),
        (Outcome::Failed(kind), _) => match kind {
            Kind::RateLimit | Kind::ModelOverload | Kind::Timeout => Some(News::PushedBack),
            Kind::TransientNetwork | Kind::PartialStream => Some(News::Failed),
            Kind::Truncated | Kind::Refusal | Kind::ContentFilter => Some(News::Answered),
            kind if kind.is_repairable() => Some(News::Answered),
            _ => None,
        },
    }
}
