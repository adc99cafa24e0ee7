//! A superset of JSON: what models write when they mean JSON. A grammar, not heuristics: text is read to one
//! value, or refused with the place and the reason. Nothing inside a string is edited, nothing is completed.
//!
//! One forward pass over the bytes with an explicit stack; depth is capped, so hostile input costs its own length.

mod containers;
mod number;
mod string;
#[cfg(test)]
mod tests;

pub(super) use number::exact;
use serde_json::Value;

use super::duplicates::Duplicates;
use super::recovered::{Log, RecoveryKind};

/// Deeper than this is refused, as `serde_json` refuses it.
pub(super) const MAX_DEPTH: usize = 127;

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
    read_as(text, start, false)
}

/// [`read`], and with `lenient` also what has one reading but is not certain: brackets that are missing after a
/// complete token, quotes inside a string.
pub(super) fn read_as(text: &str, start: usize, lenient: bool) -> Result<Read, Refusal> {
    let mut reader = Reader::new(text, start, lenient);
    let value = reader.value()?;
    let Reader { at, log, duplicates, .. } = reader;
    Ok(Read { value, end: at, log, duplicates })
}

/// Where white space and comments after a value that ends at `at` end, and the comments; `at`, if what is there
/// is no comment.
pub(super) fn skip_gap(text: &str, at: usize) -> (usize, Log) {
    let mut reader = Reader::new(text, at, false);
    match reader.gap_after_value() {
        Ok(()) => (reader.at, reader.log),
        Err(_) => (at, Log::default()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    lenient: bool,
    log: Log,
    duplicates: Duplicates,
    stack: Vec<Frame>,
    /// The keys of all objects on the stack, outermost first.
    keys: Vec<String>,
    /// The values that all containers on the stack have so far.
    values: Vec<Value>,
}

/// A container that is not closed yet, and where on the stacks what is in it starts.
struct Frame {
    bracket: Bracket,
    keys: usize,
    values: usize,
    has_comma: bool,
}

/// What opened a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Brace,
    Square,
    /// A tuple, if there is a comma in it.
    Round,
}

impl Bracket {
    fn closer(self) -> char {
        match self {
            Self::Brace => '}',
            Self::Square => ']',
            Self::Round => ')',
        }
    }
}

/// What the value just read was, for what may follow it without a comma.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Container,
    Other,
}

/// What a string is, and so what may follow it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Key,
    Value,
}

type Step<T> = Result<T, Refusal>;

impl<'t> Reader<'t> {
    fn new(text: &'t str, at: usize, lenient: bool) -> Self {
        Self {
            text,
            at,
            lenient,
            log: Log::default(),
            duplicates: Duplicates::default(),
            stack: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
        }
    }

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
                if !matches!(c, ' ' | '\t' | '\n' | '\r') {
                    self.note(RecoveryKind::WhiteSpace);
                }
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

    /// [`gap`](Self::gap) after a value that has no comma yet, where `//` may divide and a quote may have ended what
    /// goes on: such a comment is none.
    fn gap_after_value(&mut self) -> Step<()> {
        let start = self.at;
        self.gap()?;
        let gap = self.text.get(start..self.at).unwrap_or_default();
        if !gap.contains(['/', '#']) {
            return Ok(());
        }
        for line in gap.lines() {
            let (comment, divides) = match (line.find("//"), line.find('#')) {
                (Some(at), _) => (line.get(at + 2..).unwrap_or_default(), true),
                (None, Some(at)) => (line.get(at + 1..).unwrap_or_default(), false),
                (None, None) => continue,
            };
            let is_number = self
                .text
                .get(..start)
                .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit() || c == ')'));
            let operand = is_number
                && comment.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '(');
            let quotes = comment.matches('"').count();
            if (divides && operand) || quotes % 2 == 1 {
                self.at = start;
                return self.refuse("a comment that may be a part of the value");
            }
        }
        Ok(())
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
                if self.stack.is_empty() {
                    return Ok(value);
                }
                self.values.push(value);
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
            '{' | '[' | '(' => self.container(match c {
                '{' => Bracket::Brace,
                '[' => Bracket::Square,
                _ => Bracket::Round,
            }),
            '+' | '-' | '.' | '0'..='9' => Ok(Some((self.number()?, Kind::Other))),
            c if is_word_start(c) => self.word(),
            _ => Ok(Some((Value::String(self.string(Role::Value)?), Kind::String))),
        }
    }

    /// A literal by name, or a string with a prefix.
    fn word(&mut self) -> Step<Option<(Value, Kind)>> {
        let word = self.peek_word();
        let follows = self.text.as_bytes().get(self.at + word.len()).copied();
        if matches!(follows, Some(b'"' | b'\'')) {
            let is_raw = match word {
                "u" | "U" => false,
                "r" | "R" => true,
                _ => return self.refuse("a prefixed string"),
            };
            self.note(RecoveryKind::PythonLiteral);
            self.at += 1;
            let text = if is_raw { self.raw_string()? } else { self.string(Role::Value)? };
            return Ok(Some((Value::String(text), Kind::String)));
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
