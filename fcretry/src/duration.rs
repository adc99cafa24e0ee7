//! Durations as they are written in attributes, configuration and scripts: `"30s"`, `"250ms"`, `"1m30s"`.
//!
//! The grammar and its limits are those of the attribute, whose crate has a reader of its own: a macro crate depends on none.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

/// No call waits for a month; a longer time is a slip of the unit.
pub(crate) const LONGEST: Duration = Duration::from_secs(720 * 60 * 60);

const SECOND: u128 = 1_000_000_000;

/// Each unit with its nanoseconds, the largest first.
const UNITS: &[(&str, u128)] =
    &[("h", 3600 * SECOND), ("m", 60 * SECOND), ("s", SECOND), ("ms", 1_000_000)];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoUnit(String),
    UnknownUnit(String),
    Zero,
    TooLong,
    Malformed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit(number) => write!(f, "has no unit; write `\"{number}s\"` for seconds"),
            Self::UnknownUnit(unit) => {
                write!(f, "has the unknown unit `{unit}`; the units are `h`, `m`, `s` and `ms`")
            }
            Self::Zero => f.write_str("is no time at all; write e.g. `\"30s\"`"),
            Self::TooLong => f.write_str("is longer than 30 days; write `\"720h\"` or less"),
            Self::Malformed => f.write_str(
                "is not a duration; write e.g. `\"30s\"` (also `\"250ms\"`, `\"1.5s\"`, `\"1m30s\"`)",
            ),
        }
    }
}

/// Reads numbers with units, the larger unit first: `1m30s`, `1.5s`. Exact to the nanosecond.
pub(crate) fn parse(text: &str) -> Result<Duration, Fault> {
    let mut rest = text;
    let mut total = 0_u128;
    let mut last = u128::MAX;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, char::is_alphabetic);
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(if unit.is_empty() && number == text && times(number, SECOND).is_ok() {
                Fault::NoUnit(number.to_owned())
            } else if number.is_empty() || unit.is_empty() {
                Fault::Malformed
            } else {
                Fault::UnknownUnit(unit.to_owned())
            });
        };
        if *nanos >= last {
            return Err(Fault::Malformed);
        }
        last = *nanos;
        // Each part is bounded before it is added, so that the sum cannot overflow.
        total += times(number, *nanos)?;
        if total > LONGEST.as_nanos() {
            return Err(Fault::TooLong);
        }
        rest = after;
    }
    if total == 0 {
        return Err(if text.is_empty() { Fault::Malformed } else { Fault::Zero });
    }
    let seconds = u64::try_from(total / SECOND).map_err(|_| Fault::TooLong)?;
    let nanos = u32::try_from(total % SECOND).map_err(|_| Fault::Malformed)?;
    Ok(Duration::new(seconds, nanos))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// `number` of a unit of so many nanoseconds; a fraction must come to whole nanoseconds.
fn times(number: &str, nanos: u128) -> Result<u128, Fault> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(Fault::Malformed),
        None => (number, ""),
    };
    if whole.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return Err(Fault::Malformed);
    }
    // More digits than an u64 has are more than 30 days in every unit.
    let whole: u64 = whole.parse().map_err(|_| Fault::TooLong)?;
    let mut total = u128::from(whole) * nanos;
    let mut place = nanos;
    for digit in fraction.chars().filter_map(|c| c.to_digit(10)) {
        if place < 10 && digit != 0 {
            return Err(Fault::Malformed);
        }
        place /= 10;
        total += u128::from(digit) * place;
    }
    Ok(total)
}

/// The text that [`parse`] reads as `duration`, which is not longer than [`LONGEST`].
pub(crate) fn text(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in UNITS {
        let (count, left) = (rest / nanos, rest % nanos);
        // What is less than a millisecond is a fraction of one.
        let fraction = if *unit == "ms" { left } else { 0 };
        if fraction > 0 {
            let digits = format!("{fraction:06}");
            let _ = write!(text, "{count}.{}{unit}", digits.trim_end_matches('0'));
        } else if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
        rest = left;
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let ok = |text: &str| parse(text).expect(text);
        assert_eq!(ok("250ms"), Duration::from_millis(250));
        assert_eq!(ok("1.5s"), Duration::from_millis(1500));
        assert_eq!(ok("0.000000001s"), Duration::from_nanos(1));
        assert_eq!(ok("1m30s"), Duration::from_secs(90));
        assert_eq!(ok("1h2m3s4ms"), Duration::from_millis(3_723_004));
        assert_eq!(ok("720h"), LONGEST);
    }

    #[test]
    fn a_bad_duration_says_what_is_wrong() {
        use Fault::*;
        let err = |text: &str| parse(text).expect_err(text);
        assert_eq!(err("30"), NoUnit("30".into()));
        assert_eq!(err("30sec"), UnknownUnit("sec".into()));
        assert_eq!(err("5µs"), UnknownUnit("µs".into()));
        assert_eq!(err("0.0h0ms"), Zero);
        assert_eq!(err("720h1ms"), TooLong);
        assert_eq!(err("18446744073709551615h"), TooLong);
        for text in ["", " ", "s", "30.", ".5s", "1s1s", "30s1m", "1m 30s", "-1s", "1..5s", "1s5"] {
            assert_eq!(err(text), Malformed, "{text:?}");
        }
        assert_eq!(err("0.0000001ms"), Malformed);
        assert_eq!(err("0.000000000001h"), Malformed);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut rng = fastrand::Rng::with_seed(1);
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap();
        let mut any = || rng.u64(1..=longest);
        let round = [1, 1_000, 999_999, 1_000_000, 1_500_000_000, 90_000_000_000];
        for nanos in round.into_iter().chain((0..2000).map(|_| any())) {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&text(duration)), Ok(duration), "{}", text(duration));
        }
        assert_eq!(text(Duration::from_secs(90)), "1m30s");
        assert_eq!(text(Duration::from_micros(1500)), "1.5ms");
        assert_eq!(text(Duration::ZERO), "0s");
    }
}
