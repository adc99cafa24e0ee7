//! What a server says about its limits.

use std::time::Duration;

/// The longest period that a reset is believed for.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The limits in the headers of an answer: `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`, and the
/// same of `tokens`; or `anthropic-ratelimit-requests-limit` and so on, without the times of reset, which are dates there. What
/// is missing or cannot be read is `None`.
///
/// A limit holds until the server tells another, be it higher or lower, but not longer than ten minutes after it was told last.
///
/// ```
/// use fcretry::guard::throttle::ServerLimits;
///
/// let limits = ServerLimits::read([
///     ("x-ratelimit-limit-requests", "500"),
///     ("x-ratelimit-remaining-requests", "499"),
///     ("x-ratelimit-reset-requests", "120ms"),
/// ]);
/// assert_eq!(limits.requests.remaining, Some(499));
/// assert_eq!(limits.tokens.limit, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Of requests.
    pub requests: ServerLimit,
    /// Of tokens.
    pub tokens: ServerLimit,
}

/// One limit of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimit {
    /// How many there may be in its period.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// How long until all of them are there again.
    pub reset: Option<Duration>,
}

impl ServerLimits {
    /// Reads them from headers, names in any case.
    pub fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut limits = Self::default();
        for (name, value) in headers {
            let said = match (after(name, "x-ratelimit-"), after(name, "anthropic-ratelimit-")) {
                (Some(rest), _) => rest.split_once('-'),
                (None, Some(rest)) => rest.split_once('-').map(|(of, what)| (what, of)),
                (None, None) => None,
            };
            let Some((what, of)) = said else { continue };
            let one = if of.eq_ignore_ascii_case("requests") {
                &mut limits.requests
            } else if of.eq_ignore_ascii_case("tokens") {
                &mut limits.tokens
            } else {
                continue;
            };
            if what.eq_ignore_ascii_case("limit") {
                one.limit = value.trim().parse().ok();
            } else if what.eq_ignore_ascii_case("remaining") {
                one.remaining = value.trim().parse().ok();
            } else if what.eq_ignore_ascii_case("reset") {
                one.reset = duration(value);
            }
        }
        limits
    }

    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ServerLimit {
    /// What the server allows per second. The period is not in the headers: it is taken for a minute, the shortest in use,
    /// so that no limit is taken for less than it is; a longer one shows when nothing is left.
    pub(super) fn rate(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a limit, not a count")]
        let limit = self.limit.filter(|limit| *limit > 0)? as f64;
        let per_minute = limit / 60.0;
        match (self.remaining, self.reset) {
            (Some(0), Some(reset)) if !reset.is_zero() => {
                Some(per_minute.min(limit / reset.as_secs_f64()))
            }
            _ => Some(per_minute),
        }
    }
}

/// How long a limit is believed that is not told again, in seconds.
const BELIEVED: f64 = 600.0;

/// What a server allows of one thing, as far as is known: what it told last, unless that is long ago. One small number, said for a
/// minute or by mistake, would else hold an endpoint down for ever. Times are seconds since one start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Per second; without bounds if nothing is known.
    pub(super) rate: f64,
    pub(super) until: f64,
}

impl Told {
    pub(super) const NOTHING: Self = Self { rate: f64::INFINITY, until: f64::INFINITY };

    /// The server tells, or says nothing of this.
    pub(super) fn hear(&mut self, limit: &ServerLimit, now: f64) {
        if let Some(rate) = limit.rate() {
            *self = Self { rate, until: now + BELIEVED };
        }
    }

    /// Forgets what is no longer believed.
    pub(super) fn doubt(&mut self, now: f64) {
        if self.until <= now {
            *self = Self::NOTHING;
        }
    }
}

/// What follows a prefix in any case.
fn after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A duration like `6m0s`, `1s`, `20ms`, `1h2m3.5s`, or a bare number of seconds. What is longer than a year is none: a date in
/// seconds, say.
fn duration(text: &str) -> Option<Duration> {
    let mut text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit);
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" | "" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number * seconds;
        text = rest;
    }
    Duration::try_from_secs_f64(total).ok().filter(|total| *total <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_servers_write_them() {
        let millis = |ms| Some(Duration::from_millis(ms));
        for (text, expected) in [
            ("6m0s", millis(360_000)),
            ("1s", millis(1_000)),
            ("20ms", millis(20)),
            ("7.66s", millis(7_660)),
            ("2m59.56s", millis(179_560)),
            ("1h2m3s", millis(3_723_000)),
            ("1d", millis(86_400_000)),
            (" 30 ", millis(30_000)),
            ("0s", millis(0)),
            ("500µs", Some(Duration::from_micros(500))),
            ("", None),
            ("soon", None),
            ("-1s", None),
            ("1w", None),
            ("1.2.3s", None),
            ("99999999999999999999999s", None),
            ("1790000000", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn headers_of_both_kinds_are_read_in_any_case_and_the_rest_is_left_alone() {
        let limits = ServerLimits::read([
            ("X-RateLimit-Limit-Requests", "10000"),
            ("x-ratelimit-remaining-requests", "9999"),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-limit-tokens", "2000000"),
            ("x-ratelimit-remaining-tokens", "many"),
            ("x-ratelimit-limit-pages", "3"),
            ("x-ratelimit-limit", "4"),
            ("retry-after", "1"),
            ("é", "1"),
        ]);
        let requests = ServerLimit {
            limit: Some(10_000),
            remaining: Some(9_999),
            reset: Some(Duration::from_millis(6)),
        };
        let tokens = ServerLimit { limit: Some(2_000_000), ..ServerLimit::default() };
        assert_eq!(limits, ServerLimits { requests, tokens });
        assert!(ServerLimits::read([("date", "today")]).is_empty());
    }

    #[test]
    fn anthropics_headers_say_the_same_in_another_order() {
        let limits = ServerLimits::read([
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-24T17:00:00Z"),
            ("anthropic-ratelimit-tokens-limit", "40000"),
            ("anthropic-ratelimit-input-tokens-limit", "3"),
        ]);
        let requests = ServerLimit { limit: Some(50), remaining: Some(49), reset: None };
        let tokens = ServerLimit { limit: Some(40_000), ..ServerLimit::default() };
        assert_eq!(limits, ServerLimits { requests, tokens });
    }

    #[test]
    fn a_limit_of_a_day_shows_when_nothing_is_left() {
        let day = Duration::from_secs(86_400);
        let some = ServerLimit { limit: Some(200), remaining: Some(9), reset: Some(day) };
        assert_eq!(some.rate(), Some(200.0 / 60.0));
        let none = ServerLimit { remaining: Some(0), ..some };
        assert_eq!(none.rate(), Some(200.0 / 86_400.0));
        assert_eq!(ServerLimit { limit: None, ..some }.rate(), None);
    }
}
