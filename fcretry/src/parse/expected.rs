//! What a schema expects, in words that a model and a person understand.

use serde_json::Value;

/// Alternatives listed by name; more are counted.
const LISTED: usize = 24;

/// What `schema` accepts: "a string", "one of \"a\", \"b\"". `root` resolves references.
pub(super) fn describe(schema: &Value, root: &Value) -> String {
    let schema = resolve(schema, root);
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return one_of(options);
    }
    match schema.get("type") {
        Some(Value::String(name)) => with_article(name),
        Some(Value::Array(names)) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).map(with_article).collect();
            names.join(" or ")
        }
        _ => {
            let branches = ["oneOf", "anyOf"].iter().find_map(|k| schema.get(k)?.as_array());
            let mut named: Vec<_> =
                branches.into_iter().flatten().map(|b| describe_flat(b, root)).collect();
            named.dedup();
            if named.is_empty() { "a value".to_owned() } else { named.join(" or ") }
        }
    }
}

/// [`describe`] that does not look into a union again, so that a recursive schema ends.
fn describe_flat(schema: &Value, root: &Value) -> String {
    let schema = resolve(schema, root);
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
        return "another shape".to_owned();
    }
    describe(schema, root)
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    // A chain of references longer than this is a circle.
    for _ in 0..16 {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else { break };
        let Some(found) = target.strip_prefix('#').and_then(|p| root.pointer(p)) else { break };
        schema = found;
    }
    schema
}

/// `one of "a", "b"`
pub(super) fn one_of(options: &[Value]) -> String {
    if let [only] = options {
        return only.to_string();
    }
    let listed: Vec<_> = options.iter().take(LISTED).map(Value::to_string).collect();
    let rest = match options.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("one of {}{rest}", listed.join(", "))
}

/// `an integer`
pub(super) fn with_article(json_type: &str) -> String {
    match json_type {
        "integer" | "object" | "array" => format!("an {json_type}"),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    }
}

/// `"a", "b"`, for the keys an object may have.
pub(super) fn keys(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_unions_and_enums_are_named() {
        let root = json!({"$defs": {
            "Size": {"enum": ["s", "m"]},
            "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "null"}]},
        }});
        assert_eq!(describe(&json!({"$ref": "#/$defs/Size"}), &root), r#"one of "s", "m""#);
        assert_eq!(describe(&json!({"$ref": "#/$defs/Loop"}), &root), "another shape or null");
        assert_eq!(describe(&json!({"type": ["integer", "null"]}), &root), "an integer or null");
        assert_eq!(describe(&json!({}), &root), "a value");
    }
}
