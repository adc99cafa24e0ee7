use std::fmt;

use serde::Serialize;
use tokio::time::Instant;

use super::{
    Asking, Came, Retries, Spent,
    pool::{Pool, Settings, TOKEN, Try},
};
use crate::{
    FailureKind,
    guard::{
        Key, Soon, Ticket,
        keyed::{Cell as _, Share, Table},
    },
};

/// A retry budget in this process, with a level for each key (up to 256; the one idle longest is forgotten).
///
/// It begins with 500 tokens. A retry costs 14, one after a rate limit 5; an answer at the first try adds 1, an answer to a retry
/// gives back its cost, and each second adds 1, so that it is never empty for good. And no more retries are under way at a time
/// than 20 % of all asks, or 3 if that is more. A repair is no retry: who answers is not overloaded. Neither is asking again
/// after an answer that was cut off.
///
/// Sources: AWS SDKs' standard retry mode 2.1, Envoy's retry budgets; that a budget without the refill can stick at zero,
/// aws-sdk-go-v2#3550.
///
/// ```
/// use fcretry::{FailureKind, guard::{Key, RetryBudget}};
/// use tokio::time::Instant;
///
/// static FEW: RetryBudget = RetryBudget::new().capacity(28).refill(0.0);
///
/// let (key, now) = (Key::of("https://api.openai.com/v1"), Instant::now());
/// let again = || FEW.try_ask(key, Some(FailureKind::Timeout), now);
/// again().unwrap().failure();
/// again().unwrap().failure();
/// assert!(again().is_err());
/// assert_eq!(FEW.stats(key).tokens, 0);
/// ```
pub struct RetryBudget {
    settings: Settings,
    pools: Table<Pool>,
}

impl RetryBudget {
    /// One with the defaults, full for every key.
    pub const fn new() -> Self {
        Self { settings: Settings::DEFAULT, pools: Table::new() }
    }

    /// How many tokens there are at first and at most, up to 1 000 000. Default 500.
    pub const fn capacity(mut self, tokens: u32) -> Self {
        self.settings.capacity = if tokens > MOST { MOST } else { tokens };
        self
    }

    /// What a retry costs, and what one after a rate limit does, in tokens, up to 1 000 000. Default 14 and 5.
    pub const fn cost(mut self, retry: u32, throttled: u32) -> Self {
        self.settings.retry = if retry > MOST { MOST } else { retry };
        self.settings.throttled = if throttled > MOST { MOST } else { throttled };
        self
    }

    /// How many tokens a second come back by themselves, 0 to 1 000 000, exact to six decimals. Default 1.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast to the nearest number there is, and no number to 0"
    )]
    pub const fn refill(mut self, tokens: f64) -> Self {
        let refill = (tokens * 1e6 + 0.5) as u64;
        self.settings.refill = if refill > TOKEN { TOKEN } else { refill };
        self
    }

    /// How many of the asks under way may be retries: this share of them, 0 to 1, exact to nine decimals, or so many if that is
    /// more. Default 0.2 and 3.
    pub const fn in_flight(mut self, share: f64, at_least: u32) -> Self {
        self.settings.share = Share::of(share);
        self.settings.floor = at_least;
        self
    }

    /// [`Retries::ask_at`], which in this process needs no waiting.
    #[inline]
    pub fn try_ask(
        &self,
        key: Key,
        after: Option<FailureKind>,
        now: Instant,
    ) -> Result<Asking<'_>, Spent> {
        let place = self.pools.place(key, now);
        let why = self.why(after);
        let shard = place.cell.ask(&self.settings, why, place.now)?;
        let cost = match why {
            Try::First => FIRST,
            Try::Repair => REPAIR,
            Try::Again(cost) => u64::from(cost),
        };
        let ticket = Ticket::new(key, cost, (place.number as u64) << SHARD | shard as u64);
        Ok(Asking::new(self, ticket))
    }

    /// What is known of a key. Of one that never came: a full budget, and nothing under way.
    pub fn stats(&self, key: Key) -> RetryStats {
        let now = Instant::now();
        match self.pools.known(key, now) {
            Some(place) => place.cell.stats(key, &self.settings, place.now),
            None => Pool::fresh().stats(key, &self.settings, 0),
        }
    }

    /// What is known of every key.
    pub fn all_stats(&self) -> Vec<RetryStats> {
        self.pools
            .all(Instant::now())
            .map(|(key, place)| place.cell.stats(key, &self.settings, place.now))
            .collect()
    }

    fn why(&self, after: Option<FailureKind>) -> Try {
        match after {
            None => Try::First,
            Some(FailureKind::RateLimit) => Try::Again(self.settings.throttled),
            Some(FailureKind::Truncated) => Try::Repair,
            Some(kind) if kind.is_repairable() => Try::Repair,
            Some(_) => Try::Again(self.settings.retry),
        }
    }
}

const MOST: u32 = 1_000_000;

/// A ticket's first word is what a retry cost, or one of these.
const FIRST: u64 = u64::MAX;
const REPAIR: u64 = u64::MAX - 1;

/// How many bits of a ticket's second word are the shard; those above are the place.
const SHARD: u32 = 8;

impl Retries for RetryBudget {
    #[inline]
    fn ask_at(
        &self,
        key: Key,
        after: Option<FailureKind>,
        now: Instant,
    ) -> Soon<'_, Result<Asking<'_>, Spent>> {
        Soon::now(self.try_ask(key, after, now))
    }

    #[inline]
    fn settle(&self, ticket: &Ticket, came: Came, now: Instant) {
        let [shard, number, ..] = ticket.place().to_le_bytes().map(usize::from);
        let why = match ticket.number() {
            FIRST => Try::First,
            REPAIR => Try::Repair,
            cost => Try::Again(u32::try_from(cost).unwrap_or(MOST)),
        };
        if let Some(place) = self.pools.numbered(number, now) {
            place.cell.settle(&self.settings, why, shard, came, place.now);
        }
    }
}

/// What a retry budget knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetryStats {
    /// The key.
    pub key: Key,
    /// Whole tokens there are.
    pub tokens: u32,
    /// Tokens there are at most.
    pub capacity: u32,
    /// Asks under way.
    pub active: u64,
    /// Those of them that are retries.
    pub retrying: u32,
    /// Retries that were let through, ever.
    pub granted: u64,
    /// Retries that were refused, ever.
    pub refused: u64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("settings", &self.settings).finish_non_exhaustive()
    }
}
