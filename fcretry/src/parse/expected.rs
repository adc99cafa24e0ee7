//! What a schema expects, in words that a model and a person understand.

use serde_json::Value;

use super::schema::Schema;

/// Alternatives listed by name; more are counted.
const LISTED: usize = 24;

/// What `schema` accepts: "a string", "one of \"a\", \"b\"".
pub(super) fn describe(schema: Schema<'_>) -> String {
    described(schema, true)
}

/// Looks into a union once, so that a recursive schema ends.
fn described(schema: Schema<'_>, looks_into_unions: bool) -> String {
    let node = schema.node;
    if let Some(constant) = &node.constant {
        return constant.to_string();
    }
    if let Some(options) = &node.options {
        return one_of(options);
    }
    if let Some(kinds) = &node.kinds {
        return kinds.words();
    }
    if let Some(target) = node.refers.filter(|_| looks_into_unions) {
        return described(schema.at(target), false);
    }
    if schema.is_union() && !looks_into_unions {
        return "another shape".to_owned();
    }
    let mut named: Vec<_> = schema.branches().map(|branch| described(branch, false)).collect();
    named.dedup();
    if named.is_empty() { "a value".to_owned() } else { named.join(" or ") }
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

/// `"a", "b"`, for the keys an object may have.
pub(super) fn keys(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{super::schema::Compiled, *};
    use serde_json::json;

    #[test]
    fn references_unions_and_enums_are_named() {
        let schema = json!({
            "properties": {
                "size": {"$ref": "#/$defs/Size"},
                "loop": {"$ref": "#/$defs/Loop"},
                "both": {"type": ["integer", "null"]},
                "any": {},
            },
            "$defs": {
                "Size": {"enum": ["s", "m"]},
                "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "null"}]},
            },
        });
        let compiled = Compiled::new(&schema).unwrap();
        let words = |name: &str| describe(compiled.whole().property(name).unwrap());
        assert_eq!(words("size"), r#"one of "s", "m""#);
        assert_eq!(words("loop"), "another shape or null");
        assert_eq!(words("both"), "an integer or null");
        assert_eq!(words("any"), "a value");
    }
}
