//! A signed bucket: what may be taken now, and how fast more comes.

/// What is forgiven, in seconds of refilling: sums of fractions are off by less, and timers by far more.
const FORGIVEN: f64 = 1e-6;

/// How many spans of time the highest levels are remembered for.
const SPANS: usize = 8;

/// The length of such a span, in seconds.
const SPAN: f64 = 5.0;

/// Levels are amounts, times are seconds since one start.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Below zero is a debt, which is paid by refilling.
    level: f64,
    rate: f64,
    capacity: f64,
    /// When it was last refilled; in the future while nothing comes.
    at: f64,
    /// The highest level in each of the last spans of time, by the span's number.
    peaks: [f64; SPANS],
    span: u64,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(rate: f64, capacity: f64) -> Self {
        Self { level: capacity, rate, capacity, at: 0.0, peaks: [capacity; SPANS], span: 0 }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) fn is_full(&self) -> bool {
        self.level >= self.capacity
    }

    pub(super) fn refill(&mut self, now: f64) {
        if now <= self.at {
            return;
        }
        self.level = (self.level + (now - self.at) * self.rate).min(self.capacity);
        self.at = now;
        let span = span(now);
        if span != self.span {
            self.turn(span);
        }
        if let Some(peak) = self.peaks.get_mut(slot(self.span)) {
            *peak = peak.max(self.level);
        }
    }

    /// Begins a span. In those that passed unseen, the level rose to what it is now at most.
    #[cold]
    fn turn(&mut self, span: u64) {
        for passed in (self.span + 1..=span).rev().take(SPANS) {
            if let Some(peak) = self.peaks.get_mut(slot(passed)) {
                *peak = self.level;
            }
        }
        self.span = span;
    }

    /// Whether `amount` may be taken: if it is there, or, being more than there can ever be, if the bucket is full.
    pub(super) fn has(&self, amount: f64) -> bool {
        self.level + self.rate * FORGIVEN >= amount.min(self.capacity)
    }

    pub(super) fn take(&mut self, amount: f64) {
        self.level -= amount;
    }

    /// Gives back what was taken at `since`: as much as would be there now had it never been taken, which is nothing if
    /// the bucket has been full since then. So what is kept never passes capacity + rate · t, in any window.
    pub(super) fn give_back(&mut self, amount: f64, since: f64) {
        if amount <= 0.0 {
            return;
        }
        let oldest = (self.span + 1).saturating_sub(SPANS as u64);
        let first = span(since);
        // Older than what is remembered: the highest level is not known, so it is taken to be the capacity.
        if first < oldest {
            return;
        }
        let mut highest = self.level;
        for span in first..=self.span {
            highest = highest.max(self.peaks.get(slot(span)).copied().unwrap_or(self.capacity));
        }
        let credit = amount.min(self.capacity - highest);
        if credit <= 0.0 {
            return;
        }
        self.level += credit;
        for span in first..=self.span {
            if let Some(peak) = self.peaks.get_mut(slot(span)) {
                *peak += credit;
            }
        }
    }

    /// How long, from its last refilling on, until `amount` may be taken once `ahead` was; 0 if it may be now.
    pub(super) fn wait(&self, ahead: f64, amount: f64) -> f64 {
        ((ahead + amount.min(self.capacity) - self.level) / self.rate).max(0.0)
    }

    /// What is taken of this bucket by a line of takers, one after the other.
    pub(super) fn plan(&self) -> Plan<'_> {
        Plan { bucket: self, level: self.level }
    }

    /// Changes how fast more comes. The capacity follows, so that a slow bucket has no old store and no old debt of store.
    pub(super) fn set(&mut self, rate: f64, capacity: f64) {
        self.rate = rate;
        self.capacity = capacity;
        self.level = self.level.min(capacity);
    }

    /// There is no more than this.
    pub(super) fn lower(&mut self, level: f64) {
        self.level = self.level.min(level);
    }

    /// Nothing comes until then, and nothing is in store.
    pub(super) fn pause(&mut self, until: f64) {
        self.lower(0.0);
        self.at = self.at.max(until);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are not negative"
)]
fn span(time: f64) -> u64 {
    (time / SPAN) as u64
}

#[allow(clippy::cast_possible_truncation, reason = "less than SPANS")]
fn slot(span: u64) -> usize {
    (span % SPANS as u64) as usize
}

/// A bucket as it will be.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    bucket: &'a Bucket,
    level: f64,
}

impl Plan<'_> {
    pub(super) fn wait(&self, amount: f64) -> f64 {
        ((amount.min(self.bucket.capacity) - self.level) / self.bucket.rate).max(0.0)
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        self.level = (self.level + self.bucket.rate * seconds).min(self.bucket.capacity);
    }

    pub(super) fn take(&mut self, amount: f64) {
        self.level -= amount;
    }
}
