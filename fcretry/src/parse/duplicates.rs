use serde_json::Value;

use crate::failure::Violation;

/// Keys that an object has twice. Pointers repeat the keys above them, so what hostile text could make of them
/// is bounded: the first is always told.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    pub(super) found: Vec<Violation>,
    told: usize,
}

impl Duplicates {
    /// Whether another is kept.
    pub(super) fn has_room(&self) -> bool {
        self.found.is_empty() || (self.told <= MAX_POINTERS && self.found.len() < MAX_FOUND)
    }

    pub(super) fn add(&mut self, pointer: &str, got: Value) {
        self.told = self.told.saturating_add(pointer.len());
        if self.has_room() {
            self.found.push(Violation::schema(pointer, ONCE, Some(got)));
        }
    }
}

/// What is expected of such a key.
pub(super) const ONCE: &str = "this key once; it is there twice";

/// The most keys given twice that are told.
const MAX_FOUND: usize = 1000;

/// The most bytes of pointers to them.
const MAX_POINTERS: usize = 64 * 1024;
