//! What models do to a value when they write it, without losing any of it.

use std::fmt::Write as _;

use serde_json::{Number, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    SingleQuotes,
    BacktickQuotes,
    TypographicQuotes,
    TripleQuotes,
    PythonLiterals,
    UnquotedKeys,
    TrailingCommas,
    MissingCommas,
    LineComments,
    HashComments,
    BlockComments,
    RawControls,
    Tuples,
    NumberForms,
    /// From here on by the schema: see [`Damage::is_of_values`].
    NumbersInStrings,
    BooleansInStrings,
    WholeFloats,
    EnumSpelling,
    KeySpelling,
    Encoded,
    /// From here on around the value, and for arguments only: see [`Damage::is_around`].
    Braces,
    Fence,
    Tags,
    Prose,
}

use Damage as D;

impl Damage {
    pub(crate) const ALL: [Self; 24] = [
        D::SingleQuotes,
        D::BacktickQuotes,
        D::TypographicQuotes,
        D::TripleQuotes,
        D::PythonLiterals,
        D::UnquotedKeys,
        D::TrailingCommas,
        D::MissingCommas,
        D::LineComments,
        D::HashComments,
        D::BlockComments,
        D::RawControls,
        D::Tuples,
        D::NumberForms,
        D::NumbersInStrings,
        D::BooleansInStrings,
        D::WholeFloats,
        D::EnumSpelling,
        D::KeySpelling,
        D::Encoded,
        D::Braces,
        D::Fence,
        D::Tags,
        D::Prose,
    ];

    /// Whether only a schema tells what was meant.
    pub(super) fn is_of_values(self) -> bool {
        (D::NumbersInStrings as u8..=D::Encoded as u8).contains(&(self as u8))
    }

    /// Whether it is put around an object.
    pub(super) fn is_around(self) -> bool {
        self as u8 >= D::Encoded as u8
    }
}

/// Writes `value` as JSON that was damaged in these ways.
pub(crate) fn write(value: &Value, damages: &[Damage]) -> String {
    let mut writer = Writer { damages, comments: 0, depth: 0 };
    let mut text = writer.value(value);
    if writer.has(D::Braces) {
        text = format!("{{{text}}}");
    }
    if writer.has(D::Encoded) {
        text = Value::String(text).to_string();
    }
    if writer.has(D::Fence) {
        text = format!("```json\n{text}\n```");
    }
    if writer.has(D::Tags) {
        text = format!("<tool_call>\n{text}\n</tool_call>");
    }
    if writer.has(D::Prose) {
        text = format!("Here is what you asked for:\n\n{text}\n\nTell me if it isn't right.");
    }
    text
}

struct Writer<'d> {
    damages: &'d [Damage],
    comments: usize,
    depth: usize,
}

impl Writer<'_> {
    fn has(&self, damage: Damage) -> bool {
        self.damages.contains(&damage)
    }

    /// Whether anything may be written as Python does it, or in quotes that JSON does not have.
    fn is_of_python(&self) -> bool {
        let damages =
            [D::SingleQuotes, D::BacktickQuotes, D::TripleQuotes, D::PythonLiterals, D::Tuples];
        damages.into_iter().any(|damage| self.has(damage))
    }

    fn value(&mut self, value: &Value) -> String {
        match value {
            Value::Null if self.has(D::PythonLiterals) => "None".to_owned(),
            Value::Null => "null".to_owned(),
            Value::Bool(it) => {
                let word = if *it { "true" } else { "false" };
                if self.has(D::BooleansInStrings) {
                    self.quoted(word)
                } else if self.has(D::PythonLiterals) {
                    format!("{}{}", word[..1].to_uppercase(), &word[1..])
                } else {
                    word.to_owned()
                }
            }
            Value::Number(number) => self.number(number),
            Value::String(text) if self.has(D::EnumSpelling) => self.quoted(&respelled(text)),
            Value::String(text) => self.quoted(text),
            Value::Array(items) => {
                self.depth += 1;
                let written: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                self.depth -= 1;
                // What a tuple is put around must not look like prose.
                let tuple = self.has(D::Tuples)
                    && (self.depth > 0 || !self.damages.iter().any(|d| d.is_around()));
                self.container(&written, if tuple { ['(', ')'] } else { ['[', ']'] })
            }
            Value::Object(entries) => {
                self.depth += 1;
                let keys: Vec<_> = entries.keys().map(String::as_str).collect();
                let mut written = Vec::new();
                for (key, value) in entries {
                    let key = self.key(key, &keys);
                    let before = self.gap();
                    let after = self.gap();
                    let value = self.value(value);
                    written.push(format!("{key}{before}:{after}{value}"));
                }
                self.depth -= 1;
                self.container(&written, ['{', '}'])
            }
        }
    }

    fn container(&mut self, elements: &[String], [open, close]: [char; 2]) -> String {
        let is_tuple = open == '(';
        let mut text = String::from(open);
        for (i, element) in elements.iter().enumerate() {
            let before = self.gap();
            write!(text, "{before}{element}").unwrap();
            let after = self.gap();
            let is_last = i + 1 == elements.len();
            let needs_comma = if is_last {
                self.has(D::TrailingCommas) || (is_tuple && elements.len() == 1)
            } else {
                // Without its comma `-1` would be subtracted, a tuple would be an expression, Python would join two
                // strings, and a comma at the end of one would be the comma.
                const QUOTES: [char; 4] = ['"', '\'', '`', '\u{201c}'];
                let strings = element.ends_with(['"', '\'', '`', '\u{201d}'])
                    && elements[i + 1].starts_with(QUOTES);
                !self.has(D::MissingCommas)
                    || is_tuple
                    || elements[i + 1].starts_with(['-', '+', '.', '('])
                    || (strings && self.is_of_python())
                    || element.trim_end_matches(['"', '\'', '`', '\u{201d}']).ends_with(',')
            };
            if needs_comma {
                write!(text, "{after},").unwrap();
            } else if is_last {
                text.push_str(&after);
            } else {
                write!(text, "\n{after}").unwrap();
            }
        }
        if elements.is_empty() {
            text.push_str(&self.gap());
        }
        text.push(close);
        text
    }

    /// A comment, if there are any.
    fn gap(&mut self) -> String {
        const SAID: &[&str] =
            &["note", "it's \"so\"", "{\"a\": [1]}", "}", "]", "`", "", "one, 2", "\\"];
        self.comments += 1;
        let said = SAID[self.comments % SAID.len()];
        let turn = self.comments.is_multiple_of(2);
        match () {
            () if self.has(D::LineComments) && turn => format!("// {said}\n"),
            () if self.has(D::HashComments) && turn => format!("# {said}\n"),
            () if self.has(D::BlockComments) => format!("/* {said} */"),
            () => String::new(),
        }
    }

    fn key(&self, key: &str, all: &[&str]) -> String {
        let mut key = key.to_owned();
        if self.has(D::KeySpelling)
            && all.iter().filter(|other| folded(other) == folded(&key)).count() == 1
        {
            key = respelled(&key);
        }
        let is_start = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$');
        let is_word =
            key.starts_with(is_start) && key.chars().all(|c| is_start(c) || c.is_ascii_digit());
        // In Python these are no names.
        let is_word = is_word && !["True", "False", "None"].contains(&key.as_str());
        if self.has(D::UnquotedKeys) && is_word { key } else { self.quoted(&key) }
    }

    fn number(&self, number: &Number) -> String {
        let mut text = number.to_string();
        let whole = number.as_i64().filter(|n| n.unsigned_abs() < 1 << 52);
        if whole.is_some() && self.has(D::WholeFloats) {
            text.push_str(".0");
        }
        if self.has(D::NumbersInStrings) {
            return self.quoted(&text);
        }
        if !self.has(D::NumberForms) || text.ends_with(".0") && !number.is_f64() {
            return text;
        }
        match number.as_u64() {
            Some(n) if n % 3 == 0 => format!("0x{n:X}"),
            Some(n) if n >= 1000 => format!("{}_{:03}", n / 1000, n % 1000),
            Some(n) => format!("+{n}"),
            None if text.starts_with("0.") => text[1..].to_owned(),
            None if text.ends_with(".0") => text[..text.len() - 1].to_owned(),
            None => text,
        }
    }

    /// A string in the quotes of the day.
    fn quoted(&self, text: &str) -> String {
        let (open, close) = match () {
            () if self.has(D::SingleQuotes) => ("'", "'"),
            () if self.has(D::BacktickQuotes) => ("`", "`"),
            () if self.has(D::TypographicQuotes) => ("\u{201c}", "\u{201d}"),
            () if self.has(D::TripleQuotes) => ("\"\"\"", "\"\"\""),
            () => ("\"", "\""),
        };
        let mut quoted = open.to_owned();
        for c in text.chars() {
            match c {
                '\\' => quoted.push_str("\\\\"),
                '\'' | '`' if open.starts_with(c) => quoted.extend(['\\', c]),
                '"' if matches!(open, "\"" | "\"\"\"" | "\u{201c}") => quoted.push_str("\\\""),
                '\u{201c}' | '\u{201d}' if open == "\u{201c}" => {
                    write!(quoted, "\\u{:04x}", c as u32).unwrap();
                }
                '$' if open == "`" => quoted.push_str("\\u0024"),
                c if c < ' ' && self.has(D::RawControls) => quoted.push(c),
                '\n' => quoted.push_str("\\n"),
                c if c < ' ' => write!(quoted, "\\u{:04x}", c as u32).unwrap(),
                c => quoted.push(c),
            }
        }
        quoted + close
    }
}

/// A name in another case, and with other separators between its letters. One or two letters may be a unit, whose case
/// means something.
fn respelled(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= 2 {
        return name.to_owned();
    }
    let is_letter = |at: usize| chars.get(at).is_some_and(char::is_ascii_alphabetic);
    let respelled = chars.iter().enumerate().map(|(i, c)| match c {
        '_' | '-' if i > 0 && is_letter(i - 1) && is_letter(i + 1) => {
            if *c == '_' {
                '-'
            } else {
                '_'
            }
        }
        c if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
        c => c.to_ascii_lowercase(),
    });
    respelled.collect()
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
