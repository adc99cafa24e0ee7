//! How the rate answers to a server that pushes back: CUBIC, as in the adaptive mode of AWS's SDKs, but at most one
//! reduction for each thing learned. Rates are requests per second, times seconds since one start.

/// What is left of the rate after a push-back.
const KEPT: f64 = 0.7;

/// How steeply the rate comes back.
const SCALE: f64 = 0.4;

/// The shortest time between two reductions, in seconds.
const EPOCH: f64 = 1.0;

/// Nothing lowers the rate below this, in requests per second, unless it was made slower.
const SLOWEST: f64 = 0.5;

/// How long requests are counted for one measure of what is sent, in seconds.
const MEASURE: f64 = 0.5;

/// The weight of the newest measure.
const NEWEST: f64 = 0.8;

/// What is sent, as a smoothed rate.
#[derive(Debug)]
pub(super) struct Sent {
    rate: f64,
    count: f64,
    since: f64,
}

impl Sent {
    pub(super) const fn nothing() -> Self {
        Self { rate: 0.0, count: 0.0, since: 0.0 }
    }

    /// `amount` goes out: 1 for a request, more if its tokens weigh more.
    #[inline]
    pub(super) fn add(&mut self, amount: f64, now: f64) {
        if now - self.since >= MEASURE {
            self.measure(now);
        }
        self.count += amount;
    }

    /// So much went out until then, which was not told before. What is too old for the last measure is none of the next.
    pub(super) fn add_late(&mut self, amount: f64, last: f64) {
        if last > self.since - MEASURE {
            self.add(amount, last);
        }
    }

    #[cold]
    fn measure(&mut self, now: f64) {
        let newest = self.count / (now - self.since);
        self.rate = NEWEST * newest + (1.0 - NEWEST) * self.rate;
        (self.count, self.since) = (0.0, now);
    }

    /// The rate at which requests go out. What is being counted can raise it only, being too little to lower it.
    pub(super) fn rate(&mut self, now: f64) -> f64 {
        if now - self.since >= MEASURE {
            self.measure(now);
        }
        self.rate.max(self.count / MEASURE)
    }
}

/// The rate that is allowed.
#[derive(Debug)]
pub(super) struct Rate {
    now: f64,
    most: f64,
    reduced: Option<Reduced>,
}

/// The last reduction.
#[derive(Debug)]
struct Reduced {
    /// When it was.
    at: f64,
    /// When the rate begins to come back.
    from: f64,
    /// The rate at which the server pushed back.
    was: f64,
    /// How long until that rate is reached again: ∛(0.3 · was / 0.4).
    back: f64,
}

impl Rate {
    pub(super) const fn new(most: f64) -> Self {
        Self { now: most, most, reduced: None }
    }

    /// The part of the most that is allowed, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.now / self.most
    }

    /// Requests per second that are allowed.
    pub(super) fn allowed(&self) -> f64 {
        self.now
    }

    #[inline]
    pub(super) fn is_reduced(&self) -> bool {
        self.reduced.is_some()
    }

    /// The server pushed back on a request that was sent at `sent_at`, while `sent` went out. It is news only of what was
    /// sent since the last reduction, and nothing comes back before `paused`. Whether the rate changed.
    pub(super) fn pushed_back(&mut self, sent_at: f64, now: f64, paused: f64, sent: f64) -> bool {
        if let Some(reduced) = &mut self.reduced {
            reduced.from = reduced.from.max(paused);
            if sent_at < reduced.at || now < reduced.at + EPOCH {
                return false;
            }
        }
        let slowest = SLOWEST.min(self.most);
        let was = sent.min(self.now).max(slowest);
        self.now = (KEPT * was).max(slowest);
        let back = ((1.0 - KEPT) * was / SCALE).cbrt();
        self.reduced = Some(Reduced { at: now, from: now.max(paused), was, back });
        true
    }

    /// An answer came: the rate comes back with the time that passed, but not to more than twice what is sent, since more
    /// was not tried. Whether the rate changed.
    pub(super) fn answered(&mut self, now: f64, sent: f64) -> bool {
        let Some(reduced) = &self.reduced else { return false };
        let passed = now - reduced.from;
        if passed <= 0.0 {
            return false;
        }
        let allowed = SCALE * (passed - reduced.back).powi(3) + reduced.was;
        let rate = allowed.min(2.0 * sent);
        if rate <= self.now {
            return false;
        }
        self.now = rate.min(self.most);
        // The whole rate is back, and the last reduction was long enough ago to be no news.
        if self.now >= self.most && now >= reduced.at + EPOCH {
            self.reduced = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_push_back_leaves_seven_tenths_of_what_was_sent_and_the_cube_brings_it_back() {
        let mut rate = Rate::new(100.0);
        assert!(rate.pushed_back(0.0, 10.0, 0.0, 50.0));
        assert!(close(rate.now, 35.0));
        let back = (0.3_f64 * 50.0 / 0.4).cbrt();
        assert!(rate.answered(10.0 + back, 50.0));
        assert!(close(rate.now, 50.0));
        assert!(rate.answered(10.0 + back + 2.0, 50.0));
        assert!(close(rate.now, 53.2));
    }

    #[test]
    fn one_epoch_reduces_once_and_what_was_sent_before_it_says_nothing_new() {
        let mut rate = Rate::new(100.0);
        assert!(rate.pushed_back(9.9, 10.0, 0.0, 100.0));
        for i in 0..50 {
            assert!(!rate.pushed_back(9.0, 10.0 + f64::from(i) / 10.0, 0.0, 100.0));
        }
        assert!(!rate.pushed_back(10.1, 10.9, 0.0, 100.0));
        assert!(close(rate.now, 70.0));
        assert!(rate.pushed_back(10.5, 11.1, 0.0, 100.0));
        assert!(close(rate.now, 49.0));
    }

    #[test]
    fn it_never_passes_twice_what_is_sent_nor_the_most_and_never_falls_for_want_of_traffic() {
        let mut rate = Rate::new(100.0);
        rate.pushed_back(0.0, 1.0, 0.0, 40.0);
        assert!(!rate.answered(100.0, 1.0));
        assert!(close(rate.now, 28.0));
        assert!(rate.answered(100.0, 20.0));
        assert!(close(rate.now, 40.0));
        assert!(rate.answered(100.0, 90.0));
        assert!(close(rate.now, 100.0));
        assert!(!rate.is_reduced());
    }

    #[test]
    fn it_begins_to_come_back_when_the_pause_is_over() {
        let mut rate = Rate::new(100.0);
        rate.pushed_back(0.0, 1.0, 61.0, 50.0);
        assert!(!rate.answered(60.0, 50.0));
        assert!(rate.answered(62.0, 50.0));
        assert!(rate.now < 50.0);
    }

    #[test]
    fn what_is_sent_is_measured_over_half_seconds() {
        let mut sent = Sent::nothing();
        for i in 0..200 {
            sent.add(1.0, f64::from(i) / 50.0);
        }
        assert!((sent.rate(4.0) - 50.0).abs() < 2.0);
        assert!(sent.rate(60.0) < 15.0);
    }
}
