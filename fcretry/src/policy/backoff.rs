use std::time::Duration;

/// How the wait before a resend grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// base · factorⁿ
    Exponential,
    /// base · (n + 1)
    Linear,
    /// base · F(n + 1): 1, 1, 2, 3, 5, ..
    Fibonacci,
    /// base
    Constant,
}

/// How a wait is spread, so that callers who failed together do not come back together.
///
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Uniform in 0..=wait.
    Full,
    /// Half fixed, half uniform.
    Equal,
    /// Uniform between the base and three times the wait before, at most `max`; the strategy gives only the base.
    Decorrelated,
    /// The wait as it is.
    None,
}

/// The wait before resend *n* (0-based): `min(max, base · delay_scale · growth(n))`, then jitter.
/// The cap comes before the jitter, so no wait is ever longer than `max`.
///
/// Default: exponential, base 1 s, factor 2, max 30 s, full jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    strategy: Strategy,
    base: Duration,
    max: Duration,
    factor: f64,
    jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential()
    }
}

impl Backoff {
    const fn of(strategy: Strategy) -> Self {
        Self {
            strategy,
            base: Duration::from_secs(1),
            max: Duration::from_secs(30),
            factor: 2.0,
            jitter: Jitter::Full,
        }
    }

    /// base · factorⁿ
    pub const fn exponential() -> Self {
        Self::of(Strategy::Exponential)
    }

    /// base · (n + 1)
    pub const fn linear() -> Self {
        Self::of(Strategy::Linear)
    }

    /// base · 1, 1, 2, 3, 5, ..
    pub const fn fibonacci() -> Self {
        Self::of(Strategy::Fibonacci)
    }

    /// base, every time.
    pub const fn constant() -> Self {
        Self::of(Strategy::Constant)
    }

    /// The wait that growth starts from; more than 0. Default 1 s.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest wait; not below `base`. Default 30 s. A constant wait has no other than its base.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// The factor of exponential growth, 1 to 10. Default 2.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How waits are spread. Default [`Jitter::Full`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The longest wait this gives, before any scale.
    pub(crate) fn longest(&self) -> Duration {
        if self.strategy == Strategy::Constant { self.base.max(self.max) } else { self.max }
    }

    pub(crate) fn fault(&self) -> Option<String> {
        if self.base.is_zero() {
            return Some("`base` is 0; a wait of nothing is no backoff".to_owned());
        }
        if self.strategy != Strategy::Constant && self.max < self.base {
            return Some(format!("`max` ({:?}) is below `base` ({:?})", self.max, self.base));
        }
        if !(1.0..=10.0).contains(&self.factor) {
            return Some(format!("`factor` is {}; it is 1 to 10", self.factor));
        }
        None
    }

    /// The wait before resend `n` (0-based). `previous` is the wait before the last one, for
    /// [`Jitter::Decorrelated`].
    pub fn delay(
        &self,
        n: u32,
        delay_scale: f64,
        previous: Option<Duration>,
        rng: &mut fastrand::Rng,
    ) -> Duration {
        let base = self.base.as_secs_f64() * delay_scale;
        let max = match self.strategy {
            // What does not grow needs no cap; its scale is the policy's own word.
            Strategy::Constant => base.max(self.max.as_secs_f64()),
            _ => self.max.as_secs_f64(),
        };
        let capped = (base * self.growth(n)).min(max);
        let wait = match self.jitter {
            Jitter::None => capped,
            Jitter::Full => capped * rng.f64(),
            Jitter::Equal => capped * (0.5 + 0.5 * rng.f64()),
            Jitter::Decorrelated => {
                let low = base.min(max);
                let high = previous.map_or(low, |p| p.as_secs_f64() * 3.0).max(low);
                (low + (high - low) * rng.f64()).min(max)
            }
        };
        // Finite and not negative; only a base of ages, scaled, does not fit.
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    fn growth(&self, n: u32) -> f64 {
        match self.strategy {
            Strategy::Exponential => self.factor.powi(i32::try_from(n).unwrap_or(i32::MAX)),
            Strategy::Linear => f64::from(n) + 1.0,
            Strategy::Fibonacci => {
                let mut pair = (1.0, 1.0);
                // F(90) · 1 ms is longer than any age of the universe; more steps change nothing.
                for _ in 0..n.min(90) {
                    pair = (pair.1, pair.0 + pair.1);
                }
                pair.0
            }
            Strategy::Constant => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: Backoff, count: u32) -> Vec<f64> {
        let mut rng = fastrand::Rng::with_seed(7);
        (0..count).map(|n| backoff.delay(n, 1.0, None, &mut rng).as_secs_f64()).collect()
    }

    #[test]
    fn each_strategy_grows_as_it_says_up_to_the_cap() {
        let plain = |b: Backoff| b.jitter(Jitter::None).max(Duration::from_secs(6));
        assert_eq!(waits(plain(Backoff::exponential()), 5), [1.0, 2.0, 4.0, 6.0, 6.0]);
        assert_eq!(waits(plain(Backoff::linear()), 7), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0]);
        assert_eq!(waits(plain(Backoff::fibonacci()), 6), [1.0, 1.0, 2.0, 3.0, 5.0, 6.0]);
        assert_eq!(waits(plain(Backoff::constant()), 3), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_constant_wait_is_scaled_and_not_capped() {
        let backoff = Backoff::constant().base(Duration::from_secs(3600)).jitter(Jitter::None);
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(backoff.delay(7, 2.0, None, &mut rng), Duration::from_secs(7200));
    }

    #[test]
    fn no_jitter_passes_the_cap_at_any_resend() {
        for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::None] {
            let backoff = Backoff::exponential().max(Duration::from_secs(10)).jitter(jitter);
            let mut rng = fastrand::Rng::with_seed(1);
            let mut previous = None;
            for n in (0..200).chain([u32::MAX]) {
                let wait = backoff.delay(n, 100.0, previous, &mut rng);
                assert!(wait <= Duration::from_secs(10), "{jitter:?} {n}: {wait:?}");
                previous = Some(wait);
            }
        }
    }

    #[test]
    fn equal_keeps_half_and_full_uses_all_of_it() {
        let backoff = Backoff::constant().base(Duration::from_secs(8)).max(Duration::from_secs(8));
        let mut rng = fastrand::Rng::with_seed(3);
        let mut draw = |jitter| -> Vec<f64> {
            let backoff = backoff.jitter(jitter);
            (0..500).map(|_| backoff.delay(0, 1.0, None, &mut rng).as_secs_f64()).collect()
        };
        let equal = draw(Jitter::Equal);
        assert!(equal.iter().all(|w| (4.0..=8.0).contains(w)));
        let full = draw(Jitter::Full);
        assert!(full.iter().any(|w| *w < 0.5) && full.iter().any(|w| *w > 7.5));
    }

    #[test]
    fn a_scale_of_zero_is_no_wait() {
        let mut rng = fastrand::Rng::with_seed(3);
        assert_eq!(Backoff::default().delay(5, 0.0, None, &mut rng), Duration::ZERO);
    }
}
