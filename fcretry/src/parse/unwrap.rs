//! Arguments inside a wrapper: models write the call around them.

use serde_json::{Map, Value};

use super::{
    coerce::{decoded, folded},
    extract,
    recovered::{Log, RecoveryKind},
    schema::{Kind, Schema},
};

/// The most wrappers around wrappers that are taken off.
const MAX_LAYERS: usize = 4;

/// The keys under which models put a tool's name, its arguments, a call, calls, and what else belongs to one. All as
/// [`folded`], so that `toolInput` and `tool_input` are one.
const NAME: &[&str] =
    &["name", "function", "tool", "toolname", "functionname", "recipientname", "action"];
const ARGUMENTS: &[&str] = &[
    "arguments",
    "parameters",
    "args",
    "input",
    "params",
    "kwargs",
    "toolinput",
    "actioninput",
    "functionarguments",
    "functionargs",
    "toolarguments",
    "toolargs",
    "toolparameters",
];
const CALL: &[&str] = &["function", "functioncall", "toolcall", "tooluse", "call", "command"];
const CALLS: &[&str] = &["toolcalls", "tooluses", "functioncalls", "calls"];
const BESIDE: &[&str] = &[
    "id",
    "type",
    "callid",
    "toolcallid",
    "tooluseid",
    "index",
    "status",
    "role",
    "content",
    "thought",
    "thoughts",
    "reasoning",
];

/// What a schema that is echoed back has beside its properties.
const OF_A_SCHEMA: &[&str] =
    &["$schema", "type", "title", "description", "required", "additionalProperties"];

type Entries = Map<String, Value>;

/// Takes the wrappers off the arguments of the tool `name`. What fits no wrapper exactly, or names another
/// tool, is left as it is. Without a name any will do where a wrapper says that it gives one. Whether one of them gave
/// a name.
pub(super) fn unwrap(
    value: &mut Value,
    schema: Schema<'_>,
    name: Option<&str>,
    log: &mut Log,
) -> bool {
    let mut is_named = false;
    if !schema.admits(Kind::Object) {
        return is_named;
    }
    let tool = Tool { schema, name };
    for _ in 0..MAX_LAYERS {
        if let Value::String(text) = &*value
            && !schema.admits(Kind::String)
            && let Some(inner) = held(text).or_else(|| decoded(text, Kind::String))
        {
            *value = inner;
            log.value(RecoveryKind::DoubleEncoding, "");
            continue;
        }
        let Some((inner, gives_name)) = tool.inside(value) else { break };
        *value = inner;
        is_named |= gives_name;
        log.value(RecoveryKind::Wrapper, "");
    }
    is_named
}

/// Whether `value` has the form of a call, of whatever tool, under keys that the schema does not know.
pub(super) fn is_call(value: &Value, schema: Schema<'_>) -> bool {
    let Some(entries) = value.as_object() else { return false };
    let has = |names: &[&str]| {
        let mut keys = entries.keys().filter(|key| !schema.knows(key));
        keys.any(|key| names.contains(&folded(key).as_str()))
    };
    let is_named = has(NAME) || (has(ARGUMENTS) && entries.keys().any(|key| key == "name"));
    (is_named && has(ARGUMENTS)) || has(CALLS)
}

/// Whether an object of which these keys have come may still turn out to be a wrapper around the arguments of the tool
/// `name`.
pub(super) fn may_begin<'k>(
    mut keys: impl Iterator<Item = &'k String>,
    schema: Schema<'_>,
    name: Option<&str>,
) -> bool {
    let vocabularies = [NAME, ARGUMENTS, CALL, CALLS, BESIDE];
    keys.all(|key| {
        let fold = folded(key);
        vocabularies.iter().any(|words| words.contains(&fold.as_str()))
            || OF_A_SCHEMA.contains(&key.as_str())
            || matches!(key.as_str(), "properties" | "$defs")
            || (schema.property(key).is_none() && name.is_none_or(|name| is_name(key, Some(name))))
    })
}

/// The calls that a list of them holds, and the key of the list, if there is an object around it that holds nothing
/// else.
pub(super) fn calls(value: &Value) -> Option<(Option<&str>, &[Value])> {
    let (key, listed) = match value {
        Value::Array(items) => (None, items),
        Value::Object(entries) => {
            let (key, calls) = one_of(entries, CALLS)?;
            let belongs = |other: &String| other == key || BESIDE.contains(&folded(other).as_str());
            if !entries.keys().all(belongs) {
                return None;
            }
            (Some(key), calls.as_array()?)
        }
        _ => return None,
    };
    listed.iter().all(Value::is_object).then_some((key, listed))
}

/// The object that a string holds: as JSON, or in a fence.
fn held(text: &str) -> Option<Value> {
    if text.trim_start().starts_with("```") {
        return extract::find(text, false).ok().map(|found| found.value).filter(Value::is_object);
    }
    decoded(text, Kind::Object)
}

/// The tool whose arguments are looked for.
#[derive(Clone, Copy)]
struct Tool<'t> {
    schema: Schema<'t>,
    name: Option<&'t str>,
}

impl Tool<'_> {
    fn is_property(&self, key: &str) -> bool {
        self.schema.knows(key)
    }

    /// What the wrapper holds, and whether it gives the tool's name.
    fn inside(&self, value: &Value) -> Option<(Value, bool)> {
        // Of any object at all nobody knows whether it is one.
        if self.name.is_none() && !self.schema.names_keys() {
            return None;
        }
        match value {
            Value::Array(items) if !self.schema.admits(Kind::Array) => match items.as_slice() {
                // `["the_tool", {..}]`
                [Value::String(called), arguments @ Value::Object(_)]
                    if is_name(called, self.name) =>
                {
                    Some((arguments.clone(), true))
                }
                [one] => Some((self.call(one.as_object()?)?, true)),
                _ => None,
            },
            Value::Object(entries) => {
                // An object of the schema's properties alone is the arguments.
                if entries.is_empty() || entries.keys().all(|key| self.is_property(key)) {
                    return None;
                }
                let named = self.call(entries).or_else(|| self.listed(entries));
                let unnamed = || self.alone(entries).or_else(|| self.echoed(entries));
                named.map(|inner| (inner, true)).or_else(|| unnamed().map(|inner| (inner, false)))
            }
            _ => None,
        }
    }

    /// The arguments of a call.
    fn call(&self, entries: &Entries) -> Option<Value> {
        self.named(entries).or_else(|| self.nested(entries)).or_else(|| self.keyed(entries))
    }

    /// `{"name": "the_tool", "arguments": {..}}` in its variants.
    fn named(&self, entries: &Entries) -> Option<Value> {
        let (key, called) = one_of(entries, NAME)?;
        if !is_name(called.as_str()?, self.name) {
            return None;
        }
        let Some((under, arguments)) = one_of(entries, ARGUMENTS) else {
            // Of a tool that is known by its name; of any other it may be an argument.
            let is_bare = self.name.is_some() && !self.is_property(key);
            let nothing = Value::Object(Map::new());
            return (is_bare && self.has_only(entries, &[key], None)).then_some(nothing);
        };
        let inner = self::arguments(arguments)?;
        self.has_only(entries, &[key, under], Some(&inner)).then_some(inner)
    }

    /// `{"type": "function", "function": {"name": .., "arguments": ..}}`
    fn nested(&self, entries: &Entries) -> Option<Value> {
        let (key, call) = one_of(entries, CALL)?;
        let inner = self.named(call.as_object()?)?;
        self.has_only(entries, &[key], Some(&inner)).then_some(inner)
    }

    /// `{"the_tool": {..}}`
    fn keyed(&self, entries: &Entries) -> Option<Value> {
        let mut all = entries.iter();
        let (Some((key, arguments @ Value::Object(_))), None) = (all.next(), all.next()) else {
            return None;
        };
        let is_the_tool = match self.name {
            Some(name) => is_name(key, Some(name)),
            None => looks_like_a_function(key),
        };
        (is_the_tool && !self.is_property(key)).then(|| arguments.clone())
    }

    /// `{"tool_calls": [{..}]}`, of one call.
    fn listed(&self, entries: &Entries) -> Option<Value> {
        let (key, calls) = one_of(entries, CALLS)?;
        let [call] = calls.as_array()?.as_slice() else { return None };
        let inner = self.call(call.as_object()?)?;
        self.has_only(entries, &[key], Some(&inner)).then_some(inner)
    }

    /// `{"arguments": {..}}`
    fn alone(&self, entries: &Entries) -> Option<Value> {
        let (key, arguments) = one_of(entries, ARGUMENTS)?;
        let is_filled = arguments.as_object().is_some_and(|inner| !inner.is_empty());
        if self.is_property(key) || !(is_filled || arguments.is_string()) {
            return None;
        }
        let inner = self::arguments(arguments)?;
        self.has_only(entries, &[key], Some(&inner)).then_some(inner)
    }

    /// The schema with values in the place of its properties.
    fn echoed(&self, entries: &Entries) -> Option<Value> {
        let values @ Value::Object(_) = entries.get("properties")? else { return None };
        let is_echo = |key: &String| {
            key == "properties" || (OF_A_SCHEMA.contains(&key.as_str()) && !self.is_property(key))
        };
        let is_object = entries.get("type").is_none_or(|name| name == "object");
        (is_object && !self.is_property("properties") && entries.keys().all(is_echo))
            .then(|| values.clone())
    }

    /// Whether there is nothing but these keys and what belongs to a call. What is a property of the tool's own is an
    /// argument that the wrapper would drop, if it is not inside, too.
    fn has_only(&self, entries: &Entries, keys: &[&str], inner: Option<&Value>) -> bool {
        entries.keys().all(|key| {
            let is_inside = || inner.is_some_and(|inner| inner.get(key).is_some());
            keys.contains(&key.as_str())
                || (BESIDE.contains(&folded(key).as_str())
                    && (!self.is_property(key) || is_inside()))
        })
    }
}

/// Arguments as an object, as a string that holds one, or none at all.
fn arguments(arguments: &Value) -> Option<Value> {
    match arguments {
        Value::Object(_) => Some(arguments.clone()),
        Value::Null => Some(Value::Object(Map::new())),
        Value::String(text) if text.trim().is_empty() => Some(Value::Object(Map::new())),
        Value::String(text) => held(text),
        _ => None,
    }
}

/// The entry whose key is one of `names`, however it is spelled; the first of them in their order.
fn one_of<'e>(entries: &'e Entries, names: &[&str]) -> Option<(&'e str, &'e Value)> {
    names.iter().find_map(|name| {
        let mut all = entries.iter();
        all.find(|(key, _)| folded(key) == *name).map(|(key, value)| (key.as_str(), value))
    })
}

/// Several words in one, as functions are named and fields of a call are not.
fn looks_like_a_function(key: &str) -> bool {
    let is_identifier = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    let has_hump = key.chars().skip(1).any(|c| c.is_ascii_uppercase());
    is_identifier
        && (key.contains(['_', '.']) || has_hump)
        && !NAME.iter().chain(ARGUMENTS).chain(CALL).chain(CALLS).any(|known| folded(key) == *known)
}

/// Whether the tool `name` is called so: models prefix it, and change its case.
pub(super) fn is_name(called: &str, name: Option<&str>) -> bool {
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
            json!([{"name": "get_weather", "arguments": {"city": "Oslo"}}]),
            json!([{"get_weather": {"city": "Oslo"}}]),
            json!({"action": "get_weather", "action_input": {"city": "Oslo"}}),
            json!({"tool": "get_weather", "toolInput": "{'city': 'Oslo'}"}),
            json!({"function_call": {"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"}}),
            json!({"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}}),
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
                "function": {"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"}}]}),
            json!({"tool_uses": [{"recipient_name": "functions.get_weather", "parameters": {"city": "Oslo"}}]}),
            json!({"arguments": {"city": "Oslo"}}),
            json!({"parameters": "```json\n{\"city\": \"Oslo\"}\n```"}),
            json!({"type": "object", "properties": {"city": "Oslo"}, "required": ["city"]}),
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
            json!({"name": "get_news"}),
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
