//! A schema, compiled once: references resolved, patterns built, every keyword where it is asked for.

mod compile;
mod keywords;
mod kind;
mod node;
mod reference;
mod routes;

pub(super) use kind::{Kind, Kinds};
pub(super) use node::{Array, Id, Node, Numbers, Object, Route, Size, Text};
use std::sync::LazyLock;

use serde_json::Value;

/// A schema that was compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    nodes: Vec<Node>,
    root: Id,
}

impl Compiled {
    /// Compiles `schema` (JSON Schema 2020-12, formats asserted). Patterns run on an engine that is linear in the
    /// input; what cannot be enforced is refused with its place.
    pub(super) fn new(schema: &Value) -> Result<Self, String> {
        let (nodes, root) = compile::compile(schema)?;
        Ok(Self { nodes, root })
    }

    /// The whole, as reading walks it.
    pub(super) fn whole(&self) -> Schema<'_> {
        let node = self.nodes.get(self.root.0).unwrap_or(&ANYTHING);
        Schema { nodes: &self.nodes, node }
    }
}

/// What demands nothing.
static ANYTHING: LazyLock<Node> = LazyLock::new(|| Node::default().finished());

/// What no value fits.
static NOTHING: LazyLock<Node> =
    LazyLock::new(|| Node { is_never: true, ..Node::default() }.finished());

/// More steps within a schema than these are not taken for the keys that it knows.
const MAX_HOPS: usize = 8;

/// A part of a schema, from which the others are reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema<'s> {
    nodes: &'s [Node],
    pub(super) node: &'s Node,
}

impl<'s> Schema<'s> {
    pub(super) fn at(self, id: Id) -> Self {
        // Whoever has an id has it from the compiler, which made the node.
        let node = self.nodes.get(id.0).unwrap_or(self.node);
        Self { node, ..self }
    }

    /// What demands nothing.
    pub(super) fn anything(self) -> Self {
        Self { node: &ANYTHING, ..self }
    }

    /// What no value fits.
    pub(super) fn nothing(self) -> Self {
        Self { node: &NOTHING, ..self }
    }

    /// Where a value of the type `kind` goes, if this is a union whose branches can be told apart.
    pub(super) fn route(self, kind: Kind) -> Option<&'s Route> {
        self.node.routes.as_ref()?.get(kind as usize)
    }

    /// What tells this node from the others.
    pub(super) fn address(self) -> usize {
        std::ptr::from_ref(self.node).addr()
    }

    pub(super) fn several(self, ids: &'s [Id]) -> impl Iterator<Item = Self> + Clone {
        ids.iter().map(move |id| self.at(*id))
    }

    /// The branches of a union; none if this is no union.
    pub(super) fn branches(self) -> impl Iterator<Item = Self> + Clone {
        let unions = [&self.node.any, &self.node.one];
        unions.into_iter().flatten().flat_map(move |ids| self.several(ids))
    }

    pub(super) fn is_union(self) -> bool {
        self.branches().next().is_some()
    }

    /// The schema of the property `key`, by name.
    pub(super) fn property(self, key: &str) -> Option<Self> {
        self.node.object.property(key).map(|id| self.at(id))
    }

    /// Whether `key` is a property of it, or of a part that may be about the same value, such as a branch.
    pub(super) fn knows(self, key: &str) -> bool {
        self.is_in_any_part(&|part| part.property(key).is_some(), 0)
    }

    /// Whether it knows any.
    pub(super) fn names_keys(self) -> bool {
        self.is_in_any_part(&|part| part.property_names().next().is_some(), 0)
    }

    fn is_in_any_part(self, is: &dyn Fn(Self) -> bool, hops: usize) -> bool {
        let node = self.node;
        let others = self.several(&node.all).chain(node.refers.map(|id| self.at(id)));
        let mut parts = self.branches().chain(others);
        is(self) || (hops < MAX_HOPS && parts.any(|part| part.is_in_any_part(is, hops + 1)))
    }

    /// The names of the properties.
    pub(super) fn property_names(self) -> impl Iterator<Item = &'s String> {
        self.node.object.properties.iter().map(|(name, _)| name)
    }

    /// Whether the object must have `key`.
    pub(super) fn requires(self, key: &str) -> bool {
        self.node.object.requires(key)
    }

    /// What keys that are no properties hold.
    pub(super) fn rest(self) -> Option<Self> {
        self.node.object.rest.map(|id| self.at(id))
    }

    /// Whether keys that are no properties are ruled out.
    pub(super) fn is_closed(self) -> bool {
        self.rest().is_some_and(|rest| rest.node.is_never)
    }

    /// Whether values of the type `kind` are admitted, as far as the node itself says. An integer is a number.
    pub(super) fn admits(self, kind: Kind) -> bool {
        self.node.admitted & kind.bit() != 0
    }
}

#[cfg(test)]
mod tests;
