//! Whether a type demands a field.
//!
//! What a type does without a field shows only once it has all the others. So it is given them, each the least of its
//! kind, and no more than it asks for.

use std::{
    cell::Cell,
    fmt::{self, Display},
};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor, value::StrDeserializer,
};

use super::probe::Step;

/// A type of more parts than this is not filled.
const MAX_PARTS: usize = 2048;

/// Nor is one whose parts are in one another deeper than this.
const MAX_DEPTH: usize = 128;

/// Whether the struct at the end of `path` in `T` is none without `field`. Where that cannot be told, because a part
/// refuses the least value of its kind, the answer is no.
pub(super) fn demands<T: DeserializeOwned>(path: &[Step<'_>], field: &str) -> bool {
    let room = Cell::new(MAX_PARTS);
    let filler = Filler { way: Some((path, field)), room: &room, depth: 0 };
    matches!(T::deserialize(filler), Err(Fault::Missing(name)) if name == field)
}

/// Why there is no value.
#[derive(Debug)]
enum Fault {
    Missing(&'static str),
    Other,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not to be filled")
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(_: T) -> Self {
        Self::Other
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// Gives a type the least of what it asks for, but for one field.
#[derive(Clone, Copy)]
struct Filler<'p> {
    /// The way to the struct that lacks a field, and the field; none beside the way.
    way: Option<(&'p [Step<'p>], &'p str)>,
    room: &'p Cell<usize>,
    depth: usize,
}

impl<'p> Filler<'p> {
    /// What is given to a part, if there is room for one.
    fn below(self, way: Option<(&'p [Step<'p>], &'p str)>) -> Result<Self, Fault> {
        let left = self.room.get().checked_sub(1).filter(|_| self.depth < MAX_DEPTH);
        self.room.set(left.ok_or(Fault::Other)?);
        Ok(Self { way, depth: self.depth + 1, ..self })
    }

    /// The next step of the way, and the way from there.
    fn step(self) -> Option<(Step<'p>, (&'p [Step<'p>], &'p str))> {
        let (path, field) = self.way?;
        let (step, path) = path.split_first()?;
        Some((*step, (path, field)))
    }

    /// A value without parts, beside the way.
    fn least<R>(self, make: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
        if self.way.is_none() { make() } else { Err(Fault::Other) }
    }
}

macro_rules! least {
    ($($method:ident => $visit:ident($value:expr),)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.least(|| visitor.$visit($value))
        }
    )*};
}

macro_rules! nothing {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
            Err(Fault::Other)
        }
    )*};
}

impl<'de> Deserializer<'de> for Filler<'_> {
    type Error = Fault;

    least! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_u64(0),
        deserialize_i16 => visit_u64(0),
        deserialize_i32 => visit_u64(0),
        deserialize_i64 => visit_u64(0),
        deserialize_u8 => visit_u64(0),
        deserialize_u16 => visit_u64(0),
        deserialize_u32 => visit_u64(0),
        deserialize_u64 => visit_u64(0),
        deserialize_f32 => visit_f64(0.0),
        deserialize_f64 => visit_f64(0.0),
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
    }
    // What no type asks for whose parts are asked about.
    nothing! {
        deserialize_any deserialize_i128 deserialize_u128 deserialize_char deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.step() {
            Some((Step::Some, way)) => visitor.visit_some(self.below(Some(way))?),
            _ => self.least(|| visitor.visit_none()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let items = match self.step() {
            Some((Step::Item, way)) => Items(Some(self.below(Some(way))?)),
            _ => self.least(|| Ok(Items(None)))?,
        };
        visitor.visit_seq(items)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let without = match self.way {
            Some(([], field)) => Some(field),
            _ => None,
        };
        visitor.visit_map(Fields { all: fields.iter(), next: None, without, filler: self })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let first = *variants.first().ok_or(Fault::Other)?;
        let first: StrDeserializer<'_, Fault> = first.into_deserializer();
        self.least(|| visitor.visit_enum(first))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self.below(self.way)?)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Fault> {
        Err(Fault::Other)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Other)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Fault> {
        Err(Fault::Other)
    }
}

/// A list of one part, or of none.
struct Items<'p>(Option<Filler<'p>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        self.0.take().map(|item| seed.deserialize(item)).transpose()
    }
}

/// The fields of a struct, but for one.
struct Fields<'p> {
    all: std::slice::Iter<'static, &'static str>,
    next: Option<&'static str>,
    without: Option<&'p str>,
    filler: Filler<'p>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        self.next = self.all.find(|field| Some(**field) != self.without).copied();
        let Some(key) = self.next else { return Ok(None) };
        let key: StrDeserializer<'_, Fault> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let way = match self.filler.step() {
            Some((Step::Field(field), way)) if self.next == Some(field) => Some(way),
            _ => None,
        };
        seed.deserialize(self.filler.below(way)?)
    }
}
