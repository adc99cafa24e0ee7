//! Durations as they are written: `"30s"`, `"250ms"`, `"1m30s"`.

use std::time::Duration;

/// No call waits for a month; a longer time is a slip of the unit.
const LONGEST: Duration = Duration::from_secs(720 * 60 * 60);

/// Why a text is no duration.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    NoUnit(String),
    UnknownUnit(String),
    Zero,
    TooLong,
    Malformed,
}

/// Reads numbers with units, the larger unit first: `1m30s`, `1.5s`. Exact to the nanosecond.
pub(crate) fn parse(text: &str) -> Result<Duration, Fault> {
    let mut rest = text;
    let mut total = 0_u128;
    let mut last = u128::MAX;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, char::is_alphabetic);
        let nanos = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" if number == text && times(number, 1_000_000_000).is_ok() => {
                return Err(Fault::NoUnit(number.to_owned()));
            }
            unit if !number.is_empty() && !unit.is_empty() => {
                return Err(Fault::UnknownUnit(unit.to_owned()));
            }
            _ => return Err(Fault::Malformed),
        };
        if nanos >= last {
            return Err(Fault::Malformed);
        }
        last = nanos;
        // Each part is bounded before it is added, so that the sum cannot overflow.
        total += times(number, nanos)?;
        if total > LONGEST.as_nanos() {
            return Err(Fault::TooLong);
        }
        rest = after;
    }
    if total == 0 {
        return Err(if text.is_empty() { Fault::Malformed } else { Fault::Zero });
    }
    let whole = u64::try_from(total / 1_000_000_000).map_err(|_| Fault::TooLong)?;
    let nanos = u32::try_from(total % 1_000_000_000).map_err(|_| Fault::Malformed)?;
    Ok(Duration::new(whole, nanos))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let ok = |text: &str| parse(text).expect(text);
        assert_eq!(ok("250ms"), Duration::from_millis(250));
        assert_eq!(ok("1s"), Duration::from_secs(1));
        assert_eq!(ok("1.5s"), Duration::from_millis(1500));
        assert_eq!(ok("0.1s"), Duration::from_millis(100));
        assert_eq!(ok("0.000000001s"), Duration::from_nanos(1));
        assert_eq!(ok("2m"), Duration::from_secs(120));
        assert_eq!(ok("1.5m"), Duration::from_secs(90));
        assert_eq!(ok("1h"), Duration::from_secs(3600));
        assert_eq!(ok("1m30s"), Duration::from_secs(90));
        assert_eq!(ok("1h2m3s4ms"), Duration::from_millis(3_723_004));
        assert_eq!(ok("720h"), LONGEST);
    }

    #[test]
    fn a_bad_duration_says_what_is_wrong() {
        use Fault::*;
        let err = |text: &str| parse(text).expect_err(text);
        assert_eq!(err("30"), NoUnit("30".into()));
        assert_eq!(err("1.5"), NoUnit("1.5".into()));
        assert_eq!(err("30sec"), UnknownUnit("sec".into()));
        assert_eq!(err("1d"), UnknownUnit("d".into()));
        assert_eq!(err("30S"), UnknownUnit("S".into()));
        assert_eq!(err("5µs"), UnknownUnit("µs".into()));
        assert_eq!(err("0s"), Zero);
        assert_eq!(err("0.0h0ms"), Zero);
        assert_eq!(err("720h1ms"), TooLong);
        assert_eq!(err("99999999999999999999999999h"), TooLong);
        assert_eq!(err("18446744073709551615h"), TooLong);
        for text in [
            "", " ", "s", "30.", ".5", "1s1s", "30s1m", "1m 30s", "-1s", "1.s", ".5s", "1..5s",
            "1.2.3s", "1s5",
        ] {
            assert_eq!(err(text), Malformed, "{text:?}");
        }
        // A tenth of a nanosecond.
        assert_eq!(err("0.0000001ms"), Malformed);
        assert_eq!(err("0.00000001ms"), Malformed);
        assert_eq!(err("0.0000000001s"), Malformed);
        assert_eq!(err("0.000000000001h"), Malformed);
    }
}
