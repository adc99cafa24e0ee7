use std::time::{Duration, SystemTime};

/// Longer than this, a wait means "never" to every caller here; it also keeps sums from overflowing.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What whole seconds may be longer than the milliseconds that they were rounded up from.
const ROUNDING: Duration = Duration::from_secs(1);

/// How long a server asks to wait, from the values of its `retry-after-ms` and `Retry-After` headers.
///
/// `retry-after-ms` is milliseconds; `Retry-After` is seconds (fractions too, rounded up to the millisecond) or an HTTP
/// date (RFC 9110 §10.2.3) against `now`, which is best taken from the answer's own `Date`: the clock is the server's. A
/// date in the past is zero. Of both, the milliseconds count, being the finer, unless the other is longer by more than
/// rounding: nobody is asked earlier than told. What cannot be read, or is negative, is `None`. At most 366 days.
pub fn retry_after(
    millis: Option<&str>,
    seconds_or_date: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    let fine = millis.and_then(|text| decimal(text, 1.0));
    let coarse = seconds_or_date.and_then(|text| {
        decimal(text, 1000.0).or_else(|| {
            let at = httpdate::parse_http_date(text.trim()).ok()?;
            Some(at.duration_since(now).unwrap_or_default().min(LONGEST))
        })
    });
    match (fine, coarse) {
        (Some(fine), Some(coarse)) if coarse < fine.saturating_add(ROUNDING) => Some(fine),
        (fine, coarse) => coarse.or(fine),
    }
}

/// A decimal number of units of `millis` milliseconds each, rounded up: never earlier than told.
fn decimal(text: &str, millis: f64) -> Option<Duration> {
    let text = text.trim();
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    #[allow(clippy::cast_precision_loss, reason = "a bound, not a measure")]
    let limit = LONGEST.as_millis() as f64;
    let millis = (value * millis).ceil().min(limit);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=limit")]
    Some(Duration::from_millis(millis as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let read = |ms, other| retry_after(ms, other, now);
        assert_eq!(read(None, Some("2")), Some(Duration::from_secs(2)));
        assert_eq!(read(None, Some(" 0.25 ")), Some(Duration::from_millis(250)));
        assert_eq!(read(Some("1500"), Some("2")), Some(Duration::from_millis(1500)));
        assert_eq!(read(Some("soon"), Some("2")), Some(Duration::from_secs(2)));
        assert_eq!(read(Some("1500"), Some("20")), Some(Duration::from_secs(20)));
        assert_eq!(read(Some("1500"), Some("1")), Some(Duration::from_millis(1500)));
        assert_eq!(read(Some("700"), Some("soon")), Some(Duration::from_millis(700)));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(90));
        assert_eq!(read(None, Some(&date)), Some(Duration::from_secs(90)));
        let past = httpdate::fmt_http_date(now - Duration::from_secs(90));
        assert_eq!(read(None, Some(&past)), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_none_and_the_absurd_is_bounded() {
        let now = SystemTime::UNIX_EPOCH;
        for text in ["", "-1", "nan", "inf", "1e3", "soon", "1.2.3"] {
            assert_eq!(retry_after(None, Some(text), now), None, "{text}");
        }
        let absurd = "9".repeat(400);
        assert_eq!(retry_after(None, Some(&absurd), now), Some(LONGEST));
        assert_eq!(retry_after(None, Some("99999999999999999999"), now), Some(LONGEST));
    }
}
