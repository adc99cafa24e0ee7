use std::time::Duration;

use super::Chance;

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

impl Strategy {
    pub(super) const ALL: &[Self] =
        &[Self::Exponential, Self::Linear, Self::Fibonacci, Self::Constant];

    /// The name in attributes and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Fibonacci => "fibonacci",
            Self::Constant => "constant",
        }
    }
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

impl Jitter {
    pub(super) const ALL: &[Self] = &[Self::Full, Self::Equal, Self::Decorrelated, Self::None];

    /// The name in attributes and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Equal => "equal",
            Self::Decorrelated => "decorrelated",
            Self::None => "none",
        }
    }
}

/// The wait before resend *n* (0-based): `min(max, base · delay_scale · growth(n))`, then jitter.
/// The cap comes before the jitter, so no wait is ever longer than `max`.
///
/// Default: exponential, base 1 s, factor 2, max 30 s, full jitter.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub(super) strategy: Strategy,
    // What is not given is not written either, and follows what is.
    pub(super) base: Option<Duration>,
    pub(super) max: Option<Duration>,
    pub(super) factor: Option<f64>,
    pub(super) jitter: Option<Jitter>,
}

/// A [`Backoff`] with its defaults filled in.
#[derive(Clone, Copy, PartialEq)]
struct Whole {
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

/// Equal are those that give the same waits.
impl PartialEq for Backoff {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl Backoff {
    pub(super) const fn of(strategy: Strategy) -> Self {
        Self { strategy, base: None, max: None, factor: None, jitter: None }
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

    /// The wait that growth starts from; more than 0, less than the policy's deadline. Default 1 s.
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = Some(base);
        self
    }

    /// The longest wait; not below `base`. Default 30 s. Not for a constant wait, which has no other than its base.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = Some(max);
        self
    }

    /// The factor of exponential growth, 1 to 10. Default 2. For no other.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// How waits are spread. Default [`Jitter::Full`].
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    fn whole(&self) -> Whole {
        Whole {
            strategy: self.strategy,
            base: self.base.unwrap_or(Duration::from_secs(1)),
            max: self.max.unwrap_or(Duration::from_secs(30)),
            factor: self.factor.unwrap_or(2.0),
            jitter: self.jitter.unwrap_or(Jitter::Full),
        }
    }

    /// The first and the longest wait, before any scale and jitter.
    pub(super) fn bounds(&self) -> (Duration, Duration) {
        let Whole { base, max, .. } = self.whole();
        (base, max)
    }

    /// The longest wait this gives, before any scale.
    pub(crate) fn longest(&self) -> Duration {
        let Whole { strategy, base, max, .. } = self.whole();
        if strategy == Strategy::Constant { base.max(max) } else { max }
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
        self.drawn(n, delay_scale, previous, rng)
    }

    /// As [`delay`](Self::delay), wherever the chance comes from.
    pub(super) fn drawn(
        &self,
        n: u32,
        delay_scale: f64,
        previous: Option<Duration>,
        chance: &mut impl Chance,
    ) -> Duration {
        let whole = self.whole();
        let capped = whole.capped(n, delay_scale);
        let wait = match whole.jitter {
            Jitter::None => capped,
            Jitter::Full => capped * chance.share(),
            Jitter::Equal => capped * (0.5 + 0.5 * chance.share()),
            Jitter::Decorrelated => {
                let low = whole.capped(0, delay_scale);
                let high = previous.map_or(low, |p| p.as_secs_f64() * 3.0).max(low);
                (low + (high - low) * chance.share()).min(whole.cap(delay_scale))
            }
        };
        // Finite and not negative; only a base of ages, scaled, does not fit.
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    /// Whether a wait depends on the one before it.
    pub(super) fn remembers(&self) -> bool {
        self.whole().jitter == Jitter::Decorrelated
    }

    /// The shortest wait before resend `n` that the jitter leaves, in seconds.
    pub(super) fn least(&self, n: u32, delay_scale: f64) -> f64 {
        let whole = self.whole();
        match whole.jitter {
            Jitter::None => whole.capped(n, delay_scale),
            Jitter::Equal => whole.capped(n, delay_scale) * 0.5,
            Jitter::Decorrelated => whole.capped(0, delay_scale),
            Jitter::Full => 0.0,
        }
    }
}

impl Whole {
    /// The longest wait, in seconds.
    fn cap(&self, delay_scale: f64) -> f64 {
        let max = self.max.as_secs_f64();
        match self.strategy {
            // What does not grow needs no cap; its scale is the policy's own word.
            Strategy::Constant => max.max(self.base.as_secs_f64() * delay_scale),
            _ => max,
        }
    }

    /// The wait before resend `n` without jitter, in seconds.
    fn capped(&self, n: u32, delay_scale: f64) -> f64 {
        (self.base.as_secs_f64() * delay_scale * self.growth(n)).min(self.cap(delay_scale))
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
