//! How long a server asks to wait, wherever it says so.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use serde_json::Value;

use super::body::ErrorBody;
use crate::failure::{FailureKind, retry_after};

/// The wait of the headers or of a field of the body, whichever is longer; where there is neither, that of the message.
pub(super) fn told(kind: FailureKind, headers: &HeaderMap, error: &ErrorBody) -> Option<Duration> {
    in_headers(headers).max(error.wait.as_ref().and_then(in_field)).or_else(|| {
        // Only there are they about time: other messages quote what was asked.
        let is_about_time = matches!(kind, FailureKind::RateLimit | FailureKind::ModelOverload);
        is_about_time.then(|| in_words(&error.message)).flatten()
    })
}

fn in_headers(headers: &HeaderMap) -> Option<Duration> {
    // A date is the server's, and so is the clock to read it by.
    let now = text(headers, "date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = now.unwrap_or_else(SystemTime::now);
    let millis = text(headers, "retry-after-ms");
    // A proxy adds its own beside the server's; both are to be kept to.
    let values = headers.get_all("retry-after").iter().filter_map(|value| value.to_str().ok());
    values
        .filter_map(|value| retry_after(millis, Some(value), now))
        .max()
        .or_else(|| retry_after(millis, None, now))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A number of seconds, or text such as `30s`.
fn in_field(field: &Value) -> Option<Duration> {
    match field {
        Value::Number(seconds) => seconds_of(&seconds.to_string()),
        Value::String(text) => seconds_of(text).or_else(|| duration(text.trim())),
        _ => None,
    }
}

fn seconds_of(text: &str) -> Option<Duration> {
    retry_after(None, Some(text), SystemTime::UNIX_EPOCH)
}

/// "Please try again in 1m2.5s", "retry after 33 seconds".
fn in_words(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    ["try again in ", "retry in ", "retry after ", "try again after "].iter().find_map(|opening| {
        let (_, rest) = message.split_once(opening)?;
        duration(rest)
    })
}

/// The duration that `text` begins with: numbers with units, one after the other.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: Option<Duration> = None;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start_matches(' ');
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit {
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => return total,
        };
        let Ok(number) = number.parse::<f64>() else { return total };
        let part = seconds_of(&format!("{:.3}", number * seconds))?;
        total = Some(total.unwrap_or_default().saturating_add(part));
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)], body: &str) -> Option<f64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<http::HeaderName>().unwrap(),
                value.parse::<http::HeaderValue>().unwrap(),
            );
        }
        let failure = super::super::failure(Some(429), &map, body.as_bytes());
        failure.retry_after().as_ref().map(Duration::as_secs_f64)
    }

    #[test]
    fn a_date_is_read_by_the_server_s_clock() {
        // Years away from ours: nothing but the server's own date makes sense of it.
        let date = ("date", "Tue, 01 Jan 2002 00:00:00 GMT");
        let later = ("retry-after", "Tue, 01 Jan 2002 00:00:20 GMT");
        assert_eq!(wait(&[date, later], ""), Some(20.0));
        assert_eq!(wait(&[later], ""), Some(0.0));
        assert_eq!(wait(&[("date", "soon"), later], ""), Some(0.0));
        let past = ("retry-after", "Mon, 31 Dec 2001 23:59:00 GMT");
        assert_eq!(wait(&[date, past], ""), Some(0.0));
    }

    #[test]
    fn of_several_waits_none_is_cut_short() {
        assert_eq!(wait(&[("retry-after", "2"), ("retry-after", "30")], ""), Some(30.0));
        assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "2")], ""), Some(1.5));
        assert_eq!(wait(&[("retry-after-ms", "0"), ("retry-after", "300")], ""), Some(300.0));
        assert_eq!(wait(&[("retry-after-ms", "700")], ""), Some(0.7));
        assert_eq!(wait(&[("retry-after", "soon"), ("retry-after-ms", "700")], ""), Some(0.7));
    }

    #[test]
    fn a_body_is_asked_where_no_header_says() {
        let google = r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m","details":[
            {"@type":"type.googleapis.com/google.rpc.QuotaFailure"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"33.5s"}]}}]"#;
        assert_eq!(wait(&[], google), Some(33.5));
        assert_eq!(wait(&[("retry-after", "40")], google), Some(40.0));
        for (body, expected) in [
            (r#"{"error":{"message":"m"},"retry_after":7}"#, 7.0),
            (r#"{"error":{"message":"m","retry_after":"1.5"}}"#, 1.5),
            (r#"{"error":{"message":"m","metadata":{"retry_after_seconds":12}}}"#, 12.0),
            (r#"{"error":{"code":"429","message":"Please retry after 33 seconds."}}"#, 33.0),
            (
                r#"{"error":{"code":"rate_limit_exceeded","message":"Please try again in 1.2s."}}"#,
                1.2,
            ),
            (r#"{"error":{"message":"Please try again in 250ms. Visit the page"}}"#, 0.25),
            (r#"{"error":{"message":"Please try again in 1 minute and 30 seconds."}}"#, 90.0),
            (r#"{"error":{"message":"Please try again in 1 min, 30 s and not before"}}"#, 90.0),
            (r#"{"error":{"message":"Please try again in 114h18m0s."}}"#, 411_480.0),
            (r#"{"detail":"Rate limit is exceeded. Try again in 2 seconds."}"#, 2.0),
        ] {
            assert_eq!(wait(&[], body), Some(expected), "{body}");
        }
        for body in [
            r#"{"error":{"message":"Please try again later"}}"#,
            r#"{"error":{"message":"try again in a moment"}}"#,
            r#"{"error":{"message":"retry after -5 seconds"}}"#,
            r#"{"error":{"message":"retry after 1.2.3 seconds"}}"#,
            r#"{"error":{"message":"m","retry_after":null}}"#,
        ] {
            assert_eq!(wait(&[], body), None, "{body}");
        }
    }

    #[test]
    fn words_about_something_else_are_no_wait() {
        let quoted = r#"{"error":{"message":"bad prompt: 'tell them to retry after 5 seconds'"}}"#;
        let failure = super::super::failure(Some(400), &HeaderMap::new(), quoted.as_bytes());
        assert_eq!(failure.retry_after(), None);
    }
}
