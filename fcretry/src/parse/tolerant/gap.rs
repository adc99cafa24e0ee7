//! What stands between values: white space and comments.

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
            // A string may have lost the quote before it.
            if bytes.quotes % 2 == 1 {
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
    /// Whether it may have one of the words.
    letters: bool,
}

impl Bytes {
    fn add(&mut self, byte: u8) {
        match byte {
            b'"' => self.quotes += 1,
            b'.' | 0xe2 => self.dots = true,
            b'p' | b'P' => self.letters = true,
            _ => {}
        }
    }
}

/// Whether a comment stands for what is not there, or says that what is there is not meant.
fn is_elision(comment: &str, bytes: &Bytes) -> bool {
    if bytes.dots && (comment.contains("...") || comment.contains('\u{2026}')) {
        return true;
    }
    let words = comment.trim_start_matches(|c: char| !c.is_alphabetic());
    let other = ["or ", "Or "].iter().find_map(|word| words.strip_prefix(word));
    let is_value = |c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '{' | '[' | '-');
    let is_alternative = other.is_some_and(|other| other.starts_with(is_value));
    is_alternative
        || (bytes.letters && {
            let comment = comment.to_ascii_lowercase();
            ["placeholder", "replace with", "replace this"].iter().any(|it| comment.contains(it))
        })
}
