//! A signed bucket: what may be taken now, and how fast more comes.

use super::peaks::Peaks;

/// What is forgiven, in seconds of refilling: sums of fractions are off by less, and timers by far more.
pub(super) const FORGIVEN: f64 = 1e-6;

/// Levels are amounts, times are seconds since one start. Takers have numbers that grow.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Below zero is a debt, which is paid by refilling.
    level: f64,
    /// What of it is given in advance: nobody else may take it, and there is no debt while there is any.
    held: f64,
    rate: f64,
    capacity: f64,
    /// When it was last refilled; in the future while nothing comes.
    at: f64,
    /// When a debt is paid at the latest: that is when it would be by the rate of when it was made. A rate that falls meanwhile
    /// does not make it longer, or what is a second by a good rate would be hours by a bad one; one that rises makes it shorter. No
    /// more comes than by the highest rate there was. Of no meaning without a debt.
    paid: f64,
    peaks: Peaks,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(rate: f64, capacity: f64) -> Self {
        Self {
            level: capacity,
            held: 0.0,
            rate,
            capacity,
            at: 0.0,
            paid: 0.0,
            peaks: Peaks::none(),
        }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) fn level(&self) -> f64 {
        self.level
    }

    /// What may be taken.
    #[inline]
    pub(super) fn free(&self) -> f64 {
        self.level - self.held
    }

    pub(super) fn is_half_full(&self) -> bool {
        self.free() * 2.0 >= self.capacity
    }

    #[inline]
    pub(super) fn refill(&mut self, now: f64) {
        if now > self.at {
            if self.level < 0.0 {
                self.pay(now);
            }
            self.level = (self.level + (now - self.at) * self.rate).min(self.capacity);
            self.at = now;
        }
    }

    /// Pays the debt as far as it is by now.
    #[cold]
    fn pay(&mut self, now: f64) {
        let paid = self.at + self.debt();
        if paid <= now + FORGIVEN {
            (self.level, self.at) = (0.0, paid.min(now));
        }
    }

    /// How long a debt lasts from the last refilling on, in seconds; 0 without one.
    #[inline]
    fn debt(&self) -> f64 {
        if self.level < 0.0 {
            (-self.level / self.rate).min((self.paid - self.at).max(0.0))
        } else {
            0.0
        }
    }

    /// Whether `amount` may be taken: if it is there, or, being more than there can ever be, if the bucket is full.
    #[inline]
    pub(super) fn has(&self, amount: f64) -> bool {
        self.free() + self.rate * FORGIVEN >= amount.min(self.capacity)
    }

    /// Takes. `is_only` says that nothing can be given back of what was taken before.
    #[inline]
    pub(super) fn take(&mut self, amount: f64, taker: u64, is_only: bool) {
        if is_only {
            self.peaks.forget();
        } else {
            self.peaks.note(taker, self.level);
        }
        self.fall(amount);
    }

    #[inline]
    fn fall(&mut self, amount: f64) {
        let before = self.level;
        self.level -= amount;
        if self.level < 0.0 {
            self.owe(before);
        }
    }

    /// The level fell below zero from `before`: what is owed more is owed by the rate of now.
    #[cold]
    fn owe(&mut self, before: f64) {
        let before = before.min(0.0);
        let since = if before < 0.0 { self.paid.max(self.at) } else { self.at };
        self.paid = since + (before - self.level) / self.rate;
    }

    /// Gives so much in advance. The level does not fall by it, so that what comes meanwhile is not more than there is room for
    /// if all of it is returned.
    pub(super) fn hold(&mut self, amount: f64) {
        self.held += amount;
    }

    /// An advance is returned of which so much was used: that is taken now, before whoever takes `next`.
    pub(super) fn release(
        &mut self,
        held: f64,
        used: f64,
        taker: u64,
        (next, is_only): (u64, bool),
    ) {
        self.held -= held;
        if is_only {
            self.peaks.forget();
        } else if used > 0.0 {
            self.peaks.note_late(taker, next, self.level);
        }
        self.fall(used);
    }

    /// Gives back what this taker took: as much of it as would be there now, had it never been taken. That is nothing if the
    /// bucket was full since, for then as much was lost as came too much. So what is kept is never more than
    /// capacity + rate · t, in any window.
    #[inline]
    pub(super) fn give_back(&mut self, amount: f64, taker: u64) {
        let highest = self.peaks.since(taker).max(self.level);
        let credit = amount.min(self.capacity - highest);
        if credit > 0.0 {
            self.peaks.raise(taker, credit);
            if self.level < 0.0 {
                self.forgive(credit);
            }
            self.level += credit;
        }
    }

    /// So much of a debt was not owed after all, nor was its part of the time.
    #[cold]
    fn forgive(&mut self, credit: f64) {
        let left = (1.0 + credit / self.level).max(0.0);
        self.paid = self.at + (self.paid - self.at).max(0.0) * left;
    }

    /// How long, from its last refilling on, until `amount` may be taken after `ahead` was; 0 if it may be now.
    pub(super) fn wait(&self, ahead: f64, amount: f64) -> f64 {
        let wanted = ahead + amount.min(self.capacity) - self.level.max(0.0);
        self.debt() + (wanted / self.rate).max(0.0)
    }

    /// There is no more than this, for who takes next.
    pub(super) fn lower(&mut self, level: f64, next: u64) {
        if level < self.level {
            self.peaks.note(next, self.level);
            self.level = level;
        }
    }

    /// Changes how fast more comes. The capacity follows, so that what is slow has neither an old store nor an old capacity
    /// that would take for ever to fill.
    pub(super) fn set(&mut self, rate: f64, capacity: f64, next: u64) {
        self.rate = rate;
        self.capacity = capacity;
        self.lower(capacity, next);
    }

    /// Nothing comes until then, and nothing is in store.
    pub(super) fn pause(&mut self, until: f64, next: u64) {
        self.lower(0.0, next);
        if until > self.at {
            self.paid += until - self.at;
            self.at = until;
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_the_bucket_is_taken_when_it_is_full_and_leaves_a_debt() {
        let mut bucket = Bucket::full(10.0, 100.0);
        bucket.take(1.0, 0, false);
        assert!(!bucket.has(250.0));
        assert_eq!(bucket.wait(0.0, 250.0), 0.1);
        bucket.refill(1.0);
        assert!(bucket.has(250.0));
        bucket.take(250.0, 1, false);
        assert_eq!((bucket.level(), bucket.wait(0.0, 10.0)), (-150.0, 16.0));
    }

    #[test]
    fn what_is_given_back_is_there_unless_the_bucket_would_have_overflowed() {
        let mut bucket = Bucket::full(10.0, 100.0);
        bucket.take(40.0, 0, false);
        bucket.give_back(40.0, 0);
        assert_eq!(bucket.level(), 100.0);

        bucket.take(40.0, 1, false);
        bucket.refill(3.0); // 90 now: 30 of the 40 came again, and would have been too much
        bucket.take(90.0, 2, false);
        bucket.give_back(40.0, 1);
        assert_eq!(bucket.level(), 10.0);
        bucket.refill(100.0);
        bucket.give_back(90.0, 2);
        assert_eq!(bucket.level(), 100.0);
    }

    #[test]
    fn a_lower_rate_has_a_lower_capacity_and_no_old_store() {
        let mut bucket = Bucket::full(100.0, 50.0);
        bucket.set(1.0, 1.0, 0);
        bucket.take(1.0, 0, false);
        assert_eq!(bucket.wait(0.0, 1.0), 1.0);
        assert!(bucket.wait(0.0, 1e9) <= 1.0, "no wait for an old capacity");
    }

    #[test]
    fn nothing_comes_in_a_pause() {
        let mut bucket = Bucket::full(10.0, 100.0);
        bucket.pause(5.0, 0);
        bucket.refill(5.0);
        assert!(!bucket.has(1.0));
        bucket.refill(5.1);
        assert!(bucket.has(1.0));
    }
}
