use serde_json::json;

use super::{found::MAX_VIOLATIONS, *};

fn found(schema: Value, value: &Value) -> Vec<String> {
    let checker = Checker::new(schema).unwrap();
    checker.check(value).iter().map(ToString::to_string).collect()
}

#[test]
fn every_violation_is_found_and_worded() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2},
            "size": {"$ref": "#/$defs/Size"},
            "items": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
        },
        "required": ["name", "size", "items"],
        "additionalProperties": false,
        "$defs": {"Size": {"enum": ["s", "m"]}},
    });
    assert_eq!(
        found(schema, &json!({"name": "x", "items": [0, "2"], "extra": true})),
        [
            "/size: expected one of \"s\", \"m\"; it is required, got nothing",
            "/name: expected at least 2 characters, got string",
            "/items/0: expected at least 1, got integer",
            "/items/1: expected an integer, got string",
            "/extra: expected no such key; the keys are `name`, `size`, `items`, got boolean",
        ]
    );
}

#[test]
fn each_keyword_takes_what_it_says_and_nothing_else() {
    for (schema, right, wrong) in [
        (json!({"type": "integer"}), json!(5), json!(5.0)),
        (json!({"type": "number"}), json!(5), json!("5")),
        (json!({"type": ["string", "null"]}), json!(null), json!(0)),
        (json!({"const": 1}), json!(1.0), json!(2)),
        (json!({"enum": ["a", 1]}), json!("a"), json!("b")),
        (json!({"minimum": 2}), json!(2), json!(1)),
        (json!({"maximum": 2}), json!(2), json!(2.1)),
        (json!({"exclusiveMinimum": 2}), json!(3), json!(2)),
        (json!({"exclusiveMaximum": 2}), json!(1), json!(2)),
        (json!({"multipleOf": 3}), json!(9), json!(10)),
        (json!({"multipleOf": 0.1}), json!(0.3), json!(0.25)),
        (json!({"format": "uint8"}), json!(255), json!(256)),
        (json!({"format": "int32"}), json!(-2_147_483_648_i64), json!(2_147_483_648_i64)),
        (json!({"minLength": 2}), json!("\u{e9}\u{e9}"), json!("\u{e9}")),
        (json!({"maxLength": 1}), json!("\u{e9}"), json!("ab")),
        (json!({"pattern": "^a+$"}), json!("aa"), json!("ab")),
        (json!({"format": "ipv4"}), json!("10.0.0.1"), json!("10")),
        (json!({"minItems": 1}), json!([1]), json!([])),
        (json!({"maxItems": 1}), json!([1]), json!([1, 2])),
        (json!({"uniqueItems": true}), json!([1, "1"]), json!([1, 1.0])),
        (
            json!({"uniqueItems": true}),
            json!([{"a": 1}]),
            json!([{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        ),
        (json!({"items": {"type": "string"}}), json!(["a"]), json!([1])),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false}),
            json!(["a"]),
            json!(["a", 1]),
        ),
        (json!({"contains": {"type": "string"}}), json!([1, "a"]), json!([1])),
        (json!({"minProperties": 1}), json!({"a": 1}), json!({})),
        (json!({"maxProperties": 1}), json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!({"required": ["a"]}), json!({"a": 1}), json!({})),
        (json!({"additionalProperties": {"type": "string"}}), json!({"a": "x"}), json!({"a": 1})),
        (
            json!({"patternProperties": {"^x": {"type": "string"}}}),
            json!({"x1": "x", "y": 1}),
            json!({"x1": 1}),
        ),
        (json!({"propertyNames": {"maxLength": 1}}), json!({"a": 1}), json!({"ab": 1})),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(2), json!(3)),
        (json!({"anyOf": [{"type": "string"}, {"minimum": 3}]}), json!(3), json!(2)),
        (json!({"oneOf": [{"type": "integer"}, {"minimum": 3}]}), json!(2), json!(3)),
        (json!({"not": {"type": "string"}}), json!(1), json!("a")),
        (
            json!({"if": {"minimum": 5}, "then": {"multipleOf": 5}, "else": {"maximum": 2}}),
            json!(10),
            json!(7),
        ),
        (json!(false), json!(null), json!(null)),
        (
            json!({"properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}], "unevaluatedProperties": false}),
            json!({"a": 1, "b": 2}),
            json!({"c": 1}),
        ),
        (
            json!({"$ref": "#/$defs/A", "maximum": 3, "$defs": {"A": {"type": "integer"}}}),
            json!(3),
            json!("x"),
        ),
    ] {
        if schema != json!(false) {
            assert_eq!(found(schema.clone(), &right), Vec::<String>::new(), "{schema} {right}");
        }
        assert_eq!(found(schema.clone(), &wrong).len(), 1, "{schema} {wrong}");
    }
}

#[test]
fn keywords_about_keys_that_need_others_are_enforced() {
    let needs = json!({"dependentRequired": {"a": ["b", "c"]}});
    assert_eq!(
        found(needs.clone(), &json!({"a": 1, "c": 2})),
        ["/b: expected a value; it is required, got nothing"]
    );
    assert!(found(needs, &json!({"c": 1})).is_empty());
    let whole = json!({"dependentSchemas": {"a": {"properties": {"b": {"type": "string"}}}}});
    assert_eq!(
        found(whole.clone(), &json!({"a": 1, "b": 2})),
        ["/b: expected a string, got integer"]
    );
    assert!(found(whole, &json!({"b": 2})).is_empty());
}

#[test]
fn what_other_dialects_say_is_understood() {
    for (schema, right, wrong) in [
        (
            json!({"type": "dict", "properties": {"a": {"type": "float"}}}),
            json!({"a": 1.5}),
            json!({"a": "x"}),
        ),
        (json!({"type": "STRING"}), json!("a"), json!(1)),
        (json!({"type": "string", "nullable": true}), json!(null), json!(1)),
        (
            json!({"items": [{"type": "string"}], "additionalItems": false}),
            json!(["a"]),
            json!(["a", 1]),
        ),
        (json!({"minimum": 1, "exclusiveMinimum": true}), json!(2), json!(1)),
        (json!({"type": "any", "minimum": 1}), json!("a"), json!(0)),
    ] {
        assert!(found(schema.clone(), &right).is_empty(), "{schema} {right}");
        assert_eq!(found(schema.clone(), &wrong).len(), 1, "{schema} {wrong}");
    }
    for schema in [
        json!({"type": "thing"}),
        json!({"unevaluatedItems": false}),
        json!({"unevaluatedProperties": {"type": "string"}}),
        json!({"properties": {"a": "string"}}),
    ] {
        assert!(Checker::new(schema.clone()).is_err(), "{schema}");
    }
}

#[test]
fn a_described_choice_among_words_is_an_enum() {
    let schema = json!({"oneOf": [{"const": "a", "description": "One."}, {"enum": ["b", "c"], "type": "string"}]});
    assert!(found(schema.clone(), &json!("c")).is_empty());
    assert_eq!(
        found(schema, &json!("d")),
        ["(the whole value): expected one of \"a\", \"b\", \"c\", got string"]
    );
}

fn shapes() -> Value {
    json!({"oneOf": [
        {"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
        {"type": "object", "properties": {"kind": {"const": "box"}, "w": {"type": "number"}, "h": {"type": "number"}}, "required": ["kind", "w", "h"]},
    ]})
}

#[test]
fn of_a_union_the_variant_that_was_meant_is_explained() {
    assert_eq!(
        found(shapes(), &json!({"kind": "box", "w": "3"})),
        ["/h: expected a number; it is required, got nothing", "/w: expected a number, got string"]
    );
    assert_eq!(
        found(shapes(), &json!({"kind": "cube", "w": 3})),
        ["/kind: expected one of \"circle\", \"box\", got string"]
    );
    assert_eq!(found(shapes(), &json!(7)), ["(the whole value): expected an object, got integer"]);
}

#[test]
fn a_variant_tagged_by_its_key_is_named_by_it() {
    let schema = json!({"oneOf": [
        {"type": "object", "properties": {"Circle": {"type": "number"}}, "required": ["Circle"], "additionalProperties": false},
        {"type": "object", "properties": {"Box": {"type": "string"}}, "required": ["Box"], "additionalProperties": false},
    ]});
    assert_eq!(found(schema.clone(), &json!({"Box": 1})), ["/Box: expected a string, got integer"]);
    assert_eq!(
        found(schema, &json!({"Cube": 1})),
        ["(the whole value): expected an object with one of the keys `Circle`, `Box`, got object"]
    );
}

#[test]
fn an_option_of_the_wrong_type_names_both() {
    let schema = json!({"properties": {"note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
    assert_eq!(
        found(schema, &json!({"note": 3})),
        ["/note: expected a string or null, got integer"]
    );
    let words = json!({"oneOf": [{"const": "a"}, {"const": "b"}]});
    assert_eq!(
        found(words, &json!("c")),
        ["(the whole value): expected one of \"a\", \"b\", got string"]
    );
}

#[test]
fn what_cannot_be_enforced_is_refused_with_its_place() {
    let error = Checker::new(json!({"properties": {"a": {"pattern": "^(?!x)"}}})).unwrap_err();
    assert!(error.starts_with("/properties/a"), "{error}");
    assert!(Checker::new(json!({"$ref": "#/$defs/Missing"})).is_err());
    assert!(Checker::new(json!({"default": {"pattern": "("}})).is_ok());
}

#[test]
fn a_union_of_unions_costs_their_product_and_not_the_power_of_their_depth() {
    let wrapped = |op: &str| {
        json!({"type": "object", "required": ["left", "op", "right"], "properties": {
            "left": {"$ref": "#/$defs/F"}, "right": {"$ref": "#/$defs/F"}, "op": {"const": op},
        }})
    };
    let leaf =
        json!({"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}}});
    let schema = json!({"$ref": "#/$defs/F", "$defs": {"F": {"anyOf": [wrapped("and"), wrapped("or"), leaf]}}});
    let mut value = json!({"v": "wrong"});
    for _ in 0..126 {
        value = json!({"left": value, "right": {"v": 1}, "op": "or"});
    }
    let violations = found(schema, &value);
    assert_eq!(violations.len(), 1);
    assert!(
        violations[0].ends_with("/left/v: expected an integer, got string"),
        "{}",
        violations[0]
    );
}

#[test]
fn a_circle_of_references_ends() {
    let schema = json!({"$ref": "#/$defs/A", "$defs": {
        "A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"allOf": [{"$ref": "#/$defs/A"}]},
    }});
    assert!(found(schema, &json!(1)).is_empty());
    let itself = json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}});
    assert!(found(itself, &json!(1)).is_empty());
}

#[test]
fn what_hostile_text_can_make_of_violations_is_bounded() {
    let schema = json!({"type": "object", "additionalProperties": {"items": {"type": "integer"}}});
    let key = "k".repeat(100_000);
    let many: Vec<Value> = (0..10_000).map(|_| json!("x")).collect();
    let checker = Checker::new(schema.clone()).unwrap();
    assert_eq!(checker.check(&json!({ key: many.clone() })).len(), 1);
    assert_eq!(Checker::new(schema).unwrap().check(&json!({ "a": many })).len(), MAX_VIOLATIONS);
}

// What doubles at each level would not end.
#[test]
fn parts_that_several_parts_of_a_schema_are_about_are_gone_through_once() {
    let tower = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!({ "a": inner }));
    let part = json!({"$ref": "#"});
    let ends = json!({"type": ["object", "integer"]});
    for schema in [
        json!({"properties": {"a": part}, "allOf": [{"properties": {"a": part}}, ends]}),
        json!({"properties": {"a": part}, "patternProperties": {"^a": part}, "allOf": [ends]}),
        json!({"properties": {"a": part}, "anyOf": [{"properties": {"a": part}}], "allOf": [ends]}),
        json!({"properties": {"a": part}, "dependentSchemas": {"a": {"properties": {"a": part}}}, "allOf": [ends]}),
        json!({"properties": {"a": part}, "allOf": [part, part, ends]}),
        json!({"properties": {"a": part}, "if": {"properties": {"a": part}},
            "then": {"properties": {"a": part}}, "else": {"properties": {"a": part}}, "allOf": [ends]}),
    ] {
        let told = found(schema.clone(), &tower(100));
        assert!(!told.is_empty() && told.len() < 300, "{schema}: {told:?}");
        let wrong = format!("{}: ", "/a".repeat(100));
        assert!(told.iter().any(|violation| violation.starts_with(&wrong)), "{schema}: {told:?}");
        let right = tower(100).to_string().replace("\"x\"", "1");
        assert_eq!(found(schema, &serde_json::from_str(&right).unwrap()), [""; 0]);
    }
}

#[test]
fn what_two_parts_demand_of_one_value_is_told_of_both() {
    let schema = json!({
        "properties": {"a": {"minimum": 2}},
        "allOf": [{"properties": {"a": {"multipleOf": 2}}}],
    });
    assert_eq!(found(schema, &json!({"a": 1})).len(), 2);
}

#[test]
fn a_large_number_is_no_multiple_of_everything() {
    let is = |number: &str, step: &str| {
        let schema: Value = serde_json::from_str(&format!("{{\"multipleOf\": {step}}}")).unwrap();
        found(schema, &serde_json::from_str(number).unwrap()).is_empty()
    };
    for (number, step) in [
        ("0.3", "0.1"),
        ("0.30000000000000004", "0.1"),
        ("1234567.3000000003", "0.1"),
        ("19.99", "0.01"),
        ("1234567890123.45", "0.01"),
        ("123456789012345", "0.5"),
        ("1e300", "0.1"),
        ("1e22", "2.5"),
        ("-7.5", "2.5"),
        ("0", "0.7"),
        ("0.0", "3"),
        ("18446744073709551615", "0.5"),
        ("6.0", "3"),
    ] {
        assert!(is(number, step), "{number} {step}");
    }
    for (number, step) in [
        ("123456789012.345", "0.01"),
        ("1234567890.5", "1"),
        ("1000000000001", "1.5"),
        ("1e17", "3"),
        ("1e16", "0.3"),
        ("1e-300", "0.1"),
        ("1e-12", "0.1"),
        ("0.25", "0.1"),
        ("7.0", "3"),
        ("18446744073709551615", "2.5e10"),
    ] {
        assert!(!is(number, step), "{number} {step}");
    }
}
