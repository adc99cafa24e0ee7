//! Durations as they are written in a script.

use std::time::Duration;

use super::misuse;

/// A duration in a script: a [`Duration`], or text such as `"2s"`, `"1500ms"`, `"1.5s"`, `"1m30s"`.
///
/// The units are `ms`, `s`, `m` and `h`.
///
/// ```
/// use fcretry::testing::Delay;
/// use std::time::Duration;
///
/// assert_eq!(Delay::from("1m30s").duration(), Duration::from_secs(90));
/// assert_eq!(Delay::from(Duration::from_millis(5)), Delay::from("5ms"));
/// ```
///
/// # Panics
///
/// Converting text that is not such a duration panics, at the line of the script that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay(Duration);

impl Delay {
    /// The duration that was written.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Delay {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<&str> for Delay {
    #[track_caller]
    fn from(text: &str) -> Self {
        parse(text).map_or_else(
            || misuse(format_args!("`{text}` is not a duration: write `\"2s\"` or `\"1500ms\"`")),
            Self,
        )
    }
}

impl From<String> for Delay {
    #[track_caller]
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Reads numbers with units, one after the other. Exact, so that a test can compare for equality.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| c != '.' && !c.is_ascii_digit())?);
        let (unit, tail) =
            tail.split_at(tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len()));
        total = total.checked_add(length(number, nanos_per(unit)?)?)?;
        rest = tail;
    }
    Some(total)
}

fn nanos_per(unit: &str) -> Option<u64> {
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(millis * 1_000_000)
}

fn length(number: &str, unit_nanos: u64) -> Option<Duration> {
    let (whole, fraction) = match number.split_once('.') {
        // More digits than a nanosecond of an hour has, and the multiplication could overflow.
        Some((_, fraction)) if fraction.len() > 12 => return None,
        Some(parts) => parts,
        None => (number, "0"),
    };
    let digits = u32::try_from(fraction.len()).ok()?;
    let unit = u128::from(unit_nanos);
    let whole = u128::from(whole.parse::<u64>().ok()?) * unit;
    let fraction = u128::from(fraction.parse::<u64>().ok()?) * unit / 10_u128.pow(digits);
    Some(Duration::from_nanos(u64::try_from(whole + fraction).ok()?))
}
