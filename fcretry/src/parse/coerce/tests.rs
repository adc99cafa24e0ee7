use super::{super::schema::Compiled, *};
use serde_json::json;

fn coerced(schema: &Value, mut value: Value) -> (Value, Vec<(RecoveryKind, String)>) {
    let mut log = Log::default();
    coerce(&mut value, Compiled::new(schema).unwrap().whole(), &mut log);
    let log = log.into_vec().into_iter().map(|entry| match entry.at {
        crate::parse::recovered::Place::Pointer(at) => (entry.kind, at),
        crate::parse::recovered::Place::Byte(_) => unreachable!(),
    });
    (value, log.collect())
}

fn right(schema: &Value, value: Value, expected: &Value, kind: RecoveryKind) {
    let (read, log) = coerced(schema, value);
    assert_eq!(read, *expected);
    assert_eq!(log.first().map(|entry| entry.0), Some(kind), "{log:?}");
}

fn unchanged(schema: &Value, value: Value) {
    let (read, log) = coerced(schema, value.clone());
    assert_eq!((read, log), (value, vec![]));
}

#[test]
fn the_list_is_what_is_put_right() {
    let integer = json!({"type": "integer"});
    right(&integer, json!("30"), &json!(30), RecoveryKind::NumberInString);
    right(&integer, json!("5.0"), &json!(5), RecoveryKind::NumberInString);
    right(&integer, json!(5.0), &json!(5), RecoveryKind::WholeNumber);
    right(&json!({"type": "number"}), json!("-2.5"), &json!(-2.5), RecoveryKind::NumberInString);
    right(&json!({"type": "boolean"}), json!("true"), &json!(true), RecoveryKind::BooleanInString);
    let list = json!({"type": "array", "items": {"type": "integer"}});
    right(&list, json!("[1, \"2\"]"), &json!([1, 2]), RecoveryKind::DoubleEncoding);
    right(
        &json!({"type": "object"}),
        json!("{'a': 1}"),
        &json!({"a": 1}),
        RecoveryKind::DoubleEncoding,
    );
    let size = json!({"enum": ["extra_large", "small"]});
    right(&size, json!("Extra-Large"), &json!("extra_large"), RecoveryKind::EnumSpelling);
    let words = json!({"oneOf": [{"const": "Celsius"}, {"const": "Fahrenheit"}]});
    right(&words, json!("celsius"), &json!("Celsius"), RecoveryKind::EnumSpelling);
    let keyed =
        json!({"properties": {"first_name": {"type": "string"}}, "required": ["first_name"]});
    right(
        &keyed,
        json!({"firstName": "A"}),
        &json!({"first_name": "A"}),
        RecoveryKind::KeySpelling,
    );
    let optional = json!({"properties": {"a": {"type": "string"}}});
    right(&optional, json!({"a": null, "b": 1}), &json!({"b": 1}), RecoveryKind::AbsentOptional);
}

#[test]
fn nothing_else_is() {
    let integer = json!({"type": "integer"});
    for value in [
        json!("thirty"),
        json!("1,234"),
        json!("30 days"),
        json!(5.5),
        json!("5.5"),
        json!(" 30"),
        json!("007"),
        json!("0x1F"),
        json!("+3"),
        json!(""),
        json!(true),
        json!([5]),
        json!(1e300),
        json!("99999999999999999999999"),
        json!(null),
        json!({"value": 5}),
    ] {
        unchanged(&integer, value);
    }
    unchanged(&json!({"type": "boolean"}), json!("True"));
    unchanged(&json!({"type": "boolean"}), json!("yes"));
    unchanged(&json!({"type": "boolean"}), json!(1));
    unchanged(&json!({"type": "array", "items": {"type": "string"}}), json!("one"));
    unchanged(&json!({"type": "string"}), json!(5));
    unchanged(&json!({"type": ["string", "array"]}), json!("[1]"));
    unchanged(&json!({"enum": ["red", "RED"]}), json!("Red"));
    unchanged(&json!({"enum": ["red"]}), json!("reddish"));
    let grades = json!({"enum": ["A+", "A-", "O-", "-created", "1-10", "-90", "MW"]});
    for near in ["A", "O", "created", "110", "90", "mW"] {
        unchanged(&grades, json!(near));
    }
    let object = json!({"type": "object"});
    unchanged(&object, json!("{\"a\": 1, \"a\": 2}"));
    unchanged(&object, json!("{\"a\": 123456789012345678901234567890}"));
    unchanged(&json!({"type": "number"}), json!("36893488147419103233"));
    unchanged(&integer, json!("5.00000000000000000000000000001"));
    let two = json!({"properties": {"user_id": {}, "userid": {}}});
    unchanged(&two, json!({"userId": 1}));
    let rivals = json!({"properties": {"user_id": {}}});
    unchanged(&rivals, json!({"userId": 1, "UserId": 2}));
    unchanged(&rivals, json!({"userId": 1, "user_id": 2}));
    let required = json!({"properties": {"a": {"type": "string"}}, "required": ["a"]});
    unchanged(&required, json!({"a": null}));
    let free = json!({"properties": {"a": {"type": ["string", "null"]}}});
    unchanged(&free, json!({"a": null}));
}

#[test]
fn parts_are_reached_through_references_unions_tuples_and_maps() {
    let schema = json!({
        "properties": {
            "node": {"$ref": "#/$defs/Node"},
            "pair": {"prefixItems": [{"type": "integer"}, {"type": "boolean"}]},
            "by_name": {"additionalProperties": {"type": "integer"}},
            "maybe": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            "count": {"type": ["integer", "null"]},
            "shape": {"oneOf": [
                {"properties": {"kind": {"const": "a"}, "n": {"type": "integer"}}, "required": ["kind", "n"], "type": "object"},
                {"properties": {"kind": {"const": "b"}, "n": {"type": "string"}}, "required": ["kind", "n"], "type": "object"},
            ]},
        },
        "$defs": {"Node": {"type": "object", "properties": {
            "value": {"type": "integer"},
            "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        }}},
    });
    let (read, log) = coerced(
        &schema,
        json!({
            "node": {"value": "1", "next": {"value": "2", "next": null}},
            "pair": ["3", "true"],
            "by_name": {"x": "4"},
            "maybe": "{\"value\": 5}",
            "count": "6",
            "shape": {"kind": "a", "n": "7"},
        }),
    );
    assert_eq!(
        read,
        json!({
            "node": {"value": 1, "next": {"value": 2, "next": null}},
            "pair": [3, true],
            "by_name": {"x": 4},
            "maybe": {"value": 5},
            "count": 6,
            "shape": {"kind": "a", "n": 7},
        })
    );
    assert_eq!(log.len(), 8, "{log:?}");
    unchanged(&schema, json!({"shape": {"kind": "b", "n": "7"}}));
}

#[test]
fn a_circle_of_references_ends() {
    let itself = json!({"allOf": [{"$ref": "#"}], "type": "integer"});
    assert_eq!(coerced(&itself, json!("30")).0, json!(30));
    let each_other = json!({"$ref": "#/$defs/A", "type": "integer", "$defs": {
        "A": {"$ref": "#/$defs/B", "minimum": 1}, "B": {"$ref": "#/$defs/A", "maximum": 9},
    }});
    assert_eq!(coerced(&each_other, json!("x")).0, json!("x"));
}

#[test]
fn what_stands_beside_a_union_is_put_right_as_well() {
    let schema = json!({
        "type": "object",
        "properties": {"count": {"type": "integer"}, "last_name": {"type": "string"}},
        "required": ["count"],
        "oneOf": [
            {"type": "object", "properties": {"Circle": {"$ref": "#/$defs/Size"}}, "required": ["Circle"]},
            {"type": "object", "properties": {"Square": {"$ref": "#/$defs/Size"}}, "required": ["Square"]},
        ],
        "allOf": [{"properties": {"flag": {"type": "boolean"}}}],
        "$defs": {"Size": {"type": "integer"}},
    });
    let (read, log) =
        coerced(&schema, json!({"count": "3", "lastName": "A", "Square": "4", "flag": "true"}));
    assert_eq!(read, json!({"count": 3, "last_name": "A", "Square": 4, "flag": true}));
    assert_eq!(log.len(), 4);
    // Of a union that it fits no branch of, nothing is known, and of the rest all the same.
    let (read, _) = coerced(&schema, json!({"count": "3", "Oval": "4"}));
    assert_eq!(read, json!({"count": 3, "Oval": "4"}));
}

#[test]
fn a_key_of_another_part_is_no_spelling() {
    let schema = json!({
        "properties": {"last_name": {"type": "string"}},
        "allOf": [{"properties": {"lastname": {"type": "string"}}}],
    });
    unchanged(&schema, json!({"lastname": "A"}));
}

// What doubles at each level would not end.
#[test]
fn parts_that_several_parts_of_a_schema_are_about_are_gone_through_once() {
    let tower = |depth: usize| (0..depth).fold(json!("1"), |inner, _| json!({ "a": inner }));
    let part = json!({"$ref": "#/$defs/Part"});
    let twice = json!({
        "$ref": "#/$defs/Part",
        "$defs": {"Part": {
            "type": "object",
            "properties": {"a": {"anyOf": [part, {"type": "integer"}]}},
            "allOf": [{"properties": {"a": {"anyOf": [part, {"type": "integer"}]}}}],
        }},
    });
    let (read, log) = coerced(&twice, tower(100));
    assert_eq!(read.to_string(), tower(100).to_string().replace("\"1\"", "1"));
    assert_eq!(log.len(), 1);
    let both = json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}], "properties": {"a": {"$ref": "#"}}});
    unchanged(&both, tower(100));
}

#[test]
fn the_pointers_of_a_log_take_a_bounded_room() {
    let key = "k".repeat(50_000);
    let items: Vec<Value> = vec![json!("1"); 900];
    let schema = json!({"additionalProperties": {"items": {"type": "integer"}}});
    let (read, log) = coerced(&schema, json!({ &*key: items }));
    assert_eq!(read[&*key][899], json!(1));
    assert_eq!(log.len(), 1);
}
