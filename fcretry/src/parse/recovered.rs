use std::fmt;

use serde::{Deserialize, Serialize};

/// How far reading goes to make sense of what a model wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recovery {
    /// JSON as it is, or a failure.
    Off,
    /// What can be read without inventing, dropping or altering anything.
    #[default]
    Lossless,
    /// Also closing brackets and quotes that have one reading; each is flagged.
    Lenient,
}

impl Recovery {
    pub(crate) const ALL: &[Self] = &[Self::Off, Self::Lossless, Self::Lenient];

    /// The name in attributes and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Lossless => "lossless",
            Self::Lenient => "lenient",
        }
    }
}

/// The most entries a log keeps: an answer of a million comments is not worth a million entries.
const KEPT: usize = 1000;

/// The most bytes of pointers it keeps: each repeats the keys above it.
const MAX_POINTERS: usize = 64 * 1024;

/// Declares the kinds once, each with the name it has in reports.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What was put right on the way from a model's text to a value, without asking again. It is lossless:
        /// nothing was invented, dropped or altered; the kinds that are not certain of that say so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum RecoveryKind {
            $($(#[$doc])* $variant,)+
        }

        impl RecoveryKind {
            /// The `snake_case` name, as in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

kinds! {
    /// A string in single quotes.
    SingleQuotes = "single_quotes",
    /// A string in backticks.
    BacktickQuotes = "backtick_quotes",
    /// A string in typographic quotes.
    TypographicQuotes = "typographic_quotes",
    /// A string in three quotes on each side.
    TripleQuotes = "triple_quotes",
    /// A key without quotes.
    UnquotedKey = "unquoted_key",
    /// `True`, `False` or `None`.
    PythonLiteral = "python_literal",
    /// A tuple, or a value in parentheses.
    Parentheses = "parentheses",
    /// A number in a form that JSON does not have: `+1`, `.5`, `0x1F`, `1_000`.
    NumberForm = "number_form",
    /// A comment.
    Comment = "comment",
    /// White space that JSON does not have, or a byte order mark.
    WhiteSpace = "white_space",
    /// A comma after the last element.
    TrailingComma = "trailing_comma",
    /// No comma between two elements.
    MissingComma = "missing_comma",
    /// A line break, tab or other control character inside a string.
    ControlCharacter = "control_character",
    /// An escape that JSON does not have.
    Escape = "escape",
    /// The value stood in a code fence.
    Fence = "fence",
    /// The value stood behind a tag such as `<tool_call>`, or a control token such as `[TOOL_CALLS]`.
    Tags = "tags",
    /// Text stood before or after the value.
    SurroundingText = "surrounding_text",
    /// No text at all, where an object without arguments is meant.
    EmptyArguments = "empty_arguments",
    /// The value was encoded twice, as a string that holds JSON; or JSON stood in quotes, or between escaped ones, as no
    /// string holds it.
    DoubleEncoding = "double_encoding",
    /// The arguments stood inside a wrapper: `{"name": .., "arguments": ..}` and its kin, `{"the_tool": {..}}`, the
    /// schema itself, `{{..}}`.
    Wrapper = "wrapper",
    /// A number written as a string.
    NumberInString = "number_in_string",
    /// A whole number written with a fraction of zero.
    WholeNumber = "whole_number",
    /// `"true"` or `"false"` as a string.
    BooleanInString = "boolean_in_string",
    /// An enum value that differs in case or separators.
    EnumSpelling = "enum_spelling",
    /// A key that differs in case or separators.
    KeySpelling = "key_spelling",
    /// `null` for a value that may be left out.
    AbsentOptional = "absent_optional",
    /// A bracket that was missing after a complete token. Only with [`Recovery::Lenient`]: more may have been meant.
    ClosingBracket = "closing_bracket",
    /// A quote inside a string that was not escaped. Only with [`Recovery::Lenient`].
    InnerQuote = "inner_quote",
    /// The tool's name, in another spelling or with a prefix.
    ToolSpelling = "tool_spelling",
    /// The call stood in the content of the message, where a call was required.
    CallInContent = "call_in_content",
}

impl fmt::Display for RecoveryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that was put right, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Recovered {
    /// What it was.
    pub kind: RecoveryKind,
    /// Where: the byte of the text for its syntax, a JSON pointer for its values.
    pub at: Place,
}

/// Where something was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Place {
    /// A byte of the text, counted from 0.
    Byte(usize),
    /// A JSON pointer (RFC 6901) into the value.
    Pointer(String),
}

/// What was put right, in order; the first is always kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Log {
    entries: Vec<Recovered>,
    /// The bytes of the pointers.
    told: usize,
}

impl Log {
    pub(super) fn syntax(&mut self, kind: RecoveryKind, at: usize) {
        if self.has_room(0) {
            self.entries.push(Recovered { kind, at: Place::Byte(at) });
        }
    }

    pub(crate) fn value(&mut self, kind: RecoveryKind, pointer: &str) {
        if self.has_room(pointer.len()) {
            self.told += pointer.len();
            self.entries.push(Recovered { kind, at: Place::Pointer(pointer.to_owned()) });
        }
    }

    /// Whether another is kept, with this many bytes of a pointer.
    fn has_room(&self, pointer: usize) -> bool {
        let is_told = self.told.saturating_add(pointer) <= MAX_POINTERS;
        self.entries.is_empty() || (is_told && self.entries.len() < KEPT)
    }

    /// Moves the places in the text by what stood before the part that was read.
    pub(super) fn shift(&mut self, by: usize) {
        for entry in &mut self.entries {
            if let Place::Byte(at) = &mut entry.at {
                *at += by;
            }
        }
    }

    /// Puts all places in the text at one.
    pub(super) fn move_to(&mut self, place: usize) {
        for entry in &mut self.entries {
            if let Place::Byte(at) = &mut entry.at {
                *at = place;
            }
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        for entry in other.entries {
            let pointer = match &entry.at {
                Place::Pointer(pointer) => pointer.len(),
                Place::Byte(_) => 0,
            };
            if self.has_room(pointer) {
                self.told += pointer;
                self.entries.push(entry);
            }
        }
    }

    pub(super) fn has(&self, kind: RecoveryKind) -> bool {
        self.entries.iter().any(|entry| entry.kind == kind)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Recovered> {
        self.entries
    }
}
