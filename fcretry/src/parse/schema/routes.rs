//! Which branch of a union a value is of, where that shows before its parts are looked at.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Schema,
    kind::Kind,
    node::{Id, Route, Routes},
};

/// The routes of a union whose branches can be told apart.
pub(super) fn routes(schema: Schema<'_>) -> Option<Routes> {
    let node = schema.node;
    let ((Some(ids), None) | (None, Some(ids))) = (&node.any, &node.one) else { return None };
    let of_branches = schema.several(ids).fold(0, |bits, branch| bits | branch.node.admitted);
    // A type that rules out no branch says nothing new.
    let is_narrower = node.kinds.as_ref().is_some_and(|kinds| of_branches & !kinds.bits() != 0);
    if !node.is_union_alone() || node.has_own_demands() || is_narrower {
        return None;
    }
    let mut routes = [const { Route::Nowhere }; Kind::COUNT];
    for (route, kind) in routes.iter_mut().zip(Kind::ALL) {
        let takers: Vec<Id> =
            ids.iter().copied().filter(|id| schema.at(*id).admits(kind)).collect();
        *route = match takers.as_slice() {
            [] => Route::Nowhere,
            [one] => Route::To(*one),
            several if kind == Kind::Object => {
                by_key(schema, several).or_else(|| by_tag(schema, several))?
            }
            _ => return None,
        };
    }
    Some(routes)
}

/// Each branch has one key, which it must have, and admits no other.
fn by_key(schema: Schema<'_>, branches: &[Id]) -> Option<Route> {
    let keyed = branches.iter().map(|id| {
        let branch = schema.at(*id);
        let object = &branch.node.object;
        match (object.properties.as_slice(), object.required.as_slice()) {
            ([(name, _)], [required]) if name == required && branch.is_closed() => {
                Some((name.clone(), *id))
            }
            _ => None,
        }
    });
    distinct(keyed).map(Route::ByKey)
}

/// Each branch fixes the same property, which it must have, to a word of its own.
fn by_tag(schema: Schema<'_>, branches: &[Id]) -> Option<Route> {
    let first = schema.at(*branches.first()?);
    first.property_names().find_map(|tag| {
        let tagged = branches.iter().map(|id| {
            let branch = schema.at(*id);
            match &branch.property(tag)?.node.constant {
                Some(Value::String(word)) if branch.requires(tag) => Some((word.clone(), *id)),
                _ => None,
            }
        });
        distinct(tagged).map(|branches| Route::ByTag(tag.clone(), branches))
    })
}

fn distinct(named: impl Iterator<Item = Option<(String, Id)>>) -> Option<HashMap<String, Id>> {
    let mut branches = HashMap::new();
    for one in named {
        let (name, id) = one?;
        if branches.insert(name, id).is_some() {
            return None;
        }
    }
    Some(branches)
}
