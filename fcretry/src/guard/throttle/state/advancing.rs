//! What is given to threads in advance, and comes back.

use tokio::time::Instant;

use super::{
    super::{
        Concurrency, Ended, Used,
        advances::{Advance, Advances},
        concurrency::News,
        settings::Settings,
    },
    Asked, State, amount,
};
use crate::guard::keyed::{SHARDS, Ticks, ticks_at};

/// Who came here so short a time ago comes often.
const OFTEN: Ticks = 1_000;
/// How long an advance lasts.
const LASTS: Ticks = 20_000;
/// Which part of what there is one has in advance: eight have an eighth.
const PART: f64 = 64.0;
/// How many requests an advance has. Fewer would not be worth it.
const FEWEST: f64 = 16.0;
const MOST: f64 = 1_024.0;
/// How many tokens one has at most: sums of these are exact.
const MOST_TOKENS: f64 = 1e12;

/// Which shards have an advance, and who comes often. While one is out all is plain: nobody waits, the server says nothing, the rate
/// is not reduced, and the calls in flight may be as many as when it was given. Whatever changes that calls all of them back.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Whether there can ever be enough.
    is_possible: bool,
    /// A bit for each shard that has one.
    out: u32,
    /// When the first of them is over.
    until: Ticks,
    /// When each came here last.
    seen: [Ticks; SHARDS],
}

impl Ahead {
    pub(super) fn none(settings: &Settings) -> Self {
        let least = FEWEST * PART;
        Self {
            is_possible: f64::from(settings.burst) >= least
                && f64::from(settings.most_in_flight()) >= least
                && !matches!(settings.concurrency, Concurrency::ByErrorShare { .. }),
            out: 0,
            until: 0,
            seen: [0; SHARDS],
        }
    }

    #[inline]
    pub(super) fn is_possible(&self) -> bool {
        self.is_possible
    }

    #[inline]
    pub(super) fn is_out(&self) -> bool {
        self.out != 0
    }
}

impl State {
    /// One comes here to ask, since its shard has no advance or not enough, which is returned then. Whether it comes often.
    pub(super) fn comes(&mut self, asked: &Asked, advances: &Advances) -> bool {
        if self.ahead.out & 1 << asked.shard != 0 {
            self.call_back_one(asked.shard, advances);
        }
        // Nobody waits, or is refused, for what another has in advance.
        if self.ahead.is_out() && (!self.is_plain() || self.is_short(asked.tokens)) {
            self.call_back(advances);
        }
        let Some(seen) = self.ahead.seen.get_mut(asked.shard) else { return false };
        let before = std::mem::replace(seen, asked.ticks);
        asked.ticks < before.saturating_add(OFTEN)
    }

    /// Whether one cannot be served while advances are out, or would be the last who can be.
    fn is_short(&self, tokens: u64) -> bool {
        let is_last = self.in_flight.saturating_add(1) >= self.gate.limit();
        // More than there can ever be leaves a debt, and there is none while any is out.
        is_last || !self.requests.has(1.0) || self.tokens.free() < amount(tokens)
    }

    fn is_plain(&self) -> bool {
        !self.rate.is_reduced() && self.told_until.is_infinite() && !self.gate.is_pushed_back()
    }

    /// Gives the shard of one who was just served an advance, if there is plenty.
    pub(super) fn advance(&mut self, asked: &Asked, advances: &Advances) {
        let is_plenty = self.requests.is_half_full() && self.tokens.is_half_full();
        let limit = self.gate.limit();
        if !is_plenty || self.in_flight > limit / 2 || !self.is_plain() {
            return;
        }
        let places = f64::from(limit - self.in_flight);
        let requests = self.requests.free().min(places) / PART;
        let (each, tokens) = (amount(asked.tokens), self.tokens.free() / PART);
        let enough = if each > 0.0 { tokens.min(MOST_TOKENS) / each } else { MOST };
        let requests = requests.min(enough).min(MOST).floor();
        if requests < FEWEST {
            return;
        }
        self.requests.hold(requests);
        self.tokens.hold(requests * each);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "16 to 1 024")]
        let requests = requests as u32;
        self.in_flight += requests;
        let bundle = (requests, u64::from(requests) * asked.tokens);
        let advance = Advance::new(self.line.pass(), bundle, self.weight);
        let until = asked.ticks + LASTS;
        advances.give(asked.shard, advance, until);
        self.ahead.until = if self.ahead.is_out() { self.ahead.until.min(until) } else { until };
        self.ahead.out |= 1 << asked.shard;
    }

    /// Calls back all that is out: what comes next concerns everybody.
    #[inline]
    pub(in super::super) fn call_back(&mut self, advances: &Advances) {
        if self.ahead.is_out() {
            self.call_back_all(advances);
        }
    }

    /// Calls back what is out, before anything is refilled, if one of them is over: what was used of it long ago came again since.
    #[inline]
    pub(in super::super) fn call_back_late(&mut self, now: Instant, advances: &Advances) {
        if self.ahead.is_out() && ticks_at(now) > self.ahead.until {
            self.call_back_all(advances);
        }
    }

    #[cold]
    fn call_back_all(&mut self, advances: &Advances) {
        for shard in 0..SHARDS {
            if self.ahead.out & 1 << shard != 0 {
                self.call_back_one(shard, advances);
            }
        }
    }

    /// A call ends here while advances are out. What the server does not like, and a debt, are everybody's; else what it gives back
    /// goes to what is left of its own advance.
    #[cold]
    pub(super) fn call_back_for(&mut self, ended: &Ended, news: Option<News>, advances: &Advances) {
        let (beyond, gives_back) = match ended.used {
            Used::Tokens(used) => (used.saturating_sub(ended.reserved), used < ended.reserved),
            Used::Unsent => (0, true),
            Used::Unknown => (0, false),
        };
        let is_bad = matches!(news, Some(News::Failed | News::PushedBack));
        if is_bad || self.tokens.free() < amount(beyond) {
            self.call_back_all(advances);
        } else if gives_back && let Some(shard) = advances.shard_out(ended.number) {
            self.call_back_one(shard, advances);
        }
    }

    /// Calls back what is out if fewer calls may be in flight than this, as there might be, or fewer will be.
    #[cold]
    pub(super) fn call_back_if_lowered(&mut self, limit: u32, advances: &Advances) {
        if self.gate.limit() < limit || !self.is_plain() {
            self.call_back_all(advances);
        }
    }

    /// What was used of an advance is taken now, as of when it was used last, and all that was counted is learned.
    fn call_back_one(&mut self, shard: usize, advances: &Advances) {
        let back = advances.take(shard);
        self.ahead.out &= !(1 << shard);
        if let Some(seen) = self.ahead.seen.get_mut(shard) {
            *seen = back.last.max(*seen);
        }
        let last = self.seconds_at(back.last);
        self.requests.refill(last);
        self.tokens.refill(last);

        // Those that were granted and did not end in it are in flight still, and end here.
        self.in_flight = self.in_flight.saturating_sub(back.requests_left + back.answered);
        let (taker, next, is_only) = (back.taker(), self.line.served(), self.in_flight == 0);
        let (held, left) = (f64::from(back.requests), f64::from(back.requests_left));
        self.requests.release(held, held - left, taker, (next, is_only));
        let (held, left) = (amount(back.tokens), amount(back.tokens_left));
        self.tokens.release(held, held - left, taker, (next, is_only));

        let counted = &mut self.counted;
        counted.admitted += back.admitted();
        counted.reserved = counted.reserved.saturating_add(back.reserved());
        counted.settled = counted.settled.saturating_add(back.settled);
        counted.refunded = counted.refunded.saturating_add(back.refunded);
        self.sent.add_late(back.sent, last);
        if back.answered > 0 {
            self.recent.answered_together(back.answered, back.took);
            self.gate.learn(Some(News::Answered), None, &self.recent, &self.settings, last);
        }
    }

    /// In seconds since the start; the end of the microsecond, for nothing was used later.
    fn seconds_at(&self, at: Ticks) -> f64 {
        self.since_start(at.saturating_add(1).saturating_mul(1_000))
    }
}
