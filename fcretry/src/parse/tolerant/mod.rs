//! A superset of JSON: what models write when they mean JSON. A grammar, not heuristics: text is read to one
//! value, or refused with the place and the reason. Nothing inside a string is edited, nothing is completed.
//!
//! One forward pass over the bytes with an explicit stack; depth is capped, so hostile input costs its own length.

mod number;
mod string;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::recovered::{Log, RecoveryKind};
use super::strict::{Duplicates, push};

/// Deeper than this is refused; the limit of `serde_json`.
const MAX_DEPTH: usize = 128;

/// A value and where it ended.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) value: Value,
    /// The byte after the value.
    pub(super) end: usize,
    pub(super) log: Log,
    /// Keys that an object had twice.
    pub(super) duplicates: Duplicates,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The byte at which reading stopped.
    pub(super) at: usize,
    pub(super) reason: &'static str,
    /// The text ends in the middle of the value.
    pub(super) cut: bool,
}

/// Reads the value that starts at byte `start` of `text`, after white space and comments.
pub(super) fn read(text: &str, start: usize) -> Result<Read, Refusal> {
    let mut reader = Reader {
        text,
        at: start,
        log: Log::default(),
        duplicates: Duplicates::default(),
        stack: Vec::new(),
    };
    let value = reader.value()?;
    let Reader { at, log, duplicates, .. } = reader;
    Ok(Read { value, end: at, log, duplicates })
}

/// Where white space and comments after `at` end; the same, if a comment does.
pub(super) fn skip_gap(text: &str, at: usize) -> usize {
    let mut reader = Reader {
        text,
        at,
        log: Log::default(),
        duplicates: Duplicates::default(),
        stack: Vec::new(),
    };
    reader.gap().map_or(at, |_| reader.at)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    log: Log,
    duplicates: Duplicates,
    stack: Vec<Frame>,
}

/// A container that is not closed yet.
enum Frame {
    Object {
        entries: Map<String, Value>,
        /// The key whose value is being read, and whether the object already had it.
        key: String,
        is_duplicate: bool,
    },
    Array {
        items: Vec<Value>,
        /// `(` opened it, at this byte; a tuple needs a comma.
        parenthesis: Option<usize>,
        has_comma: bool,
    },
}

/// What the value just read was, for what may follow it without a comma.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Container,
    Other,
}

type Step<T> = Result<T, Refusal>;

impl<'t> Reader<'t> {
    fn refuse<T>(&self, reason: &'static str) -> Step<T> {
        Err(Refusal { at: self.at, reason, cut: false })
    }

    fn cut<T>(&self, reason: &'static str) -> Step<T> {
        Err(Refusal { at: self.text.len(), reason, cut: true })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn note(&mut self, kind: RecoveryKind) {
        self.log.syntax(kind, self.at);
    }

    /// Skips white space and comments; whether there were any.
    fn gap(&mut self) -> Step<bool> {
        let start = self.at;
        while let Some(c) = self.peek() {
            if c.is_whitespace() || c == '\u{feff}' {
                self.at += c.len_utf8();
                continue;
            }
            let comment = match (c, self.byte(1)) {
                ('/', Some(b'*')) => match self.rest().find("*/") {
                    Some(end) => end + 2,
                    None => return self.cut("a comment that does not end"),
                },
                ('/', Some(b'/')) => self.line(),
                // `#fff` and `#1` are somebody's value.
                ('#', next) if next.is_none_or(|b| b.is_ascii_whitespace()) => self.line(),
                _ => break,
            };
            self.note(RecoveryKind::Comment);
            self.at += comment;
        }
        Ok(self.at > start)
    }

    /// How many bytes the line still has.
    fn line(&self) -> usize {
        self.rest().find('\n').unwrap_or(self.rest().len())
    }

    /// The value at the cursor. Containers are opened on the stack; each value that is complete goes into the
    /// one above it, until the outermost is.
    fn value(&mut self) -> Step<Value> {
        loop {
            self.gap()?;
            let Some((mut value, mut kind)) = self.open()? else { continue };
            loop {
                match self.stack.last_mut() {
                    None => return Ok(value),
                    Some(Frame::Object { entries, key, is_duplicate }) => {
                        // The first stays, as in the strict reader; the second is a violation.
                        if !*is_duplicate {
                            entries.insert(std::mem::take(key), value);
                        }
                    }
                    Some(Frame::Array { items, .. }) => items.push(value),
                }
                match self.after(kind)? {
                    After::Next => break,
                    After::Closed(closed) => (value, kind) = (closed, Kind::Container),
                }
            }
        }
    }

    /// Reads a scalar, or opens a container; an empty container is complete at once.
    fn open(&mut self) -> Step<Option<(Value, Kind)>> {
        let Some(c) = self.peek() else {
            return self.cut("the text ends where a value is due");
        };
        match c {
            '{' | '[' | '(' if self.stack.len() >= MAX_DEPTH => self.refuse("nested too deep"),
            '{' => {
                self.at += 1;
                self.gap()?;
                if self.byte(0) == Some(b'}') {
                    self.at += 1;
                    return Ok(Some((Value::Object(Map::new()), Kind::Container)));
                }
                self.stack.push(Frame::Object {
                    entries: Map::new(),
                    key: String::new(),
                    is_duplicate: false,
                });
                self.key()?;
                Ok(None)
            }
            '[' | '(' => {
                let parenthesis = (c == '(').then_some(self.at);
                if parenthesis.is_some() {
                    self.note(RecoveryKind::Parentheses);
                }
                self.at += 1;
                self.gap()?;
                if self.byte(0) == Some(if c == '[' { b']' } else { b')' }) {
                    self.at += 1;
                    return Ok(Some((Value::Array(Vec::new()), Kind::Container)));
                }
                self.stack.push(Frame::Array { items: Vec::new(), parenthesis, has_comma: false });
                Ok(None)
            }
            '+' | '-' | '.' | '0'..='9' => Ok(Some((self.number()?, Kind::Other))),
            c if is_word_start(c) => self.word(),
            _ => Ok(Some((Value::String(self.string()?), Kind::String))),
        }
    }

    /// A literal by name, or a string with a prefix.
    fn word(&mut self) -> Step<Option<(Value, Kind)>> {
        let word = self.peek_word();
        let follows = self.text.as_bytes().get(self.at + word.len()).copied();
        if matches!(follows, Some(b'"' | b'\'')) {
            return self.refuse("a prefixed string");
        }
        let value = match word {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "null" | "None" => Value::Null,
            "" => return self.refuse("no value starts with this character"),
            "NaN" | "Infinity" | "nan" | "inf" => {
                return self.refuse("a number that JSON cannot hold");
            }
            _ if self.at + word.len() == self.text.len() && !self.stack.is_empty() => {
                return self.cut("the text ends in a bare word");
            }
            _ => return self.refuse("a bare word"),
        };
        if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            self.note(RecoveryKind::PythonLiteral);
        }
        self.at += word.len();
        Ok(Some((value, Kind::Other)))
    }

    fn peek_word(&self) -> &'t str {
        let rest = self.rest();
        rest.get(..rest.find(|c| !is_word(c)).unwrap_or(rest.len())).unwrap_or_default()
    }

    /// The key at the cursor and its colon.
    fn key(&mut self) -> Step<()> {
        let Some(c) = self.peek() else {
            return self.cut("the text ends where a key is due");
        };
        let key = if is_word_start(c) {
            let word = self.peek_word();
            let end = self.at + word.len();
            if end == self.text.len() {
                return self.cut("the text ends in a key");
            }
            if matches!(self.text.as_bytes().get(end), Some(b'"' | b'\'')) {
                return self.refuse("a prefixed string");
            }
            self.note(RecoveryKind::UnquotedKey);
            self.at = end;
            word.to_owned()
        } else if matches!(c, '"' | '\'' | '`') || string::closing(c).is_some() {
            self.string()?
        } else {
            return self.refuse("no key starts with this character");
        };
        self.gap()?;
        match self.byte(0) {
            Some(b':') => self.at += 1,
            None => return self.cut("the text ends after a key"),
            Some(_) => return self.refuse("a key without a value"),
        }
        self.enter(key);
        Ok(())
    }

    /// Makes `key` the one whose value comes next.
    fn enter(&mut self, new: String) {
        let seen = match self.stack.last() {
            Some(Frame::Object { entries, .. }) => entries.contains_key(&new),
            _ => false,
        };
        if seen {
            let mut pointer = self.pointer();
            push(&mut pointer, &new);
            self.duplicates.add(&pointer, None);
        }
        if let Some(Frame::Object { key, is_duplicate, .. }) = self.stack.last_mut() {
            *key = new;
            *is_duplicate = seen;
        }
    }

    /// Where the innermost container is.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        let outer = self.stack.len().saturating_sub(1);
        for frame in self.stack.iter().take(outer) {
            match frame {
                Frame::Object { key, .. } => push(&mut pointer, key),
                Frame::Array { items, .. } => push(&mut pointer, &items.len().to_string()),
            }
        }
        pointer
    }

    /// What follows a value inside a container: the next element, or the end.
    fn after(&mut self, kind: Kind) -> Step<After> {
        let gap = self.gap()?;
        let Some(c) = self.peek() else {
            return self.cut("the text ends inside a container");
        };
        if c == ',' {
            let comma = self.at;
            self.at += 1;
            self.gap()?;
            if let Some(Frame::Array { has_comma, .. }) = self.stack.last_mut() {
                *has_comma = true;
            }
            return match self.peek() {
                None => self.cut("the text ends after a comma"),
                Some(',') => self.refuse("nothing between two commas"),
                Some(c) if self.closes(c) => {
                    self.log.syntax(RecoveryKind::TrailingComma, comma);
                    Ok(self.close())
                }
                Some(_) => self.next(),
            };
        }
        if self.closes(c) {
            return Ok(self.close());
        }
        if matches!(c, '}' | ']' | ')') {
            return self.refuse("a bracket that closes another one");
        }
        let starts_container = matches!(c, '{' | '[');
        let starts_string = matches!(c, '"' | '\'' | '`') || string::closing(c).is_some();
        // Without a gap, two strings are one with a quote inside, and two words are one.
        let is_apart = gap
            || (kind == Kind::Container || starts_container)
            || (kind == Kind::Other && starts_string);
        let starts_value =
            starts_container || starts_string || is_word(c) || matches!(c, '-' | '(');
        // `f (x)` and `2 -1` are expressions.
        let is_expression = matches!(c, '(' | '-') && kind != Kind::Container;
        if !is_apart || !starts_value || is_expression {
            return self.refuse("something other than a comma or a closing bracket after a value");
        }
        if let Some(Frame::Array { parenthesis: Some(_), .. }) = self.stack.last() {
            return self.refuse("a tuple without commas");
        }
        self.note(RecoveryKind::MissingComma);
        self.next()
    }

    /// Goes on to the next element: in an object, past its key.
    fn next(&mut self) -> Step<After> {
        if matches!(self.stack.last(), Some(Frame::Object { .. })) {
            self.key()?;
        }
        Ok(After::Next)
    }

    /// Whether `c` closes the innermost container.
    fn closes(&self, c: char) -> bool {
        match self.stack.last() {
            Some(Frame::Object { .. }) => c == '}',
            Some(Frame::Array { parenthesis: None, .. }) => c == ']',
            Some(Frame::Array { parenthesis: Some(_), .. }) => c == ')',
            None => false,
        }
    }

    fn close(&mut self) -> After {
        self.at += 1;
        After::Closed(match self.stack.pop() {
            Some(Frame::Object { entries, .. }) => Value::Object(entries),
            Some(Frame::Array { mut items, parenthesis, has_comma }) => {
                // `(x)` is x; `(x,)` is a tuple of one.
                if parenthesis.is_some() && !has_comma && items.len() == 1 {
                    items.pop().unwrap_or_default()
                } else {
                    Value::Array(items)
                }
            }
            None => Value::Null,
        })
    }
}

/// What came after a value.
enum After {
    /// The next element is at the cursor.
    Next,
    /// The container is complete.
    Closed(Value),
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '-')
}
