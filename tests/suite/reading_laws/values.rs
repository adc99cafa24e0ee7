//! Values of every shape, and the schemas that they fit.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// What strings are made of: whatever means something to a reader that looks into them.
const PIECES: &[&str] = &[
    "a",
    "b",
    "word",
    " ",
    "\"",
    "'",
    "\\",
    "\n",
    "\t",
    "\r\n",
    "\0",
    "\u{1f}",
    "\u{7f}",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "`",
    "```",
    "```json\n",
    "\u{201c}",
    "\u{201d}",
    "\u{2019}",
    "//",
    "/*",
    "*/",
    "# ",
    "<b>",
    "</tool_call>",
    "[1]",
    "{x: 1}",
    "True",
    "None",
    "${x}",
    "1/6",
    "\u{e9}",
    "\u{1f600}",
    "\u{2028}",
    "\u{feff}",
    "\\u0041",
    "\\n",
    "C:\\Users",
    "42",
    "true",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z_]{1,4}",
        1 => "[a-z]{2,3}[A-Z][a-z]{1,2}[0-9]?",
        1 => select(&["type", "name", "id", "a-b", "true", "None", "r", "$ref", "\u{e9}t\u{e9}"][..])
            .prop_map(str::to_owned),
        1 => text(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => (-20..2000_i64).prop_map(Value::from),
        2 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        1 => (-99..99_i32).prop_map(|n| Value::from(f64::from(n) / 4.0)),
        4 => text().prop_map(Value::from),
    ]
}

/// Any JSON value, up to five containers deep.
pub(super) fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            vec((key(), inner), 0..5).prop_map(object),
        ]
    })
}

/// An object with at least one key, as arguments are.
pub(super) fn arguments() -> impl Strategy<Value = Value> {
    vec((key(), value()), 1..4).prop_map(object)
}

/// An object, or a list.
pub(super) fn container() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => arguments(),
        1 => vec(value(), 0..4).prop_map(Value::Array),
    ]
}

fn object(entries: Vec<(String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect())
}

/// The schema that `value` and whatever has its shape fits: every key required and no other admitted. With
/// `is_choice`, its strings are enums.
pub(super) fn schema_of(value: &Value, is_choice: bool) -> Value {
    match value {
        Value::Null => json!({"type": "null"}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(text) if is_choice => json!({"enum": [text, format!("{text} of another")]}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| schema_of(item, is_choice)).collect();
            let size = items.len();
            let mut schema = json!({"type": "array", "items": false, "minItems": size});
            if size > 0 {
                schema["prefixItems"] = Value::Array(items);
            }
            schema
        }
        Value::Object(entries) => {
            let properties: Map<_, _> =
                entries.iter().map(|(k, v)| (k.clone(), schema_of(v, is_choice))).collect();
            let required: Vec<_> = entries.keys().cloned().collect();
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
    }
}

/// The pointers of all that holds nothing else.
pub(super) fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    walk(item, &format!("{at}/{i}"), found);
                }
            }
            Value::Object(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{at}/{key}"), found);
                }
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}
