use serde_json::Value;

use super::{Found, Walk};
use crate::parse::{
    expected::{describe, keys, one_of},
    pointer::below,
    schema::{Kind, Schema},
};

/// How far a value is from a branch, as far as its outside shows: less is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// Keys too many or too few: this many.
    Keys(usize),
    /// A tag names another variant.
    Tag,
    /// Another type, or another constant.
    Kind,
}

impl Walk {
    /// Checks a union, of which one branch must fit, or `exactly_one`. Of one that does not fit, the variant that was
    /// meant is explained; where the value is near to none, the choice.
    pub(super) fn union(
        &self,
        branches: &[Schema<'_>],
        exactly_one: bool,
        value: &Value,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        let mut fitting = branches.iter().filter(|branch| self.fits(**branch, value, hops));
        if fitting.next().is_some() {
            if exactly_one && fitting.next().is_some() {
                let one = || "a value of exactly one of the shapes".to_owned();
                found.add(pointer, one, Some(value));
                return false;
            }
            return true;
        }
        if found.is_quiet() {
            return false;
        }
        let by_distance = branches.iter().map(|branch| (distance(*branch, value), *branch));
        match by_distance.min_by_key(|(distance, _)| *distance) {
            None => found.add(pointer, || "nothing here".to_owned(), Some(value)),
            Some((Distance::Kind, _)) => found.add(pointer, || choice(branches), Some(value)),
            Some((Distance::Tag, _)) => explain_tag(branches, value, pointer, found),
            Some((Distance::Keys(missing), _))
                if missing > 0 && is_tagged_by_key(branches, value) =>
            {
                let names = keys(branches.iter().filter_map(|b| only_key(*b)).map(str::to_owned));
                let one = || format!("an object with one of the keys {names}");
                found.add(pointer, one, Some(value));
            }
            Some((Distance::Keys(_), meant)) => {
                self.check(meant, value, pointer, found, hops);
            }
        }
        false
    }
}

/// No variant has this tag: says which there are.
fn explain_tag(branches: &[Schema<'_>], value: &Value, pointer: &mut String, found: &mut Found) {
    let tag = branches.iter().find_map(|branch| wrong_tag(*branch, value));
    let Some(tag) = tag else { return };
    let tags = branches.iter().filter_map(|branch| branch.property(tag)?.node.constant.clone());
    let options: Vec<Value> = tags.collect();
    below(pointer, tag, |pointer| found.add(pointer, || one_of(&options), value.get(tag)));
}

fn choice(branches: &[Schema<'_>]) -> String {
    let mut constants = Vec::new();
    let mut named = Vec::new();
    for branch in branches {
        match &branch.node.constant {
            Some(constant) => constants.push(constant.clone()),
            None => named.push(describe(*branch)),
        }
    }
    if !constants.is_empty() {
        named.insert(0, one_of(&constants));
    }
    named.dedup();
    named.join(" or ")
}

fn distance(branch: Schema<'_>, value: &Value) -> Distance {
    let node = branch.node;
    let is_other_constant = node.constant.as_ref().is_some_and(|constant| constant != value)
        || node.options.as_ref().is_some_and(|options| !options.contains(value));
    if !branch.admits(Kind::of(value)) || is_other_constant {
        return Distance::Kind;
    }
    let Some(entries) = value.as_object() else { return Distance::Keys(0) };
    if wrong_tag(branch, value).is_some() {
        return Distance::Tag;
    }
    let missing =
        branch.property_names().filter(|n| branch.requires(n) && !entries.contains_key(*n));
    let unknown = entries.keys().filter(|key| branch.is_closed() && branch.property(key).is_none());
    Distance::Keys(missing.count() + unknown.count())
}

/// The property that the branch fixes to another constant than the value has.
fn wrong_tag<'s>(branch: Schema<'s>, value: &Value) -> Option<&'s str> {
    let is_wrong = |name: &&'s String| {
        let tag = branch.property(name).and_then(|part| part.node.constant.as_ref());
        tag.zip(value.get(name.as_str())).is_some_and(|(tag, got)| tag != got)
    };
    branch.property_names().find(is_wrong).map(String::as_str)
}

/// The one key of a variant that is tagged by its key: `{"Circle": {..}}`.
fn only_key(branch: Schema<'_>) -> Option<&str> {
    match branch.node.object.required.as_slice() {
        [name] if branch.property_names().count() == 1 => Some(name),
        _ => None,
    }
}

fn is_tagged_by_key(branches: &[Schema<'_>], value: &Value) -> bool {
    let mut objects = branches.iter().filter(|b| b.admits(Kind::Object));
    objects.clone().count() > 1
        && objects.all(|b| only_key(*b).is_some_and(|key| value.get(key).is_none()))
}
