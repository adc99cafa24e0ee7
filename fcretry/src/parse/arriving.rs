//! What can be said of arguments while they arrive: whether what has come can still become right.
//!
//! Only what is complete is judged, and only where nothing that may follow changes what it means: values of
//! properties and items, from the outside in, as far as the schema says one thing. Unions, wrappers and whatever else
//! is decided by the whole wait for it. So a text that reads well is never given up at any of its starts.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Recovery, Target,
    check::{self, wrong_size},
    coerce,
    extract::is_placeholder,
    pointer::push,
    recovered::Log,
    refused::refused,
    schema::{Kind, Route, Schema},
    tolerant::{self, Part, Refusal},
    unwrap,
};
use crate::failure::{Failure, FailureKind, Violation};

/// White space of this many bytes between values comes to no end.
const BLANK: usize = 256;

/// The same inside a string, where it may be meant.
const BLANK_IN_STRING: usize = 4096;

/// One short piece over and over, for this many bytes, comes to no end.
const REPEATED: usize = 16 * 1024;

/// The longest piece whose repetition is looked for.
const PIECE: usize = 64;

/// A refusal nearer to the end of what has come than this may be another one once more is there.
const MARGIN: usize = 8;

/// What is refused whatever follows. Other refusals hang on more than what stands before them.
const FINAL: &[&str] = &[
    "a bare word",
    "a bracket that closes another one",
    "a key without a value",
    "a number that JSON cannot hold",
    "an expression inside a string",
    "nested too deep",
    "no number that JSON can hold, or an expression",
    "no value starts with this character",
    "nothing between two commas",
    "something other than a comma or a closing bracket after a value",
];

/// Why `text`, the start of arguments, cannot become right any more, whatever follows.
pub(crate) fn hopeless(text: &str, target: Target<'_>) -> Option<Failure> {
    let Some(part) = tolerant::read_part(text) else { return endless(text, BLANK_IN_STRING) };
    let is_object = text.trim_start().starts_with('{');
    let blank = if is_object && part.string.is_none() { BLANK } else { BLANK_IN_STRING };
    if let Some(failure) = endless(text, blank) {
        return Some(failure);
    }
    if !is_object {
        return None;
    }
    if !part.refusal.cut {
        return unreadable(text, &part, target.recovery);
    }
    let found = Judge { target, found: Vec::new() }.all(text, *part);
    let failure = || Failure::new(FailureKind::SchemaValidation);
    (!found.is_empty()).then(|| failure().with_violations(found.into_iter().collect()))
}

/// A tail that runs on without end.
fn endless(text: &str, blank: usize) -> Option<Failure> {
    let failure = |note| Some(Failure::new(FailureKind::StructuralParse).with_note(note));
    let bytes = text.as_bytes();
    if bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count() >= blank {
        return failure("the text runs on in white space");
    }
    let tail = bytes.len().checked_sub(REPEATED).and_then(|start| bytes.get(start..))?;
    let repeats = |period| tail.iter().zip(tail.iter().skip(period)).all(|(a, b)| a == b);
    if (1..=PIECE).any(repeats) { failure("the text runs on in repetition") } else { None }
}

/// A refusal that stays one.
fn unreadable(text: &str, part: &Part, recovery: Recovery) -> Option<Failure> {
    let Refusal { at, reason, .. } = part.refusal;
    let has_entries = part.value.as_object().is_some_and(|entries| !entries.is_empty());
    let has_members = has_entries || part.key.is_some() || !part.open.is_empty();
    let is_final = recovery == Recovery::Lossless
        && has_members
        && FINAL.contains(&reason)
        && at + MARGIN <= text.len()
        && !is_placeholder(text.trim_start());
    is_final.then(|| refused(text, part.refusal))
}

struct Judge<'t> {
    target: Target<'t>,
    found: Vec<Violation>,
}

impl Judge<'_> {
    /// What is wrong with the part, container by container from the outside in.
    fn all(mut self, text: &str, part: Part) -> Vec<Violation> {
        let Part { value, open, key, string, is_unsettled, is_uncertain, .. } = part;
        let keys = || value.as_object().into_iter().flat_map(|entries| entries.keys()).chain(&key);
        let mut schema = self.target.checker.schema();
        if is_uncertain || unwrap::may_begin(keys(), schema, self.target.name) {
            return Vec::new();
        }
        let mut value = value;
        let mut pointer = String::new();
        let mut steps = open.iter();
        loop {
            let Some(settled) = certain(schema, &value) else { return self.found };
            schema = settled;
            let step = steps.next();
            let has_more = step.is_some() || key.is_some() || string.is_some();
            let inner = step.and_then(|step| take(&mut value, step));
            if step.is_none() && is_unsettled {
                drop_last(&mut value);
            }
            self.container(schema, value, &pointer, has_more);
            let (Some(step), Some(inner)) = (step, inner) else { break };
            let Some(below) = below(schema, step) else { return self.found };
            push(&mut pointer, step);
            (schema, value) = (below, inner);
        }
        if let Some(start) = string {
            let item = || schema.node.array.rest.map(|id| schema.at(id));
            let part = key.as_deref().map_or_else(item, |key| schema.property(key));
            if let Some(part) = part {
                push(&mut pointer, key.as_deref().unwrap_or_default());
                self.string(part, text.get(start..).unwrap_or_default(), &pointer);
            }
        }
        self.found
    }

    /// What is wrong with the values of a container that are complete.
    fn container(&mut self, schema: Schema<'_>, value: Value, pointer: &str, has_more: bool) {
        let mut value = value;
        let count = value.as_array().map_or(0, Vec::len) + usize::from(has_more);
        let keys: HashSet<String> =
            value.as_object().into_iter().flat_map(|entries| entries.keys().cloned()).collect();
        if self.target.recovery != Recovery::Off {
            coerce::coerce(&mut value, schema, &mut Log::default());
        }
        let is_object = value.is_object();
        let found = check::violations(schema, &value, pointer);
        self.found.extend(found.into_iter().filter(|violation| {
            let inside = violation.pointer().get(pointer.len()..).unwrap_or_default();
            let name = inside.split('/').nth(1).unwrap_or_default();
            let name = name.replace("~1", "/").replace("~0", "~");
            // A key that was spelled another way may yet come as it is.
            let is_there = || !is_object || keys.contains(&name);
            let is_property = || schema.property(&name).is_some();
            // Of the container itself the rest is to come, and what is missing may. Keys that a closed schema does not
            // know may be those of a wrapper.
            !inside.is_empty()
                && violation.got().is_some()
                && is_there()
                && (!schema.is_closed() || is_property())
        }));
        let size = schema.node.array.size;
        if value.is_array()
            && let Some(most) = size.most
            && count as u64 > most
            && let Some(fault) = wrong_size(size, count, "items")
        {
            self.found.push(Violation::schema(pointer, fault.expected(), Some(value)));
        }
    }

    /// Whether a string that has not ended is too long already.
    fn string(&mut self, schema: Schema<'_>, text: &str, pointer: &str) {
        let size = schema.node.text.length;
        let Some(most) = size.most.filter(|_| schema.node.is_own) else { return };
        let is_text_alone = schema.admits(Kind::String)
            && !schema.admits(Kind::Object)
            && !schema.admits(Kind::Array);
        // An escape is twelve characters for one at most.
        let least = text.chars().count().saturating_sub(1);
        let least = if text.contains('\\') { least / 12 } else { least };
        if is_text_alone
            && least as u64 > most
            && let Some(fault) = wrong_size(size, least, "characters")
        {
            let start: String = text.chars().skip(1).take(SHOWN).collect();
            self.found.push(Violation::schema(pointer, fault.expected(), Some(start.into())));
        }
    }
}

/// How much of a string that is too long is told.
const SHOWN: usize = 80;

/// The schema, or the branch of it that alone takes such a container, if what it demands of the parts is certain before
/// the whole is there.
fn certain<'s>(schema: Schema<'s>, value: &Value) -> Option<Schema<'s>> {
    let kind = Kind::of(value);
    let schema = match schema.route(kind) {
        Some(Route::To(id)) => schema.at(*id),
        _ => schema,
    };
    let is_certain = schema.node.is_own && schema.node.is_seen_in_passing && schema.admits(kind);
    is_certain.then_some(schema)
}

/// The schema of what stands at `step`.
fn below<'s>(schema: Schema<'s>, step: &str) -> Option<Schema<'s>> {
    if schema.node.object.properties.is_empty() && schema.node.object.rest.is_none() {
        let array = &schema.node.array;
        let fixed = step.parse::<usize>().ok().and_then(|at| array.fixed.get(at));
        return fixed.or(array.rest.as_ref()).map(|id| schema.at(*id));
    }
    schema.property(step).or_else(|| schema.rest().filter(|rest| !rest.node.is_never))
}

/// Takes the part at `step` out of the container.
fn take(value: &mut Value, step: &str) -> Option<Value> {
    match value {
        Value::Object(entries) => entries.shift_remove(step),
        Value::Array(items) => items.pop(),
        _ => None,
    }
}

/// Takes the last part away.
fn drop_last(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            let last = entries.keys().next_back().cloned();
            last.and_then(|key| entries.shift_remove(&key));
        }
        Value::Array(items) => drop(items.pop()),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
