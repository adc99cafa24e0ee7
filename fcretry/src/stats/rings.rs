use super::tally::{Sums, Tally};

/// How many seconds, and how many minutes, are kept apart.
pub(super) const KEPT: u64 = 60;

/// Tallies of the last [`KEPT`] periods of one length.
struct Ring(Vec<Slot>);

struct Slot {
    /// The number of the period that the tally is of.
    period: u64,
    tally: Tally,
}

impl Ring {
    fn new() -> Self {
        Self((0..KEPT).map(|period| Slot { period, tally: Tally::NONE }).collect())
    }

    fn count(&mut self, period: u64, call: &Sums, attempts: Option<u32>) {
        let place = usize::try_from(period % KEPT).unwrap_or_default();
        let Some(slot) = self.0.get_mut(place) else { return };
        if slot.period != period {
            // Of a round before: nobody asks for it any more.
            *slot = Slot { period, tally: Tally::NONE };
        }
        slot.tally.count(call, attempts);
    }

    /// The periods up to `now` that are kept, in no order.
    fn last(&self, now: u64) -> impl Iterator<Item = (u64, &Tally)> {
        let kept = self.0.iter().filter(move |slot| is_kept(slot.period, now));
        kept.map(|slot| (slot.period, &slot.tally))
    }
}

/// Whether `period` is one of the last, this one included.
const fn is_kept(period: u64, now: u64) -> bool {
    period <= now && now - period < KEPT
}

/// What is kept of calls: by second, by minute, and of all.
pub(super) struct Rings {
    seconds: Ring,
    minutes: Ring,
    all: Tally,
}

impl Rings {
    pub(super) fn new() -> Self {
        Self { seconds: Ring::new(), minutes: Ring::new(), all: Tally::NONE }
    }

    /// Counts a call that ended in this second.
    pub(super) fn count(&mut self, second: u64, call: &Sums, attempts: Option<u32>) {
        self.seconds.count(second, call, attempts);
        self.minutes.count(second / 60, call, attempts);
        self.all.count(call, attempts);
    }
}

/// What several [`Rings`] hold together at a time.
pub(super) struct Gathered {
    pub(super) second: u64,
    pub(super) minute: Tally,
    pub(super) hour: Tally,
    pub(super) all: Tally,
    /// The last minutes, the present one last. Those before the first are not there.
    pub(super) minutes: Vec<Sums>,
}

impl Gathered {
    pub(super) fn nothing(second: u64) -> Self {
        let kept = usize::try_from((second / 60 + 1).min(KEPT)).unwrap_or_default();
        Self {
            second,
            minute: Tally::NONE,
            hour: Tally::NONE,
            all: Tally::NONE,
            minutes: vec![Sums::NONE; kept],
        }
    }

    pub(super) fn add(&mut self, rings: &Rings) {
        for (_, tally) in rings.seconds.last(self.second) {
            self.minute.add(tally);
        }
        let now = self.second / 60;
        let kept = self.minutes.len() as u64;
        for (minute, tally) in rings.minutes.last(now) {
            self.hour.add(tally);
            let place = kept.checked_sub(1 + now - minute).and_then(|at| usize::try_from(at).ok());
            if let Some(sums) = place.and_then(|place| self.minutes.get_mut(place)) {
                sums.add(&tally.sums);
            }
        }
        self.all.add(&rings.all);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one() -> Sums {
        Sums { succeeded: 1, ..Sums::NONE }
    }

    fn at(rings: &Rings, second: u64) -> Gathered {
        let mut gathered = Gathered::nothing(second);
        gathered.add(rings);
        gathered
    }

    #[test]
    fn minutes_before_the_first_call_are_not_there_and_the_present_one_is_last() {
        let mut rings = Rings::new();
        rings.count(59, &one(), Some(1));
        rings.count(60, &one(), Some(1));
        rings.count(61, &one(), Some(1));
        let counts =
            |second| at(&rings, second).minutes.iter().map(Sums::ended).collect::<Vec<_>>();
        assert_eq!(counts(61), [1, 2]);
        assert_eq!(counts(200), [1, 2, 0, 0]);
        assert_eq!(counts(59 * 60).len(), 60);
        assert_eq!(counts(60 * 60).iter().sum::<u64>(), 2, "the first minute is an hour ago");
    }

    proptest! {
        #[test]
        fn a_window_holds_what_ended_in_it_however_long_nothing_came(
            waits in prop::collection::vec(0_u64..200, 1..60),
            after in 0_u64..8000,
        ) {
            let mut rings = Rings::new();
            let mut ended = Vec::new();
            let mut second = 0;
            for wait in waits {
                second += wait;
                ended.push(second);
                rings.count(second, &one(), Some(1));
            }
            let now = second + after;
            let gathered = at(&rings, now);
            let within = |is_in: &dyn Fn(u64) -> bool| ended.iter().filter(|at| is_in(**at)).count() as u64;
            prop_assert_eq!(gathered.minute.sums.ended(), within(&|at| at + 60 > now));
            prop_assert_eq!(gathered.hour.sums.ended(), within(&|at| at / 60 + 60 > now / 60));
            prop_assert_eq!(gathered.all.sums.ended(), ended.len() as u64);
            let minutes = gathered.minutes.iter().map(Sums::ended).sum::<u64>();
            prop_assert_eq!(minutes, gathered.hour.sums.ended());
        }
    }
}
