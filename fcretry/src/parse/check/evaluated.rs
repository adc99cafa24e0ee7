use std::collections::HashSet;

use serde_json::Value;

use super::Walk;
use crate::parse::schema::Schema;

impl Walk<'_> {
    /// The keys of `value` that `schema` says something about, in all the parts that apply to it: what
    /// `unevaluatedProperties` does not concern.
    pub(super) fn evaluated<'v>(
        &self,
        schema: Schema<'_>,
        value: &'v Value,
        hops: usize,
    ) -> HashSet<&'v str> {
        let mut known = HashSet::new();
        self.add_evaluated(schema, value, &mut known, hops);
        known
    }

    fn add_evaluated<'v>(
        &self,
        schema: Schema<'_>,
        value: &'v Value,
        known: &mut HashSet<&'v str>,
        hops: usize,
    ) {
        let Some(entries) = value.as_object().filter(|_| hops <= super::MAX_HOPS) else { return };
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let has_rest = schema.get("additionalProperties").is_some();
        for key in entries.keys() {
            let is_matched = || {
                patterns.is_some_and(|patterns| {
                    patterns.keys().any(|p| self.patterns.get(p).is_some_and(|p| p.is_match(key)))
                })
            };
            if has_rest || schema.property(key).is_some() || is_matched() {
                known.insert(key);
            }
        }
        if let Some(part) = schema.referred() {
            self.add_evaluated(part, value, known, hops + 1);
        }
        for part in schema.listed("allOf") {
            self.add_evaluated(part, value, known, hops + 1);
        }
        for branch in schema.branches() {
            if self.fits(branch, value, hops + 1) {
                self.add_evaluated(branch, value, known, hops + 1);
            }
        }
        if let Some(condition) = schema.under("if") {
            let holds = self.fits(condition, value, hops + 1);
            if holds {
                self.add_evaluated(condition, value, known, hops + 1);
            }
            if let Some(part) = schema.under(if holds { "then" } else { "else" }) {
                self.add_evaluated(part, value, known, hops + 1);
            }
        }
    }
}
