use serde_json::{Map, Value};

use crate::failure::Violation;

/// The most violations that are collected: beyond them a value is another thing altogether.
pub(super) const MAX_VIOLATIONS: usize = 1000;

/// The most bytes of pointers in them.
const MAX_POINTERS: usize = 64 * 1024;

/// Where violations go; nowhere, where only the answer counts.
pub(super) struct Found {
    collected: Option<Vec<Violation>>,
    pointer_bytes: usize,
}

impl Found {
    /// Collects what is added.
    pub(super) fn loud() -> Self {
        Self { collected: Some(Vec::new()), pointer_bytes: 0 }
    }

    /// Collects nothing.
    pub(super) fn quiet() -> Self {
        Self { collected: None, pointer_bytes: 0 }
    }

    /// Whether one violation answers the question.
    pub(super) fn is_quiet(&self) -> bool {
        self.collected.is_none()
    }

    /// Adds a violation; its words are made only if it is kept.
    pub(super) fn add(
        &mut self,
        pointer: &str,
        expected: impl FnOnce() -> String,
        got: Option<&Value>,
    ) {
        let Some(collected) = &mut self.collected else { return };
        self.pointer_bytes = self.pointer_bytes.saturating_add(pointer.len());
        let is_room = collected.len() < MAX_VIOLATIONS && self.pointer_bytes <= MAX_POINTERS;
        if is_room || collected.is_empty() {
            collected.push(Violation::schema(pointer, expected(), got.map(excerpt)));
        }
    }

    /// What was collected.
    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.collected.unwrap_or_default()
    }
}

/// The most items and characters of a value that a violation keeps.
const KEPT: usize = 1024;

/// The value, or the start of it: a violation of every level around a large value would hold it as often.
fn excerpt(value: &Value) -> Value {
    if is_small(value, &mut { KEPT }) {
        return value.clone();
    }
    match value {
        Value::String(text) => Value::String(text.chars().take(KEPT).collect()),
        Value::Array(items) => items.iter().take(KEPT).map(shallow).collect(),
        Value::Object(entries) => {
            let kept = entries.iter().take(KEPT).map(|(key, part)| (key.clone(), shallow(part)));
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

/// Whether the value has no more than `room` parts and characters.
fn is_small(value: &Value, room: &mut usize) -> bool {
    let own = match value {
        Value::String(text) => text.len(),
        _ => 1,
    };
    let Some(left) = room.checked_sub(own) else { return false };
    *room = left;
    match value {
        Value::Array(items) => items.iter().all(|item| is_small(item, room)),
        Value::Object(entries) => entries.iter().all(|(key, part)| {
            let left = room.checked_sub(key.len());
            *room = left.unwrap_or_default();
            left.is_some() && is_small(part, room)
        }),
        _ => true,
    }
}

/// The value without what is in it.
fn shallow(value: &Value) -> Value {
    match value {
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(_) => Value::Object(Map::new()),
        Value::String(text) => Value::String(text.chars().take(KEPT).collect()),
        other => other.clone(),
    }
}
