//! How many calls may be in flight.

use std::time::Duration;

use super::{recent::Recent, settings::Settings};

/// How the number of calls in flight adapts. It begins at the most that there may be, the burst by default, and is never below 1
/// nor above that.
///
/// A 429 counts here as it does for the rate: once for what was sent since the last that did, and at most once a second. When calls
/// in flight are many, each of them would else come back as one and take its part.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Concurrency {
    /// The default. A tenth is taken when the server pushes back (429, overload, no answer in time) or when the time to the
    /// first token, as a mean since the last decision, is over the mean of before by 2.5 standard deviations (exponentially
    /// weighted, 0.4 for the newest). One is given if it did neither and the limit was reached. At most one decision in a
    /// time to first token. The whole time of an answer says nothing here: it grows with the answer.
    ///
    /// Source: Vector's adaptive request concurrency.
    ByFirstToken,
    /// More than 10 % failures (at least 20 results since the last decision) halve the limit; nothing is given back for the
    /// throttle's `cooldown` then. After every hundred results, a mean of their times of more than twice `latency` takes
    /// five, one of less than half of it gives five.
    ByErrorShare {
        /// The time that an answer should take.
        latency: Duration,
    },
    /// It does not adapt.
    Fixed,
}

/// The weight of the newest mean.
const NEWEST: f64 = 0.4;

/// How many standard deviations over its mean make a time slow.
const SLOW: f64 = 2.5;

/// What a time may differ for no reason, in seconds.
const NOISE: f64 = 0.001;

/// The time between two decisions while no time to first token is known, in seconds.
const UNKNOWN: f64 = 1.0;

/// The limit, and what the next decision about it is made from. Times are seconds since one start.
#[derive(Debug)]
pub(super) struct Gate {
    limit: u32,
    /// Whether the limit was reached since the last decision.
    pub(super) reached: bool,
    pushed_back: bool,
    sum: f64,
    count: f64,
    past: Option<Past>,
    /// When the next decision is due; for `ByErrorShare`, when more may be given.
    next: f64,
    /// Results since the last decision, and failures among them.
    results: u32,
    failed: u32,
}

#[derive(Debug)]
struct Past {
    mean: f64,
    variance: f64,
}

/// What a call says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It answered.
    Answered,
    /// It failed, but not for having too much to do.
    Failed,
    /// It has too much to do.
    PushedBack,
}

impl Gate {
    pub(super) const fn open(most: u32) -> Self {
        Self {
            limit: most,
            reached: false,
            pushed_back: false,
            sum: 0.0,
            count: 0.0,
            past: None,
            next: 0.0,
            results: 0,
            failed: 0,
        }
    }

    #[inline]
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether a push-back was learned of that will lower it.
    pub(super) fn is_pushed_back(&self) -> bool {
        self.pushed_back
    }

    /// Learns from a call that ended.
    #[inline]
    pub(super) fn learn(
        &mut self,
        news: Option<News>,
        first_token: Option<Duration>,
        recent: &Recent,
        settings: &Settings,
        now: f64,
    ) {
        match settings.concurrency {
            Concurrency::Fixed => {}
            Concurrency::ByFirstToken => {
                if let Some(after) = first_token {
                    self.sum += after.as_secs_f64();
                    self.count += 1.0;
                }
                self.pushed_back |= news == Some(News::PushedBack);
                if now >= self.next && (news.is_some() || self.count > 0.0) {
                    self.decide(settings.most_in_flight(), now);
                }
            }
            Concurrency::ByErrorShare { latency } => {
                let Some(news) = news else { return };
                self.results += 1;
                self.failed += u32::from(news != News::Answered);
                self.weigh(latency, recent, settings, now);
            }
        }
    }

    #[cold]
    fn decide(&mut self, most: u32, now: f64) {
        let current = (self.count > 0.0).then(|| self.sum / self.count);
        let slow = match (current, &self.past) {
            (Some(current), Some(past)) => {
                current > past.mean + SLOW * past.variance.sqrt() + NOISE
            }
            _ => false,
        };
        if self.pushed_back || slow {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "less than it was"
            )]
            let less = (f64::from(self.limit) * 0.9) as u32;
            self.limit = less.max(1);
        } else if self.reached {
            self.limit = self.limit.saturating_add(1).min(most);
        }
        if let Some(current) = current {
            match &mut self.past {
                None => self.past = Some(Past { mean: current, variance: 0.0 }),
                Some(past) => {
                    let off = current - past.mean;
                    past.mean += NEWEST * off;
                    past.variance = (1.0 - NEWEST) * (past.variance + NEWEST * off * off);
                }
            }
        }
        self.next = now + self.past.as_ref().map_or(UNKNOWN, |past| past.mean);
        (self.reached, self.pushed_back, self.sum, self.count) = (false, false, 0.0, 0.0);
    }

    #[cold]
    fn weigh(&mut self, target: Duration, recent: &Recent, settings: &Settings, now: f64) {
        if self.results >= 20 && self.failed * 10 > self.results {
            self.limit = (self.limit / 2).max(1);
            self.next = now + settings.cooldown.as_secs_f64();
            (self.results, self.failed) = (0, 0);
        } else if self.results >= 100 {
            let mean = recent.mean().unwrap_or(target);
            if mean > target.saturating_mul(2) {
                self.limit = self.limit.saturating_sub(5).max(1);
            } else if mean < target / 2 && now >= self.next {
                self.limit = self.limit.saturating_add(5).min(settings.most_in_flight());
            }
            (self.results, self.failed) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::keyed::ticks;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings(concurrency: Concurrency) -> Settings {
        Settings { concurrency, ..Settings::new(100.0, 1_000_000) }
    }

    struct Bench {
        gate: Gate,
        recent: Recent,
        settings: Settings,
        now: f64,
    }

    impl Bench {
        fn new(concurrency: Concurrency) -> Self {
            let settings = settings(concurrency);
            Self {
                gate: Gate::open(settings.most_in_flight()),
                recent: Recent::new(),
                settings,
                now: 0.0,
            }
        }

        /// One call that ends, long after the one before.
        fn ends(&mut self, news: News, first_token: Duration) -> u32 {
            self.now += 10.0;
            let first_token = (news == News::Answered).then_some(first_token);
            self.gate.learn(Some(news), first_token, &self.recent, &self.settings, self.now);
            self.gate.limit()
        }

        fn results(&mut self, count: u32, took: Option<Duration>) -> u32 {
            for _ in 0..count {
                self.now += 0.01;
                let news = if let Some(took) = took {
                    self.recent.answered(ticks(took));
                    News::Answered
                } else {
                    self.recent.failed();
                    News::Failed
                };
                self.gate.learn(Some(news), None, &self.recent, &self.settings, self.now);
            }
            self.gate.limit()
        }
    }

    #[test]
    fn a_push_back_takes_a_tenth_and_one_comes_back_only_if_the_limit_was_reached() {
        let mut bench = Bench::new(Concurrency::ByFirstToken);
        assert_eq!(bench.ends(News::PushedBack, SECOND), 45);
        assert_eq!(bench.ends(News::Answered, SECOND), 45);
        bench.gate.reached = true;
        assert_eq!(bench.ends(News::Answered, SECOND), 46);
        assert_eq!(bench.ends(News::Answered, SECOND), 46);
        for _ in 0..100 {
            bench.gate.reached = true;
            bench.ends(News::Answered, SECOND);
        }
        assert_eq!(bench.gate.limit(), 50, "never above the burst");
        for _ in 0..100 {
            bench.ends(News::PushedBack, SECOND);
        }
        assert_eq!(bench.gate.limit(), 1, "never below 1");
    }

    #[test]
    fn a_first_token_later_than_its_deviation_takes_a_tenth_and_the_usual_spread_takes_nothing() {
        let mut bench = Bench::new(Concurrency::ByFirstToken);
        for i in 0..50 {
            bench.ends(News::Answered, Duration::from_millis(if i % 2 == 0 { 400 } else { 500 }));
        }
        let limit = bench.gate.limit();
        assert!(limit >= 45, "{limit}");
        assert_eq!(bench.ends(News::Answered, 3 * SECOND), limit * 9 / 10);
    }

    #[test]
    fn many_push_backs_within_one_time_to_first_token_count_once() {
        let mut bench = Bench::new(Concurrency::ByFirstToken);
        bench.ends(News::Answered, SECOND);
        bench.now += 10.0;
        for _ in 0..20 {
            bench.gate.learn(
                Some(News::PushedBack),
                None,
                &bench.recent,
                &bench.settings,
                bench.now,
            );
        }
        assert_eq!(bench.gate.limit(), 45);
    }

    #[test]
    fn more_than_a_tenth_of_failures_halve_it_and_latency_takes_and_gives_five() {
        let by = Concurrency::ByErrorShare { latency: SECOND };
        let mut bench = Bench::new(by);
        assert_eq!(bench.results(18, Some(SECOND)), 50);
        assert_eq!(bench.results(2, None), 50, "a tenth is not more than a tenth");
        assert_eq!(bench.results(1, None), 25);
        assert_eq!(bench.results(100, Some(SECOND / 4)), 25, "nothing within the cooldown");
        bench.now += 60.0;
        assert_eq!(bench.results(100, Some(SECOND / 4)), 30);
        assert_eq!(bench.results(100, Some(SECOND)), 30);
        assert_eq!(bench.results(100, Some(SECOND * 3)), 25);
        for _ in 0..100 {
            bench.results(20, None);
        }
        assert_eq!(bench.gate.limit(), 1);
    }
}
