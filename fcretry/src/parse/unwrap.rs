//! Arguments inside a wrapper: models write the call around them.

use serde_json::{Map, Value};

use super::{
    coerce::{decoded, folded},
    recovered::{Log, RecoveryKind},
    schema::{Kind, Schema},
};

/// The most wrappers around wrappers that are taken off.
const MAX_LAYERS: usize = 4;

/// The keys under which models put a tool's name, its arguments, and what else belongs to a call.
const NAME: &[&str] = &["name", "function", "tool", "tool_name", "function_name", "recipient_name"];
const ARGUMENTS: &[&str] = &["arguments", "parameters", "args", "input", "params", "kwargs"];
const BESIDE: &[&str] = &["id", "type"];

/// Takes the wrappers off the arguments of the tool `name`. What fits no wrapper exactly, or names another
/// tool, is left as it is. Without a name any will do where a wrapper says that it gives one.
pub(super) fn unwrap(value: &mut Value, schema: Schema<'_>, name: Option<&str>, log: &mut Log) {
    if !schema.admits(Kind::Object) {
        return;
    }
    for _ in 0..MAX_LAYERS {
        if let Value::String(text) = &*value
            && !schema.admits(Kind::String)
            && let Some(inner) = decoded(text, Kind::Object).or_else(|| decoded(text, Kind::String))
        {
            *value = inner;
            log.value(RecoveryKind::DoubleEncoding, "");
            continue;
        }
        let Some(inner) = inside(value, schema, name) else { return };
        *value = inner;
        log.value(RecoveryKind::Wrapper, "");
    }
}

/// What the wrapper holds.
fn inside(value: &Value, schema: Schema<'_>, name: Option<&str>) -> Option<Value> {
    match value {
        // `["the_tool", {..}]`
        Value::Array(items) => match items.as_slice() {
            [Value::String(called), arguments @ Value::Object(_)] if is_name(called, name) => {
                Some(arguments.clone())
            }
            _ => None,
        },
        Value::Object(entries) => {
            // An object of the schema's properties alone is the arguments.
            if entries.is_empty() || entries.keys().all(|key| schema.property(key).is_some()) {
                return None;
            }
            named(entries, schema, name)
                .or_else(|| keyed(entries, schema, name?))
                .or_else(|| listed(entries, schema, name))
        }
        _ => None,
    }
}

/// `{"name": "the_tool", "arguments": {..}}` in its variants.
fn named(entries: &Map<String, Value>, schema: Schema<'_>, name: Option<&str>) -> Option<Value> {
    let (key, called) = NAME.iter().find_map(|key| Some((*key, entries.get(*key)?)))?;
    // `{"type": "function", "function": {"name": .., "arguments": ..}}`
    if let Value::Object(function) = called {
        let is_call = entries.keys().all(|k| k == key || BESIDE.contains(&k.as_str()));
        return if is_call { named(function, schema, name) } else { None };
    }
    if !is_name(called.as_str()?, name) {
        return None;
    }
    let (held, arguments) = ARGUMENTS.iter().find_map(|key| Some((*key, entries.get(*key)?)))?;
    // What is a property of the tool's own is an argument that the wrapper would drop.
    let is_beside = |k: &str| BESIDE.contains(&k) && schema.property(k).is_none();
    if !entries.keys().all(|k| k == key || k == held || is_beside(k)) {
        return None;
    }
    match arguments {
        Value::Object(_) => Some(arguments.clone()),
        Value::String(text) => decoded(text, Kind::Object),
        _ => None,
    }
}

/// `{"the_tool": {..}}`
fn keyed(entries: &Map<String, Value>, schema: Schema<'_>, name: &str) -> Option<Value> {
    let mut all = entries.iter();
    match (all.next(), all.next()) {
        (Some((key, arguments @ Value::Object(_))), None)
            if is_name(key, Some(name)) && schema.property(key).is_none() =>
        {
            Some(arguments.clone())
        }
        _ => None,
    }
}

/// `{"tool_calls": [{..}]}`, of one call that names the tool.
fn listed(entries: &Map<String, Value>, schema: Schema<'_>, name: Option<&str>) -> Option<Value> {
    match entries.get("tool_calls")?.as_array()?.as_slice() {
        [Value::Object(call)] if entries.len() == 1 => named(call, schema, name),
        _ => None,
    }
}

fn is_name(called: &str, name: Option<&str>) -> bool {
    name.is_none_or(|name| {
        let bare = called.strip_prefix("functions.").unwrap_or(called);
        called == name || folded(bare) == folded(name)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::schema::Compiled, *};
    use serde_json::json;

    fn unwrapped(mut value: Value) -> (Value, usize) {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let mut log = Log::default();
        let compiled = Compiled::new(&schema).unwrap();
        unwrap(&mut value, compiled.whole(), Some("get_weather"), &mut log);
        (value, log.into_vec().len())
    }

    #[test]
    fn wrappers_of_this_tool_come_off() {
        let arguments = json!({"city": "Oslo"});
        for wrapped in [
            json!({"name": "get_weather", "arguments": {"city": "Oslo"}}),
            json!({"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"}),
            json!({"name": "get_weather", "parameters": {"city": "Oslo"}, "id": "1"}),
            json!({"function": "getWeather", "args": {"city": "Oslo"}}),
            json!({"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}),
            json!({"recipient_name": "functions.get_weather", "parameters": {"city": "Oslo"}}),
            json!({"get_weather": {"city": "Oslo"}}),
            json!({"GetWeather": {"city": "Oslo"}}),
            json!(["get_weather", {"city": "Oslo"}]),
            json!({"tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}),
            json!("{\"city\": \"Oslo\"}"),
            json!("\"{\\\"city\\\": \\\"Oslo\\\"}\""),
        ] {
            let (read, notes) = unwrapped(wrapped.clone());
            assert_eq!(read, arguments, "{wrapped}");
            assert!(notes > 0, "{wrapped}");
        }
    }

    #[test]
    fn what_is_no_wrapper_of_this_tool_stays() {
        for value in [
            json!({"city": "Oslo"}),
            json!({}),
            json!({"name": "get_news", "arguments": {"city": "Oslo"}}),
            json!({"name": "get_weather", "arguments": {"city": "Oslo"}, "note": "x"}),
            json!({"name": "get_weather"}),
            json!({"get_weather": {"city": "Oslo"}, "other": {}}),
            json!({"tool_calls": [{}, {}]}),
            json!({"tool_calls": [{"city": "Oslo"}]}),
            json!([{"city": "Oslo"}]),
            json!("Oslo"),
        ] {
            assert_eq!(unwrapped(value.clone()), (value, 0));
        }
    }
}
