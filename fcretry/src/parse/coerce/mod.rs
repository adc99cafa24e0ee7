//! Values of the wrong type that have exactly one reading of the right one. The list is closed: nothing here
//! rounds, splits, drops, translates or fills in.

use serde_json::{Map, Number, Value};

use super::{
    recovered::{Log, RecoveryKind as Kind},
    schema::{Schema, type_of},
    strict::push,
    tolerant,
};

/// Beyond this a float no longer tells one integer from the next.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Puts right in `value` what can be put right without loss, as `schema` says.
pub(super) fn coerce(value: &mut Value, schema: Schema<'_>, log: &mut Log) {
    let mut walk = Walk { log, pointer: String::new() };
    walk.value(value, schema);
}

/// Case and separators do not count when a name is recognised.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The value that a string holds as JSON, if it is of the JSON type `wanted`.
pub(super) fn decoded(text: &str, wanted: &str) -> Option<Value> {
    let trimmed = text.trim();
    let value = if let Ok(value) = serde_json::from_str(trimmed) {
        value
    } else {
        let read = tolerant::read(trimmed, 0).ok()?;
        let is_whole = read.end == trimmed.len() && read.duplicates.found.is_empty();
        is_whole.then_some(read.value)?
    };
    (type_of(&value) == wanted).then_some(value)
}

struct Walk<'l> {
    log: &'l mut Log,
    pointer: String,
}

impl Walk<'_> {
    fn note(&mut self, kind: Kind) {
        self.log.value(kind, &self.pointer);
    }

    fn below(&mut self, key: &str, value: &mut Value, schema: Schema<'_>) {
        let outer = self.pointer.len();
        push(&mut self.pointer, key);
        self.value(value, schema);
        self.pointer.truncate(outer);
    }

    // Bounded by the depth of the value, which reading has capped: unions only choose.
    fn value(&mut self, value: &mut Value, schema: Schema<'_>) {
        let Some(schema) = chosen(value, schema, 0) else { return };
        for part in schema.listed("allOf") {
            self.value(value, part);
        }
        self.scalar(value, schema);
        match value {
            Value::Object(entries) => self.object(entries, schema),
            Value::Array(items) => self.array(items, schema),
            _ => {}
        }
    }

    fn object(&mut self, entries: &mut Map<String, Value>, schema: Schema<'_>) {
        self.spell_keys(entries, schema);
        let names: Vec<String> = entries.keys().cloned().collect();
        for name in names {
            let part = schema.property(&name).or_else(|| schema.under("additionalProperties"));
            let (Some(part), Some(value)) = (part, entries.get_mut(&name)) else { continue };
            let is_absent = value.is_null()
                && schema.property(&name).is_some()
                && !schema.requires(&name)
                && !part.admits("null");
            if is_absent {
                entries.shift_remove(&name);
                let outer = self.pointer.len();
                push(&mut self.pointer, &name);
                self.note(Kind::AbsentOptional);
                self.pointer.truncate(outer);
                continue;
            }
            self.below(&name, value, part);
        }
    }

    /// Gives keys that differ in case or separators from exactly one property the name of that property.
    fn spell_keys(&mut self, entries: &mut Map<String, Value>, schema: Schema<'_>) {
        let unknown: Vec<String> =
            entries.keys().filter(|key| schema.property(key).is_none()).cloned().collect();
        if unknown.is_empty() {
            return;
        }
        for key in &unknown {
            let fold = folded(key);
            let mut meant = schema.property_names().filter(|name| folded(name) == fold);
            let (Some(name), None) = (meant.next(), meant.next()) else { continue };
            let rivals = unknown.iter().filter(|other| folded(other) == fold).count();
            if rivals > 1 || entries.contains_key(name) {
                continue;
            }
            let renamed = std::mem::take(entries);
            for (old, value) in renamed {
                let new = if old == *key { name.clone() } else { old };
                entries.insert(new, value);
            }
            let outer = self.pointer.len();
            push(&mut self.pointer, name);
            self.note(Kind::KeySpelling);
            self.pointer.truncate(outer);
        }
    }

    fn array(&mut self, items: &mut [Value], schema: Schema<'_>) {
        let fixed: Vec<Schema<'_>> = schema.listed("prefixItems").collect();
        let rest = schema.under("items").filter(|items| items.node.is_object());
        for (i, item) in items.iter_mut().enumerate() {
            if let Some(part) = fixed.get(i).copied().or(rest) {
                self.below(&i.to_string(), item, part);
            }
        }
    }

    fn scalar(&mut self, value: &mut Value, schema: Schema<'_>) {
        let found = match value {
            Value::String(text) if schema.admits("string") => {
                spelled(text, schema).map(|option| (Value::String(option), Kind::EnumSpelling))
            }
            Value::String(text) => from_text(text, schema),
            Value::Number(number) if number.is_f64() && !schema.admits("number") => {
                let whole = schema.admits("integer").then(|| whole(number)).flatten();
                whole.map(|whole| (whole, Kind::WholeNumber))
            }
            _ => None,
        };
        if let Some((right, kind)) = found {
            *value = right;
            self.note(kind);
        }
    }
}

/// The branch of a union that `value` is of, or could be put right for; `None` if that is not one alone.
fn chosen<'s>(value: &Value, schema: Schema<'s>, depth: usize) -> Option<Schema<'s>> {
    let branches = schema.branches();
    if branches.is_empty() || depth > 16 {
        return Some(schema);
    }
    let strings: Vec<_> = branches.iter().filter_map(|b| b.get("const")?.as_str()).collect();
    if strings.len() == branches.len() {
        // A choice among words is an enum.
        return Some(schema);
    }
    let name = type_of(value);
    let exact = branches.iter().filter(|b| b.admits(name) && has_tags(value, **b));
    if let Some(branch) = only(exact) {
        return chosen(value, branch, depth + 1);
    }
    if branches.iter().any(|b| b.admits(name)) {
        return None;
    }
    let near = branches.iter().filter(|b| could_become(value, **b));
    only(near).and_then(|branch| chosen(value, branch, depth + 1))
}

fn only<'a, 's: 'a>(mut found: impl Iterator<Item = &'a Schema<'s>>) -> Option<Schema<'s>> {
    let first = found.next()?;
    found.next().is_none().then_some(*first)
}

/// Whether every property that the branch fixes to a constant has it.
fn has_tags(value: &Value, branch: Schema<'_>) -> bool {
    let Value::Object(entries) = value else { return true };
    branch.property_names().all(|name| {
        match branch.property(name).and_then(|part| part.get("const")) {
            Some(tag) => entries.get(name) == Some(tag),
            None => true,
        }
    }) && (branch.get("required").is_none()
        || branch.property_names().all(|name| !branch.requires(name) || entries.contains_key(name)))
}

fn could_become(value: &Value, branch: Schema<'_>) -> bool {
    match value {
        Value::String(text) => from_text(text, branch).is_some(),
        Value::Number(number) if number.is_f64() => {
            branch.admits("integer") && whole(number).is_some()
        }
        _ => false,
    }
}

/// The option of an enum that `text` names in another spelling.
fn spelled(text: &str, schema: Schema<'_>) -> Option<String> {
    let listed = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    let constants: Vec<&Value> =
        schema.branches().into_iter().filter_map(|branch| branch.get("const")).collect();
    let options: Vec<&str> = listed
        .unwrap_or_default()
        .iter()
        .chain(constants)
        .chain(schema.get("const"))
        .filter_map(Value::as_str)
        .collect();
    if options.contains(&text) {
        return None;
    }
    let fold = folded(text);
    let mut meant = options.into_iter().filter(|option| folded(option) == fold);
    match (meant.next(), meant.next()) {
        (Some(option), None) => Some(option.to_owned()),
        _ => None,
    }
}

/// What a string holds, where the schema admits no string.
fn from_text(text: &str, schema: Schema<'_>) -> Option<(Value, Kind)> {
    if schema.admits("string") {
        return None;
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if is_number && (schema.admits("integer") || schema.admits("number")) {
        let number: Number = serde_json::from_str(text).ok()?;
        if schema.admits("number") {
            return Some((Value::Number(number), Kind::NumberInString));
        }
        let is_lossless =
            !number.is_f64() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let whole = if number.is_f64() { whole(&number) } else { Some(Value::Number(number)) };
        return whole.filter(|_| is_lossless).map(|whole| (whole, Kind::NumberInString));
    }
    if schema.admits("boolean")
        && let Some(boolean) = [("true", true), ("false", false)].iter().find(|(t, _)| *t == text)
    {
        return Some((Value::Bool(boolean.1), Kind::BooleanInString));
    }
    for wanted in ["object", "array"] {
        if schema.admits(wanted)
            && let Some(value) = decoded(text, wanted)
        {
            return Some((value, Kind::DoubleEncoding));
        }
    }
    None
}

/// The integer that a float is.
fn whole(number: &Number) -> Option<Value> {
    let float = number.as_f64()?;
    if float.fract() != 0.0 || float.abs() >= EXACT {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "whole, and within what is exact")]
    Some(Value::Number((float as i64).into()))
}

#[cfg(test)]
mod tests;
