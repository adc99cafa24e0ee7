use std::collections::HashSet;

use serde_json::Value;

use super::Walk;
use crate::parse::schema::Schema;

impl Walk {
    /// The keys of `value` that `schema` says something about, in all the parts that apply to it: what
    /// `unevaluatedProperties` does not concern.
    pub(super) fn evaluated<'v>(
        &self,
        schema: Schema<'_>,
        value: &'v Value,
        hops: usize,
    ) -> HashSet<&'v str> {
        let mut known = HashSet::new();
        self.add_evaluated(schema, value, &mut known, &mut HashSet::new(), hops);
        known
    }

    fn add_evaluated<'v>(
        &self,
        schema: Schema<'_>,
        value: &'v Value,
        known: &mut HashSet<&'v str>,
        seen: &mut HashSet<usize>,
        hops: usize,
    ) {
        let Some(entries) = value.as_object().filter(|_| hops <= super::MAX_HOPS) else { return };
        if !seen.insert(schema.address()) {
            return;
        }
        let node = schema.node;
        let object = &node.object;
        for key in entries.keys() {
            let is_matched = || object.patterns.iter().any(|(pattern, _)| pattern.is_match(key));
            if object.rest.is_some() || object.property(key).is_some() || is_matched() {
                known.insert(key);
            }
        }
        let dependent = object.dependent.iter().filter(|(key, _)| entries.contains_key(key));
        let applied = node.refers.iter().chain(&node.all).chain(dependent.map(|(_, id)| id));
        for part in applied {
            self.add_evaluated(schema.at(*part), value, known, seen, hops + 1);
        }
        for branch in schema.branches() {
            if self.fits(branch, value, hops + 1) {
                self.add_evaluated(branch, value, known, seen, hops + 1);
            }
        }
        if let Some(condition) = node.condition {
            let holds = self.fits(schema.at(condition.holds), value, hops + 1);
            if holds {
                self.add_evaluated(schema.at(condition.holds), value, known, seen, hops + 1);
            }
            if let Some(part) = if holds { condition.then } else { condition.otherwise } {
                self.add_evaluated(schema.at(part), value, known, seen, hops + 1);
            }
        }
    }
}
