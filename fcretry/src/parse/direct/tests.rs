use std::{fmt, num::Saturating};

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::{
    Deserialize,
    de::{Deserializer, Visitor},
};

use super::*;
use crate::parse::{Checker, Recovery};

/// What is read of the text without a value in between.
fn direct<T: DeserializeOwned + JsonSchema>(text: &str) -> Option<T> {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let checker = Checker::new(generator.into_root_schema_for::<T>().to_value()).unwrap();
    let is_plain = says_no_more::<T>(checker.schema());
    let recovery = Recovery::Lossless;
    let target =
        Target { name: Some("t"), checker: &checker, is_plain, recovery, keeps_json: false };
    read::<T>(text, target).ok()
}

/// A type that takes any number, and makes one of its own of it.
#[derive(Debug, PartialEq)]
struct Tolerant(u8);

impl<'de> Deserialize<'de> for Tolerant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;
        impl Visitor<'_> for AnyNumber {
            type Value = Tolerant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tolerant, E> {
                Ok(Tolerant(u8::try_from(value).unwrap_or(u8::MAX)))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Tolerant, E> {
                Ok(Tolerant(0))
            }
        }
        deserializer.deserialize_u8(AnyNumber)
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Numbers {
    #[schemars(with = "u8")]
    saturating: Saturating<u8>,
    #[schemars(with = "u8")]
    tolerant: Tolerant,
}

#[test]
fn what_a_type_makes_of_a_number_out_of_range_is_no_reading_of_it() {
    let read = |saturating: &str, tolerant: &str| {
        let text = format!(r#"{{"saturating": {saturating}, "tolerant": {tolerant}}}"#);
        direct::<Numbers>(&text)
    };
    let right = Numbers { saturating: Saturating(200), tolerant: Tolerant(9) };
    assert_eq!(read("200", "9"), Some(right));
    for (saturating, tolerant) in [("300", "9"), ("-1", "9"), ("1", "256"), ("1", "2.5")] {
        assert_eq!(read(saturating, tolerant), None, "{saturating} {tolerant}");
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["count"]))]
struct Demanded {
    name: Option<String>,
    #[serde(default)]
    count: u32,
}

#[test]
fn a_field_that_the_schema_demands_and_the_type_does_not_is_not_filled_in() {
    assert_eq!(direct::<Demanded>(r#"{"name": "a"}"#), None);
    let right = Demanded { name: None, count: 3 };
    assert_eq!(direct::<Demanded>(r#"{"count": 3}"#), Some(right));
}
