use std::fmt;

use serde::Serialize;

use crate::answer::Answer;

/// What was asked and answered in an ask, where the policy says [`capture_content`](crate::RetryPolicyBuilder::capture_content).
///
/// Keys of providers are in none of it: they are no part of a request's body, and taken out of what providers say. `Debug` leaves the texts out; serialized, it is
/// whole.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Captured {
    /// The messages of the last request, with what was fed back, as JSON. `None` where it was made by hand without
    /// `Attempt::messages`.
    pub request: Option<String>,
    /// The last answer. `None` if none came.
    pub answer: Option<Answer>,
    /// What the provider said of the failure, without what looks like a key: providers quote those.
    pub message: Option<String>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("request_bytes", &self.request.as_deref().map(str::len))
            .field("answer", &self.answer)
            .field("message_bytes", &self.message.as_deref().map(str::len))
            .finish()
    }
}

/// What a provider says, without what may be a key: providers quote those. So is every word with `sk-` in it, or with 20 letters and
/// digits, dashes and stars without a break, both letters and digits among them.
pub(crate) fn without_keys(text: &str) -> String {
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    let is_key = |word: &str| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        let is_long =
            word.len() >= 20 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
        word.contains("sk-") || word.contains("***") || is_long
    };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_of_key(c) != is_of_key(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        kept.push_str(if is_of_key(first) && is_key(word) { "[..]" } else { word });
        rest = after;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_is_left_out_of_a_message() {
        for (said, kept) in [
            ("Incorrect API key provided: sk-12345.", "Incorrect API key provided: [..]."),
            ("key sk-proj-****abcd, see https://x.y/z", "key [..], see https://x.y/z"),
            ("AIzaSyD4x7q9-0aB3cD5eF7gH9 ist falsch", "[..] ist falsch"),
            ("maximum context length is 128000 tokens", "maximum context length is 128000 tokens"),
            ("ä: überlang", "ä: überlang"),
            ("", ""),
        ] {
            assert_eq!(without_keys(said), kept);
        }
    }
}
