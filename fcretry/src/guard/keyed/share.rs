/// A share of a number, in parts per billion: exact for every share of up to nine decimals, where a float is not
/// (`0.29 * 100.0 < 29.0`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::guard) struct Share(u64);

impl Share {
    const WHOLE: u64 = 1_000_000_000;

    /// Of 0 to 1; what is outside, or no number, is brought to the nearest of them (no number: 1).
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a billion, and rounded"
    )]
    pub(in crate::guard) const fn of(share: f64) -> Self {
        if share >= 0.0 && share < 1.0 {
            Self((share * 1e9 + 0.5) as u64)
        } else if share < 0.0 {
            Self(0)
        } else {
            Self(Self::WHOLE)
        }
    }

    /// The whole part of this share of `n`.
    #[allow(clippy::cast_possible_truncation, reason = "no more than `n`")]
    pub(in crate::guard) const fn part(self, n: u64) -> u64 {
        ((self.0 as u128 * n as u128) / Self::WHOLE as u128) as u64
    }

    /// Whether `some` of `all` are at least this share.
    pub(in crate::guard) const fn is_reached(self, some: u64, all: u64) -> bool {
        some as u128 * Self::WHOLE as u128 >= self.0 as u128 * all as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_where_a_float_is_not() {
        assert_eq!(Share::of(0.29).part(100), 29);
        assert_eq!(Share::of(0.6).part(10), 6);
        assert_eq!(Share::of(f64::NAN).part(10), 10);
        assert!(Share::of(0.29).is_reached(29, 100));
        assert!(!Share::of(0.29).is_reached(28, 100));
    }
}
