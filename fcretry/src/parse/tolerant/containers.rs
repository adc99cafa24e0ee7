use serde_json::{Map, Value, map::Entry};

use super::{
    After, Bracket, Frame, Kind, OPEN, Reader, Role, Step, is_word, is_word_start, string,
};
use crate::parse::{
    pointer::{below, push},
    recovered::RecoveryKind,
};

/// The most braces around an object that are one brace too many each: they grow with every retry.
const MAX_LAYERS: usize = 8;

/// The most digits of a key that is a number: a float holds them all.
const MAX_DIGITS: usize = 15;

impl Reader<'_> {
    /// The key at the cursor and its colon.
    pub(super) fn key(&mut self) -> Step<()> {
        let Some(c) = self.peek() else {
            return self.cut("the text ends where a key is due");
        };
        let key = if c.is_ascii_digit() {
            self.number_key()?
        } else if is_word_start(c) {
            let word = self.peek_word();
            let end = self.at + word.len();
            if end == self.text.len() {
                return self.cut("the text ends in a key");
            }
            if matches!(self.text.as_bytes().get(end), Some(b'"' | b'\'')) {
                return self.refuse("a prefixed string");
            }
            // As keys, Python's values are no names.
            if matches!(word, "True" | "False" | "None") {
                return self.refuse("a key that is no text");
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
        self.keys.push(key);
        Ok(())
    }

    /// A key of digits, as Python and JavaScript have them: JSON writes it as text.
    fn number_key(&mut self) -> Step<String> {
        let word = self.peek_word();
        let end = self.at + word.len();
        if end == self.text.len() {
            return self.cut("the text ends in a key");
        }
        let is_plain = word.bytes().all(|b| b.is_ascii_digit())
            && (1..=MAX_DIGITS).contains(&word.len())
            && (word == "0" || !word.starts_with('0'));
        if !is_plain {
            return self.refuse("no key starts with this character");
        }
        self.note(RecoveryKind::UnquotedKey);
        self.at = end;
        Ok(word.to_owned())
    }

    /// Opens the container at the cursor; an empty one is complete at once.
    pub(super) fn container(&mut self, bracket: Bracket) -> Step<Option<(Value, Kind)>> {
        if bracket == Bracket::Round {
            self.note(RecoveryKind::Parentheses);
        }
        let start = self.at;
        self.at += 1;
        self.gap()?;
        let mut layers = 0;
        while bracket == Bracket::Brace && layers < MAX_LAYERS && self.byte(0) == Some(b'{') {
            layers += 1;
            self.at += 1;
            self.gap()?;
        }
        if layers > 0 {
            self.log.syntax(RecoveryKind::Wrapper, start);
        }
        let (keys, values) = (self.keys.len(), self.values.len());
        self.stack.push(Frame { bracket, layers, keys, values, has_comma: false });
        if self.peek() == Some(bracket.closer()) {
            return self.close_here().map(|closed| Some((closed, Kind::Container)));
        }
        if bracket == Bracket::Brace {
            self.key()?;
        }
        Ok(None)
    }

    /// Where the innermost container is.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for (frame, inner) in self.stack.iter().zip(self.stack.iter().skip(1)) {
            if frame.bracket == Bracket::Brace {
                let key = inner.keys.checked_sub(1).and_then(|at| self.keys.get(at));
                push(&mut pointer, key.map_or("", String::as_str));
            } else {
                push(&mut pointer, &(inner.values - frame.values).to_string());
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
                return Ok(After::Closed(self.close()));
            }
            return self.cut(OPEN);
        };
        if c == ',' {
            let comma = self.at;
            self.at += 1;
            self.gap()?;
            if let Some(frame) = self.stack.last_mut() {
                frame.has_comma = true;
            }
            return match self.peek() {
                None => self.cut("the text ends after a comma"),
                Some(',') => self.refuse("nothing between two commas"),
                Some(c) if self.closes(c) => {
                    self.log.syntax(RecoveryKind::TrailingComma, comma);
                    self.close_here().map(After::Closed)
                }
                Some(_) => self.next(),
            };
        }
        if self.closes(c) {
            return self.close_here().map(After::Closed);
        }
        if self.lenient && self.closes_the_next(c) {
            self.note(RecoveryKind::ClosingBracket);
            return Ok(After::Closed(self.close()));
        }
        if matches!(c, '}' | ']' | ')') {
            return self.refuse("a bracket that closes another one");
        }
        let in_object = self.is_in(Bracket::Brace);
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
        if self.is_in(Bracket::Round) {
            return self.refuse("a tuple without commas");
        }
        if let (Kind::String, Some(Value::String(last))) = (kind, self.values.last()) {
            // In print the comma stands inside the quotes.
            if last.ends_with(',') {
                return self.refuse("a comma that may be a part of the string before it");
            }
            if !in_object && starts_string {
                self.signs.joined.get_or_insert(self.at);
            }
        }
        self.note(RecoveryKind::MissingComma);
        self.next()
    }

    /// Goes on to the next element: in an object, past its key.
    fn next(&mut self) -> Step<After> {
        if self.is_in(Bracket::Brace) {
            self.signs.goes_on_after_object |= self.values.last().is_some_and(Value::is_object);
            self.key()?;
        }
        Ok(After::Next)
    }

    /// Whether `c` closes the innermost container.
    pub(super) fn closes(&self, c: char) -> bool {
        self.stack.last().is_some_and(|frame| frame.bracket.closer() == c)
    }

    /// Whether `c` closes the container around the innermost one.
    fn closes_the_next(&self, c: char) -> bool {
        let around = self.stack.len().checked_sub(2).and_then(|around| self.stack.get(around));
        around.is_some_and(|frame| frame.bracket.closer() == c)
    }

    fn is_in(&self, bracket: Bracket) -> bool {
        self.stack.last().is_some_and(|frame| frame.bracket == bracket)
    }

    /// Goes past the bracket that closes the innermost container, and as many more as opened it.
    fn close_here(&mut self) -> Step<Value> {
        self.at += 1;
        let layers = self.stack.last().map_or(0, |frame| frame.layers);
        for _ in 0..layers {
            self.gap()?;
            match self.byte(0) {
                Some(b'}') => self.at += 1,
                None => return self.cut(OPEN),
                Some(_) => return self.refuse("fewer braces than opened it close an object"),
            }
        }
        Ok(self.close())
    }

    /// Makes the innermost container of what is on the stacks for it, in room that is exactly enough.
    pub(super) fn close(&mut self) -> Value {
        let Some(frame) = self.stack.last() else { return Value::Null };
        let Frame { bracket, keys, values, has_comma, .. } = *frame;
        let closed = if bracket == Bracket::Brace {
            Value::Object(self.object(keys, values))
        } else {
            // Of the outermost container all of it is.
            let mut items: Vec<Value> = match values {
                0 => std::mem::take(&mut self.values),
                values => self.values.drain(values..).collect(),
            };
            // `(x)` is x; `(x,)` is a tuple of one.
            if bracket == Bracket::Round && !has_comma && items.len() == 1 {
                items.pop().unwrap_or_default()
            } else {
                Value::Array(items)
            }
        };
        self.stack.pop();
        closed
    }

    /// The object of these keys and values. Of a key that is there twice the first stays, and the second is a
    /// violation.
    fn object(&mut self, keys: usize, values: usize) -> Map<String, Value> {
        let mut entries = Map::with_capacity(self.keys.len() - keys);
        let mut twice = Vec::new();
        for (key, value) in self.keys.drain(keys..).zip(self.values.drain(values..)) {
            match entries.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(entry) => twice.push((entry.key().clone(), value)),
            }
        }
        if !twice.is_empty() && self.duplicates.has_room() {
            let mut pointer = self.pointer();
            for (key, value) in twice {
                below(&mut pointer, &key, |pointer| self.duplicates.add(pointer, value));
            }
        }
        entries
    }
}

/// Whether the text ends in a string that ends in white space.
fn ends_in_blank_string(text: &str) -> bool {
    let inside = text.trim_end().strip_suffix(['"', '\'']);
    inside.is_some_and(|inside| inside.ends_with([' ', '\t', ':']))
}
