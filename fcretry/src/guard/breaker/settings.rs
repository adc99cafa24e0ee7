use std::time::Duration;

use crate::guard::keyed::{Share, Ticks, ticks};

/// Of how many buckets the window is made.
pub(super) const BUCKETS: usize = 10;
/// The most and the least that a cooldown is spread by.
const SPREAD: f64 = 0.2;

/// What a breaker goes by. Values out of range are brought into it where they are set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// How many buckets there are in a tick, in parts of 2⁶⁴: a division that every ask would pay for is paid here.
    pub(super) buckets: u64,
    pub(super) share: Share,
    pub(super) min_calls: u64,
    /// 0: off.
    pub(super) in_a_row: u32,
    /// How long a row must have lasted to say anything.
    pub(super) row_lasts: Ticks,
    pub(super) cooldown: Duration,
    pub(super) max_cooldown: Duration,
    pub(super) probes: u32,
    pub(super) close_after: u32,
    /// The longest there is: off.
    pub(super) cut_after: Ticks,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        buckets: u64::MAX / 6_000_000 + 1,
        share: Share::of(0.5),
        min_calls: 10,
        in_a_row: 10,
        row_lasts: ticks(Duration::from_secs(1)),
        cooldown: Duration::from_secs(15),
        max_cooldown: Duration::from_secs(120),
        probes: 1,
        close_after: 2,
        cut_after: Ticks::MAX,
    };

    pub(super) const fn window(&mut self, window: Duration) {
        let bucket = ticks(window) / BUCKETS as u64;
        self.buckets = u64::MAX / if bucket < 1_000 { 1_000 } else { bucket } + 1;
    }

    /// The number of the bucket that this time is in.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the upper half of a product")]
    pub(super) const fn bucket(&self, now: Ticks) -> u64 {
        ((now as u128 * self.buckets as u128) >> 64) as u64
    }

    /// How long it stays open the `times`th time (from 1) without having closed: doubled each time up to the longest, and then
    /// spread by 20 % either way, but never past the longest. `spread` is uniform in 0..1.
    pub(super) fn cooldown(&self, times: u32, spread: f64) -> Ticks {
        let max = self.max_cooldown.max(self.cooldown).as_secs_f64();
        let doublings = i32::try_from(times.saturating_sub(1)).unwrap_or(i32::MAX);
        let nominal = (self.cooldown.as_secs_f64() * 2_f64.powi(doublings)).min(max);
        let (low, high) = (nominal * (1.0 - SPREAD), (nominal * (1.0 + SPREAD)).min(max));
        ticks(Duration::try_from_secs_f64(low + (high - low) * spread).unwrap_or(Duration::MAX))
    }

    /// Whether so many failures of so many calls, and so many of them in a row that has lasted so long, are too many.
    pub(super) const fn trips(&self, failures: u64, calls: u64, row: u32, lasted: Ticks) -> bool {
        (calls >= self.min_calls && failures > 0 && self.share.is_reached(failures, calls))
            || (self.in_a_row > 0 && row >= self.in_a_row && lasted >= self.row_lasts)
    }
}
