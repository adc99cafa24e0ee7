use std::{
    convert::Infallible,
    fmt,
    iter::Sum,
    ops::{Add, AddAssign},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Pico-dollars in a dollar.
const DOLLAR: u64 = 1_000_000_000_000;

/// Decimal places of a dollar that are kept.
const PLACES: usize = 12;

/// An amount of US dollars, exact to the pico-dollar (10⁻¹² dollars).
///
/// Price lists go down to micro-dollars for a million tokens, which is a pico-dollar for one: whatever tokens cost is a
/// whole number of them. Sums are exact, and stop at [`MAX`](Self::MAX), which is above 18 million dollars.
///
/// Shown with every digit that it has, and at least two (`$0.001234`, `$0.50`); a precision rounds it, halves up:
///
/// ```
/// use fcretry::cost::Cost;
///
/// let cost: Cost = "0.001234".parse()?;
/// assert_eq!(cost.to_string(), "$0.001234");
/// assert_eq!(format!("{cost:.4}"), "$0.0012");
/// assert_eq!(format!("{:>8.2}", cost + "0.5".parse()?), "   $0.50");
/// # Ok::<(), fcretry::cost::InvalidCost>(())
/// ```
///
/// With `serde` it is the decimal of dollars as a string, `"0.001234"`: a JSON number would be a float to most who read it.
/// Numbers are read, too.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The most that can be told, 18 446 744.073709551615 dollars. What a sum reaches it stays at.
    pub const MAX: Self = Self(u64::MAX);

    /// So many pico-dollars, 10⁻¹² dollars each.
    pub const fn from_picos(picos: u64) -> Self {
        Self(picos)
    }

    /// In pico-dollars, 10⁻¹² dollars each.
    pub const fn picos(self) -> u64 {
        self.0
    }

    /// The amount that a literal such as `0.05` says: the shortest decimal that is this float, rounded to the pico-dollar,
    /// halves up. Literals of up to 15 digits are exact.
    ///
    /// # Errors
    ///
    /// If it is negative, not finite, or above [`MAX`](Self::MAX).
    pub fn from_usd(usd: f64) -> Result<Self, InvalidCost> {
        if !usd.is_finite() || usd < 0.0 {
            return Err(InvalidCost::NotAnAmount);
        }
        // A float is written without an exponent, and with no more digits than tell it from its neighbours.
        read(&usd.abs().to_string(), true)
    }

    /// In dollars, as near as a float comes.
    #[allow(clippy::cast_precision_loss, reason = "said in its documentation")]
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / DOLLAR as f64
    }

    /// A sum of costs of which some may not be known, with another: `None` if nothing in it is known, which is never the same as
    /// nothing.
    pub(crate) fn sum_of(
        known: Option<Self>,
        more: Option<Self>,
        is_partial: bool,
    ) -> Option<Self> {
        let sum = known.unwrap_or_default() + more.unwrap_or_default();
        (sum > Self::ZERO || !is_partial).then_some(sum)
    }

    /// What is left of it after `other`; nothing, if that is more.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The decimal of dollars, with every digit that it has and at least two.
    fn decimal(self) -> String {
        let text = format!("{}.{:0PLACES$}", self.0 / DOLLAR, self.0 % DOLLAR);
        let kept = text.trim_end_matches('0').len();
        let least = text.len() - PLACES + 2;
        text.chars().take(kept.max(least)).collect()
    }

    /// The decimal of dollars with `places` digits.
    fn rounded(self, places: usize) -> String {
        let Some(cut) = PLACES.checked_sub(places) else {
            let beyond = places - PLACES;
            return format!("{}.{:0PLACES$}{:0<beyond$}", self.0 / DOLLAR, self.0 % DOLLAR, "");
        };
        let unit = (0..cut).fold(1_u128, |unit, _| unit * 10);
        let units = (u128::from(self.0) + unit / 2) / unit;
        let dollar = u128::from(DOLLAR) / unit;
        match places {
            0 => units.to_string(),
            _ => format!("{}.{:0places$}", units / dollar, units % dollar),
        }
    }
}

/// Reads digits with at most one point among them. Those below a pico-dollar are rounded away, halves up, if that is allowed.
fn read(text: &str, may_round: bool) -> Result<Cost, InvalidCost> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) {
        return Err(InvalidCost::NotAnAmount);
    }
    let part = part.trim_end_matches('0');
    let (kept, beyond) = part.split_at_checked(PLACES).unwrap_or((part, ""));
    if !beyond.is_empty() && !may_round {
        return Err(InvalidCost::TooFine);
    }
    let up = u64::from(beyond >= "5");
    let whole: u64 = match whole.trim_start_matches('0') {
        "" => 0,
        whole => whole.parse().map_err(|_| InvalidCost::TooLarge)?,
    };
    let picos: u64 = format!("{kept:0<PLACES$}").parse().map_err(|_| InvalidCost::NotAnAmount)?;
    let whole = whole.checked_mul(DOLLAR);
    let sum = whole.and_then(|whole| whole.checked_add(picos)?.checked_add(up));
    sum.map(Cost).ok_or(InvalidCost::TooLarge)
}

/// Reads a decimal of dollars, `0.05` or `$0.05`, exactly: no sign, no exponent, no separators.
impl FromStr for Cost {
    type Err = InvalidCost;

    fn from_str(text: &str) -> Result<Self, InvalidCost> {
        read(text.strip_prefix('$').unwrap_or(text), false)
    }
}

impl TryFrom<&str> for Cost {
    type Error = InvalidCost;

    fn try_from(text: &str) -> Result<Self, InvalidCost> {
        text.parse()
    }
}

/// As [`Cost::from_usd`].
impl TryFrom<f64> for Cost {
    type Error = InvalidCost;

    fn try_from(usd: f64) -> Result<Self, InvalidCost> {
        Self::from_usd(usd)
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = match f.precision() {
            Some(places) => self.rounded(places),
            None => self.decimal(),
        };
        // Not `pad`, which would cut the text to the precision.
        f.pad_integral(true, "", &format!("${decimal}"))
    }
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cost({})", self.decimal())
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.decimal())
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Cost;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dollars, as a number or as a string of their decimal")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cost, E> {
        text.parse().map_err(|error| E::custom(format_args!("`{text}` {error}")))
    }

    fn visit_f64<E: de::Error>(self, usd: f64) -> Result<Cost, E> {
        Cost::from_usd(usd).map_err(|error| E::custom(format_args!("`{usd}` {error}")))
    }

    fn visit_u64<E: de::Error>(self, usd: u64) -> Result<Cost, E> {
        self.visit_str(&usd.to_string())
    }

    fn visit_i64<E: de::Error>(self, usd: i64) -> Result<Cost, E> {
        self.visit_str(&usd.to_string())
    }
}

/// What is no [`Cost`] or no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCost {
    /// Not a decimal of dollars: negative, not finite, or other text.
    NotAnAmount,
    /// More than 12 decimal places; for a price of a million tokens, more than 6.
    TooFine,
    /// Above [`Cost::MAX`].
    TooLarge,
}

impl fmt::Display for InvalidCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnAmount => "is not an amount of dollars; write it as 0.05",
            Self::TooFine => {
                "is too fine: a cost has at most 12 decimal places, a price of a million tokens 6"
            }
            Self::TooLarge => "is more than 18446744 dollars",
        })
    }
}

impl std::error::Error for InvalidCost {}

impl From<Infallible> for InvalidCost {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Cost {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_shown_with_the_digits_it_has_and_rounded_where_asked() {
        for (picos, exact, rounded) in [
            (0, "$0.00", "$0.0000"),
            (1, "$0.000000000001", "$0.0000"),
            (1_234_000_000, "$0.001234", "$0.0012"),
            (1_250_000_000, "$0.00125", "$0.0013"),
            (500_000_000_000, "$0.50", "$0.5000"),
            (999_999_999_999, "$0.999999999999", "$1.0000"),
            (u64::MAX, "$18446744.073709551615", "$18446744.0737"),
        ] {
            let cost = Cost::from_picos(picos);
            assert_eq!(cost.to_string(), exact);
            assert_eq!(format!("{cost:.4}"), rounded);
        }
        assert_eq!(format!("{:.0}", usd("2.5")), "$3");
        assert_eq!(format!("{:.14}", usd("0.05")), "$0.05000000000000");
        assert_eq!(format!("{:12.12}", usd("0.05")), "$0.050000000000");
        assert_eq!(format!("{:<8.2}|{:>8}", usd("1"), usd("0.25")), "$1.00   |   $0.25");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        use InvalidCost::{NotAnAmount, TooFine, TooLarge};
        for (text, error) in [
            ("", NotAnAmount),
            (".", NotAnAmount),
            (".5", NotAnAmount),
            ("5.", NotAnAmount),
            ("-1", NotAnAmount),
            ("1e-3", NotAnAmount),
            ("1,50", NotAnAmount),
            ("1_000", NotAnAmount),
            (" 1", NotAnAmount),
            ("$$1", NotAnAmount),
            ("1.2.3", NotAnAmount),
            ("٣", NotAnAmount),
            ("0.0000000000001", TooFine),
            ("18446744.073709551616", TooLarge),
            ("99999999999999999999999", TooLarge),
        ] {
            assert_eq!(text.parse::<Cost>(), Err(error), "{text}");
        }
        for float in [-0.05, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Cost::from_usd(float), Err(NotAnAmount));
        }
        assert_eq!(Cost::from_usd(1e300), Err(TooLarge));
        assert_eq!(usd("0.0500000000000000000"), usd("$0.05"));
        assert_eq!(usd("00018446744.073709551615"), Cost::MAX);
    }

    #[test]
    fn a_float_is_the_decimal_it_was_written_as() {
        assert_eq!(Cost::from_usd(0.05), Ok(usd("0.05")));
        assert_eq!(Cost::from_usd(0.0375), Ok(usd("0.0375")));
        assert_eq!(Cost::from_usd(1e-12), Ok(Cost::from_picos(1)));
        assert_eq!(Cost::from_usd(0.1 + 0.2), Ok(usd("0.30")));
        assert_eq!(Cost::from_usd(5e-13), Ok(Cost::from_picos(1)));
        assert_eq!(Cost::from_usd(4.9e-13), Ok(Cost::ZERO));
        assert_eq!(Cost::from_usd(-0.0), Ok(Cost::ZERO));
        assert_eq!(Cost::from_usd(f64::MIN_POSITIVE), Ok(Cost::ZERO));
    }

    #[test]
    fn json_has_the_exact_decimal_and_numbers_are_read() {
        let cost = usd("0.000000000001") + usd("7");
        let json = serde_json::to_string(&cost).unwrap();
        assert_eq!(json, r#""7.000000000001""#);
        assert_eq!(serde_json::from_str::<Cost>(&json).unwrap(), cost);
        assert_eq!(serde_json::from_str::<Cost>("0.0375").unwrap(), usd("0.0375"));
        assert_eq!(serde_json::from_str::<Cost>("3").unwrap(), usd("3"));
        let error = serde_json::from_str::<Cost>("-3").unwrap_err().to_string();
        assert!(error.starts_with("`-3` is not an amount of dollars"), "{error}");
        assert!(serde_json::from_str::<Cost>("true").is_err());
    }

    proptest! {
        #[test]
        fn every_amount_comes_back_from_its_text(picos: u64) {
            let cost = Cost::from_picos(picos);
            prop_assert_eq!(cost.to_string().parse(), Ok(cost));
            prop_assert_eq!(format!("{cost:.12}").parse(), Ok(cost));
        }

        #[test]
        fn sums_are_exact_and_do_not_depend_on_the_order(
            mut picos in prop::collection::vec(0..u64::MAX / 32, 0..32),
        ) {
            let exact: u64 = picos.iter().sum();
            let sum = |picos: &[u64]| picos.iter().map(|p| Cost::from_picos(*p)).sum::<Cost>();
            prop_assert_eq!(sum(&picos), Cost::from_picos(exact));
            picos.sort_unstable();
            prop_assert_eq!(sum(&picos), Cost::from_picos(exact));
        }

        #[test]
        fn rounding_is_to_the_nearest(picos: u64, places in 0_usize..12) {
            let cost = Cost::from_picos(picos);
            if let Ok(rounded) = format!("{cost:.places$}").parse::<Cost>() {
                let half = 10_u64.pow(u32::try_from(PLACES - places).unwrap()) / 2;
                prop_assert!(rounded.picos().abs_diff(picos) <= half);
            }
        }

        #[test]
        fn a_decimal_of_fifteen_digits_is_exact_as_a_float(digits in 0_u64..1_000_000_000_000_000, places in 3_u32..=12) {
            let picos = u128::from(digits) * 10_u128.pow(12 - places);
            prop_assume!(picos <= u128::from(u64::MAX));
            let unit = 10_u64.pow(places);
            let width = places as usize;
            let text = format!("{}.{:0width$}", digits / unit, digits % unit);
            prop_assert_eq!(Cost::from_usd(text.parse().unwrap()), text.parse::<Cost>());
        }
    }
}
