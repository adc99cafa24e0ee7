//! A superset of JSON: what models write when they mean JSON. A grammar, not heuristics: text is read to one
//! value, or refused with the place and the reason. Nothing inside a string is edited, nothing is completed.
//!
//! One forward pass over the bytes with an explicit stack; depth is capped, so hostile input costs its own length.

mod containers;
mod escape;
mod gap;
mod number;
mod part;
mod string;
#[cfg(test)]
mod tests;

pub(super) use number::exact;
pub(super) use part::{Part, read_part};

use serde_json::Value;

use super::duplicates::Duplicates;
use super::recovered::{Log, RecoveryKind};

/// Deeper than this is refused, as `serde_json` refuses it.
pub(super) const MAX_DEPTH: usize = 127;

/// Where a text ends that goes on in a container, or in a string.
const OPEN: &str = "the text ends inside a container";
const IN_STRING: &str = "the text ends inside a string";

/// A value and where it ended.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) value: Value,
    /// The byte after the value.
    pub(super) end: usize,
    pub(super) log: Log,
    /// Keys that an object had twice.
    pub(super) duplicates: Duplicates,
    /// A member follows one that is an object: a brace too many at the end may be one that stood too early.
    pub(super) goes_on_after_object: bool,
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
    Reader::new(text, start, lenient).whole()
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
    signs: Signs,
    /// Where the last string starts.
    string: Option<usize>,
    /// This text stood in quotes that it does not escape.
    is_embedded: bool,
}

/// What was seen on the way that tells how the rest is to be taken.
#[derive(Default)]
struct Signs {
    /// Where two strings stand in a list without a comma: in Python they are one.
    joined: Option<usize>,
    /// Something was written as Python does it.
    is_python: bool,
    /// Something was written as JavaScript or Python does it.
    is_script: bool,
    /// A member follows one that is an object.
    goes_on_after_object: bool,
}

/// A container that is not closed yet, and where on the stacks what is in it starts.
struct Frame {
    bracket: Bracket,
    /// How many more braces opened it, as in `{{"a": 1}}`.
    layers: usize,
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
            signs: Signs::default(),
            string: None,
            is_embedded: false,
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
        use RecoveryKind::{Parentheses, PythonLiteral, SingleQuotes, TripleQuotes, UnquotedKey};
        self.signs.is_python |=
            matches!(kind, Parentheses | PythonLiteral | SingleQuotes | TripleQuotes);
        self.signs.is_script |= self.signs.is_python || kind == UnquotedKey;
        self.log.syntax(kind, self.at);
    }

    /// Reads the value at the cursor, and nothing behind it.
    fn whole(mut self) -> Step<Read> {
        let value = self.value()?;
        if let Some(at) = self.signs.joined.filter(|_| self.signs.is_python) {
            return Err(Refusal { at, reason: "two strings that Python makes one", cut: false });
        }
        Ok(Read {
            value,
            end: self.at,
            log: self.log,
            duplicates: self.duplicates,
            goes_on_after_object: self.signs.goes_on_after_object,
        })
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
