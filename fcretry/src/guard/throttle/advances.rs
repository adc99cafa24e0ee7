//! What threads have in advance, beside the state of a lane. A thread that asks often, where there is plenty, is given a bundle in
//! one go; it grants from that and settles into it under a lock that is its own.

use std::{array, sync::OnceLock};

use super::{
    Ended, Used,
    concurrency::News,
    state::{amount, news},
};
use crate::guard::keyed::{
    SHARDS, Shard, Ticks,
    sync::{Mutex, lock},
};

/// The bit of a number that was granted from an advance. Below it is the shard, and below that the number by which the advance was
/// taken.
const MARK: u64 = 1 << 63;
const SHARD: u32 = 60;

/// What the end of such a permit looks for first: where it was granted.
pub(super) const fn shard_of(number: u64) -> Option<usize> {
    if number & MARK == 0 { None } else { Some((number >> SHARD) as usize & 7) }
}

/// The number by which a permit's request was taken from the buckets: its own, or its advance's.
pub(super) const fn taker(number: u64) -> u64 {
    if number & MARK == 0 { number } else { number & ((1 << SHARD) - 1) }
}

/// Requests, as many places in flight, and tokens. The lane holds all of it until it is returned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Advance {
    /// The number, with its mark, of all who are granted from it. 0 is none.
    number: u64,
    /// It grants no more after this.
    until: Ticks,
    pub(super) requests: u32,
    pub(super) tokens: u64,
    /// What is left of both.
    pub(super) requests_left: u32,
    pub(super) tokens_left: u64,
    /// Of those that it granted: how many were not sent after all, and how many were answered.
    pub(super) unsent: u32,
    pub(super) answered: u32,
    /// The time that these took, together.
    pub(super) took: Ticks,
    pub(super) settled: u64,
    pub(super) refunded: u64,
    /// How many requests a token weighs, and the weight of what went out.
    weight: f64,
    pub(super) sent: f64,
    /// When it granted last.
    pub(super) last: Ticks,
}

impl Advance {
    pub(super) fn new(taker: u64, (requests, tokens): (u32, u64), weight: f64) -> Self {
        Self {
            number: taker,
            requests,
            tokens,
            requests_left: requests,
            tokens_left: tokens,
            weight,
            ..Self::default()
        }
    }

    /// The number by which it was taken.
    pub(super) fn taker(&self) -> u64 {
        taker(self.number)
    }

    /// How many it granted.
    pub(super) fn admitted(&self) -> u64 {
        u64::from(self.requests - self.requests_left) + u64::from(self.unsent)
    }

    /// How many tokens it granted.
    pub(super) fn reserved(&self) -> u64 {
        (self.tokens - self.tokens_left).saturating_add(self.refunded)
    }

    #[inline]
    fn grant(&mut self, tokens: u64, now: Ticks) -> Option<u64> {
        if self.requests_left == 0 || tokens > self.tokens_left || now > self.until {
            return None;
        }
        self.requests_left -= 1;
        self.tokens_left -= tokens;
        self.sent += (amount(tokens) * self.weight).max(1.0);
        self.last = self.last.max(now);
        Some(self.number)
    }

    #[inline]
    fn settle(&mut self, reserved: u64, plain: Plain, after: Ticks) {
        let used = match plain {
            Plain::Unsent => {
                self.requests_left += 1;
                self.unsent += 1;
                0
            }
            Plain::Answered { used } => {
                self.answered += 1;
                self.took = self.took.saturating_add(after);
                used
            }
        };
        self.settled = self.settled.saturating_add(used);
        self.refunded = self.refunded.saturating_add(reserved - used);
        self.tokens_left += reserved - used;
    }
}

/// An end of which the lane learns nothing that could not wait.
#[derive(Clone, Copy)]
enum Plain {
    Unsent,
    Answered { used: u64 },
}

impl Plain {
    #[inline]
    fn of(ended: &Ended) -> Option<Self> {
        if ended.first_token.is_some() {
            return None;
        }
        match (news(ended), ended.used) {
            (None, Used::Unsent) => Some(Self::Unsent),
            (Some(News::Answered), Used::Unknown) => Some(Self::Answered { used: ended.reserved }),
            (Some(News::Answered), Used::Tokens(used)) if used <= ended.reserved => {
                Some(Self::Answered { used })
            }
            _ => None,
        }
    }
}

/// The advances of one key, by shard: made with its state, where there can be any. Who holds the lane's lock may take a shard's,
/// never the other way round.
#[derive(Debug)]
pub(super) struct Advances(OnceLock<Box<Shards>>);

type Shards = [Shard<Mutex<Advance>>; SHARDS];

impl Advances {
    pub(super) const fn none() -> Self {
        Self(OnceLock::new())
    }

    /// There can be some from now on: none of them will need memory then.
    pub(super) fn make(&self) {
        self.0.get_or_init(|| Box::new(array::from_fn(|_| Shard::default())));
    }

    #[inline]
    fn at(&self, shard: usize) -> Option<&Mutex<Advance>> {
        self.0.get()?.get(shard).map(|Shard(advance)| advance)
    }

    /// Grants a request and so many tokens from what this shard has.
    #[inline]
    pub(super) fn grant(&self, shard: usize, tokens: u64, now: Ticks) -> Option<u64> {
        lock(self.at(shard)?).grant(tokens, now)
    }

    /// Settles a permit where it was granted, if it ends plainly and the advance is not over.
    #[inline]
    pub(super) fn settle(&self, ended: &Ended, after: Ticks) -> bool {
        let Some(advance) = shard_of(ended.number).and_then(|shard| self.at(shard)) else {
            return false;
        };
        let Some(plain) = Plain::of(ended) else { return false };
        let mut advance = lock(advance);
        let is_out = advance.number == ended.number;
        if is_out {
            advance.settle(ended.reserved, plain, after);
        }
        is_out
    }

    /// Gives a shard that has none an advance, until then.
    pub(super) fn give(&self, shard: usize, advance: Advance, until: Ticks) {
        if let Some(of_shard) = self.at(shard) {
            let number = MARK | (shard as u64) << SHARD | advance.number;
            *lock(of_shard) = Advance { number, until, ..advance };
        }
    }

    /// The shard that still has what the permit of this number was granted from.
    pub(super) fn shard_out(&self, number: u64) -> Option<usize> {
        let shard = shard_of(number)?;
        (lock(self.at(shard)?).number == number).then_some(shard)
    }

    /// Takes back what is left, and what was counted: nothing is granted from it any more.
    pub(super) fn take(&self, shard: usize) -> Advance {
        self.at(shard).map(|advance| std::mem::take(&mut *lock(advance))).unwrap_or_default()
    }
}
