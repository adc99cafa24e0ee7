use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::parse::schema::Compiled;

fn is_plain<T: DeserializeOwned + JsonSchema>() -> bool {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<T>().to_value();
    says_no_more::<T>(Compiled::new(&schema).unwrap().whole())
}

/// A struct with this field.
macro_rules! with {
    ($(#[$attr:meta])* $field:ty) => {{
        #[derive(Deserialize, JsonSchema)]
        #[allow(dead_code)]
        struct With {
            before: u8,
            $(#[$attr])*
            field: $field,
        }
        is_plain::<With>()
    }};
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Tree {
    name: String,
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
struct Closed {
    some_name: Option<f64>,
    other: i64,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum Size {
    Small,
    Large,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum Described {
    /// Is small.
    Small,
    /// Is large.
    Large,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum Data {
    Small,
    Large { by: u32 },
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Newtype(Vec<String>);

#[test]
fn a_schema_that_says_what_the_type_does_says_no_more() {
    assert!(is_plain::<Tree>());
    assert!(is_plain::<Closed>());
    assert!(with!(bool));
    assert!(with!(i8) && with!(u8) && with!(u16) && with!(i32) && with!(u32) && with!(u64));
    assert!(with!(f32) && with!(f64) && with!(String));
    assert!(with!(Option<u32>) && with!(Option<Closed>) && with!(Option<Size>));
    assert!(with!(Vec<Option<String>>) && with!(Box<Vec<Closed>>));
    assert!(with!(Size) && with!(Described) && with!(Newtype));
    assert!(with!(
        #[serde(default)]
        u32
    ));
    assert!(with!(
        #[serde(rename = "else")]
        u32
    ));
}

#[test]
fn a_schema_that_says_more_is_known() {
    assert!(!with!(
        #[schemars(range(min = 1))]
        u32
    ));
    assert!(!with!(
        #[schemars(range(max = 255))]
        u32
    ));
    assert!(!with!(
        #[schemars(length(min = 1))]
        String
    ));
    assert!(!with!(#[schemars(length(max = 9))] Vec<String>));
    assert!(!with!(#[schemars(inner(length(min = 1)))] Vec<String>));
    assert!(!with!(
        #[schemars(regex(pattern = "^a"))]
        String
    ));
    assert!(!with!(
        #[schemars(email)]
        String
    ));
    assert!(!with!(#[schemars(required)] Option<u32>));
    assert!(!with!(
        #[schemars(with = "String")]
        u32
    ));
    assert!(!with!(
        #[schemars(with = "u32")]
        String
    ));
    assert!(!with!(
        #[schemars(with = "u8")]
        u32
    ));
    assert!(!with!(
        #[schemars(with = "Closed")]
        Tree
    ));
    assert!(!with!(
        #[schemars(extend("const" = 7))]
        u32
    ));
    assert!(!with!(
        #[schemars(extend("enum" = ["a"]))]
        String
    ));
    assert!(!with!(
        #[serde(alias = "other")]
        u32
    ));
    assert!(!with!(std::collections::HashSet<u32>));
    assert!(!with!(std::num::NonZeroU32));
    assert!(!with!(char));
}

#[test]
fn what_keys_are_lost_in_or_what_looks_first_is_not_plain() {
    assert!(!with!(Value));
    assert!(!with!(BTreeMap<String, u32>));
    assert!(!with!(
        #[serde(flatten)]
        Closed
    ));
    assert!(!with!(#[serde(flatten)] BTreeMap<String, u32>));
    assert!(!with!(Data));
    assert!(!with!((u32, String)));
}

mod other {
    use super::{Deserialize, JsonSchema};

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    pub(super) struct Part {
        pub(super) count: i64,
    }
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Part {
    count: u8,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Pair<A> {
    a: A,
}

#[test]
fn types_that_look_alike_are_told_apart() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Parts {
        one: Part,
        #[schemars(with = "Part")]
        other: other::Part,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Pairs {
        one: Pair<u8>,
        #[schemars(with = "Pair<u8>")]
        other: Pair<i64>,
    }
    assert!(!is_plain::<Parts>());
    assert!(!is_plain::<Pairs>());
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[allow(dead_code)]
enum Inline {
    Small,
    Large,
}

#[test]
fn a_choice_that_leaves_out_null_says_more_than_an_option() {
    assert!(with!(Option<Inline>));
    assert!(!with!(
        #[schemars(extend("enum" = ["Small", "Large"]))]
        Option<Inline>
    ));
}

#[test]
fn a_field_that_the_schema_demands_and_the_type_does_not_says_more() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Inner {
        flag: bool,
        size: Size,
        single: f32,
        tree: Tree,
    }
    #[derive(Deserialize, JsonSchema)]
    #[schemars(extend("required" = ["after"]))]
    #[allow(dead_code)]
    struct Demanded {
        before: Option<Inner>,
        #[serde(default)]
        after: Vec<Inner>,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Around<T> {
        first: u8,
        listed: Vec<Option<T>>,
    }
    assert!(is_plain::<Around<Inner>>());
    assert!(!is_plain::<Demanded>());
    assert!(!is_plain::<Around<Demanded>>());
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Lists(Vec<Lists>);

#[test]
fn a_type_without_an_end_is_not_followed_to_any_depth() {
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    small.spawn(|| assert!(!with!(Lists))).unwrap().join().unwrap();
}
