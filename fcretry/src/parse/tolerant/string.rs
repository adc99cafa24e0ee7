use super::{Reader, Role, Step};
use crate::parse::recovered::RecoveryKind;

/// The quotes that close a string which the typographic quote `open` opens.
pub(super) fn closing(open: char) -> Option<&'static [char]> {
    Some(match open {
        '\u{201c}' | '\u{201d}' => &['\u{201d}'],
        '\u{201e}' => &['\u{201c}', '\u{201d}'],
        '\u{2018}' | '\u{2019}' => &['\u{2019}'],
        '\u{201a}' => &['\u{2018}', '\u{2019}'],
        '\u{ab}' => &['\u{bb}'],
        '\u{ff02}' => &['\u{ff02}'],
        _ => return None,
    })
}

/// How a backslash was used so far. Text with raw backslashes (`C:\Users`, `\alpha`) has no escapes, and text with
/// escapes has no raw backslashes; where both could be meant, nobody knows.
#[derive(Default)]
struct Backslashes {
    /// One that JSON, JavaScript and Python read as an escape, and that raw text could hold too.
    escape: bool,
    /// One that is no escape anywhere.
    raw: bool,
}

/// Whether text with quotes in it looks like the end of one member and the start of the next.
fn swallows_syntax(text: &str, quote: char) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    [',', ':'].iter().any(|mark| {
        bare.contains(&format!("{quote}{mark}")) || bare.contains(&format!("{mark}{quote}"))
    })
}

impl Reader<'_> {
    /// The string at the cursor, in whatever quotes.
    pub(super) fn string(&mut self, role: Role) -> Step<String> {
        let Some(open) = self.peek() else {
            return self.cut("the text ends where a string is due");
        };
        let closers: &[char] = match open {
            '"' => &['"'],
            '\'' => &['\''],
            '`' => &['`'],
            other => match closing(other) {
                Some(closers) => closers,
                None => return self.refuse("no value starts with this character"),
            },
        };
        let start = self.at;
        if matches!(open, '"' | '\'') && self.is_triple(open) {
            return self.triple(open);
        }
        match open {
            '\'' => self.note(RecoveryKind::SingleQuotes),
            '`' => self.note(RecoveryKind::BacktickQuotes),
            '"' => {}
            _ => self.note(RecoveryKind::TypographicQuotes),
        }
        self.at += open.len_utf8();
        let mut content = String::new();
        let mut seen = Backslashes::default();
        // Where the first quote is that was taken in.
        let mut inner = None;
        loop {
            // What needs no look goes over in one piece.
            let is_typographic = closing(open).is_some();
            let is_telling = |c: char| {
                closers.contains(&c)
                    || c < ' '
                    || matches!(c, '\\' | '$')
                    || (is_typographic && matches!(c, '"' | '\u{201c}' | '\u{201e}'))
            };
            let plain = self.rest().find(is_telling).unwrap_or(self.rest().len());
            content.push_str(self.rest().get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = self.rest();
            let Some(c) = rest.chars().next() else {
                return self.cut("the text ends inside a string");
            };
            if closers.contains(&c) {
                if self.lenient && self.is_inner_quote(c, role)? {
                    self.note(RecoveryKind::InnerQuote);
                    inner.get_or_insert(content.len());
                    content.push(c);
                    self.at += c.len_utf8();
                    continue;
                }
                let swallowed = inner.and_then(|inner| content.get(inner..));
                if swallowed.is_some_and(|swallowed| swallows_syntax(swallowed, c)) {
                    return self.refuse("quotes that may end a string or be in it");
                }
                self.at += c.len_utf8();
                break;
            }
            if c == '\\' {
                self.escape(open, &mut content, &mut seen)?;
                continue;
            }
            // Which quote ends it is anybody's guess.
            let is_double = matches!(open, '\u{201c}' | '\u{201d}' | '\u{201e}');
            let opens_another = is_double && matches!(c, '\u{201c}' | '\u{201e}');
            if closing(open).is_some() && (c == '"' || opens_another) {
                return self.refuse("quotes inside typographic ones");
            }
            if open == '`' && rest.starts_with("${") {
                return self.refuse("an expression inside a string");
            }
            if c.is_control() && c < ' ' {
                self.note(RecoveryKind::ControlCharacter);
            }
            content.push(c);
            self.at += c.len_utf8();
        }
        if seen.escape && seen.raw {
            self.at = start;
            return self.refuse("backslashes of which some are escapes and some are not");
        }
        // Markdown's escapes, mostly: which key is meant, nobody knows.
        if seen.raw && role == Role::Key {
            self.at = start;
            return self.refuse("a backslash in a key");
        }
        Ok(content)
    }

    /// Whether the quote at the cursor is part of the string: nothing that may follow a string follows it.
    fn is_inner_quote(&self, quote: char, role: Role) -> Step<bool> {
        let after = self.rest().get(quote.len_utf8()..).unwrap_or_default();
        match after.trim_start().chars().next() {
            // The end of the text is the end of the string; what is open around it is another matter.
            None | Some('/' | '#') => Ok(false),
            _ if role == Role::Key => Ok(false),
            Some(next) if next == ',' || self.closes(next) => Ok(false),
            // The end of one string and the start of the next, or two quotes inside one.
            Some(next) if next == quote => self.refuse("quotes that may end a string or be in it"),
            Some(_) => Ok(true),
        }
    }

    /// Python's raw string: a backslash is a backslash.
    pub(super) fn raw_string(&mut self) -> Step<String> {
        let Some(quote) = self.peek().filter(|quote| !self.is_triple(*quote)) else {
            return self.refuse("a prefixed string");
        };
        self.at += 1;
        let Some(end) = self.rest().find([quote, '\n']) else {
            return self.cut("the text ends inside a string");
        };
        let content = self.rest().get(..end).unwrap_or_default().to_owned();
        if content.ends_with('\\') || self.byte(end) == Some(b'\n') {
            return self.refuse("a raw string that does not end on its line");
        }
        self.at += end + 1;
        Ok(content)
    }

    fn is_triple(&self, quote: char) -> bool {
        self.rest().chars().take(3).filter(|c| *c == quote).count() == 3
    }

    /// Python's string in three quotes; two of them inside are its content.
    fn triple(&mut self, quote: char) -> Step<String> {
        self.note(RecoveryKind::TripleQuotes);
        let start = self.at;
        self.at += 3;
        let mut content = String::new();
        let mut seen = Backslashes::default();
        loop {
            let Some(c) = self.peek() else {
                return self.cut("the text ends inside a string");
            };
            if c == quote && self.is_triple(quote) {
                self.at += 3;
                break;
            }
            if c == '\\' {
                self.escape(quote, &mut content, &mut seen)?;
                continue;
            }
            content.push(c);
            self.at += c.len_utf8();
        }
        if seen.escape && seen.raw {
            self.at = start;
            return self.refuse("backslashes of which some are escapes and some are not");
        }
        Ok(content)
    }

    /// The escape at the cursor, into `content`.
    fn escape(&mut self, quote: char, content: &mut String, seen: &mut Backslashes) -> Step<()> {
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
            'a' | 'v' | 'N' | 'U' | '0'..='9' if !self.is_plain_text(c) => {
                return self.refuse("an escape that is not JSON's and has more than one reading");
            }
            // Python and plain text keep the backslash.
            _ => {
                seen.raw = true;
                self.note(RecoveryKind::Escape);
                content.push('\\');
                content.push(c);
                self.at += 1 + c.len_utf8();
            }
        }
        Ok(())
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
