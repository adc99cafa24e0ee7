use std::{array, sync::atomic::Ordering, time::Duration};

use super::{Came, RetryStats, Spent};
use crate::guard::{
    Key,
    keyed::{
        Cell, SHARDS, Shard, Share, Ticks, mine,
        sync::{AtomicBool, AtomicU64, Mutex, lock},
    },
};

/// A token, in the units of the level: so small that a millionth of a token a second gives a whole number of them each tick.
pub(super) const TOKEN: u64 = 1_000_000_000_000;

/// What a budget goes by. Values out of range are brought into it where they are set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// In tokens.
    pub(super) capacity: u32,
    pub(super) retry: u32,
    pub(super) throttled: u32,
    /// In units a tick.
    pub(super) refill: u64,
    pub(super) share: Share,
    pub(super) floor: u32,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        capacity: 500,
        retry: 14,
        throttled: 5,
        refill: TOKEN / 1_000_000,
        share: Share::of(0.2),
        floor: 3,
    };

    const fn full(&self) -> u64 {
        self.capacity as u64 * TOKEN
    }

    /// How many retries may be under way where so many asks are.
    pub(super) const fn allowed(&self, active: u64) -> u64 {
        let (part, floor) = (self.share.part(active), self.floor as u64);
        if part > floor { part } else { floor }
    }
}

/// Why there is an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// The call's first here.
    First,
    /// The answer before was bad: nobody is overloaded.
    Repair,
    /// For so many tokens.
    Again(u32),
}

/// The budget of one key.
#[derive(Debug)]
pub(super) struct Pool {
    /// Asks under way, each counted where it began.
    active: [Shard<AtomicU64>; SHARDS],
    /// Whether the level is below full, so that an answer adds to it. Changed under the lock only.
    below: AtomicBool,
    level: Mutex<Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// What was taken of the full level.
    taken: u64,
    /// When time was last added.
    at: Ticks,
    /// Retries under way.
    retrying: u32,
    granted: u64,
    refused: u64,
}

impl Level {
    fn refill(&mut self, settings: &Settings, now: Ticks) {
        let passed = now.saturating_sub(self.at);
        self.taken = self.taken.saturating_sub(passed.saturating_mul(settings.refill));
        self.at = self.at.max(now);
    }
}

impl Pool {
    fn active(&self) -> u64 {
        self.active.iter().map(|shard| shard.0.load(Ordering::Acquire)).sum()
    }

    /// Lets an ask through, and says where it is counted.
    #[inline]
    pub(super) fn ask(&self, settings: &Settings, why: Try, now: Ticks) -> Result<usize, Spent> {
        if let Try::Again(cost) = why {
            self.withdraw(settings, cost, now)?;
        }
        let shard = mine();
        if let Some(active) = self.active.get(shard) {
            active.0.fetch_add(1, Ordering::AcqRel);
        }
        Ok(shard)
    }

    #[cold]
    fn withdraw(&self, settings: &Settings, cost: u32, now: Ticks) -> Result<(), Spent> {
        let mut level = lock(&self.level);
        level.refill(settings, now);
        // This one is among those under way.
        let allowed = settings.allowed(self.active().saturating_add(1));
        let missing = (level.taken + u64::from(cost) * TOKEN).saturating_sub(settings.full());
        let refused = if u64::from(level.retrying) >= allowed {
            Spent::Share { retrying: level.retrying }
        } else if missing > 0 {
            let refilled_in = match settings.refill {
                0 => Duration::MAX,
                refill => Duration::from_micros(missing.div_ceil(refill)),
            };
            Spent::Budget { refilled_in }
        } else {
            level.taken += u64::from(cost) * TOKEN;
            level.retrying += 1;
            level.granted += 1;
            self.below.store(level.taken > 0, Ordering::Release);
            return Ok(());
        };
        level.refused += 1;
        Err(refused)
    }

    /// What came of an ask that is counted there.
    #[inline]
    pub(super) fn settle(
        &self,
        settings: &Settings,
        why: Try,
        shard: usize,
        came: Came,
        now: Ticks,
    ) {
        match (why, came) {
            (Try::First, Came::Answer) if self.below.load(Ordering::Acquire) => {
                self.deposit(settings, 1, 0, now);
            }
            (Try::Again(cost), Came::Answer | Came::Unsent) => self.deposit(settings, cost, 1, now),
            (Try::Again(_), Came::Nothing) => self.deposit(settings, 0, 1, now),
            (Try::First | Try::Repair, _) => {}
        }
        if let Some(active) = self.active.get(shard) {
            active.0.fetch_sub(1, Ordering::AcqRel);
        }
    }

    #[cold]
    fn deposit(&self, settings: &Settings, tokens: u32, ended: u32, now: Ticks) {
        let mut level = lock(&self.level);
        level.refill(settings, now);
        level.taken = level.taken.saturating_sub(u64::from(tokens) * TOKEN);
        level.retrying = level.retrying.saturating_sub(ended);
        self.below.store(level.taken > 0, Ordering::Release);
    }

    pub(super) fn stats(&self, key: Key, settings: &Settings, now: Ticks) -> RetryStats {
        let mut level = lock(&self.level);
        level.refill(settings, now);
        let tokens = settings.full().saturating_sub(level.taken) / TOKEN;
        RetryStats {
            key,
            tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
            capacity: settings.capacity,
            active: self.active(),
            retrying: level.retrying,
            granted: level.granted,
            refused: level.refused,
        }
    }
}

impl Cell for Pool {
    fn fresh() -> Self {
        Self {
            active: array::from_fn(|_| Shard(AtomicU64::new(0))),
            below: AtomicBool::new(false),
            level: Mutex::new(Level::default()),
        }
    }

    /// Nothing is under way, and an ask that begins right now finds what it counts in place.
    fn renew(&self) {
        let mut level = lock(&self.level);
        *level = Level { at: level.at, retrying: level.retrying, ..Level::default() };
        self.below.store(false, Ordering::Release);
    }

    fn worth(&self) -> Option<u8> {
        (self.active() == 0).then(|| u8::from(self.below.load(Ordering::Acquire)))
    }
}
