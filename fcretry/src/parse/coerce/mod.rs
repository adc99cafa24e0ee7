//! Values of the wrong type that have exactly one reading of the right one. The list is closed: nothing here
//! rounds, splits, drops, translates or fills in.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::{
    pointer::{Located, below},
    recovered::{Log, RecoveryKind},
    schema::{Array, Kind, Schema},
    strict,
    tolerant::{self, MAX_DEPTH},
};

/// From here on a float does not tell an integer from its neighbour and a half: 2⁵².
const EXACT: f64 = 4_503_599_627_370_496.0;

/// The most strings in strings that are read as values: each is read again.
const MAX_DECODED: usize = 3;

/// Puts right in `value` what can be put right without loss, as `schema` says.
pub(super) fn coerce(value: &mut Value, schema: Schema<'_>, log: &mut Log) {
    let mut walk = Walk { log, pointer: String::new(), depth: 0, decoded: 0 };
    walk.value(value, &[schema]);
}

/// A value's name as [`folded`], but for one or two letters, whose case tells units apart (`mW`, `MW`).
fn folded_value(name: &str) -> String {
    if name.chars().count() <= 2 { name.to_owned() } else { folded(name) }
}

/// A name without what does not count when it is recognised: the case of its letters, and separators between two of
/// them. At an edge or beside a digit they mean something (`O-`, `-created`, `1-10`).
pub(crate) fn folded(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
    let mut fold = String::with_capacity(name.len());
    for (i, c) in chars.iter().enumerate() {
        let is_separator = matches!(c, '_' | '-' | ' ');
        if is_separator && is_letter(i.checked_sub(1)) && is_letter(Some(i + 1)) {
            continue;
        }
        fold.extend(c.to_lowercase());
    }
    fold
}

/// The value that a string holds as JSON, if it is of the type `wanted` and whole.
pub(super) fn decoded(text: &str, wanted: Kind) -> Option<Value> {
    let trimmed = text.trim();
    let value = if let Ok((value, duplicates)) = strict::value(trimmed) {
        duplicates.is_empty().then_some(value)?
    } else {
        let read = tolerant::read(trimmed, 0).ok()?;
        let is_whole = read.end == trimmed.len() && read.duplicates.found.is_empty();
        is_whole.then_some(read.value)?
    };
    (Kind::of(&value) == wanted).then_some(value)
}

struct Walk<'l> {
    log: &'l mut Log,
    pointer: String,
    /// How many containers this value is in.
    depth: usize,
    /// How many strings that held a value it is in.
    decoded: usize,
}

impl Located for Walk<'_> {
    fn pointer(&mut self) -> &mut String {
        &mut self.pointer
    }
}

impl Walk<'_> {
    fn note(&mut self, kind: RecoveryKind) {
        self.log.value(kind, &self.pointer);
    }

    fn note_at(&mut self, kind: RecoveryKind, key: &str) {
        below(self, key, |walk| walk.note(kind));
    }

    fn below(&mut self, key: &str, value: &mut Value, schemas: &[Schema<'_>]) {
        self.depth += 1;
        below(self, key, |walk| walk.value(value, schemas));
        self.depth -= 1;
    }

    // Bounded by the depth of the value, which reading has capped. Each value is come to once, with all that is about it.
    fn value(&mut self, value: &mut Value, schemas: &[Schema<'_>]) {
        let decoded = self.decoded;
        let mut parts = about(value, schemas);
        if self.scalar(value, &parts) {
            parts = about(value, schemas);
        }
        match value {
            Value::Object(entries) => self.object(entries, &parts),
            Value::Array(items) => self.array(items, &parts),
            _ => {}
        }
        self.decoded = decoded;
    }

    fn object(&mut self, entries: &mut Map<String, Value>, parts: &[Schema<'_>]) {
        self.spell_keys(entries, parts);
        let names: Vec<String> = entries.keys().cloned().collect();
        let mut absent = Vec::new();
        for name in names {
            let Some(value) = entries.get_mut(&name) else { continue };
            let rules_null_out = |part: &Schema<'_>| {
                part.property(&name).is_some_and(|property| !property.admits(Kind::Null))
            };
            let is_absent = value.is_null()
                && parts.iter().any(rules_null_out)
                && !parts.iter().any(|part| part.requires(&name));
            if is_absent {
                absent.push(name);
                continue;
            }
            let about_it = parts.iter().filter_map(|part| part.property(&name).or(part.rest()));
            let about_it: Vec<_> = about_it.collect();
            if !about_it.is_empty() {
                self.below(&name, value, &about_it);
            }
        }
        if !absent.is_empty() {
            entries.retain(|name, _| !absent.contains(name));
        }
        for name in &absent {
            self.note_at(RecoveryKind::AbsentOptional, name);
        }
    }

    /// Gives keys that differ in case or separators from exactly one property the name of that property.
    fn spell_keys(&mut self, entries: &mut Map<String, Value>, parts: &[Schema<'_>]) {
        // Where keys of any name are values of a map, they are right as they are.
        let is_map = |part: &Schema<'_>| {
            (part.rest().is_some() && !part.is_closed()) || !part.node.object.patterns.is_empty()
        };
        if parts.iter().any(is_map) {
            return;
        }
        let is_unknown = |key: &&String| parts.iter().all(|part| part.property(key).is_none());
        // By how they fold: the one unknown key, or none if there are rivals.
        let mut meant: HashMap<String, Option<String>> = HashMap::new();
        for key in entries.keys().filter(is_unknown) {
            let once = meant.entry(folded(key)).or_insert_with(|| Some(key.clone()));
            if once.as_ref() != Some(key) {
                *once = None;
            }
        }
        if meant.is_empty() {
            return;
        }
        let mut names: HashMap<String, Option<&String>> = HashMap::new();
        for name in parts.iter().flat_map(|part| part.property_names()) {
            let once = names.entry(folded(name)).or_insert(Some(name));
            if *once != Some(name) {
                *once = None;
            }
        }
        let renamed: HashMap<String, &String> = meant
            .into_iter()
            .filter_map(|(fold, key)| {
                let name = names.get(&fold).copied().flatten()?;
                key.filter(|_| !entries.contains_key(name)).map(|key| (key, name))
            })
            .collect();
        if renamed.is_empty() {
            return;
        }
        for (key, value) in std::mem::take(entries) {
            let name = renamed.get(&key).copied();
            if let Some(name) = name {
                self.note_at(RecoveryKind::KeySpelling, name);
            }
            entries.insert(name.cloned().unwrap_or(key), value);
        }
    }

    fn array(&mut self, items: &mut [Value], parts: &[Schema<'_>]) {
        for (i, item) in items.iter_mut().enumerate() {
            let about_it = parts.iter().filter_map(|part| {
                let Array { fixed, rest, .. } = &part.node.array;
                fixed.get(i).or(rest.as_ref()).map(|id| part.at(*id))
            });
            let about_it: Vec<_> = about_it.collect();
            if !about_it.is_empty() {
                self.below(&i.to_string(), item, &about_it);
            }
        }
    }

    /// Puts right what has no parts, or is a string that has them; whether it was one.
    fn scalar(&mut self, value: &mut Value, parts: &[Schema<'_>]) -> bool {
        let mut was_encoded = false;
        for part in parts {
            // Of the types of its branches, the branch that is meant says which it is.
            if part.is_union() && part.node.kinds.is_none() {
                continue;
            }
            let Some((right, kind)) = righted(value, *part) else { continue };
            if kind == RecoveryKind::DoubleEncoding {
                if self.decoded >= MAX_DECODED || self.depth + depth_of(&right) > MAX_DEPTH {
                    continue;
                }
                self.decoded += 1;
                was_encoded = true;
            }
            *value = right;
            self.note(kind);
        }
        was_encoded
    }
}

/// What a value is that a part of the schema does not take as it is.
fn righted(value: &Value, schema: Schema<'_>) -> Option<(Value, RecoveryKind)> {
    match value {
        Value::String(text) if schema.admits(Kind::String) => {
            spelled(text, schema).map(|option| (Value::String(option), RecoveryKind::EnumSpelling))
        }
        Value::String(text) => from_text(text, schema),
        Value::Number(number) if number.is_f64() && !schema.admits(Kind::Number) => {
            let whole = schema.admits(Kind::Integer).then(|| whole(number)).flatten();
            whole.map(|whole| (whole, RecoveryKind::WholeNumber))
        }
        _ => None,
    }
}

/// All parts of the schema that are about `value`, each once: those of these, what they refer to, and of a union the
/// branch that the value is of.
fn about<'s>(value: &Value, schemas: &[Schema<'s>]) -> Vec<Schema<'s>> {
    fn add<'s>(value: &Value, schema: Schema<'s>, parts: &mut Vec<Schema<'s>>) {
        if parts.iter().any(|part| part.address() == schema.address()) {
            return;
        }
        parts.push(schema);
        for part in schema.node.all.iter().chain(&schema.node.refers) {
            add(value, schema.at(*part), parts);
        }
        if let Some(branch) = chosen(value, schema) {
            add(value, branch, parts);
        }
    }
    let mut parts = Vec::new();
    for schema in schemas {
        add(value, *schema, &mut parts);
    }
    parts
}

/// How deep a value is. Reading has capped it.
fn depth_of(value: &Value) -> usize {
    let parts: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(entries) => Box::new(entries.values()),
        _ => return 0,
    };
    1 + parts.map(depth_of).max().unwrap_or_default()
}

/// The branch of a union that `value` is of, or could be put right for; `None` if that is not one alone.
fn chosen<'s>(value: &Value, schema: Schema<'s>) -> Option<Schema<'s>> {
    let kind = Kind::of(value);
    let branches = schema.branches();
    let exact = branches.clone().filter(|b| b.admits(kind) && has_tags(value, *b));
    if let Some(branch) = only(exact) {
        return Some(branch);
    }
    if branches.clone().any(|b| b.admits(kind)) {
        return None;
    }
    only(branches.filter(|b| could_become(value, *b)))
}

fn only<'s>(mut found: impl Iterator<Item = Schema<'s>>) -> Option<Schema<'s>> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether every property that the branch fixes to a constant has it, and none that it requires is missing.
fn has_tags(value: &Value, branch: Schema<'_>) -> bool {
    let Value::Object(entries) = value else { return true };
    let object = &branch.node.object;
    object.required.iter().all(|name| entries.contains_key(name) || branch.property(name).is_none())
        && object.properties.iter().all(|(name, part)| {
            branch.at(*part).node.constant.as_ref().is_none_or(|tag| entries.get(name) == Some(tag))
        })
}

fn could_become(value: &Value, branch: Schema<'_>) -> bool {
    match value {
        Value::String(text) => from_text(text, branch).is_some(),
        Value::Number(number) if number.is_f64() => {
            branch.admits(Kind::Integer) && whole(number).is_some()
        }
        _ => false,
    }
}

/// The option of an enum that `text` names in another spelling.
fn spelled(text: &str, schema: Schema<'_>) -> Option<String> {
    let constants = schema.branches().filter_map(|branch| branch.node.constant.as_ref());
    let options = schema.node.options.iter().flatten().chain(&schema.node.constant);
    let options: Vec<&str> = options.chain(constants).filter_map(Value::as_str).collect();
    if options.contains(&text) {
        return None;
    }
    let fold = folded_value(text);
    let mut meant = options.into_iter().filter(|option| folded_value(option) == fold);
    match (meant.next(), meant.next()) {
        (Some(option), None) => Some(option.to_owned()),
        _ => None,
    }
}

/// What a string holds, where the schema admits no string.
fn from_text(text: &str, schema: Schema<'_>) -> Option<(Value, RecoveryKind)> {
    if schema.admits(Kind::String) {
        return None;
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if is_number && (schema.admits(Kind::Integer) || schema.admits(Kind::Number)) {
        // By its digits: a float may have lost some.
        let number = tolerant::exact(text)?;
        if schema.admits(Kind::Number) || !number.is_f64() {
            return Some((Value::Number(number), RecoveryKind::NumberInString));
        }
        let (_, fraction) = text.split_once('.')?;
        // Three zeros may be thousands, as half of Europe writes them.
        let is_whole = fraction.bytes().all(|b| b == b'0') && fraction.len() != 3;
        return whole(&number).filter(|_| is_whole).map(|n| (n, RecoveryKind::NumberInString));
    }
    if schema.admits(Kind::Boolean)
        && let Some(boolean) = [("true", true), ("false", false)].iter().find(|(t, _)| *t == text)
    {
        return Some((Value::Bool(boolean.1), RecoveryKind::BooleanInString));
    }
    for wanted in [Kind::Object, Kind::Array] {
        if schema.admits(wanted)
            && let Some(value) = decoded(text, wanted)
        {
            return Some((value, RecoveryKind::DoubleEncoding));
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
