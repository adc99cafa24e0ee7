//! How high a level was since one of its falls.

use std::collections::VecDeque;

/// How many are remembered. Of more, the oldest two become one, as if the level had been as high as the higher for longer.
const MOST: usize = 64;

/// The levels from which a bucket fell, each by the number of the taker, but for those below a later one. Numbers never fall.
#[derive(Debug)]
pub(super) struct Peaks(VecDeque<Peak>);

#[derive(Debug)]
struct Peak {
    taker: u64,
    /// Who has this number, or a later one, takes after it: the taker itself, but for what was taken in advance.
    number: u64,
    level: f64,
}

impl Peaks {
    pub(super) fn none() -> Self {
        Self(VecDeque::with_capacity(MOST))
    }

    /// The level falls from here, by what this taker takes.
    #[inline]
    pub(super) fn note(&mut self, taker: u64, level: f64) {
        self.note_late(taker, taker, level);
    }

    /// The level falls only now, before whoever takes `next`, by what this taker took in advance.
    #[inline]
    pub(super) fn note_late(&mut self, taker: u64, next: u64, level: f64) {
        while self.0.back().is_some_and(|last| last.level <= level) {
            self.0.pop_back();
        }
        if self.0.len() == MOST
            && let Some(oldest) = self.0.pop_front()
            && let Some(next) = self.0.front_mut()
        {
            next.level = next.level.max(oldest.level);
        }
        self.0.push_back(Peak { taker, number: next, level });
    }

    /// Nobody who took before can give back any more.
    #[inline]
    pub(super) fn forget(&mut self) {
        if !self.0.is_empty() {
            self.0.clear();
        }
    }

    /// The highest level after this taker took, but for the level of now.
    #[inline]
    pub(super) fn since(&self, taker: u64) -> f64 {
        let after = self.0.iter().rev().take_while(|peak| peak.is_after(taker));
        after.map(|peak| peak.level).fold(f64::NEG_INFINITY, f64::max)
    }

    /// All levels since then were so much higher.
    #[inline]
    pub(super) fn raise(&mut self, taker: u64, by: f64) {
        for peak in self.0.iter_mut().rev().take_while(|peak| peak.is_after(taker)) {
            peak.level += by;
        }
    }
}

impl Peak {
    /// Whether it was after this taker's own fall.
    #[inline]
    fn is_after(&self, taker: u64) -> bool {
        self.number > taker && self.taker != taker
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_highest_level_since_each_taker_is_known() {
        let mut peaks = Peaks::none();
        for (taker, level) in [(1, 10.0), (2, 8.0), (3, 5.0), (4, 7.0), (5, 1.0)] {
            peaks.note(taker, level);
        }
        let since = [0, 1, 2, 3, 4].map(|taker| peaks.since(taker));
        assert_eq!(since, [10.0, 8.0, 7.0, 7.0, 1.0]);
        assert_eq!(peaks.since(5), f64::NEG_INFINITY);
        peaks.raise(3, 2.0);
        assert_eq!([0, 2, 3, 4].map(|taker| peaks.since(taker)), [10.0, 9.0, 9.0, 3.0]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_never_too_low() {
        let mut peaks = Peaks::none();
        for taker in 0..1_000_u32 {
            peaks.note(u64::from(taker), f64::from(1_000 - taker));
        }
        assert_eq!(peaks.0.len(), MOST);
        for taker in 0..999_u32 {
            assert!(peaks.since(u64::from(taker)) >= f64::from(999 - taker));
        }
        assert_eq!(peaks.since(997), 2.0);
    }
}
