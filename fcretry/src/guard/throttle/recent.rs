//! The last hundred results.

use std::time::Duration;

use crate::guard::keyed::Ticks;

const LAST: u32 = 100;

/// The mark of a failure, among latencies in microseconds.
const FAILED: u32 = u32::MAX;

/// How long the last hundred answers took, and how many of them failed instead.
#[derive(Debug)]
pub(super) struct Recent {
    ring: [u32; LAST as usize],
    next: usize,
    len: u32,
    failed: u32,
    sum: u64,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Self { ring: [0; LAST as usize], next: 0, len: 0, failed: 0, sum: 0 }
    }

    #[inline]
    pub(super) fn answered(&mut self, after: Ticks) {
        self.push(u32::try_from(after).unwrap_or(FAILED).min(FAILED - 1));
    }

    /// So many answers came, which took so long together.
    pub(super) fn answered_together(&mut self, answers: u32, took: Ticks) {
        let each = took / u64::from(answers.max(1));
        for _ in 0..answers.min(LAST) {
            self.answered(each);
        }
    }

    pub(super) fn failed(&mut self) {
        self.push(FAILED);
    }

    #[inline]
    fn push(&mut self, result: u32) {
        let Some(slot) = self.ring.get_mut(self.next) else { return };
        let before = std::mem::replace(slot, result);
        self.next = if self.next + 1 == self.ring.len() { 0 } else { self.next + 1 };
        if self.len < LAST {
            self.len += 1;
        } else if before == FAILED {
            self.failed -= 1;
        } else {
            self.sum -= u64::from(before);
        }
        if result == FAILED {
            self.failed += 1;
        } else {
            self.sum += u64::from(result);
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The mean time of the answers among the last hundred results.
    pub(super) fn mean(&self) -> Option<Duration> {
        let answered = u64::from(self.len - self.failed);
        self.sum.checked_div(answered).map(Duration::from_micros)
    }

    /// The share of failures, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        if self.len == 0 { 0.0 } else { f64::from(self.failed) / f64::from(self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_hundred_count() {
        let mut recent = Recent::new();
        assert!(recent.mean().is_none() && recent.share() < f64::EPSILON);
        for _ in 0..100 {
            recent.failed();
        }
        assert!(recent.mean().is_none() && recent.share() > 1.0 - f64::EPSILON);
        for millis in 0..150 {
            recent.answered(millis * 1_000);
        }
        assert!(recent.share() < f64::EPSILON);
        assert_eq!(recent.mean(), Some(Duration::from_micros(99_500)));
        recent.answered(1_000_000_000_000);
        assert!(recent.share() < f64::EPSILON);
    }
}
