use std::{
    f64::consts::{SQRT_2, TAU},
    time::Duration,
};

use super::plan::duration;

/// How long an answer takes: a mean and a standard deviation, log-normally distributed.
///
/// Answers take at least some time and now and then very long; of the distributions with such a tail the log-normal is the
/// one that mean and deviation alone give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    mean: f64,
    /// Of the logarithm.
    location: f64,
    /// Of the logarithm; 0 for a latency that is always the same.
    scale: f64,
}

impl Latency {
    /// No time at all.
    pub const ZERO: Self = Self { mean: 0.0, location: 0.0, scale: 0.0 };

    /// With a mean and a standard deviation. A `deviation` of 0 is a latency that is always the same.
    pub fn new(mean: Duration, deviation: Duration) -> Self {
        let (mean, deviation) = (mean.as_secs_f64(), deviation.as_secs_f64());
        if mean == 0.0 {
            return Self::ZERO;
        }
        // The moments of a log-normal X: E X = exp(µ + σ²/2), Var X = (exp σ² − 1)·(E X)².
        let variance = (deviation / mean).powi(2).ln_1p();
        Self { mean, location: mean.ln() - variance / 2.0, scale: variance.sqrt() }
    }

    /// The mean.
    pub fn mean(self) -> Duration {
        duration(self.mean)
    }

    /// One of them.
    pub(super) fn draw(self, rng: &mut fastrand::Rng) -> Duration {
        if self.scale == 0.0 {
            return self.mean();
        }
        // Box and Muller; 1 − u is never 0.
        let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
        let normal = radius * (TAU * rng.f64()).cos();
        duration((self.location + self.scale * normal).exp())
    }

    /// The share that takes longer than `limit`, and the mean of what all take if each is cut there.
    pub(super) fn cut_at(self, limit: Duration) -> (f64, f64) {
        let limit = limit.as_secs_f64();
        if self.scale == 0.0 {
            let share = if self.mean > limit { 1.0 } else { 0.0 };
            return (share, self.mean.min(limit));
        }
        let beyond = (limit.ln() - self.location) / self.scale;
        let share = normal_above(beyond);
        // E(X; X ≤ t) = E X · Φ((ln t − µ)/σ − σ).
        let within = self.mean * (1.0 - normal_above(beyond - self.scale));
        (share, within + limit * share)
    }
}

/// The share of a standard normal distribution that lies above `x`, to 1.5·10⁻⁷.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
fn normal_above(x: f64) -> f64 {
    let x = x / SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let terms = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let sum = terms.into_iter().fold(0.0, |sum, term| (sum + term) * t);
    let upper = 0.5 * sum * (-x * x).exp();
    if x < 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (x, above) in [
            (0.0, 0.5),
            (1.0, 0.158_655_3),
            (1.644_854, 0.05),
            (-1.0, 0.841_344_7),
            (6.0, 0.0),
            (f64::INFINITY, 0.0),
            (f64::NEG_INFINITY, 1.0),
        ] {
            assert!((normal_above(x) - above).abs() < 3e-7, "{x}: {}", normal_above(x));
        }
    }

    #[test]
    fn what_is_drawn_has_the_mean_and_the_deviation_and_is_cut_as_computed() {
        let latency = Latency::new(seconds(3.0), seconds(2.0));
        let mut rng = fastrand::Rng::with_seed(1);
        let drawn: Vec<f64> = (0..200_000).map(|_| latency.draw(&mut rng).as_secs_f64()).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / 200_000.0;
        assert!((mean(&mut drawn.iter().copied()) - 3.0).abs() < 0.02);
        let variance = mean(&mut drawn.iter().map(|x| (x - 3.0).powi(2)));
        assert!((variance.sqrt() - 2.0).abs() < 0.05);
        for limit in [0.5, 2.0, 5.0, 30.0] {
            let (share, cut) = latency.cut_at(seconds(limit));
            let longer = mean(&mut drawn.iter().map(|x| f64::from(*x > limit)));
            assert!((longer - share).abs() < 0.005, "{limit}");
            assert!((mean(&mut drawn.iter().map(|x| x.min(limit))) - cut).abs() < 0.02, "{limit}");
        }
    }

    #[test]
    fn without_a_deviation_it_is_always_the_same() {
        let latency = Latency::new(seconds(3.0), Duration::ZERO);
        assert_eq!(latency.draw(&mut fastrand::Rng::with_seed(1)), seconds(3.0));
        assert_eq!(latency.cut_at(seconds(4.0)), (0.0, 3.0));
        assert_eq!(latency.cut_at(seconds(2.0)), (1.0, 2.0));
        let ages = Latency::new(Duration::MAX, Duration::MAX);
        assert!(ages.draw(&mut fastrand::Rng::with_seed(1)) <= ages.mean());
        let none = Latency::new(Duration::ZERO, seconds(1.0));
        assert_eq!(none.cut_at(seconds(1.0)), (0.0, 0.0));
    }
}
