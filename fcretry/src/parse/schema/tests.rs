use serde_json::json;

use super::*;

fn fault(schema: &Value) -> String {
    Compiled::new(schema).map(|_| panic!("{schema}")).unwrap_err()
}

#[test]
fn a_reference_is_a_fragment_of_an_address() {
    for (reference, name) in [
        ("Gr%C3%B6%C3%9Fe", "Größe"),
        ("two%20words", "two words"),
        ("a%25b", "a%b"),
        ("a%b", "a%b"),
        ("%2", "%2"),
    ] {
        let schema = json!({
            "properties": {"a": {"$ref": format!("#/$defs/{reference}")}},
            "$defs": {name: {"type": "integer"}},
        });
        let compiled = Compiled::new(&schema).unwrap();
        assert!(!compiled.whole().property("a").unwrap().admits(Kind::String), "{name}");
    }
    assert!(fault(&json!({"$ref": "#/$defs/%FF"})).contains("leads nowhere"));
}

#[test]
fn a_fault_behind_a_reference_is_told_where_it_stands() {
    let broken = json!({"properties": {"b": {"pattern": "(?=x)"}}});
    for part in [
        json!({"$ref": "#/$defs/two%20words"}),
        json!({"$ref": "#/$defs/two%20words", "minimum": 1}),
    ] {
        let schema = json!({
            "properties": {"a": part},
            "$defs": {"two words": broken},
        });
        let fault = fault(&schema);
        assert!(fault.starts_with("/$defs/two words/properties/b/pattern: "), "{fault}");
    }
    let schema = json!({
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "thing"}},
        "$defs": {"A": {"type": "string"}},
    });
    assert!(fault(&schema).starts_with("/properties/b/type: "), "{}", fault(&schema));
}

#[test]
fn a_size_is_a_whole_number_however_it_is_written() {
    let compiled = Compiled::new(&json!({"minLength": 3.0, "maxLength": 4})).unwrap();
    let size = compiled.whole().node.text.length;
    assert_eq!(size, Size { least: Some(3), most: Some(4) });
    for (keyword, size) in [
        ("minLength", json!(-1)),
        ("maxLength", json!(1.5)),
        ("minItems", json!("3")),
        ("maxItems", json!(null)),
        ("minProperties", json!(-0.5)),
        ("maxProperties", json!([])),
    ] {
        let schema = json!({"properties": {"a": {keyword: size}}});
        assert!(fault(&schema).starts_with(&format!("/properties/a/{keyword}: ")), "{schema}");
    }
    let schema = json!({"contains": {}, "minContains": 0.5});
    assert!(fault(&schema).starts_with("/minContains: "), "{schema}");
}

#[test]
fn a_number_that_is_listed_is_admitted_however_it_is_written() {
    let admits = |schema: Value| {
        let compiled = Compiled::new(&schema).unwrap();
        [Kind::Integer, Kind::Number, Kind::String].map(|kind| compiled.whole().admits(kind))
    };
    assert_eq!(admits(json!({"enum": [5.0, 6]})), [true, true, false]);
    assert_eq!(admits(json!({"enum": [5, "a"]})), [true, true, true]);
    assert_eq!(admits(json!({"const": 5.0})), [true, true, false]);
    assert_eq!(admits(json!({"type": "integer", "const": 5.0})), [true, false, false]);
    assert_eq!(
        admits(json!({"type": ["integer", "null"], "enum": [5, 6, "a"]})),
        [true, false, false]
    );
}

#[test]
fn a_type_beside_a_union_that_says_what_its_branches_do_leaves_it_a_union() {
    let tagged = |word: &str| json!({"type": "object", "properties": {"kind": {"const": word}}, "required": ["kind"]});
    let schema = json!({"type": "object", "oneOf": [tagged("a"), tagged("b")]});
    let compiled = Compiled::new(&schema).unwrap();
    assert!(matches!(compiled.whole().route(Kind::Object), Some(Route::ByTag(..))));
    assert!(matches!(compiled.whole().route(Kind::String), Some(Route::Nowhere)));
    for narrower in [
        json!({"type": "object", "oneOf": [tagged("a"), {"type": "string"}]}),
        json!({"type": "object", "required": ["x"], "oneOf": [tagged("a"), tagged("b")]}),
    ] {
        let compiled = Compiled::new(&narrower).unwrap();
        assert!(compiled.whole().route(Kind::Object).is_none(), "{narrower}");
    }
}
