//! Schemas: a few that use every coercion, and any number made at random.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Schemas of the orders that the corpus is about.
pub(crate) fn orders() -> Vec<Value> {
    vec![
        json!({"type": "object"}),
        json!({
            "type": "object",
            "properties": {
                "customer": {"type": "string", "minLength": 1},
                "count": {"type": "integer", "minimum": 1, "maximum": 99},
                "unit_price": {"type": "number"},
                "rush": {"type": "boolean"},
                "size": {"enum": ["small", "extra_large"]},
                "note": {"type": ["string", "null"]},
                "due": {"type": "string", "format": "date"},
                "address": {"$ref": "#/$defs/Address"},
                "items": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
            },
            "required": ["customer"],
            "additionalProperties": false,
            "$defs": {"Address": {"type": "object", "properties": {
                "street": {"type": "string"}, "number": {"type": "integer"},
            }}},
        }),
        json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        json!({"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"},
            {"type": "array", "items": {"type": "boolean"}}, {"type": "null"}]}}),
        json!({"type": "array", "items": {"$ref": "#"}}),
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}],
            "items": {"type": "number"}}),
        json!({"oneOf": [
            {"type": "object", "properties": {"name": {"const": "place_order"},
                "arguments": {"type": "object"}}, "required": ["name", "arguments"]},
            {"type": "object", "properties": {"customer": {"type": "string"}},
                "required": ["customer"], "additionalProperties": false},
        ]}),
        json!({"type": "integer"}),
        json!({"type": ["boolean", "null"]}),
        json!({"enum": ["Mara", "mara-lee", 3, null]}),
    ]
}

const KEYS: &[&str] = &["a", "b", "customer", "count", "a/b", "~"];
const TYPES: &[&str] = &["string", "integer", "number", "boolean", "null", "array", "object"];
const PATTERNS: &[&str] = &["^a", "[0-9]+$", "^$", "\u{e9}", "^(x|y)*z", "."];
const FORMATS: &[&str] = &[
    "date",
    "time",
    "date-time",
    "email",
    "ipv4",
    "ipv6",
    "ip",
    "uuid",
    "uri",
    "int8",
    "uint64",
    "uint8",
    "double",
    "none of them",
];

/// A value that schemas made here speak about.
pub(crate) fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(if depth == 0 { 0..6 } else { 0..10 }) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(-3..12)),
        3 => json!(rng.f64() * 10.0),
        4 => [json!(1.0), json!(0.1), json!(u64::MAX), json!(i64::MIN), json!(1e300)]
            [rng.usize(..5)]
        .clone(),
        5 => {
            let texts =
                ["", "a", "abc", "12", "2024-02-30", "10.0.0.1", "\u{e9}\u{1f600}", "x@y.z"];
            json!(texts[rng.usize(..texts.len())])
        }
        6 | 7 => (0..rng.usize(..4)).map(|_| value(rng, depth - 1)).collect(),
        _ => {
            Value::Object((0..rng.usize(..4)).map(|_| (key(rng), value(rng, depth - 1))).collect())
        }
    }
}

fn key(rng: &mut Rng) -> String {
    KEYS[rng.usize(..KEYS.len())].to_owned()
}

/// A schema whose references all lead to its two definitions, and never in a circle within one value.
pub(crate) fn random(rng: &mut Rng) -> Value {
    let mut schema = part(rng, 3, true);
    if let Some(entries) = schema.as_object_mut() {
        let defs = json!({"A": part(rng, 2, false), "B": part(rng, 2, false)});
        entries.insert("$defs".to_owned(), defs);
    }
    schema
}

/// A part of a schema. It refers to a definition only where `may_refer`: at the top, and below a value's own parts.
fn part(rng: &mut Rng, depth: usize, may_refer: bool) -> Value {
    let mut schema = Map::new();
    if depth == 0 {
        return json!({"type": TYPES[rng.usize(..TYPES.len())]});
    }
    for _ in 0..rng.usize(..4) {
        let (keyword, node) = keyword(rng, depth - 1, may_refer);
        schema.insert(keyword.to_owned(), node);
    }
    Value::Object(schema)
}

fn keyword(rng: &mut Rng, depth: usize, may_refer: bool) -> (&'static str, Value) {
    let parts = |rng: &mut Rng, refer| -> Value {
        (0..=rng.usize(..3)).map(|_| part(rng, depth, refer)).collect()
    };
    let keyed = |rng: &mut Rng| {
        Value::Object((0..rng.usize(..4)).map(|_| (key(rng), part(rng, depth, true))).collect())
    };
    let small = |rng: &mut Rng| json!(rng.i64(-1..4));
    match rng.u8(0..32) {
        0..=3 => ("type", json!(TYPES[rng.usize(..TYPES.len())])),
        4 => ("type", json!([TYPES[rng.usize(..3)], TYPES[rng.usize(3..7)]])),
        5 => ("enum", json!([value(rng, 1), value(rng, 0), "a"])),
        6 => ("const", value(rng, 1)),
        7 | 8 => ("properties", keyed(rng)),
        9 => ("required", json!([key(rng), key(rng)])),
        10 => ("additionalProperties", json!(rng.bool())),
        11 => ("additionalProperties", part(rng, depth, true)),
        12 => ("items", part(rng, depth, true)),
        13 => ("prefixItems", parts(rng, true)),
        14 => ("contains", part(rng, depth, true)),
        15 => (["minItems", "maxItems"][rng.usize(..2)], small(rng)),
        16 => (["minProperties", "maxProperties"][rng.usize(..2)], small(rng)),
        17 => (["minLength", "maxLength"][rng.usize(..2)], small(rng)),
        18 => ("uniqueItems", json!(rng.bool())),
        19 => {
            let limits = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
            (limits[rng.usize(..4)], value(rng, 0))
        }
        20 => ("multipleOf", [json!(0.1), json!(3), json!(0), json!(1e-9)][rng.usize(..4)].clone()),
        21 => ("pattern", json!(PATTERNS[rng.usize(..PATTERNS.len())])),
        22 => ("format", json!(FORMATS[rng.usize(..FORMATS.len())])),
        23 => ("anyOf", parts(rng, may_refer)),
        24 => ("oneOf", parts(rng, may_refer)),
        25 => ("allOf", parts(rng, may_refer)),
        26 => ("not", part(rng, depth, may_refer)),
        27 => (["if", "then", "else"][rng.usize(..3)], part(rng, depth, may_refer)),
        28 => ("patternProperties", json!({PATTERNS[rng.usize(..6)]: part(rng, depth, true)})),
        29 => ("propertyNames", part(rng, depth, false)),
        30 => ("unevaluatedProperties", json!(false)),
        _ if may_refer => ("$ref", json!(["#/$defs/A", "#/$defs/B"][rng.usize(..2)])),
        _ => ("minContains", small(rng)),
    }
}
