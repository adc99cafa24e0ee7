//! What came of one way of going on, and what it took. Pure: the time is given.

use std::time::Duration;

use tokio::time::Instant;

use super::ledger::FEW;
use crate::cost::Cost;

/// What attempts took. Sums, of which the older part counts less and less.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Took {
    /// Pico-dollars.
    pub(super) picos: f64,
    pub(super) tokens: f64,
    pub(super) seconds: f64,
    /// Attempts whose cost is not known.
    pub(super) unpriced: f64,
}

impl Took {
    /// What one attempt took, with the wait before it.
    pub(crate) fn of(cost: Option<Cost>, tokens: u64, time: Duration) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a mean needs no more")]
        let (picos, tokens) = (cost.unwrap_or_default().picos() as f64, tokens as f64);
        let unpriced = f64::from(u8::from(cost.is_none()));
        Self { picos, tokens, seconds: time.as_secs_f64(), unpriced }
    }

    fn each(&mut self, other: Self, change: impl Fn(&mut f64, f64)) {
        let Self { picos, tokens, seconds, unpriced } = self;
        change(picos, other.picos);
        change(tokens, other.tokens);
        change(seconds, other.seconds);
        change(unpriced, other.unpriced);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.each(other, |sum, more| *sum += more);
    }

    pub(super) fn scale(&mut self, by: f64) {
        self.each(Self::default(), |sum, _| *sum *= by);
    }

    /// How much that is, by this scale.
    pub(super) fn by(self, scale: Scale) -> f64 {
        match scale {
            Scale::Money { second } => self.picos + self.seconds * second,
            Scale::Tokens => self.tokens,
        }
    }
}

/// What costs are compared by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// Pico-dollars, and what a second is worth in them.
    Money { second: f64 },
    /// Where a price is not known.
    Tokens,
}

/// How often a way succeeded: a Beta distribution over its share, from a uniform one, whose evidence fades.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    succeeded: f64,
    failed: f64,
    took: Took,
    at: Instant,
}

impl Cell {
    pub(super) fn new(now: Instant) -> Self {
        Self { succeeded: 0.0, failed: 0.0, took: Took::default(), at: now }
    }

    /// As it is now: evidence that is as old as the half-life counts half.
    pub(super) fn faded(mut self, now: Instant, half_life: Duration) -> Self {
        let left = left_after(now.saturating_duration_since(self.at), half_life);
        self.succeeded *= left;
        self.failed *= left;
        self.took.scale(left);
        self.at = now;
        self
    }

    pub(super) fn observe(&mut self, succeeded: bool, took: Took) {
        *(if succeeded { &mut self.succeeded } else { &mut self.failed }) += 1.0;
        self.took.add(took);
    }

    /// About how many attempts it is known from.
    pub(super) fn weight(&self) -> f64 {
        self.succeeded + self.failed
    }

    /// Whether what it cost is not known.
    pub(super) fn is_unpriced(&self) -> bool {
        self.took.unpriced > FEW * self.weight()
    }

    /// The mean of the share, with the distribution's own deviation from it: of Beta(s + 1, f + 1).
    pub(super) fn share(&self) -> (f64, f64) {
        let weight = self.weight();
        let mean = (self.succeeded + 1.0) / (weight + 2.0);
        (mean, (mean * (1.0 - mean) / (weight + 3.0)).sqrt())
    }

    /// What an attempt took in the mean.
    pub(super) fn mean(&self, scale: Scale) -> f64 {
        self.took.by(scale) / self.weight().max(f64::MIN_POSITIVE)
    }
}

/// What is left of a weight after this time.
pub(super) fn left_after(time: Duration, half_life: Duration) -> f64 {
    let lives = time.as_secs_f64() / half_life.as_secs_f64().max(f64::MIN_POSITIVE);
    0.5_f64.powf(lives)
}
