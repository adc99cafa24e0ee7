//! What one part of a schema demands, ready to be asked.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Number, Value};

use super::kind::{Kind, Kinds};

/// Where a node is among the nodes of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) struct Id(pub(super) usize);

/// One part of a schema. What it does not say is absent or empty.
#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any may hold with any"
)]
pub(in crate::parse) struct Node {
    /// It is `false`: no value fits.
    pub(in crate::parse) is_never: bool,
    pub(in crate::parse) kinds: Option<Kinds>,
    pub(in crate::parse) constant: Option<Value>,
    pub(in crate::parse) options: Option<Vec<Value>>,
    pub(in crate::parse) numbers: Numbers,
    pub(in crate::parse) text: Text,
    pub(in crate::parse) object: Object,
    pub(in crate::parse) array: Array,
    /// The part that it refers to, beside what it says itself. A reference alone is resolved.
    pub(in crate::parse) refers: Option<Id>,
    pub(in crate::parse) all: Vec<Id>,
    pub(in crate::parse) any: Option<Vec<Id>>,
    pub(in crate::parse) one: Option<Vec<Id>>,
    pub(in crate::parse) not: Option<Id>,
    pub(in crate::parse) condition: Option<Condition>,
    /// Whether all that it demands, it says itself: no other part of the schema is about the same value.
    pub(in crate::parse) is_own: bool,
    /// Whether what it demands of a container shows as its parts go by, one by one.
    pub(in crate::parse) is_seen_in_passing: bool,
    /// Whether the schema has parts that are about one value together, so that one may be come to again and again.
    pub(in crate::parse) is_one_of_several: bool,
    /// The types that are admitted, a bit each, as far as the node itself says.
    pub(in crate::parse) admitted: u8,
    /// Of a union whose branches can be told apart.
    pub(in crate::parse) routes: Option<Routes>,
}

impl Node {
    /// The node, with what follows from what it says.
    pub(super) fn finished(mut self) -> Self {
        self.is_own = self.shows_own();
        self.is_seen_in_passing = self.shows_in_passing();
        self
    }

    /// The types that it admits by its own words, if it has any.
    pub(super) fn own_kinds(&self) -> Option<u8> {
        // 5 and 5.0 are one number.
        let of = |value: &Value| match value {
            Value::Number(_) => Kind::Integer.bit() | Kind::Number.bit(),
            other => Kind::of(other).bit(),
        };
        let listed = match (&self.constant, &self.options) {
            _ if self.is_never => Some(0),
            (Some(constant), _) => Some(of(constant)),
            (None, Some(options)) => Some(options.iter().map(of).fold(0, |bits, bit| bits | bit)),
            (None, None) => None,
        };
        let kinds = self.kinds.as_ref().map(Kinds::bits);
        match (listed, kinds) {
            (Some(listed), Some(kinds)) => Some(listed & kinds),
            (one, other) => one.or(other),
        }
    }

    /// The types that it admits if its branches admit what `nodes` say.
    pub(super) fn admitted_by(&self, nodes: &[Self]) -> u8 {
        let branches = [&self.any, &self.one].into_iter().flatten().flatten();
        match self.own_kinds() {
            Some(kinds) => kinds,
            None if self.any.is_none() && self.one.is_none() => u8::MAX,
            None => branches
                .filter_map(|branch| nodes.get(branch.0))
                .fold(0, |bits, node| bits | node.admitted),
        }
    }

    /// Whether it comes to one value, or one part of it, in several ways.
    pub(super) fn comes_in_several_ways(&self) -> bool {
        let Object { properties, patterns, rest, dependent, .. } = &self.object;
        let Array { fixed, rest: items, contains, .. } = &self.array;
        let alternatives = [self.any.is_some(), self.one.is_some(), self.not.is_some()];
        let parts =
            [!properties.is_empty() || rest.is_some(), !fixed.is_empty() || items.is_some()];
        let others = [self.refers.is_some(), contains.is_some()];
        let one_each = alternatives.into_iter().chain(parts).chain(others).filter(|is| *is).count();
        let condition = if self.condition.is_some() { 2 } else { 0 };
        one_each + self.all.len() + patterns.len() + dependent.len() + condition > 1
    }

    fn shows_own(&self) -> bool {
        self.is_union_alone() && self.any.is_none() && self.one.is_none() && !self.is_never
    }

    /// Whether no other part is about the same value but the branches of a union.
    pub(in crate::parse) fn is_union_alone(&self) -> bool {
        self.refers.is_none()
            && self.all.is_empty()
            && self.not.is_none()
            && self.condition.is_none()
    }

    /// Whether it demands anything itself, other than a type, of a value without parts, or of a container's keys, items
    /// or size.
    pub(super) fn has_own_demands(&self) -> bool {
        let Text { length, pattern, format } = &self.text;
        let Numbers { minimum, maximum, above, below, multiple_of, range, is_single } =
            &self.numbers;
        let numbers = [minimum, maximum, above, below, multiple_of];
        let Object { properties, required, rest, size, .. } = &self.object;
        let Array { fixed, rest: items, size: length_of_array, .. } = &self.array;
        self.constant.is_some()
            || self.options.is_some()
            || !length.is_any()
            || pattern.is_some()
            || format.is_some()
            || numbers.into_iter().any(Option::is_some)
            || range.is_some()
            || *is_single
            || !(properties.is_empty() && required.is_empty() && rest.is_none() && size.is_any())
            || !(fixed.is_empty() && items.is_none() && length_of_array.is_any())
            || !self.is_seen_in_passing
    }

    fn shows_in_passing(&self) -> bool {
        let Object {
            properties,
            places: _,
            required,
            required_places,
            patterns,
            rest: _,
            names,
            is_closed_as_a_whole,
            size: _,
            also_required,
            dependent,
        } = &self.object;
        let Array { fixed: _, rest: _, contains, is_unique, size: _ } = &self.array;
        let required_are_properties = required.len() == required_places.count_ones() as usize;
        self.constant.is_none()
            && self.options.is_none()
            && properties.len() <= MAX_PLACES
            && required_are_properties
            && patterns.is_empty()
            && names.is_none()
            && !is_closed_as_a_whole
            && also_required.is_empty()
            && dependent.is_empty()
            && contains.is_none()
            && !is_unique
    }
}

/// The most properties whose places are bits.
pub(super) const MAX_PLACES: usize = 64;

/// Where a value of one type goes.
#[derive(Clone, Debug)]
pub(in crate::parse) enum Route {
    /// No branch takes it.
    Nowhere,
    /// One branch alone may take it.
    To(Id),
    /// The one key that an object has tells: `{"Circle": {..}}`.
    ByKey(HashMap<String, Id>),
    /// A field that each branch fixes to another word tells: `{"kind": "circle", ..}`.
    ByTag(String, HashMap<String, Id>),
}

/// The route of each type, in the order of [`Kind::ALL`].
pub(in crate::parse) type Routes = [Route; Kind::COUNT];

/// `if`, `then` and `else`.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Condition {
    pub(in crate::parse) holds: Id,
    pub(in crate::parse) then: Option<Id>,
    pub(in crate::parse) otherwise: Option<Id>,
}

/// Of numbers.
#[derive(Debug, Default)]
pub(in crate::parse) struct Numbers {
    pub(in crate::parse) minimum: Option<Number>,
    pub(in crate::parse) maximum: Option<Number>,
    pub(in crate::parse) above: Option<Number>,
    pub(in crate::parse) below: Option<Number>,
    pub(in crate::parse) multiple_of: Option<Number>,
    /// The least and the most of an integer format.
    pub(in crate::parse) range: Option<(i128, i128)>,
    /// The format is a float of 32 bits.
    pub(in crate::parse) is_single: bool,
}

/// Of strings.
#[derive(Debug, Default)]
pub(in crate::parse) struct Text {
    pub(in crate::parse) length: Size,
    pub(in crate::parse) pattern: Option<Regex>,
    pub(in crate::parse) format: Option<String>,
}

/// Of a count: the least and the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::parse) struct Size {
    pub(in crate::parse) least: Option<u64>,
    pub(in crate::parse) most: Option<u64>,
}

impl Size {
    pub(in crate::parse) fn is_any(self) -> bool {
        self == Self::default()
    }
}

/// Of objects.
#[derive(Debug, Default)]
pub(in crate::parse) struct Object {
    /// In the order of the schema.
    pub(in crate::parse) properties: Vec<(String, Id)>,
    /// Where each is.
    pub(in crate::parse) places: HashMap<String, usize>,
    pub(in crate::parse) required: Vec<String>,
    /// The places of those that are properties, a bit each, if there are no more than bits.
    pub(in crate::parse) required_places: u64,
    pub(in crate::parse) patterns: Vec<(Regex, Id)>,
    /// `additionalProperties`
    pub(in crate::parse) rest: Option<Id>,
    pub(in crate::parse) names: Option<Id>,
    /// `unevaluatedProperties` is `false`.
    pub(in crate::parse) is_closed_as_a_whole: bool,
    pub(in crate::parse) size: Size,
    /// Keys that must be there if this one is.
    pub(in crate::parse) also_required: Vec<(String, Vec<String>)>,
    /// What the whole must be if this key is there.
    pub(in crate::parse) dependent: Vec<(String, Id)>,
}

impl Object {
    /// Where the property `key` is.
    pub(in crate::parse) fn place(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The schema of the property `key`, by name.
    pub(in crate::parse) fn property(&self, key: &str) -> Option<Id> {
        self.properties.get(self.place(key)?).map(|(_, id)| *id)
    }

    pub(in crate::parse) fn requires(&self, key: &str) -> bool {
        self.required.iter().any(|name| name == key)
    }
}

/// Of arrays.
#[derive(Debug, Default)]
pub(in crate::parse) struct Array {
    pub(in crate::parse) fixed: Vec<Id>,
    pub(in crate::parse) rest: Option<Id>,
    pub(in crate::parse) contains: Option<(Id, Size)>,
    pub(in crate::parse) is_unique: bool,
    pub(in crate::parse) size: Size,
}
