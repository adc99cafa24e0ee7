use serde_json::Value;

use super::{Found, Walk, below};
use crate::parse::{
    expected::{describe, keys, one_of},
    schema::{Schema, type_of},
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

impl Walk<'_> {
    /// Checks a union. Of one that does not fit, the variant that was meant is explained; where the value is near
    /// to none, the choice.
    pub(super) fn union(
        &self,
        schema: Schema<'_>,
        keyword: &str,
        value: &Value,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        let branches: Vec<Schema<'_>> = schema.listed(keyword).collect();
        let mut fitting = branches.iter().filter(|branch| self.fits(**branch, value, hops));
        match (fitting.next(), keyword) {
            (Some(_), "oneOf") if fitting.next().is_some() => {
                let one = || "a value of exactly one of the shapes".to_owned();
                found.add(pointer, one, Some(value));
                return false;
            }
            (Some(_), _) => return true,
            (None, _) if found.is_quiet() => return false,
            (None, _) => {}
        }
        let Some((nearest, meant)) = branches
            .iter()
            .map(|b| (distance(*b, value), *b))
            .min_by_key(|(distance, _)| *distance)
        else {
            return false;
        };
        match nearest {
            Distance::Kind => found.add(pointer, || choice(&branches), Some(value)),
            Distance::Tag => explain_tag(&branches, value, pointer, found),
            Distance::Keys(missing) if missing > 0 && is_tagged_by_key(&branches, value) => {
                let names = branches.iter().filter_map(|b| only_key(*b)).map(str::to_owned);
                let names = keys(names);
                found.add(
                    pointer,
                    || format!("an object with one of the keys {names}"),
                    Some(value),
                );
            }
            Distance::Keys(_) => {
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
    let tags = branches.iter().filter_map(|branch| branch.property(tag)?.get("const"));
    let options: Vec<Value> = tags.cloned().collect();
    below(pointer, tag, |pointer| found.add(pointer, || one_of(&options), value.get(tag)));
}

fn choice(branches: &[Schema<'_>]) -> String {
    let mut constants = Vec::new();
    let mut named = Vec::new();
    for branch in branches {
        match branch.get("const") {
            Some(constant) => constants.push(constant.clone()),
            None => named.push(describe(branch.node, branch.root)),
        }
    }
    if !constants.is_empty() {
        named.insert(0, one_of(&constants));
    }
    named.dedup();
    named.join(" or ")
}

fn distance(branch: Schema<'_>, value: &Value) -> Distance {
    let is_other_constant = branch.get("const").is_some_and(|constant| constant != value)
        || branch
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|options| !options.contains(value));
    if !branch.admits(type_of(value)) || is_other_constant {
        return Distance::Kind;
    }
    let Some(entries) = value.as_object() else { return Distance::Keys(0) };
    if wrong_tag(branch, value).is_some() {
        return Distance::Tag;
    }
    let missing =
        branch.property_names().filter(|n| branch.requires(n) && !entries.contains_key(*n));
    let is_closed = branch.get("additionalProperties") == Some(&Value::Bool(false));
    let unknown = entries.keys().filter(|key| is_closed && branch.property(key).is_none());
    Distance::Keys(missing.count() + unknown.count())
}

/// The property that the branch fixes to another constant than the value has.
fn wrong_tag<'s>(branch: Schema<'s>, value: &Value) -> Option<&'s str> {
    let is_wrong = |name: &&'s String| {
        let tag = branch.property(name).and_then(|part| part.get("const"));
        tag.zip(value.get(name.as_str())).is_some_and(|(tag, got)| tag != got)
    };
    branch.property_names().find(is_wrong).map(String::as_str)
}

/// The one key of a variant that is tagged by its key: `{"Circle": {..}}`.
fn only_key(branch: Schema<'_>) -> Option<&str> {
    let required = branch.get("required")?.as_array()?;
    match required.as_slice() {
        [Value::String(name)] if branch.property_names().count() == 1 => Some(name),
        _ => None,
    }
}

fn is_tagged_by_key(branches: &[Schema<'_>], value: &Value) -> bool {
    let objects = branches.iter().filter(|b| b.admits("object"));
    objects.clone().count() > 1
        && objects.clone().all(|b| only_key(*b).is_some_and(|key| value.get(key).is_none()))
}
