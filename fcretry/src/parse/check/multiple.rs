//! Multiples by decimal digits, where floats tell nothing any more.

use serde_json::Number;

/// Whether `number` is a multiple of `step`, or at most the share `slack` of a step from one.
pub(super) fn is_nearly(number: &Number, step: &Number, slack: f64) -> bool {
    let (Some(number), Some(step)) = (Decimal::of(number), Decimal::of(step)) else { return false };
    let shift = i64::from(number.exponent) - i64::from(step.exponent);
    // Both in the unit of the one with more decimals.
    let (rest, unit) = if shift >= 0 {
        let rest = scaled(number.digits, shift.unsigned_abs(), step.digits);
        (rest, Some(step.digits))
    } else {
        let scale = u32::try_from(-shift).ok().and_then(|shift| 10_u128.checked_pow(shift));
        let unit = scale.and_then(|scale| scale.checked_mul(step.digits));
        (unit.and_then(|unit| number.digits.checked_rem(unit)), unit)
    };
    let (Some(rest), Some(unit)) = (rest, unit) else { return false };
    #[allow(clippy::cast_precision_loss, reason = "a share of a step, compared with a slack")]
    let share = rest.min(unit - rest) as f64 / unit as f64;
    share <= slack
}

/// A number without its sign: digits, and the power of ten that they are times.
struct Decimal {
    digits: u128,
    exponent: i32,
}

impl Decimal {
    /// The number as it is written, which is the shortest that is the same float.
    fn of(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{}{fraction}", whole.trim_start_matches('-')).parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(Self { digits, exponent: exponent - i32::try_from(fraction.len()).ok()? })
    }
}

/// What is left of `digits` times ten to the power `shift`, divided by `by`. None overflows: digits of a number are
/// fewer than 64 bits hold, and so is what is left of them.
fn scaled(digits: u128, shift: u64, by: u128) -> Option<u128> {
    let times = |a: u128, b: u128| a.checked_mul(b)?.checked_rem(by);
    let (mut rest, mut power, mut left) =
        (digits.checked_rem(by)?, 10_u128.checked_rem(by)?, shift);
    while left > 0 {
        if left & 1 == 1 {
            rest = times(rest, power)?;
        }
        power = times(power, power)?;
        left >>= 1;
    }
    Some(rest)
}
