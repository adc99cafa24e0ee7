//! The formats that are asserted. A name that is none of them is a note, and not a demand.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is of `format`.
pub(super) fn is_text_of(format: &str, text: &str) -> bool {
    match format {
        "date" => is_date(text),
        "time" => is_time(text, true),
        "partial-time" => is_time(text, false),
        "date-time" => is_date_time(text, true),
        "partial-date-time" => is_date_time(text, false),
        "duration" => is_duration(text),
        "hostname" | "idn-hostname" => is_hostname(text),
        "regex" => regex::Regex::new(text).is_ok(),
        "email" | "idn-email" => is_email(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "ip" => text.parse::<std::net::IpAddr>().is_ok(),
        "uuid" => is_uuid(text),
        "uri" | "iri" | "url" => is_uri(text),
        _ => true,
    }
}

/// The least and the most of an integer format, as `schemars` writes it.
pub(super) fn range(format: &str) -> Option<(i128, i128)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint" => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// Digits of exactly this many places, as a number within the range.
fn number(text: &str, places: usize, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let is_digits = text.len() == places && text.bytes().all(|b| b.is_ascii_digit());
    let value = text.parse().ok().filter(|_| is_digits)?;
    range.contains(&value).then_some(value)
}

/// RFC 3339 full-date.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |places, range| parts.next().and_then(|text| number(text, places, range));
    let (Some(year), Some(month)) = (part(4, 0..=9999), part(2, 1..=12)) else { return false };
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    part(2, 1..=days).is_some()
}

/// RFC 3339 date-time; a local one has no zone.
fn is_date_time(text: &str, has_zone: bool) -> bool {
    let parts = text.split_once(['T', 't', ' ']);
    parts.is_some_and(|(date, time)| is_date(date) && is_time(time, has_zone))
}

/// RFC 3339 full-time, or partial-time, which has no zone.
fn is_time(text: &str, has_zone: bool) -> bool {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':');
    let mut part = |most| parts.next().is_some_and(|text| number(text, 2, 0..=most).is_some());
    let is_clock = part(23) && part(59) && part(60);
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let is_zone = match zone {
        "" => !has_zone,
        _ if !has_zone => false,
        "Z" | "z" => true,
        offset => {
            offset.get(1..).and_then(|o| o.split_once(':')).is_some_and(|(hours, minutes)| {
                number(hours, 2, 0..=23).is_some() && number(minutes, 2, 0..=59).is_some()
            })
        }
    };
    is_clock && is_fraction && is_zone
}

/// A local part and a domain; whether mail arrives there is not to be known from the text.
fn is_email(text: &str) -> bool {
    let is_fine = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && !part.contains(|c: char| {
                c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c)
            })
    };
    let is_local = |local: &str| {
        let quoted = local.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
        is_fine(local) || quoted.is_some_and(|inside| !inside.contains(['"', '\\', '\n']))
    };
    let has_hyphens =
        |domain: &str| domain.split('.').any(|l| l.starts_with('-') || l.ends_with('-'));
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| is_local(local) && is_fine(domain) && !has_hyphens(domain))
}

/// Labels of letters, digits and hyphens (RFC 1123).
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// ISO 8601, as RFC 3339 appendix A has it: `P3DT12H`, `P2W`.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let is_run = |text: &str, units: &str| {
        let mut units = units.chars();
        let mut left = text;
        while !left.is_empty() {
            let digits = left.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(0);
            let Some(unit) = left.get(digits..).and_then(|left| left.chars().next()) else {
                return false;
            };
            if digits == 0 || left.starts_with('.') || !units.any(|known| known == unit) {
                return false;
            }
            left = left.get(digits + 1..).unwrap_or_default();
        }
        true
    };
    let is_date = is_run(date, "YMD") || is_run(date, "W");
    let is_time = time.is_none_or(|time| !time.is_empty() && is_run(time, "HMS"));
    is_date && is_time && !(date.is_empty() && time.is_none())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A scheme and something behind it, without white space.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    let is_escaped = |tail: &str| {
        tail.get(..2).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    // A bracket is part of an address, and nothing else.
    let authority = rest.strip_prefix("//").unwrap_or_default();
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_host = match host.strip_prefix('[') {
        Some(inside) => {
            inside.split_once(']').is_some_and(|(ip, _)| ip.parse::<Ipv6Addr>().is_ok())
        }
        None => !host.contains(['[', ']']),
    };
    is_scheme
        && !rest.is_empty()
        && rest != "//"
        && rest.chars().all(is_plain)
        && rest.split('%').skip(1).all(is_escaped)
        && is_host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_they_name_and_nothing_else() {
        for (format, right, wrong) in [
            ("date", "2024-02-29", "2023-02-29"),
            ("date", "2026-11-22", "22-11-2026"),
            ("time", "23:59:60Z", "24:00:00Z"),
            ("time", "08:30:00.125+05:30", "8:30"),
            ("date-time", "2026-11-22T10:00:00Z", "2026-11-22"),
            ("email", "ann@example.org", "ann at example.org"),
            ("email", "a.b+c@example.org", "a..b@example.org"),
            ("ipv4", "127.0.0.1", "127.0.0.256"),
            ("ipv6", "::1", "1::2::3"),
            ("uuid", "67e55044-10b1-426f-9247-bb680e5fe0c8", "67e55044"),
            ("uri", "https://example.org/a?b=c", "example.org/a b"),
            ("uri", "mailto:ann@example.org", "https://"),
            ("uri", "http://[::1]/a%20b", "http://[::1/a"),
            ("uri", "http://a/%2f", "http://a/%zz"),
            ("date-time", "2026-11-22T10:00:00+01:00", "2026-11-22T10:00:00"),
            ("partial-date-time", "2026-11-22T10:00:00", "2026-11-22T10:00:00Z"),
            ("email", "\"a b\"@example.org", "a@-b.example"),
            ("duration", "P3DT12H", "3 days"),
            ("duration", "P2W", "P"),
            ("duration", "PT0.5S", "P1H"),
            ("hostname", "db-1.example.org", "db_1 example"),
            ("regex", "^a+$", "("),
        ] {
            assert!(is_text_of(format, right), "{format} {right}");
            assert!(!is_text_of(format, wrong), "{format} {wrong}");
        }
        assert!(is_text_of("whatever", "anything"));
    }
}
