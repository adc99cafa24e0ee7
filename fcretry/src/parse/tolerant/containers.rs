use serde_json::Value;

use super::{After, Frame, Kind, Reader, Role, Step, is_word, is_word_start, string};
use crate::parse::{pointer::push, recovered::RecoveryKind};

impl Reader<'_> {
    /// The key at the cursor and its colon.
    pub(super) fn key(&mut self) -> Step<()> {
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
            self.string(Role::Key)?
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
            // Only as long as there is room: a pointer repeats the keys above it.
            if self.duplicates.has_room() {
                let mut pointer = self.pointer();
                push(&mut pointer, &new);
                self.duplicates.add(&pointer, None);
            }
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
    pub(super) fn after(&mut self, kind: Kind) -> Step<After> {
        let start = self.at;
        self.gap_after_value()?;
        let gap = self.text.get(start..self.at).unwrap_or_default();
        let (has_gap, has_line) = (!gap.is_empty(), gap.contains('\n'));
        let Some(c) = self.peek() else {
            // A string that ends in white space may have been cut before the quote that ends it.
            let is_whole = !self.text.trim_end().ends_with([' ', '\t', '\n'])
                && !ends_in_blank_string(self.text);
            if self.lenient && is_whole {
                self.note(RecoveryKind::ClosingBracket);
                return Ok(self.close());
            }
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
                    Ok(self.close_here())
                }
                Some(_) => self.next(),
            };
        }
        if self.closes(c) {
            return Ok(self.close_here());
        }
        if self.lenient && self.closes_the_next(c) {
            self.note(RecoveryKind::ClosingBracket);
            return Ok(self.close());
        }
        if matches!(c, '}' | ']' | ')') {
            return self.refuse("a bracket that closes another one");
        }
        let in_object = matches!(self.stack.last(), Some(Frame::Object { .. }));
        let is_separate = match c {
            // A key follows a member, wherever a key can.
            _ if in_object => (has_gap || kind == Kind::Container) && !matches!(c, '-' | '('),
            '{' => kind == Kind::Container || has_line,
            // On one line `[1][0]` is an index, and `[1] (2)` a call.
            '-' | '(' => false,
            // In Python `'a'` and `'b'` on two lines are one string.
            '"' if kind == Kind::String => {
                has_line && self.text.get(..start).is_some_and(|before| before.ends_with('"'))
            }
            '\'' | '`' => has_line && kind != Kind::String,
            // On one line `1 500` is a number.
            _ => has_line,
        };
        let starts_string = matches!(c, '"' | '\'' | '`') || string::closing(c).is_some();
        let starts_value = matches!(c, '{' | '[') || starts_string || is_word(c);
        if !is_separate || !starts_value {
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
    pub(super) fn closes(&self, c: char) -> bool {
        self.stack.last().is_some_and(|frame| frame.closer() == c)
    }

    /// Whether `c` closes the container around the innermost one.
    fn closes_the_next(&self, c: char) -> bool {
        let around = self.stack.len().checked_sub(2).and_then(|around| self.stack.get(around));
        around.is_some_and(|frame| frame.closer() == c)
    }

    /// Goes past the bracket that closes the innermost container.
    fn close_here(&mut self) -> After {
        self.at += 1;
        self.close()
    }

    fn close(&mut self) -> After {
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

/// Whether the text ends in a string that ends in white space.
fn ends_in_blank_string(text: &str) -> bool {
    let inside = text.trim_end().strip_suffix(['"', '\'']);
    inside.is_some_and(|inside| inside.ends_with([' ', '\t', ':']))
}

impl Frame {
    /// The bracket that closes it.
    fn closer(&self) -> char {
        match self {
            Self::Object { .. } => '}',
            Self::Array { parenthesis: None, .. } => ']',
            Self::Array { parenthesis: Some(_), .. } => ')',
        }
    }
}
