use crate::{cost::Cost, failure::FailureKind, usage::Usage};

/// Calls with more attempts than this count as if they had one more: no policy allows as many.
const MOST_ATTEMPTS: usize = 100;

/// Sums over calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) succeeded: u64,
    pub(super) degraded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    /// Of calls that were not cancelled.
    pub(super) attempts: u64,
    /// Failed attempts by the index of their kind.
    pub(super) kinds: [u64; FailureKind::COUNT],
    pub(super) wire_requests: u64,
    pub(super) usage: Usage,
    /// Attempts of which a request's tokens are unknown.
    pub(super) unaccounted: u64,
    pub(super) cost: Cost,
    /// Attempts with a known cost.
    pub(super) priced: u64,
    /// Attempts that took tokens of a model without a price.
    pub(super) unpriced: u64,
    /// Answers that were put right instead of asked for again, and the tokens of the attempts that had them.
    pub(super) recovered: (u64, u64),
    /// Streams that were left, and the tokens that had come of them.
    pub(super) left: (u64, u64),
    /// Answers that came whole, and their tokens.
    pub(super) whole: (u64, u64),
}

impl Sums {
    pub(super) const NONE: Self = Self {
        succeeded: 0,
        degraded: 0,
        failed: 0,
        cancelled: 0,
        attempts: 0,
        kinds: [0; FailureKind::COUNT],
        wire_requests: 0,
        usage: Usage::new(0, 0),
        unaccounted: 0,
        cost: Cost::ZERO,
        priced: 0,
        unpriced: 0,
        recovered: (0, 0),
        left: (0, 0),
        whole: (0, 0),
    };

    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            succeeded,
            degraded,
            failed,
            cancelled,
            attempts,
            kinds,
            wire_requests,
            usage,
            unaccounted,
            cost,
            priced,
            unpriced,
            recovered,
            left,
            whole,
        } = other;
        let pair = |sum: &mut (u64, u64), (count, tokens): (u64, u64)| {
            sum.0 += count;
            sum.1 = sum.1.saturating_add(tokens);
        };
        self.succeeded += succeeded;
        self.degraded += degraded;
        self.failed += failed;
        self.cancelled += cancelled;
        self.attempts += attempts;
        for (sum, count) in self.kinds.iter_mut().zip(kinds) {
            *sum += count;
        }
        self.wire_requests += wire_requests;
        self.usage += *usage;
        self.unaccounted += unaccounted;
        self.cost += *cost;
        self.priced += priced;
        self.unpriced += unpriced;
        pair(&mut self.recovered, *recovered);
        pair(&mut self.left, *left);
        pair(&mut self.whole, *whole);
    }

    /// Calls that ended by themselves.
    pub(super) const fn ended(&self) -> u64 {
        self.succeeded + self.degraded + self.failed
    }
}

/// What is kept of the calls of a time: sums, and how many calls had how many attempts.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) sums: Sums,
    /// By the number of attempts, from 0.
    by_attempts: [u64; MOST_ATTEMPTS + 2],
}

impl Tally {
    pub(super) const NONE: Self = Self { sums: Sums::NONE, by_attempts: [0; MOST_ATTEMPTS + 2] };

    /// Adds a call; `attempts` is how many it had, unless it was cancelled.
    pub(super) fn count(&mut self, call: &Sums, attempts: Option<u32>) {
        self.sums.add(call);
        let place = attempts.and_then(|attempts| usize::try_from(attempts).ok());
        let place = place.map(|attempts| attempts.min(MOST_ATTEMPTS + 1));
        if let Some(count) = place.and_then(|place| self.by_attempts.get_mut(place)) {
            *count += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sums.add(&other.sums);
        for (sum, count) in self.by_attempts.iter_mut().zip(&other.by_attempts) {
            *sum += count;
        }
    }

    /// How many attempts 95 % of the calls had at most: the least number that so many did not pass.
    pub(super) fn p95_attempts(&self) -> Option<u32> {
        let calls: u64 = self.by_attempts.iter().sum();
        let rank = (u128::from(calls) * 95).div_ceil(100);
        let mut passed = 0;
        let reached = self.by_attempts.iter().position(|count| {
            passed += u128::from(*count);
            passed >= rank
        });
        reached.filter(|_| calls > 0).and_then(|attempts| u32::try_from(attempts).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(calls: impl IntoIterator<Item = u32>) -> Tally {
        let mut tally = Tally::NONE;
        calls.into_iter().for_each(|attempts| tally.count(&Sums::NONE, Some(attempts)));
        tally
    }

    #[test]
    fn the_95th_percentile_is_the_least_number_that_95_of_100_calls_did_not_pass() {
        assert_eq!(of([]).p95_attempts(), None);
        assert_eq!(of([3]).p95_attempts(), Some(3));
        assert_eq!(of((1..=100).rev()).p95_attempts(), Some(95));
        let five_slow = |slow: usize| {
            let calls = std::iter::repeat_n(1, 100 - slow).chain(std::iter::repeat_n(4, slow));
            of(calls).p95_attempts()
        };
        assert_eq!((five_slow(5), five_slow(6)), (Some(1), Some(4)));
        assert_eq!(of([0, 0, 0]).p95_attempts(), Some(0));
        assert_eq!(of([100]).p95_attempts(), Some(100));
        assert_eq!(of([u32::MAX]).p95_attempts(), Some(101));
    }

    #[test]
    fn cancelled_calls_are_in_no_percentile() {
        let mut tally = of([1, 1]);
        tally.count(&Sums { cancelled: 98, ..Sums::NONE }, None);
        assert_eq!(tally.p95_attempts(), Some(1));
        assert_eq!((tally.sums.ended(), tally.sums.cancelled), (0, 98));
    }
}
