//! What a schema demands of a value: every keyword that `schemars` can state, at every depth, all violations at
//! once.
//!
//! Whether a part fits is remembered by part of the schema and part of the value, so that a union of unions costs
//! their product and not the power of their depth; and of a union that does not fit, one branch alone is explained.

mod evaluated;
mod formats;
mod found;
mod scalars;
mod unions;

use std::{cell::RefCell, collections::HashMap};

use regex::Regex;
use serde_json::{Map, Value};

use self::found::Found;
use super::{
    expected::{describe, keys},
    pointer::push,
    schema::Schema,
};
use crate::failure::Violation;

/// More steps within a schema without a step into the value are a circle of references.
const MAX_HOPS: usize = 64;

/// A schema, prepared once: says everything that is wrong with a value.
#[derive(Debug)]
pub(crate) struct Checker {
    schema: Value,
    patterns: HashMap<String, Regex>,
}

impl Checker {
    /// Takes `schema` (JSON Schema 2020-12, formats asserted). Patterns run on an engine that is linear in the
    /// input; one that needs look-around is refused.
    pub(crate) fn new(schema: Value) -> Result<Self, String> {
        let mut patterns = HashMap::new();
        prepare(&schema, &schema, &mut String::new(), &mut patterns)?;
        Ok(Self { schema, patterns })
    }

    /// The schema as it was given.
    pub(crate) fn json(&self) -> &Value {
        &self.schema
    }

    /// The schema as reading walks it.
    pub(super) fn schema(&self) -> Schema<'_> {
        Schema::new(&self.schema)
    }

    /// All violations, in the order of the schema.
    pub(crate) fn check(&self, value: &Value) -> Vec<Violation> {
        let walk = Walk { patterns: &self.patterns, fits: RefCell::default() };
        let mut found = Found::loud();
        walk.check(self.schema(), value, &mut String::new(), &mut found, 0);
        found.into_violations()
    }
}

/// Compiles every pattern, and refuses what would be enforced wrongly.
fn prepare(
    node: &Value,
    root: &Value,
    at: &mut String,
    patterns: &mut HashMap<String, Regex>,
) -> Result<(), String> {
    let mut pattern = |text: &str, at: &str| {
        if !patterns.contains_key(text) {
            let compiled = Regex::new(text).map_err(|_| {
                format!("{at}: the pattern `{text}` is none of a linear engine (no look-around)")
            })?;
            patterns.insert(text.to_owned(), compiled);
        }
        Ok::<(), String>(())
    };
    match node {
        Value::Object(entries) => {
            if let Some(Value::String(target)) = entries.get("$ref")
                && target.strip_prefix('#').and_then(|p| root.pointer(p)).is_none()
            {
                return Err(format!("{at}/$ref: `{target}` leads nowhere"));
            }
            if let Some(Value::String(text)) = entries.get("pattern") {
                pattern(text, at)?;
            }
            for text in
                entries.get("patternProperties").and_then(Value::as_object).into_iter().flatten()
            {
                pattern(text.0, at)?;
            }
            for (key, part) in entries {
                // What stands there is data, and no schema.
                if matches!(key.as_str(), "const" | "enum" | "default" | "examples") {
                    continue;
                }
                let outer = at.len();
                push(at, key);
                prepare(part, root, at, patterns)?;
                at.truncate(outer);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                prepare(part, root, at, patterns)?;
            }
        }
        _ => {}
    }
    Ok(())
}

struct Walk<'c> {
    patterns: &'c HashMap<String, Regex>,
    /// Whether a value (by address) fits a part of the schema (by address).
    fits: RefCell<HashMap<(usize, usize), bool>>,
}

impl Walk<'_> {
    /// Whether `value` fits, without saying why not.
    fn fits(&self, schema: Schema<'_>, value: &Value, hops: usize) -> bool {
        let key = (std::ptr::from_ref(schema.node).addr(), std::ptr::from_ref(value).addr());
        if let Some(known) = self.fits.borrow().get(&key) {
            return *known;
        }
        let fits = self.check(schema, value, &mut String::new(), &mut Found::quiet(), hops);
        self.fits.borrow_mut().insert(key, fits);
        fits
    }

    /// Checks `value` at `pointer`; whether it fits. The recursion is as deep as the value, which reading has
    /// capped, times the steps within the schema.
    fn check(
        &self,
        schema: Schema<'_>,
        value: &Value,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        match schema.node {
            Value::Bool(true) => return true,
            Value::Bool(false) => {
                found.add(pointer, || "nothing here".to_owned(), Some(value));
                return false;
            }
            _ if hops > MAX_HOPS => return true,
            _ => {}
        }
        let mut right = self.applied(schema, value, pointer, found, hops);
        if right || !found.is_quiet() {
            right &= self.scalar(schema, value, pointer, found);
        }
        if right || !found.is_quiet() {
            right &= match value {
                Value::Object(entries) => self.object(schema, value, entries, pointer, found, hops),
                Value::Array(items) => self.array(schema, value, items, pointer, found),
                _ => true,
            };
        }
        right
    }

    /// The keywords that apply other schemas to the same value.
    fn applied(
        &self,
        schema: Schema<'_>,
        value: &Value,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        let mut right = true;
        if let Some(part) = schema.referred() {
            right &= self.check(part, value, pointer, found, hops + 1);
        }
        for part in schema.listed("allOf") {
            right &= self.check(part, value, pointer, found, hops + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            if schema.get(keyword).is_some() {
                right &= self.union(schema, keyword, value, pointer, found, hops + 1);
            }
        }
        if let Some(not) = schema.under("not")
            && self.fits(not, value, hops + 1)
        {
            found.add(pointer, || "another value; this one is ruled out".to_owned(), Some(value));
            right = false;
        }
        if let Some(condition) = schema.under("if") {
            let keyword = if self.fits(condition, value, hops + 1) { "then" } else { "else" };
            if let Some(part) = schema.under(keyword) {
                right &= self.check(part, value, pointer, found, hops + 1);
            }
        }
        right
    }

    fn object(
        &self,
        schema: Schema<'_>,
        value: &Value,
        entries: &Map<String, Value>,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        let mut right = true;
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !entries.contains_key(name) {
                right = false;
                let kind = || match schema.property(name) {
                    Some(part) => format!("{}; it is required", describe(part.node, part.root)),
                    None => "a value; it is required".to_owned(),
                };
                below(pointer, name, |pointer| found.add(pointer, kind, None));
            }
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        for (key, part) in entries {
            let mut is_known = false;
            let named = schema.property(key);
            let by_pattern = patterns.into_iter().flatten().filter_map(|(pattern, node)| {
                let is_match = self.patterns.get(pattern)?.is_match(key);
                is_match.then_some(schema.part(node))
            });
            for known in named.into_iter().chain(by_pattern) {
                is_known = true;
                right &= below(pointer, key, |p| self.check(known, part, p, found, 0));
            }
            if !is_known && let Some(rest) = schema.under("additionalProperties") {
                if *rest.node == Value::Bool(false) {
                    right = false;
                    below(pointer, key, |p| found.add(p, || no_such_key(schema), Some(part)));
                } else {
                    right &= below(pointer, key, |p| self.check(rest, part, p, found, 0));
                }
            }
            if let Some(names) = schema.under("propertyNames") {
                let name = Value::String(key.clone());
                // The next name may have the address of this one: nothing of it is to be remembered.
                let walk = Walk { patterns: self.patterns, fits: RefCell::default() };
                right &= below(pointer, key, |p| walk.check(names, &name, p, found, hops + 1));
            }
            if !right && found.is_quiet() {
                return false;
            }
        }
        if let Some(Value::Bool(false)) = schema.get("unevaluatedProperties") {
            let evaluated = self.evaluated(schema, value, hops);
            for (key, part) in entries.iter().filter(|(key, _)| !evaluated.contains(key.as_str())) {
                right = false;
                below(pointer, key, |p| found.add(p, || no_such_key(schema), Some(part)));
            }
        }
        let limits = ["minProperties", "maxProperties"];
        if let Some(expected) = scalars::wrong_size(schema, limits, entries.len(), "entries") {
            right = false;
            found.add(pointer, || expected, Some(value));
        }
        right
    }

    fn array(
        &self,
        schema: Schema<'_>,
        value: &Value,
        items: &[Value],
        pointer: &mut String,
        found: &mut Found,
    ) -> bool {
        let fixed: Vec<Schema<'_>> = schema.listed("prefixItems").collect();
        let rest = schema.under("items");
        let mut right = true;
        for (i, item) in items.iter().enumerate() {
            if let Some(part) = fixed.get(i).copied().or(rest) {
                right &= below(pointer, &i.to_string(), |p| self.check(part, item, p, found, 0));
            }
            if !right && found.is_quiet() {
                return false;
            }
        }
        if let Some(wanted) = schema.under("contains") {
            let count = items.iter().filter(|item| self.fits(wanted, item, 0)).count();
            let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
            let least = limit("minContains").unwrap_or(1);
            let most = limit("maxContains").unwrap_or(u64::MAX);
            if !(least..=most).contains(&(count as u64)) {
                right = false;
                let kind = || {
                    format!(
                        "items of which at least {least} are {}",
                        describe(wanted.node, wanted.root)
                    )
                };
                found.add(pointer, kind, Some(value));
            }
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && !scalars::are_unique(items) {
            right = false;
            found.add(pointer, || "items that differ from each other".to_owned(), Some(value));
        }
        let limits = ["minItems", "maxItems"];
        if let Some(expected) = scalars::wrong_size(schema, limits, items.len(), "items") {
            right = false;
            found.add(pointer, || expected, Some(value));
        }
        right
    }
}

fn no_such_key(schema: Schema<'_>) -> String {
    match keys(schema.property_names().cloned()) {
        names if names.is_empty() => "no such key".to_owned(),
        names => format!("no such key; the keys are {names}"),
    }
}

/// Does something at `key` below `pointer`.
fn below<R>(pointer: &mut String, key: &str, act: impl FnOnce(&mut String) -> R) -> R {
    let outer = pointer.len();
    push(pointer, key);
    let result = act(pointer);
    pointer.truncate(outer);
    result
}

#[cfg(test)]
mod tests;
