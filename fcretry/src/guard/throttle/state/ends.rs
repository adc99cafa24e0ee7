//! What a call that ends gives back, and what is learned from it.

use tokio::time::Instant;

use super::{
    super::{
        Ended, Outcome, ServerLimits, Used,
        advances::{self, Advances},
        bucket::Bucket,
        concurrency::News,
        wakes::Wakes,
    },
    LONGEST, State, amount,
};
use crate::{failure::FailureKind, guard::keyed::Ticks};

impl State {
    /// A permit is over, which was granted so long ago.
    #[inline]
    pub(in super::super) fn ended(
        &mut self,
        ended: &Ended,
        after: Ticks,
        at: Instant,
        advances: &Advances,
        wakes: &mut Wakes,
    ) {
        let now = self.refill(at);
        let mut news = news(ended);
        if self.ahead.is_out() {
            self.call_back_for(ended, news, advances);
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        self.settle(ended);
        match news {
            Some(News::Answered) => {
                self.recent.answered(after);
                if self.rate.is_reduced() {
                    self.come_back(now);
                }
            }
            Some(News::Failed | News::PushedBack) => {
                self.recent.failed();
                if !self.push_back(ended, now) {
                    news = None;
                }
            }
            None => {}
        }
        let limit = self.gate.limit();
        self.gate.learn(news, ended.first_token, &self.recent, &self.settings, now);
        if self.ahead.is_out() {
            self.call_back_if_lowered(limit, advances);
        }
        if !self.line.is_empty() {
            self.serve(now, wakes);
        }
    }

    #[inline]
    fn settle(&mut self, ended: &Ended) {
        let (reserved, taker) = (ended.reserved, advances::taker(ended.number));
        let counted = &mut self.counted;
        let used = match ended.used {
            Used::Unsent => {
                self.requests.give_back(1.0, taker);
                0
            }
            Used::Unknown => reserved,
            Used::Tokens(used) => used,
        };
        counted.settled = counted.settled.saturating_add(used);
        if used > reserved {
            counted.reserved = counted.reserved.saturating_add(used - reserved);
            let is_only = self.in_flight == 0;
            self.tokens.take(amount(used - reserved), self.line.served(), is_only);
        } else if used < reserved {
            counted.refunded = counted.refunded.saturating_add(reserved - used);
            self.tokens.give_back(amount(reserved - used), taker);
        }
    }

    /// The server answers: the rate comes back.
    #[cold]
    fn come_back(&mut self, now: f64) {
        let tried = self.tried(now);
        if self.rate.answered(now, tried) {
            self.set_rates();
        }
    }

    /// The rate at which requests are made, sent or held back here: whoever waits for nothing but the rate would use all of it.
    fn tried(&mut self, now: f64) -> f64 {
        let sent = self.sent.rate(now);
        let is_held_back = !self.line.is_empty() && self.in_flight < self.gate.limit();
        if is_held_back { sent.max(self.rate.allowed()) } else { sent }
    }

    /// Whether it says anything new. A 429 says it once for what was sent since the last, of the calls in flight as of the rate:
    /// all of those that were under way come back so, and each would take more from both.
    #[cold]
    fn push_back(&mut self, ended: &Ended, now: f64) -> bool {
        if let Some(wait) = ended.retry_after {
            self.paused = self.paused.max(now + wait.as_secs_f64().min(LONGEST));
        }
        let limited = ended.outcome == Outcome::Failed(FailureKind::RateLimit);
        self.counted.pushed_back += u64::from(limited);
        let (since, tried) = (self.time(ended.granted), self.tried(now));
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
        reduced || !limited
    }

    /// The server says what it allows.
    pub(in super::super) fn server(
        &mut self,
        limits: &ServerLimits,
        at: Instant,
        advances: &Advances,
        wakes: &mut Wakes,
    ) {
        self.call_back(advances);
        let now = self.refill(at);
        self.told_requests.hear(&limits.requests, now);
        self.told_tokens.hear(&limits.tokens, now);
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
    pub(super) fn set_rates(&mut self) {
        self.told_until = self.told_requests.until.min(self.told_tokens.until);
        let (share, next) = (self.rate.share(), self.line.served());
        let settings = &self.settings;
        let set = |bucket: &mut Bucket, most: f64, server: f64, capacity: f64| {
            let rate = (most * share).min(server);
            bucket.set(rate, (capacity * rate / most).max(1.0), next);
        };
        let burst = f64::from(settings.burst);
        set(&mut self.requests, settings.requests, self.told_requests.rate, burst);
        set(&mut self.tokens, settings.tokens, self.told_tokens.rate, settings.burst_tokens);
    }
}

/// What a call that ended says about the server; nothing if it was dropped, or never got to it, or was not to its liking.
#[inline]
pub(in super::super) fn news(ended: &Ended) -> Option<News> {
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
