/// Where the part of a wait comes from that is left to chance.
pub(crate) trait Chance {
    /// Uniform in 0..1.
    fn share(&mut self) -> f64;
}

impl Chance for fastrand::Rng {
    fn share(&mut self) -> f64 {
        self.f64()
    }
}

/// The middle of what could be drawn. A wait grows in proportion to what is drawn for it, so this gives its mean;
/// [`Jitter::Decorrelated`](super::Jitter::Decorrelated) does not, being cut where it is longest.
pub(crate) struct Middle;

impl Chance for Middle {
    fn share(&mut self) -> f64 {
        0.5
    }
}
