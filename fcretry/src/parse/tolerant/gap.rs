//! What stands between values: white space and comments.

use std::sync::LazyLock;

use regex::Regex;

use super::{Reader, Step};
use crate::parse::recovered::RecoveryKind;

impl Reader<'_> {
    /// Skips white space and comments; whether there were any.
    pub(super) fn gap(&mut self) -> Step<bool> {
        let start = self.at;
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += rest.iter().take_while(|byte| blank(byte)).count();
            let Some(c) = self.peek() else { break };
            if c.is_whitespace() || c == '\u{feff}' {
                self.note(RecoveryKind::WhiteSpace);
                self.at += c.len_utf8();
                continue;
            }
            let length = match (c, self.byte(1)) {
                ('/', Some(b'*')) => match self.rest().find("*/") {
                    Some(end) => end + 2,
                    None => return self.cut("a comment that does not end"),
                },
                ('/', Some(b'/')) => self.line(),
                // `#fff` and `#1` are somebody's value.
                ('#', next) if next.is_none_or(|b| b.is_ascii_whitespace()) => self.line(),
                _ => break,
            };
            let comment = self.rest().get(..length).unwrap_or_default();
            let mut bytes = Bytes::default();
            comment.bytes().for_each(|byte| bytes.add(byte));
            if is_elision(comment, &bytes) {
                return self.refuse("a comment in the place of something");
            }
            // A string may have lost the quote before it, or a line its end.
            if bytes.quotes % 2 == 1 || (bytes.quotes > 0 && holds_member(comment)) {
                return self.refuse("a comment that may be a part of the value");
            }
            self.note(RecoveryKind::Comment);
            self.at += length;
        }
        Ok(self.at > start)
    }

    /// [`gap`](Self::gap) after a value that has no comma yet, where `//` may divide: such a comment is none.
    pub(super) fn gap_after_value(&mut self) -> Step<()> {
        let start = self.at;
        self.gap()?;
        let before = self.text.get(..start).unwrap_or_default();
        if !before.ends_with(|c: char| c.is_ascii_digit() || c == ')') {
            return Ok(());
        }
        let gap = self.text.get(start..self.at).unwrap_or_default();
        let divides = gap.split("//").skip(1).any(|divisor| {
            divisor.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '(')
        });
        if divides {
            self.at = start;
            return self.refuse("a comment that may be a part of the value");
        }
        Ok(())
    }

    /// How many bytes the line still has.
    fn line(&self) -> usize {
        self.rest().find('\n').unwrap_or(self.rest().len())
    }
}

/// What a comment is made of: most have nothing in them that is looked for.
#[derive(Default)]
struct Bytes {
    quotes: usize,
    /// Whether it may have an ellipsis, of three dots or of one sign.
    dots: bool,
}

impl Bytes {
    fn add(&mut self, byte: u8) {
        match byte {
            b'"' => self.quotes += 1,
            b'.' | 0xe2 => self.dots = true,
            _ => {}
        }
    }
}

/// Whether a member stands behind other words of a comment; one alone was put out of use.
fn holds_member(comment: &str) -> bool {
    let words = comment.trim_start_matches(['/', '*', '#', ' ', '\t']);
    let is_scalar = |value: &str| {
        value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '-'))
            || ["true", "false", "null"].iter().any(|word| value.starts_with(word))
    };
    !words.starts_with('"') && words.split("\":").skip(1).any(|value| is_scalar(value.trim_start()))
}

/// Words that stand for what is not there, or say that what is there is not meant.
static ELISION: LazyLock<Regex> = LazyLock::new(|| {
    let words = "placeholder|replace (with|this)|and so on|\\betc\\b|\\bmore\\b|omitted|truncated|remaining|\\bthe (rest|others?)\\b|\\bother (fields|items|rows|values)\\b|\\bgo(es)? here\\b|\\byour [a-z ]*here\\b";
    #[allow(clippy::unwrap_used, reason = "a constant, which a test compiles")]
    Regex::new(&format!("(?i-u:{words})")).unwrap()
});

/// Whether a comment stands for what is not there, or says that what is there is not meant.
fn is_elision(comment: &str, bytes: &Bytes) -> bool {
    if bytes.dots && (comment.contains("...") || comment.contains('\u{2026}')) {
        return true;
    }
    let words = comment.trim_start_matches(|c: char| !c.is_alphabetic());
    let other = ["or ", "Or "].iter().find_map(|word| words.strip_prefix(word));
    let is_value = |c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '{' | '[' | '-');
    other.is_some_and(|other| other.starts_with(is_value)) || ELISION.is_match(comment)
}
