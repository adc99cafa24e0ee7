//! Holds a text against a schema, without a value in between.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::keys::{Key, has_twice};
use crate::parse::{
    Target,
    check::{self, Outside, faults, wrong_size},
    schema::{Id, Kind, Object, Schema},
    strict::{Any, Oddities},
};

/// Whether `text` is JSON of the target's schema, and all of it is what it seems: no key is there twice, no integer
/// has lost digits, nothing could be a wrapper around something else.
pub(super) fn fits(text: &str, target: Target<'_>) -> bool {
    let schema = target.checker.schema();
    let mut oddities = Oddities::default();
    // Where the tool has properties, other keys may be those of a wrapper.
    let has_properties = schema.property_names().next().is_some();
    let whole = Part { schema, oddities: &mut oddities, is_closed: has_properties };
    let mut reader = serde_json::Deserializer::from_str(text);
    let fits = whole.deserialize(&mut reader).and_then(|()| reader.end()).is_ok();
    fits && !oddities.huge_number && !oddities.duplicate_key
}

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
    /// What is demanded of a value of this type: of a union, one branch.
    fn routed(&self, kind: Kind) -> Schema<'s> {
        self.schema.routed(kind)
    }

    fn scalar<E: Error>(self, value: Outside<'_>) -> Result<(), E> {
        let schema = self.routed(value.kind());
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
        let schema = self.routed(Kind::Array);
        if !schema.node.is_own || !schema.node.is_seen_in_passing {
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

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let schema = self.routed(Kind::Object);
        if !schema.node.is_own || !schema.node.is_seen_in_passing {
            let value = Any(self.oddities).visit_map(entries)?;
            return if check::fits(schema, &value) { Ok(()) } else { Err(no()) };
        }
        if schema.node.kinds.as_ref().is_some_and(|kinds| !kinds.has(Kind::Object)) {
            return Err(no());
        }
        let object = &schema.node.object;
        let rest = object.rest.map_or(schema.anything(), |rest| schema.at(rest));
        let (mut seen, mut next, mut count) = (0_u64, 0, 0);
        let mut others = Vec::new();
        while let Some(key) = entries.next_key_seed(Key(|key| place(object, next, key)))? {
            count += 1;
            let part = match key {
                Ok((place, id)) => {
                    let bit = 1 << place;
                    if seen & bit != 0 {
                        return Err(no());
                    }
                    seen |= bit;
                    next = place + 1;
                    schema.at(id)
                }
                Err(_) if self.is_closed => return Err(no()),
                Err(key) => {
                    others.push(key);
                    rest
                }
            };
            entries.next_value_seed(self.below(part))?;
        }
        let lacks_one = seen & object.required_places != object.required_places;
        let is_wrong =
            lacks_one || wrong_size(object.size, count, "").is_some() || has_twice(&mut others);
        if is_wrong { Err(no()) } else { Ok(()) }
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
