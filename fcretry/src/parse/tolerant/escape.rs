use super::{Reader, Step};
use crate::parse::recovered::RecoveryKind;

/// How a backslash was used so far. Text with raw backslashes (`C:\Users`, `\alpha`) has no escapes, and text with
/// escapes has no raw backslashes; where both could be meant, nobody knows.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "what was seen, each by itself")]
pub(super) struct Backslashes {
    /// One that JSON, JavaScript and Python read as an escape, and that raw text could hold too.
    escape: bool,
    /// One that is no escape anywhere.
    pub(super) raw: bool,
    /// One that is no escape, before a letter: text of a language with backslashes, whatever else is escaped.
    letter: bool,
    /// One before a mark that Markdown escapes, and JavaScript drops.
    markup: bool,
    /// How many apostrophes were escaped.
    apostrophes: usize,
}

/// Whether a digit behind the backslash is part of a path with a drive, as in `C:\\2024`.
fn is_path(c: char, content: &str) -> bool {
    let mut start = content.chars();
    let is_drive = start.next().is_some_and(|c| c.is_ascii_alphabetic())
        && start.next() == Some(':')
        && (start.next() == Some('\\') || content.len() == 2);
    c.is_ascii_digit() && is_drive
}

impl Reader<'_> {
    /// The escape at the cursor, into `content`.
    pub(super) fn escape(
        &mut self,
        quote: char,
        content: &mut String,
        seen: &mut Backslashes,
    ) -> Step<()> {
        let mut ahead = self.rest().chars();
        ahead.next();
        let Some(c) = ahead.next() else {
            return self.cut("the text ends inside an escape");
        };
        let plain = match c {
            '"' => Some('"'),
            '\\' => Some('\\'),
            '/' => Some('/'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            _ => None,
        };
        if let Some(plain) = plain {
            seen.escape |= c != '"';
            content.push(plain);
            self.at += 2;
            return Ok(());
        }
        match c {
            'u' if self.byte(2) == Some(b'{') => {
                seen.escape = true;
                self.note(RecoveryKind::Escape);
                let (length, char) = self.braced_escape()?;
                content.push(char);
                self.at += length;
            }
            // Python's, in eight digits.
            'U' if self.is_long_escape() => {
                seen.escape = true;
                self.note(RecoveryKind::Escape);
                let Some(char) = char::from_u32(self.hex(2, 8)?) else {
                    return self.refuse("an escape that is no character");
                };
                content.push(char);
                self.at += 10;
            }
            'u' => {
                seen.escape = true;
                let unit = self.hex(2, 4)?;
                self.at += 6;
                let char = match unit {
                    0xd800..=0xdbff => self.low_surrogate(unit)?,
                    unit => char::from_u32(unit),
                };
                match char {
                    Some(char) => content.push(char),
                    None => return self.refuse("half of a surrogate pair"),
                }
            }
            'x' => {
                seen.escape = true;
                self.note(RecoveryKind::Escape);
                content.extend(char::from_u32(self.hex(2, 2)?));
                self.at += 4;
            }
            '\'' => {
                seen.apostrophes += 1;
                self.note(RecoveryKind::Escape);
                content.push(c);
                self.at += 2;
            }
            '`' if quote == '`' => {
                self.note(RecoveryKind::Escape);
                content.push(c);
                self.at += 2;
            }
            // A line continued, or a backslash at its end; a backtick of a shell; JavaScript, which drops what is no escape.
            '\n' | '\r' | '`' => return self.refuse("a backslash that has more than one reading"),
            _ if quote == '`' => return self.refuse("a backslash that has more than one reading"),
            // Here JavaScript, Python and plain text differ: a bell, the letter, a backslash and the letter.
            'a' | 'v' | 'N' | 'U' | '0'..='9' if !self.is_plain_text(c) && !is_path(c, content) => {
                return self.refuse("an escape that is not JSON's and has more than one reading");
            }
            // Python and plain text keep the backslash.
            _ => {
                seen.raw = true;
                seen.letter |= c.is_alphanumeric();
                seen.markup |= "_$#%&!@<>*-~ ".contains(c);
                self.note(RecoveryKind::Escape);
                content.push('\\');
                content.push(c);
                self.at += 1 + c.len_utf8();
            }
        }
        Ok(())
    }

    /// The string, if its backslashes have one reading.
    pub(super) fn consistent(
        &mut self,
        seen: &Backslashes,
        open: char,
        content: String,
        start: usize,
    ) -> Step<String> {
        // In a shell `'\''` is an apostrophe, and its backslash is needed; scripts drop it.
        let has_bare_apostrophe = seen.apostrophes > 0
            && content.matches('\'').count() > seen.apostrophes
            && (!self.signs.is_script || content.contains("'''"));
        let fault = if seen.escape && seen.raw {
            "backslashes of which some are escapes and some are not"
        } else if seen.markup && !seen.letter {
            "backslashes that may be those of a markup language"
        } else if open != '\'' && has_bare_apostrophe {
            "apostrophes of which some are escaped and some are not"
        } else {
            return Ok(content);
        };
        self.at = start;
        self.refuse(fault)
    }

    /// Whether the letter after the backslash goes on as a word, as in `\alpha` or `C:\Users`, so that it is
    /// no escape. Python's `\U0001F600` is one.
    fn is_plain_text(&self, c: char) -> bool {
        let after = self.rest().get(2..).unwrap_or_default();
        let digits = after.bytes().take(8).filter(u8::is_ascii_hexdigit).count();
        c.is_ascii_alphabetic()
            && after.starts_with(|next: char| next.is_ascii_alphabetic())
            && digits < 8
    }

    /// Whether eight digits follow Python's `\U`.
    fn is_long_escape(&self) -> bool {
        let digits = self.rest().get(2..10);
        digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// JavaScript's `\u{1F600}`: how long it is, and what.
    fn braced_escape(&self) -> Step<(usize, char)> {
        let inside = self.rest().get(3..).unwrap_or_default();
        let Some(length) = inside.find('}') else {
            return self.cut("the text ends inside an escape");
        };
        let code = inside.get(..length).filter(|digits| (1..=6).contains(&digits.len()));
        let code = code.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let char = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        match char {
            Some(char) => Ok((length + 4, char)),
            None => self.refuse("an escape without its digits"),
        }
    }

    /// `count` hexadecimal digits, `ahead` bytes from the cursor.
    fn hex(&self, ahead: usize, count: usize) -> Step<u32> {
        let start = self.at + ahead;
        let digits = self.text.get(start..start + count);
        match digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(digits) => Ok(u32::from_str_radix(digits, 16).unwrap_or_default()),
            None if start + count > self.text.len() => self.cut("the text ends inside an escape"),
            None => self.refuse("an escape without its digits"),
        }
    }

    fn low_surrogate(&mut self, high: u32) -> Step<Option<char>> {
        if self.byte(0) != Some(b'\\') || self.byte(1) != Some(b'u') {
            return self.refuse("half of a surrogate pair");
        }
        let low = self.hex(2, 4)?;
        self.at += 6;
        if !(0xdc00..=0xdfff).contains(&low) {
            return self.refuse("half of a surrogate pair");
        }
        Ok(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
    }
}
