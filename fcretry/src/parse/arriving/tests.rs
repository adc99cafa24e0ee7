use serde_json::{Value, json};

use crate::parse::{Reader, Recovery};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 12},
            "days": {"type": "integer", "minimum": 1},
            "size": {"enum": ["small", "extra_large"]},
            "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            "by_name": {"type": "object", "additionalProperties": {"type": "integer"}},
            "maybe": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
            "either": {"anyOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["b"]},
            ]},
        },
        "required": ["city"],
        "additionalProperties": false,
        "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "number"}}, "additionalProperties": false}},
    })
}

/// The pointers of what is wrong with a start already, or why it cannot be read.
fn wrong(start: &str) -> Vec<String> {
    let reader = Reader::new(&schema()).unwrap().tool("the_tool");
    match reader.look_at_start(start) {
        Ok(()) => Vec::new(),
        Err(failure) if failure.violations().is_empty() => {
            vec![failure.note().unwrap().to_owned()]
        }
        Err(failure) => failure.violations().iter().map(|v| v.pointer().to_owned()).collect(),
    }
}

#[test]
fn what_is_complete_and_wrong_is_told_where_it_stands() {
    for (start, pointers) in [
        (r#"{"city": 5, "#, vec!["/city"]),
        (r#"{"city": "Oslo", "days": 0}"#, vec![]),
        (r#"{"city": "Oslo", "days": 0, "size": "big", "#, vec!["/days", "/size"]),
        (r#"{"city": "Oslo", "parts": [{"n": 1}, {"n": "one"}, "#, vec!["/parts/1/n"]),
        (r#"{"city": "Oslo", "parts": [{"n": 1}, {"n": "one", "#, vec!["/parts/1/n"]),
        (r#"{"city": "Oslo", "by_name": {"a/b": 1, "c/d": "x", "#, vec!["/by_name/c~1d"]),
        (r#"{"city": "Oslo", "tags": ["a", "toolong", "#, vec!["/tags/1"]),
        (r#"{"city": "Oslo", "tags": ["a", "b", "c"#, vec!["/tags"]),
        (r#"{"city": "Oslo", "maybe": {"n": true, "#, vec!["/maybe/n"]),
        (r#"{"city": "a string of more than twelve"#, vec!["/city"]),
        ("{'city': 'Oslo', 'days': 'many', ", vec!["/days"]),
    ] {
        assert_eq!(wrong(start), pointers, "{start}");
    }
}

#[test]
fn what_may_still_be_right_is_waited_for() {
    for start in [
        "",
        " {",
        // What is put right.
        r#"{"City": "Oslo", "days": "3", "size": "Extra-Large", "#,
        r#"{"city": "Oslo", "days": null, "#,
        r#"{"city": "Oslo", "parts": "[{}]", "#,
        // What is not complete, or may not be.
        r#"{"city": "Oslo", "days": 0"#,
        r#"{"city": "Oslo", "size": "sma"#,
        r#"{"city": "a string"#,
        r#"{"city": ""#,
        // Another branch, an unknown key that may be a wrapper's, a wrapper.
        r#"{"city": "Oslo", "either": {"a": "text", "#,
        r#"{"city": "Oslo", "note": 5, "#,
        r#"{"name": "the_tool", "arguments": {"city": 5, "#,
        r#"{"the_tool": {"city": 5, "#,
        r#"{"type": "object", "properties": {"city": 5, "#,
        // Other forms.
        r#"[{"name": "the_tool", "#,
        r#""{\"city\": 5, "#,
        "I think {",
        "```json\n{\"city\": 5, ",
        // A comment that has begun.
        "{\"city\": \"Oslo\", // the user's \"home",
    ] {
        assert_eq!(wrong(start), Vec::<String>::new(), "{start}");
    }
}

#[test]
fn what_cannot_be_read_any_more_is_told() {
    for start in [
        r#"{"city": "Oslo", "days": 6 * 7, "size""#,
        r#"{"city": get_city(1), "days": 3"#,
        r#"{"city": <city>, "days": 3, "#,
        r#"{"city": "Oslo", "tags": ["a"}, "days""#,
    ] {
        assert_eq!(wrong(start).len(), 1, "{start}");
        // Which other levels of recovery would say, too, but not so soon.
        let off = Reader::new(&schema()).unwrap().recovery(Recovery::Off);
        assert!(off.look_at_start(start).is_ok(), "{start}");
    }
}

#[test]
fn what_runs_on_is_given_up() {
    let blank = " ".repeat(300);
    assert_eq!(
        wrong(&format!("{{\"city\": \"Oslo\",{blank}")),
        ["the text runs on in white space"]
    );
    assert!(wrong(&format!("{{\"days\": 3, \"city\": \"x{blank}")).contains(&"/city".to_owned()));
    let again = "ab, ".repeat(5000);
    assert_eq!(wrong(&format!("[{again}")), ["the text runs on in repetition"]);
}
