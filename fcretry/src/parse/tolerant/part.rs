//! What is there of a value whose text has not ended.

use serde_json::Value;

use super::{Bracket, IN_STRING, OPEN, Reader, Refusal};

/// Where reading stopped, and what was read until there.
#[derive(Debug)]
pub(in crate::parse) struct Part {
    pub(in crate::parse) refusal: Refusal,
    /// The outermost container with what is complete in it, and the containers that are still open where they stand:
    /// each the last of the one around it.
    pub(in crate::parse) value: Value,
    /// The keys and places by which one comes to the innermost container.
    pub(in crate::parse) open: Vec<String>,
    /// The key whose value has begun, and is no container.
    pub(in crate::parse) key: Option<String>,
    /// Where the string starts that has not ended.
    pub(in crate::parse) string: Option<usize>,
    /// Nothing came behind the last value, so that it may go on, or be another one: `""` starts three quotes.
    pub(in crate::parse) is_unsettled: bool,
    /// It has a key twice, or parentheses: what belongs where is not certain yet.
    pub(in crate::parse) is_uncertain: bool,
}

/// Reads as [`read`](super::read) does: the part of a value that is there; `None` if it is whole.
pub(in crate::parse) fn read_part(text: &str) -> Option<Box<Part>> {
    let mut reader = Reader::new(text, 0, false);
    let refusal = reader.value().err()?;
    Some(Box::new(reader.into_part(refusal)))
}

impl Reader<'_> {
    fn into_part(mut self, refusal: Refusal) -> Part {
        let mut open = Vec::with_capacity(self.stack.len());
        for (frame, inner) in self.stack.iter().zip(self.stack.iter().skip(1)) {
            if frame.bracket == Bracket::Brace {
                let key = inner.keys.checked_sub(1).and_then(|at| self.keys.get(at));
                open.push(key.cloned().unwrap_or_default());
            } else {
                open.push((inner.values - frame.values).to_string());
            }
        }
        let last = self.stack.last();
        let has_key = last.is_some_and(|frame| {
            frame.bracket == Bracket::Brace
                && self.keys.len() - frame.keys > self.values.len() - frame.values
        });
        let key = if has_key { self.keys.last().cloned() } else { None };
        let has_round = self.stack.iter().any(|frame| frame.bracket == Bracket::Round);
        let is_unsettled = refusal.cut && refusal.reason == OPEN;
        let string = self.string.filter(|_| refusal.cut && refusal.reason == IN_STRING);
        let value = loop {
            let value = self.close();
            if self.stack.is_empty() {
                break value;
            }
            self.values.push(value);
        };
        let is_uncertain = has_round || !self.duplicates.found.is_empty();
        Part { refusal, value, open, key, string, is_unsettled, is_uncertain }
    }
}
