//! What a type asks a deserializer for.
//!
//! A type is asked with an empty hand: it is led to a part of itself, says what it wants there, and is told that there
//! is nothing. So no value is ever made, and what runs of the type is the code that asks.

use std::{
    any::type_name,
    cell::Cell,
    fmt::{self, Display},
};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor, value::StrDeserializer,
};

/// What a type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Bool,
    /// An integer from the first to the second.
    Integer(i128, i128),
    /// A float, of 32 bits or of 64.
    Float {
        is_single: bool,
    },
    Text,
    Option,
    List,
    Struct(Struct),
    Enum(&'static [&'static str]),
}

/// A struct, as a type asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Struct {
    /// What makes it, which is another for another type: names and fields may be the same.
    maker: &'static str,
    pub(super) fields: &'static [&'static str],
}

/// The way to a part of a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'s> {
    Some,
    Item,
    Field(&'s str),
}

/// What `T` asks for at the end of `path`.
pub(super) fn ask<T: DeserializeOwned>(path: &[Step<'_>]) -> Option<Wish> {
    let wish = Cell::new(None);
    let _ = T::deserialize(Probe { path, wish: &wish });
    wish.get()
}

/// That there is nothing.
#[derive(Debug)]
struct Nothing;

impl Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing")
    }
}

impl std::error::Error for Nothing {}

impl de::Error for Nothing {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// Leads a type to the end of the path, and hears what it asks for there.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [Step<'p>],
    wish: &'p Cell<Option<Wish>>,
}

impl<'p> Probe<'p> {
    /// At the end, hears the wish; before it, gives the next step, if it is one of this wish.
    fn heard(self, wish: Option<Wish>) -> Result<(Step<'p>, Self), Nothing> {
        match (self.path.split_first(), wish) {
            (None, wish) => {
                self.wish.set(wish);
                Err(Nothing)
            }
            (Some((step, path)), Some(wish)) => match (step, wish) {
                (Step::Some, Wish::Option)
                | (Step::Item, Wish::List)
                | (Step::Field(_), Wish::Struct(_)) => Ok((*step, Self { path, ..self })),
                _ => Err(Nothing),
            },
            (Some(_), None) => Err(Nothing),
        }
    }
}

macro_rules! hear {
    ($($method:ident => $wish:expr,)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Nothing> {
            self.heard($wish).and(Err(Nothing))
        }
    )*};
}

macro_rules! integer {
    ($number:ty) => {
        Some(Wish::Integer(i128::from(<$number>::MIN), i128::from(<$number>::MAX)))
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Nothing;

    hear! {
        deserialize_any => None,
        deserialize_bool => Some(Wish::Bool),
        deserialize_i8 => integer!(i8),
        deserialize_i16 => integer!(i16),
        deserialize_i32 => integer!(i32),
        deserialize_i64 => integer!(i64),
        deserialize_u8 => integer!(u8),
        deserialize_u16 => integer!(u16),
        deserialize_u32 => integer!(u32),
        deserialize_u64 => integer!(u64),
        deserialize_i128 => None,
        deserialize_u128 => None,
        deserialize_f32 => Some(Wish::Float { is_single: true }),
        deserialize_f64 => Some(Wish::Float { is_single: false }),
        deserialize_char => None,
        deserialize_str => Some(Wish::Text),
        deserialize_string => Some(Wish::Text),
        deserialize_bytes => None,
        deserialize_byte_buf => None,
        deserialize_unit => None,
        deserialize_map => None,
        deserialize_identifier => None,
        deserialize_ignored_any => None,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        let (_, inside) = self.heard(Some(Wish::Option))?;
        visitor.visit_some(inside)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        let (_, inside) = self.heard(Some(Wish::List))?;
        visitor.visit_seq(Lead { key: None, inside })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Nothing> {
        let wish = Struct { maker: type_name::<V>(), fields };
        match self.heard(Some(Wish::Struct(wish)))? {
            (Step::Field(key), inside) => visitor.visit_map(Lead { key: Some(key), inside }),
            _ => Err(Nothing),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Nothing> {
        self.heard(Some(Wish::Enum(variants))).and(Err(Nothing))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Nothing> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Nothing> {
        self.heard(None).and(Err(Nothing))
    }

    // Nothing but its first part could be reached.
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Nothing> {
        self.heard(None).and(Err(Nothing))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Nothing> {
        self.heard(None).and(Err(Nothing))
    }
}

/// Leads a type into a list or an object of one part.
struct Lead<'p> {
    key: Option<&'p str>,
    inside: Probe<'p>,
}

impl<'de> SeqAccess<'de> for Lead<'_> {
    type Error = Nothing;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Nothing> {
        seed.deserialize(self.inside).map(Some)
    }
}

impl<'de> MapAccess<'de> for Lead<'_> {
    type Error = Nothing;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Nothing> {
        let Some(key) = self.key else { return Ok(None) };
        let key: StrDeserializer<'_, Nothing> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Nothing> {
        seed.deserialize(self.inside)
    }
}
