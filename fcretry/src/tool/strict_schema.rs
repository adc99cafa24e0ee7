//! The form of a schema that OpenAI's `strict: true` takes: closed objects, every property required, no keyword
//! that it does not know. Source: OpenAI, "Structured model outputs", supported schemas.

use serde_json::{Map, Value, json};

/// Keywords that pass as they are.
const KEPT: &[&str] = &[
    "type",
    "description",
    "enum",
    "const",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];

/// Formats of text that pass.
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Keywords that only narrow: the model is told them in words, and the answer is checked against them all the same.
const TOLD: &[&str] =
    &["minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties", "format"];

/// Keywords that say nothing about values.
const SILENT: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "title",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// The strict form of `schema`, or the path of what it cannot say.
pub(super) fn strict(schema: &Value) -> Result<Value, String> {
    let Some(root) = schema.as_object() else {
        return Err("the whole schema is no object".to_owned());
    };
    if root.contains_key("anyOf") || root.contains_key("oneOf") {
        return Err("the root is a union".to_owned());
    }
    node(schema, "")
}

fn node(schema: &Value, at: &str) -> Result<Value, String> {
    let Some(entries) = schema.as_object() else {
        return Err(format!("`{at}` admits any value"));
    };
    if let Some(target) = entries.get("$ref") {
        // Nothing may stand beside a reference.
        return match entries.keys().find(|key| !is_annotation(key)) {
            Some(key) => Err(format!("`{at}/{key}` stands beside a reference")),
            None => Ok(json!({ "$ref": target })),
        };
    }
    let mut strict = Map::new();
    let mut told = Vec::new();
    for (key, value) in entries {
        match key.as_str() {
            "properties" | "required" | "additionalProperties" => {}
            "items" => drop(strict.insert(key.clone(), node(value, &format!("{at}/items"))?)),
            // Of a value that fits one branch alone, and of one that fits any, the checker knows the difference.
            "anyOf" | "oneOf" => {
                drop(strict.insert("anyOf".to_owned(), branches(value, &format!("{at}/{key}"))?));
            }
            "$defs" => drop(strict.insert(key.clone(), definitions(value, at)?)),
            "format" if value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
                strict.insert(key.clone(), value.clone());
            }
            // The integer types' own names; their limits stand beside them.
            "format" if is_a_number(entries) => {}
            key if KEPT.contains(&key) => drop(strict.insert(key.to_owned(), value.clone())),
            key if TOLD.contains(&key) => told.push(format!("{key}: {value}")),
            key if SILENT.contains(&key) => {}
            key => return Err(format!("`{at}/{key}` is not in the strict subset")),
        }
    }
    if admits_object(entries) {
        object(entries, &mut strict, at)?;
    } else if strict.keys().all(|key| key == "description") {
        return Err(format!("`{at}` admits any value"));
    }
    if !told.is_empty() {
        let told = format!("({})", told.join(", "));
        let text = match strict.get("description").and_then(Value::as_str) {
            Some(text) => format!("{text} {told}"),
            None => told,
        };
        strict.insert("description".to_owned(), Value::String(text));
    }
    Ok(Value::Object(strict))
}

fn is_annotation(key: &str) -> bool {
    SILENT.contains(&key) || matches!(key, "$ref" | "description" | "$defs")
}

fn is_a_number(entries: &Map<String, Value>) -> bool {
    let is = |name: &Value| name == "integer" || name == "number";
    match entries.get("type") {
        Some(Value::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
        None => false,
    }
}

fn admits_object(entries: &Map<String, Value>) -> bool {
    match entries.get("type") {
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        Some(name) => name == "object",
        None => entries.contains_key("properties"),
    }
}

/// Closes the object. What may be left out may be `null` instead, which reading takes for absence.
fn object(
    entries: &Map<String, Value>,
    strict: &mut Map<String, Value>,
    at: &str,
) -> Result<(), String> {
    if let Some(rest @ (Value::Object(_) | Value::Bool(true))) = entries.get("additionalProperties")
    {
        let what = if rest.is_object() { "a map" } else { "keys of any name" };
        return Err(format!("`{at}/additionalProperties`: {what} cannot be closed"));
    }
    let required: Vec<&str> = entries
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut properties = Map::new();
    for (name, part) in entries.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let part = node(part, &format!("{at}/properties/{name}"))?;
        let part = if required.contains(&name.as_str()) { part } else { nullable(part) };
        properties.insert(name.clone(), part);
    }
    strict.insert("required".to_owned(), properties.keys().cloned().collect());
    strict.insert("properties".to_owned(), Value::Object(properties));
    strict.insert("additionalProperties".to_owned(), Value::Bool(false));
    Ok(())
}

fn nullable(part: Value) -> Value {
    let nothing = json!({"type": "null"});
    let admits_null = |schema: &Value| match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        Some(name) => name == "null",
        None => false,
    };
    let branches = part.get("anyOf").and_then(Value::as_array);
    if admits_null(&part) || branches.is_some_and(|branches| branches.iter().any(admits_null)) {
        return part;
    }
    json!({"anyOf": [part, nothing]})
}

fn branches(value: &Value, at: &str) -> Result<Value, String> {
    let listed = value.as_array().map(Vec::as_slice).unwrap_or_default();
    listed.iter().enumerate().map(|(i, branch)| node(branch, &format!("{at}/{i}"))).collect()
}

fn definitions(value: &Value, at: &str) -> Result<Value, String> {
    let mut strict = Map::new();
    for (name, part) in value.as_object().into_iter().flatten() {
        strict.insert(name.clone(), node(part, &format!("{at}/$defs/{name}"))?);
    }
    Ok(Value::Object(strict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_optionals_may_be_null() {
        let schema = json!({
            "title": "Order",
            "type": "object",
            "properties": {
                "customer": {"type": "string", "minLength": 1, "description": "Who."},
                "size": {"$ref": "#/$defs/Size", "description": "How large."},
                "note": {"type": ["string", "null"]},
                "count": {"type": "integer", "format": "uint32", "minimum": 0, "default": 1},
            },
            "required": ["customer", "size"],
            "$defs": {"Size": {"oneOf": [{"const": "s"}, {"type": "object", "properties": {"mm": {"type": "number"}}}]}},
        });
        assert_eq!(
            strict(&schema).unwrap(),
            json!({
                "type": "object",
                "properties": {
                    "customer": {"type": "string", "description": "Who. (minLength: 1)"},
                    "size": {"$ref": "#/$defs/Size"},
                    "note": {"type": ["string", "null"]},
                    "count": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
                },
                "required": ["customer", "size", "note", "count"],
                "additionalProperties": false,
                "$defs": {"Size": {"anyOf": [{"const": "s"}, {
                    "type": "object",
                    "properties": {"mm": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
                    "required": ["mm"],
                    "additionalProperties": false,
                }]}},
            })
        );
    }

    #[test]
    fn what_cannot_be_said_is_an_error_with_its_path() {
        let of = |part: Value| {
            strict(&json!({"type": "object", "properties": {"a": part}})).unwrap_err()
        };
        assert!(
            of(json!({"type": "object", "additionalProperties": {"type": "string"}}))
                .contains("/properties/a/additionalProperties")
        );
        assert!(
            of(json!({"type": "array", "prefixItems": [{"type": "string"}]}))
                .contains("/properties/a/prefixItems")
        );
        assert!(of(json!(true)).contains("/properties/a"));
        assert!(of(json!({})).contains("/properties/a"));
        assert!(of(json!({"allOf": [{"type": "string"}]})).contains("/properties/a/allOf"));
        assert!(strict(&json!({"anyOf": []})).is_err());
    }
}
