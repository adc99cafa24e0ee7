//! What a schema demands of a value: every keyword that `schemars` can state, at every depth, all violations at
//! once.
//!
//! Whether a part fits is remembered by part of the schema and part of the value, so that a union of unions, or several
//! parts about one value, cost their product and not the power of their depth; and of a union that does not fit, one
//! branch alone is explained.

mod containers;
mod evaluated;
mod found;
mod multiple;
mod scalars;
mod unions;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use serde_json::Value;

use self::found::Found;
pub(super) use self::scalars::{Outside, faults, wrong_size};
use super::schema::{Compiled, Schema};
use crate::failure::Violation;

/// More steps within a schema without a step into the value are a circle of references.
const MAX_HOPS: usize = 64;

/// A schema, prepared once: says everything that is wrong with a value.
#[derive(Debug)]
pub(crate) struct Checker {
    json: Value,
    compiled: Compiled,
}

impl Checker {
    /// Takes `schema`, or says what in it cannot be enforced.
    pub(crate) fn new(schema: Value) -> Result<Self, String> {
        let compiled = Compiled::new(&schema)?;
        Ok(Self { json: schema, compiled })
    }

    /// The schema as it was given.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// The schema as reading walks it.
    pub(super) fn schema(&self) -> Schema<'_> {
        self.compiled.whole()
    }

    /// All violations, in the order of the schema.
    pub(crate) fn check(&self, value: &Value) -> Vec<Violation> {
        let mut found = Found::loud();
        Walk::default().check(self.schema(), value, &mut String::new(), &mut found, 0);
        found.into_violations()
    }
}

/// Whether `value` is all that `schema` demands.
pub(super) fn fits(schema: Schema<'_>, value: &Value) -> bool {
    Walk::default().fits(schema, value, 0)
}

/// All violations of `value`, which stands at `pointer`.
pub(super) fn violations(schema: Schema<'_>, value: &Value, pointer: &str) -> Vec<Violation> {
    let mut found = Found::loud();
    Walk::default().check(schema, value, &mut pointer.to_owned(), &mut found, 0);
    found.into_violations()
}

/// A walk through one value.
#[derive(Default)]
struct Walk {
    /// Whether a value (by address) fits a part of the schema (by address).
    fits: RefCell<HashMap<(usize, usize), bool>>,
    /// The same where several parts of a schema are about one value, and whether it was asked without saying why not;
    /// nothing, while it is being found out.
    checked: RefCell<HashMap<(usize, usize, bool), Option<bool>>>,
    /// What is being found out depends on itself.
    is_in_circle: Cell<bool>,
}

impl Walk {
    /// Whether `value` fits, without saying why not.
    fn fits(&self, schema: Schema<'_>, value: &Value, hops: usize) -> bool {
        // What has no parts is looked at sooner than looked up.
        let is_seen_at_once = schema.node.is_own && !(value.is_object() || value.is_array());
        // What is about one value with others is remembered there.
        if is_seen_at_once || schema.node.is_one_of_several {
            return self.check(schema, value, &mut String::new(), &mut Found::quiet(), hops);
        }
        let key = (schema.address(), std::ptr::from_ref(value).addr());
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
        let is_seen_at_once = schema.node.is_own && !(value.is_object() || value.is_array());
        if is_seen_at_once || !schema.node.is_one_of_several {
            return self.demands(schema, value, pointer, found, hops);
        }
        let key = (schema.address(), std::ptr::from_ref(value).addr(), found.is_quiet());
        match self.checked.borrow().get(&key) {
            // What is wrong was told.
            Some(Some(known)) => return *known,
            // What leads back to itself demands nothing more.
            Some(None) => {
                self.is_in_circle.set(true);
                return true;
            }
            None => {}
        }
        self.checked.borrow_mut().insert(key, None);
        let was_in_circle = self.is_in_circle.take();
        let right = self.demands(schema, value, pointer, found, hops);
        // What hangs on an answer that is not known yet is no answer for others.
        let is_in_circle = self.is_in_circle.get() && hops > 0;
        self.is_in_circle.set(was_in_circle || is_in_circle);
        if is_in_circle {
            self.checked.borrow_mut().remove(&key);
        } else {
            self.checked.borrow_mut().insert(key, Some(right));
        }
        right
    }

    fn demands(
        &self,
        schema: Schema<'_>,
        value: &Value,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        if schema.node.is_never {
            found.add(pointer, || "nothing here".to_owned(), Some(value));
            return false;
        }
        if hops > MAX_HOPS {
            return true;
        }
        let mut right = self.applied(schema, value, pointer, found, hops);
        if right || !found.is_quiet() {
            faults(schema.node, Outside::of(value), &mut |fault| {
                right = false;
                found.add(pointer, || fault.expected(), Some(value));
            });
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
        let node = schema.node;
        let mut right = true;
        for part in node.refers.iter().chain(&node.all) {
            right &= self.check(schema.at(*part), value, pointer, found, hops + 1);
        }
        if let Some(branches) = &node.any {
            let branches: Vec<_> = schema.several(branches).collect();
            right &= self.union(&branches, false, value, pointer, found, hops + 1);
        }
        if let Some(branches) = &node.one {
            let branches: Vec<_> = schema.several(branches).collect();
            right &= self.union(&branches, true, value, pointer, found, hops + 1);
        }
        if let Some(not) = node.not
            && self.fits(schema.at(not), value, hops + 1)
        {
            found.add(pointer, || "another value; this one is ruled out".to_owned(), Some(value));
            right = false;
        }
        if let Some(condition) = node.condition {
            let holds = self.fits(schema.at(condition.holds), value, hops + 1);
            if let Some(part) = if holds { condition.then } else { condition.otherwise } {
                right &= self.check(schema.at(part), value, pointer, found, hops + 1);
            }
        }
        right
    }
}

#[cfg(test)]
mod tests;
