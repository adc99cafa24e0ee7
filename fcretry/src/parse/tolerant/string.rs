use super::{IN_STRING, Reader, Role, Step, escape::Backslashes, is_word_start};
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

/// How much of `rest` is the content of a string that `open` opened, as it stands.
fn plain_length(rest: &str, open: char) -> usize {
    let end = match u8::try_from(open) {
        Ok(quote) => rest.bytes().position(|byte| {
            byte == quote || byte < b' ' || byte == b'\\' || (byte == b'$' && quote == b'`')
        }),
        Err(_) => rest.find(|c: char| {
            closing(open).is_some_and(|closers| closers.contains(&c))
                || c < ' '
                || matches!(c, '\\' | '"' | '\u{201c}' | '\u{201e}')
        }),
    };
    end.unwrap_or(rest.len())
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
        self.string = Some(start);
        if matches!(open, '"' | '\'') && self.is_triple(open) {
            return self.triple(open);
        }
        if open == '"' && role == Role::Value && self.starts_embedded() {
            return self.embedded();
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
            let plain = plain_length(self.rest(), open);
            content.push_str(self.rest().get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = self.rest();
            let Some(c) = rest.chars().next() else {
                return self.cut(IN_STRING);
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
        // Which key is meant, nobody knows.
        if seen.raw && role == Role::Key {
            self.at = start;
            return self.refuse("a backslash in a key");
        }
        self.consistent(&seen, open, content, start)
    }

    /// Whether the string at the cursor holds JSON whose quotes are not escaped, as `"{"a": 1}"`. A string that ends
    /// behind the bracket is followed by no letter.
    fn starts_embedded(&self) -> bool {
        let inside = self.rest().trim_start_matches('"').trim_start_matches('[');
        let opens = self.rest().starts_with("\"{\"") || self.rest().starts_with("\"[{\"");
        let key = inside.strip_prefix("{\"").unwrap_or_default();
        opens && !self.is_embedded && key.starts_with(is_word_start)
    }

    /// The JSON in the quotes, as the text that it is.
    fn embedded(&mut self) -> Step<String> {
        self.note(RecoveryKind::DoubleEncoding);
        let mut inside = Reader::new(self.text, self.at + 1, false);
        inside.is_embedded = true;
        let end = inside.whole()?.end;
        let after = self.text.get(end..).unwrap_or_default();
        let Some(after) = after.strip_prefix('"') else {
            return self.refuse("quotes that may end a string or be in it");
        };
        if !after.trim_start().starts_with([',', '}', ']']) && !after.trim_start().is_empty() {
            return self.refuse("quotes that may end a string or be in it");
        }
        let content = self.text.get(self.at + 1..end).unwrap_or_default().to_owned();
        self.at = end + 1;
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
            return self.cut(IN_STRING);
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
                return self.cut(IN_STRING);
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
        self.consistent(&seen, quote, content, start)
    }
}
