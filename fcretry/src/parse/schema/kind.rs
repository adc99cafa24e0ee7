//! The JSON types, an integer apart from other numbers.

use serde_json::{Number, Value};

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) enum Kind {
    Null,
    Boolean,
    Integer,
    /// A number that is written with a fraction or an exponent; as a demand, any number.
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(in crate::parse) const ALL: [Self; Self::COUNT] = [
        Self::Null,
        Self::Boolean,
        Self::Integer,
        Self::Number,
        Self::String,
        Self::Array,
        Self::Object,
    ];
    pub(in crate::parse) const COUNT: usize = 7;

    /// In JSON Schema 5.0 is an integer; no integer type of Rust reads it, so here it is none.
    pub(in crate::parse) fn of_number(number: &Number) -> Self {
        if number.is_f64() { Self::Number } else { Self::Integer }
    }

    pub(in crate::parse) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) => Self::of_number(number),
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// By the name that JSON Schema has for it, or one that tool lists born in Python or Java have.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "null" | "none" => Self::Null,
            "boolean" | "bool" => Self::Boolean,
            "integer" | "int" | "long" => Self::Integer,
            "number" | "float" | "double" => Self::Number,
            "string" | "str" => Self::String,
            "array" | "list" | "tuple" => Self::Array,
            "object" | "dict" => Self::Object,
            _ => return None,
        })
    }

    /// "an integer"
    pub(in crate::parse) fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of types, in the order in which a schema lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::parse) struct Kinds {
    listed: Vec<Kind>,
    bits: u8,
}

impl Kinds {
    pub(super) fn add(&mut self, kind: Kind) {
        self.listed.push(kind);
        self.bits |= kind.bit();
        if kind == Kind::Number {
            self.bits |= Kind::Integer.bit();
        }
    }

    /// Whether values of this type are in it. An integer is a number.
    pub(in crate::parse) fn has(&self, kind: Kind) -> bool {
        self.bits & kind.bit() != 0
    }

    pub(super) fn bits(&self) -> u8 {
        self.bits
    }

    /// The types as the schema lists them.
    pub(in crate::parse) fn listed(&self) -> &[Kind] {
        &self.listed
    }

    /// "a string or null"
    pub(in crate::parse) fn words(&self) -> String {
        let named: Vec<_> = self.listed.iter().map(|kind| kind.with_article()).collect();
        named.join(" or ")
    }
}
