use std::{borrow::Cow, fmt, sync::LazyLock};

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{duplicates, tolerant};
use crate::failure::{FailureKind, Violation};

/// Text that is not JSON, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) kind: FailureKind,
    pub(crate) note: String,
}

/// The JSON value that `text` is, with a violation for every key that an object has twice: `serde_json`
/// would keep the last without a word, and the model would never learn that it was not heard.
///
/// Depth is bounded by the limit of `serde_json`, 128.
pub(super) fn value(text: &str) -> Result<(Value, Vec<Violation>), Unreadable> {
    let mut oddities = Oddities::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Any(&mut oddities).deserialize(&mut reader);
    match read.and_then(|value| reader.end().map(|()| value)) {
        Ok(_) if oddities.huge_number && loses_digits(text) => Err(Unreadable {
            kind: FailureKind::StructuralParse,
            note: "an integer of more than 64 bits".to_owned(),
        }),
        // Where they are is worth a second look only if there are any.
        Ok(value) if oddities.duplicate_key => Ok(match tolerant::read(text, 0) {
            Ok(read) => (read.value, read.duplicates.found),
            Err(_) => (value, vec![Violation::schema("", duplicates::ONCE, None)]),
        }),
        Ok(value) => Ok((value, Vec::new())),
        Err(error) => Err(unreadable(text, &error)),
    }
}

/// Whether `text`, which is JSON, holds an integer that no 64-bit type does.
fn loses_digits(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let token = rest.get(at..).unwrap_or_default();
        let length = if let Some(inside) = token.strip_prefix('"') {
            string_length(inside) + 1
        } else {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
            let number = token.get(..token.find(|c| !is_part(c)).unwrap_or(token.len()));
            if number.is_some_and(|number| tolerant::exact(number).is_none()) {
                return true;
            }
            number.map_or(1, str::len)
        };
        rest = token.get(length..).unwrap_or_default();
    }
    false
}

/// How long a JSON string is, from behind its opening quote to behind its closing one.
fn string_length(inside: &str) -> usize {
    let mut bytes = inside.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    inside.len()
}

fn unreadable(text: &str, error: &serde_json::Error) -> Unreadable {
    let place = format!("at line {} column {}", error.line(), error.column());
    if text.trim().is_empty() {
        let note = "the text is empty; an object without arguments is `{}`".to_owned();
        return Unreadable { kind: FailureKind::StructuralParse, note };
    }
    if error.is_eof() {
        return Unreadable {
            kind: FailureKind::Truncated,
            note: format!("the JSON ends in the middle of a value, {place}"),
        };
    }
    // serde_json words its syntax errors itself; nothing of the text is in them.
    Unreadable { kind: FailureKind::StructuralParse, note: error.to_string() }
}

/// Just below 2⁶³: integers from here on may not fit.
pub(super) const HUGE: f64 = 9.2e18;

/// How `serde_json` hands out numbers when any crate of the build turns on its `arbitrary_precision`: as an object
/// of this one key.
const NUMBER: &str = "$serde_json::private::Number";

/// Whether it does.
pub(super) static NUMBERS_ARE_MAPS: LazyLock<bool> = LazyLock::new(|| {
    let digits = "1.00000000000000000000000000000001";
    let kept = serde_json::from_str::<Value>(digits).map(|number| number.to_string());
    kept.is_ok_and(|kept| kept == digits)
});

/// What JSON can hold and a value cannot.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    /// An object has a key twice.
    pub(super) duplicate_key: bool,
    /// A float was read that could have been written as an integer of more than 64 bits: `serde_json` turns one into
    /// the other, and its digits are gone.
    pub(super) huge_number: bool,
}

impl Oddities {
    pub(super) fn look_at(&mut self, float: f64) {
        self.huge_number |= float.abs() >= HUGE;
    }
}

/// Any value, as `serde_json` reads it.
pub(super) struct Any<'o>(pub(super) &'o mut Oddities);

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        self.0.look_at(value);
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(Any(self.0))? {
            read.push(item);
        }
        // Room for four is made at once, and a tower of lists of one would take many times its text.
        if read.len() * 2 <= read.capacity() {
            read.shrink_to_fit();
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        self.object(None, entries)
    }
}

impl Any<'_> {
    /// An object, of which the first key may be read already.
    pub(super) fn object<'de, A: MapAccess<'de>>(
        self,
        first: Option<Cow<'de, str>>,
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut read = Map::new();
        let mut next = first.map(Cow::into_owned);
        if next.is_none() {
            next = entries.next_key()?;
        }
        while let Some(key) = next {
            if key == NUMBER && *NUMBERS_ARE_MAPS {
                let digits = entries.next_value::<String>()?;
                return serde_json::from_str(&digits).map_err(de::Error::custom);
            }
            let value = entries.next_value_seed(Any(self.0))?;
            self.0.duplicate_key |= read.insert(key, value).is_some();
            next = entries.next_key()?;
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_comes_back_unchanged() {
        for text in
            ["null", "-0.0", "18446744073709551615", r#"{"a":[1,2.5,"x",{"b":null}],"":true}"#]
        {
            let (read, duplicates) = value(text).unwrap();
            assert_eq!(read, serde_json::from_str::<Value>(text).unwrap());
            assert!(duplicates.is_empty());
        }
    }

    #[test]
    fn an_integer_that_would_lose_digits_is_refused_and_a_float_is_not() {
        assert!(value("[123456789012345678901234567890]").is_err());
        assert!(value("[-9223372036854775809]").is_err());
        assert!(value("[1e300, 18446744073709551615, 123456789012345678901234567890.0]").is_ok());
    }

    #[test]
    fn a_key_given_twice_is_seen_at_any_depth() {
        let (_, found) = value(r#"{"a": [{"b/c": 1, "b/c": 2}], "a": 3}"#).unwrap();
        let pointers: Vec<_> = found.iter().map(Violation::pointer).collect();
        assert_eq!(pointers, ["/a/0/b~1c", "/a"]);
        assert_eq!(found[0].got(), Some(&json!(2)));
    }

    #[test]
    fn what_ends_midway_is_cut_and_what_never_was_json_is_not() {
        let kind = |text: &str| value(text).unwrap_err().kind;
        for cut in ["{", r#"{"a": "b"#, "[1,", r#"{"a""#] {
            assert_eq!(kind(cut), FailureKind::Truncated, "{cut}");
        }
        for broken in ["", "  \n", "hello", "{'a': 1}", "{} {}", &"[".repeat(100_000)] {
            assert_eq!(kind(broken), FailureKind::StructuralParse, "{broken:.20}");
        }
    }
}
