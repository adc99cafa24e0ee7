//! Reads a text into a type whose schema says no more than the type does.
//!
//! Nearly as `serde_json::from_str` does it; what it takes and the schema does not is not taken here: an array for a
//! struct, an object for a variant without data, a key twice among those that are ignored.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Visitor, value::StrDeserializer,
};

use super::Uncertain;
use crate::parse::strict::{HUGE, Oddities};

/// The value of `text`; none if it is not certain to be what the schema demands.
// A large value is moved as seldom as can be: on a short text it shows.
#[inline]
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Uncertain> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut oddities = Oddities::default();
    let value = T::deserialize(Plain { inner: &mut reader, oddities: &mut oddities });
    if value.is_ok() && (reader.end().is_err() || oddities.huge_number) {
        return Err(Uncertain);
    }
    value.map_err(|_| Uncertain)
}

/// Something that reads, with its eyes open.
struct Plain<'o, I> {
    inner: I,
    oddities: &'o mut Oddities,
}

/// What no plain type asks for, and what is not certain.
#[cold]
fn no<E: Error>() -> E {
    E::custom("not plain")
}

macro_rules! as_they_are {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

macro_rules! integers {
    ($($method:ident($least:expr, $most:expr))*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(Integer { inner: visitor, least: $least, most: $most })
        }
    )*};
}

macro_rules! with_eyes_open {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, oddities } = self;
            inner.$method(Plain { inner: visitor, oddities })
        }
    )*};
}

macro_rules! not_at_all {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
            Err(no())
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Plain<'_, D> {
    type Error = D::Error;

    as_they_are! {
        deserialize_bool deserialize_str deserialize_string
    }
    integers! {
        deserialize_i8(i8::MIN.into(), i8::MAX.unsigned_abs().into())
        deserialize_i16(i16::MIN.into(), i16::MAX.unsigned_abs().into())
        deserialize_i32(i32::MIN.into(), i32::MAX.unsigned_abs().into())
        deserialize_i64(i64::MIN, i64::MAX.unsigned_abs())
        deserialize_u8(0, u8::MAX.into())
        deserialize_u16(0, u16::MAX.into())
        deserialize_u32(0, u32::MAX.into())
        deserialize_u64(0, u64::MAX)
    }
    with_eyes_open! { deserialize_f64 deserialize_option deserialize_seq }
    not_at_all! {
        deserialize_any deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_map
        deserialize_i128 deserialize_u128 deserialize_identifier
        // Of keys that are ignored nobody knows whether one is there twice.
        deserialize_ignored_any
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_f32(Single(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, D::Error> {
        Err(no())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, D::Error> {
        Err(no())
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, D::Error> {
        Err(no())
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let Self { inner, oddities } = self;
        inner.deserialize_struct(name, fields, Named(Plain { inner: visitor, oddities }))
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Word { inner: visitor, variants })
    }
}

/// An array, or what is no container.
impl<'de, V: Visitor<'de>> Visitor<'de> for Plain<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.oddities.look_at(value);
        self.inner.visit_f64(value)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let Self { inner, oddities } = self;
        inner.visit_some(Plain { inner: deserializer, oddities })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let Self { inner, oddities } = self;
        inner.visit_seq(Plain { inner: items, oddities })
    }
}

/// A struct, which stands in an object and nowhere else.
struct Named<'o, V>(Plain<'o, V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Named<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(f)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let Plain { inner, oddities } = self.0;
        inner.visit_map(Plain { inner: entries, oddities })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Plain<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Plain { inner: seed, oddities: self.oddities })
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Plain<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Plain { inner: seed, oddities: self.oddities })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Plain<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, oddities } = self;
        inner.deserialize(Plain { inner: deserializer, oddities })
    }
}

/// An integer of the type that was asked for: what takes it may take others, too, and make something else of them.
struct Integer<V> {
    inner: V,
    least: i64,
    most: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Integer<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        let is_within = value >= self.least && (value < 0 || value.unsigned_abs() <= self.most);
        if is_within { self.inner.visit_i64(value) } else { Err(no()) }
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        if value <= self.most { self.inner.visit_u64(value) } else { Err(no()) }
    }
}

/// A number of 32 bits, which a larger one would make infinite.
struct Single<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Single<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        let is_certain = value.abs() <= f64::from(f32::MAX).min(HUGE);
        if is_certain { self.0.visit_f64(value) } else { Err(no()) }
    }
}

/// A variant without data, which is a string and nothing else.
struct Word<V> {
    inner: V,
    variants: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Word<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    #[inline]
    fn visit_str<E: Error>(self, word: &str) -> Result<V::Value, E> {
        // One variant may take all words that are none.
        if !self.variants.contains(&word) {
            return Err(no());
        }
        self.inner.visit_enum::<StrDeserializer<'_, E>>(word.into_deserializer())
    }
}
