//! Holds a text against a schema, without a value in between.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::keys::{Key, has_twice};
use crate::parse::{
    Target,
    check::{self, Outside, faults, wrong_size},
    schema::{Id, Kind, Object, Route, Schema},
    strict::{Any, Oddities},
};

/// Whether `text` is JSON of the target's schema, and all of it is what it seems: no key is there twice, no integer
/// has lost digits, nothing could be a wrapper around something else.
pub(super) fn fits(text: &str, target: Target<'_>) -> bool {
    let schema = target.checker.schema();
    let mut oddities = Oddities::default();
    // Where the tool has properties, other keys may be those of a wrapper.
    let is_closed = schema.names_keys();
    let whole = Part { schema, oddities: &mut oddities, is_closed };
    let mut reader = serde_json::Deserializer::from_str(text);
    let fits = whole.deserialize(&mut reader).and_then(|()| reader.end()).is_ok();
    fits && !oddities.huge_number && !oddities.duplicate_key
}

/// The most unions in unions that are gone through.
const MAX_UNIONS: usize = 8;

/// Why reading ends early; nobody reads it.
fn no<E: Error>() -> E {
    E::custom("not certainly of the schema")
}

/// A part of the text, and what it must be.
struct Part<'s, 'o> {
    schema: Schema<'s>,
    oddities: &'o mut Oddities,
    /// No keys but the properties are admitted, whatever the schema says.
    is_closed: bool,
}

impl<'s> Part<'s, '_> {
    /// What is demanded of a value of this type: of a union, the branch, or what tells which it is.
    fn routed(&self, kind: Kind) -> Result<Schema<'s>, &'s Route> {
        let mut schema = self.schema;
        for _ in 0..MAX_UNIONS {
            schema = match schema.route(kind) {
                None => return Ok(schema),
                Some(Route::Nowhere) => schema.nothing(),
                Some(Route::To(id)) => schema.at(*id),
                Some(by_content) => return Err(by_content),
            };
        }
        Ok(schema)
    }

    fn scalar<E: Error>(self, value: Outside<'_>) -> Result<(), E> {
        let schema = self.routed(value.kind()).unwrap_or(self.schema);
        let fits = if schema.node.is_own {
            let mut fits = true;
            faults(schema.node, value, &mut |_| fits = false);
            fits
        } else {
            check::fits(schema, &value.to_value())
        };
        if fits { Ok(()) } else { Err(no()) }
    }

    fn below(&mut self, schema: Schema<'s>) -> Part<'s, '_> {
        Part { schema, oddities: self.oddities, is_closed: false }
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Outside::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Outside::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Outside::Number(&value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Outside::Number(&value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.oddities.look_at(value);
        self.scalar(Outside::Number(&Number::from_f64(value).ok_or_else(no)?))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Outside::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let schema = self.routed(Kind::Array).unwrap_or(self.schema);
        if !is_walked(schema) {
            let value = Any(self.oddities).visit_seq(items)?;
            return if check::fits(schema, &value) { Ok(()) } else { Err(no()) };
        }
        if schema.node.kinds.as_ref().is_some_and(|kinds| !kinds.has(Kind::Array)) {
            return Err(no());
        }
        let array = &schema.node.array;
        let rest = array.rest.map_or(schema.anything(), |rest| schema.at(rest));
        let mut fixed = schema.several(&array.fixed);
        let mut count = 0;
        while let Some(()) = items.next_element_seed(self.below(fixed.next().unwrap_or(rest)))? {
            count += 1;
        }
        if wrong_size(array.size, count, "").is_some() { Err(no()) } else { Ok(()) }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let schema = match self.routed(Kind::Object) {
            Ok(schema) => schema,
            Err(Route::ByKey(branches)) => {
                let branch = |key: Cow<'de, str>| branches.get(&*key).map(|id| (*id, key));
                let known = entries.next_key_seed(Key(branch))?.flatten();
                let (id, key) = known.ok_or_else(no)?;
                let branch = self.schema.at(id);
                return self.object(branch, Some(key), entries);
            }
            Err(Route::ByTag(tag, branches)) => {
                let Some(key) = entries.next_key_seed(Key(|key| key))? else { return Err(no()) };
                if key != *tag {
                    let value = Any(self.oddities).object(Some(key), entries)?;
                    return if check::fits(self.schema, &value) { Ok(()) } else { Err(no()) };
                }
                let branch = |word: Cow<'de, str>| branches.get(&*word).copied();
                let known = entries.next_value_seed(Key(branch))?;
                let branch = self.schema.at(known.ok_or_else(no)?);
                return self.tagged(branch, tag, entries);
            }
            Err(_) => self.schema,
        };
        self.object(schema, None, entries)
    }
}

impl<'s> Part<'s, '_> {
    /// The entries of an object, of which the first key may be read already.
    fn object<'de, A: MapAccess<'de>>(
        mut self,
        schema: Schema<'s>,
        first: Option<Cow<'de, str>>,
        mut entries: A,
    ) -> Result<(), A::Error> {
        if !is_walked(schema) {
            let is_closed = self.is_closed;
            let value = Any(self.oddities).object(first, entries)?;
            let mut keys = value.as_object().into_iter().flat_map(|entries| entries.keys());
            if is_closed && keys.any(|key| !schema.knows(key)) {
                return Err(no());
            }
            return if check::fits(schema, &value) { Ok(()) } else { Err(no()) };
        }
        let mut walk = Walk::of(schema, self.is_closed).ok_or_else(no)?;
        if let Some(key) = first {
            let part = walk.enter(place(&schema.node.object, 0, key)).ok_or_else(no)?;
            entries.next_value_seed(self.below(part))?;
        }
        self.rest(walk, entries)
    }

    /// The entries of an object behind the tag that told which it is.
    fn tagged<'de, A: MapAccess<'de>>(
        self,
        schema: Schema<'s>,
        tag: &str,
        entries: A,
    ) -> Result<(), A::Error> {
        // Without the tag itself only what looks at it in passing can tell.
        let object = &schema.node.object;
        let mut walk =
            Walk::of(schema, self.is_closed).filter(|_| is_walked(schema)).ok_or_else(no)?;
        walk.enter(place(object, 0, Cow::Owned(tag.to_owned()))).ok_or_else(no)?;
        walk.next = 0;
        self.rest(walk, entries)
    }

    fn rest<'de, A: MapAccess<'de>>(
        mut self,
        mut walk: Walk<'s, 'de>,
        mut entries: A,
    ) -> Result<(), A::Error> {
        let object = &walk.schema.node.object;
        while let Some(key) = entries.next_key_seed(Key(|key| place(object, walk.next, key)))? {
            let part = walk.enter(key).ok_or_else(no)?;
            entries.next_value_seed(self.below(part))?;
        }
        if walk.finish() { Ok(()) } else { Err(no()) }
    }
}

/// Whether all that is demanded of a container shows as its parts go by.
fn is_walked(schema: Schema<'_>) -> bool {
    schema.node.is_own && schema.node.is_seen_in_passing
}

/// A walk along the entries of an object.
struct Walk<'s, 'de> {
    schema: Schema<'s>,
    is_closed: bool,
    /// The places of the properties that were there, a bit each.
    seen: u64,
    /// The place of the property that is likely to come next.
    next: usize,
    count: usize,
    /// The keys that are no properties.
    others: Vec<Cow<'de, str>>,
}

impl<'s, 'de> Walk<'s, 'de> {
    fn of(schema: Schema<'s>, is_closed: bool) -> Option<Self> {
        let is_object = schema.node.kinds.as_ref().is_none_or(|kinds| kinds.has(Kind::Object));
        let walk = Self { schema, is_closed, seen: 0, next: 0, count: 0, others: Vec::new() };
        is_object.then_some(walk)
    }

    /// What is demanded of the value of this key.
    fn enter(&mut self, key: Result<(usize, Id), Cow<'de, str>>) -> Option<Schema<'s>> {
        self.count += 1;
        match key {
            Ok((place, id)) => {
                let bit = 1 << place;
                self.next = place + 1;
                let is_new = self.seen & bit == 0;
                self.seen |= bit;
                is_new.then(|| self.schema.at(id))
            }
            Err(_) if self.is_closed => None,
            Err(key) => {
                self.others.push(key);
                Some(self.schema.rest().unwrap_or(self.schema.anything()))
            }
        }
    }

    /// Whether nothing is missing, and nothing is there twice.
    fn finish(mut self) -> bool {
        let object = &self.schema.node.object;
        self.seen & object.required_places == object.required_places
            && wrong_size(object.size, self.count, "").is_none()
            && !has_twice(&mut self.others)
    }
}

/// The property that `key` is, or the key. Models write properties in the order in which they were told them.
fn place<'de>(
    object: &Object,
    next: usize,
    key: Cow<'de, str>,
) -> Result<(usize, Id), Cow<'de, str>> {
    if let Some((name, id)) = object.properties.get(next)
        && *name == key
    {
        return Ok((next, *id));
    }
    let place = object.place(&key);
    let found = place.and_then(|place| Some((place, object.properties.get(place)?.1)));
    found.ok_or(key)
}
