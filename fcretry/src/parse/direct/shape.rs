//! Whether a schema says no more than its type does: what the type asks for ([`probe`](super::probe)), held against the
//! schema.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use super::{
    fill::demands,
    probe::{Step, Struct, Wish, ask},
};
use crate::parse::schema::{Array, Kind, Node, Numbers, Object, Schema, Text};

/// Whether all that `schema` demands of a value, `T` demands too.
///
/// Of what cannot be told by asking, such as a type that looks at the value first, the answer is no.
pub(in crate::parse) fn says_no_more<T: DeserializeOwned>(schema: Schema<'_>) -> bool {
    let mut comparison = Comparison {
        ask: ask::<T>,
        demands: demands::<T>,
        path: Vec::new(),
        known: HashSet::new(),
        left: MAX_PARTS,
    };
    comparison.is_plain(schema, false)
}

/// A type of more parts than this is not asked about all of them.
const MAX_PARTS: usize = 2048;

/// Nor are parts that are in one another deeper than this: a list of lists of itself has no end.
const MAX_DEPTH: usize = 64;

struct Comparison<'s> {
    ask: fn(&[Step<'_>]) -> Option<Wish>,
    demands: fn(&[Step<'_>], &str) -> bool,
    path: Vec<Step<'s>>,
    /// Structs that were compared with a part of the schema, or are being compared.
    known: HashSet<(usize, Struct)>,
    left: usize,
}

impl<'s> Comparison<'s> {
    fn below(&mut self, step: Step<'s>, schema: Schema<'s>, is_nullable: bool) -> bool {
        self.path.push(step);
        let is_plain = self.path.len() <= MAX_DEPTH && self.is_plain(schema, is_nullable);
        self.path.pop();
        is_plain
    }

    /// Whether the part at the path demands what `schema` does; `null` aside, if it `is_nullable`.
    fn is_plain(&mut self, schema: Schema<'s>, is_nullable: bool) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let Some(wish) = (self.ask)(&self.path) else { return false };
        let node = schema.node;
        // `null` alone, or the other branch.
        if wish == Wish::Option {
            return !is_nullable && self.is_plain_option(schema);
        }
        let is = |kind: Kind| {
            node.is_own
                && node.constant.is_none()
                && node.kinds.as_ref().is_some_and(|kinds| {
                    let is_one_of_them = |k: &Kind| *k == kind || (is_nullable && *k == Kind::Null);
                    kinds.has(kind) && kinds.listed().iter().all(is_one_of_them)
                })
        };
        let is_any = node.options.is_none();
        match wish {
            Wish::Bool => is(Kind::Boolean) && is_any,
            Wish::Text => is(Kind::String) && is_any && is_any_text(&node.text),
            Wish::Float { is_single } => {
                let is_wide = !node.numbers.is_single || is_single;
                is(Kind::Number) && is_any && is_wide && is_within(&node.numbers, None)
            }
            Wish::Integer(least, most) => {
                is(Kind::Integer) && is_any && is_within(&node.numbers, Some((least, most)))
            }
            Wish::Enum(variants) => {
                let is_word = node.kinds.is_none() || is(Kind::String);
                let has_null = || node.options.iter().flatten().any(Value::is_null);
                is_word
                    && node.is_own
                    && node.constant.is_none()
                    && has_all(node, variants)
                    && (!is_nullable || has_null())
            }
            Wish::List => is(Kind::Array) && is_any && self.is_plain_list(schema),
            Wish::Struct(wish) => is(Kind::Object) && is_any && self.is_plain_struct(schema, wish),
            Wish::Option => false,
        }
    }

    fn is_plain_option(&mut self, schema: Schema<'s>) -> bool {
        let node = schema.node;
        if node.kinds.as_ref().is_some_and(|kinds| kinds.has(Kind::Null)) {
            return self.below(Step::Some, schema, true);
        }
        let is_null = |branch: Schema<'_>| {
            branch.node.kinds.as_ref().is_some_and(|kinds| kinds.listed() == [Kind::Null])
        };
        match (&node.any, &node.one) {
            (Some(branches), None) if node.is_union_alone() => {
                let mut branches = schema.several(branches);
                match (branches.next(), branches.next(), branches.next()) {
                    (Some(some), Some(other), None) if is_null(other) => {
                        self.below(Step::Some, some, false)
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn is_plain_list(&mut self, schema: Schema<'s>) -> bool {
        let Array { fixed, rest, contains, is_unique, size } = &schema.node.array;
        let is_any = fixed.is_empty() && contains.is_none() && !is_unique && size.is_any();
        is_any && rest.is_some_and(|rest| self.below(Step::Item, schema.at(rest), false))
    }

    fn is_plain_struct(&mut self, schema: Schema<'s>, wish: Struct) -> bool {
        if !self.known.insert((schema.address(), wish)) {
            return true;
        }
        let fields = wish.fields;
        let Object {
            properties,
            places: _,
            required,
            required_places: _,
            patterns,
            rest: _,
            names,
            is_closed_as_a_whole,
            size,
            also_required,
            dependent,
        } = &schema.node.object;
        let is_any = patterns.is_empty()
            && names.is_none()
            && !is_closed_as_a_whole
            && size.is_any()
            && also_required.is_empty()
            && dependent.is_empty();
        // What the type knows by another name, too, the schema does not.
        let has_all = fields.iter().all(|field| schema.property(field).is_some());
        let is_known = |name: &str| fields.contains(&name);
        // Keys of no property are ignored, which is seen in passing; but not where they must be of some kind.
        let is_open = schema.rest().is_none() || schema.is_closed();
        is_any
            && has_all
            && is_open
            && required.iter().all(|name| is_known(name))
            && properties.iter().all(|(name, part)| {
                is_known(name) && self.below(Step::Field(name), schema.at(*part), false)
            })
            // A field that is not there may have a value all the same.
            && required.iter().all(|name| (self.demands)(&self.path, name))
    }
}

fn is_any_text(text: &Text) -> bool {
    let Text { length, pattern, format } = text;
    length.is_any() && pattern.is_none() && format.is_none()
}

/// Whether numbers are limited by nothing but these.
fn is_within(numbers: &Numbers, limits: Option<(i128, i128)>) -> bool {
    let Numbers { minimum, maximum, above, below, multiple_of, range, is_single: _ } = numbers;
    let (least, most) = limits.unzip();
    let is = |limit: &Option<Number>, known: Option<i128>| {
        let whole = |n: &Number| n.as_i64().map(i128::from).or(n.as_u64().map(i128::from));
        limit.as_ref().is_none_or(|limit| known.is_some() && whole(limit) == known)
    };
    is(minimum, least)
        && is(maximum, most)
        && [above, below, multiple_of].into_iter().all(Option::is_none)
        && range.is_none_or(|range| limits == Some(range))
}

/// Whether every variant is among the options of the schema, which are all words.
fn has_all(node: &Node, variants: &[&str]) -> bool {
    let is_among = |options: &Vec<Value>| {
        variants.iter().all(|variant| options.iter().any(|option| option == variant))
    };
    !variants.is_empty() && node.options.as_ref().is_some_and(is_among)
}

#[cfg(test)]
mod tests;
