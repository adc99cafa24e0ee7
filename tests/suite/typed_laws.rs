//! A typed reading and the way through a value come to the same, whatever the text: what is read straight into a type
//! is all that its schema demands, and what is right is read.

use std::collections::{BTreeMap, HashSet};

use fcretry::{parse::Reader, prelude::*};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngSeed, TestRunner},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// No more than its schema says.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolCall)]
#[serde(deny_unknown_fields)]
struct Closed {
    name: String,
    count: u8,
    score: f64,
    single: f32,
    flag: bool,
    note: Option<String>,
    size: Size,
    parts: Vec<Part>,
}

/// The same, and keys that are ignored.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolCall)]
struct Open {
    name: String,
    #[serde(default)]
    count: i64,
    part: Option<Part>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Part {
    a: u32,
    b: Option<Size>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    /// Said to be very large.
    ExtraLarge,
}

/// More than its types say.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolCall)]
struct Limited {
    #[schemars(length(min = 1, max = 8))]
    name: String,
    #[schemars(range(min = 1, max = 9))]
    count: i64,
    #[schemars(required)]
    must: Option<u32>,
    #[schemars(length(min = 1))]
    tags: HashSet<String>,
    by_name: BTreeMap<String, Part>,
    pair: (u8, String),
    any: Value,
}

/// Unions of every kind.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolCall)]
struct Varied {
    by_key: Vec<ByKey>,
    by_tag: Vec<ByTag>,
    either: Either,
    maybe: Option<ByTag>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum ByKey {
    Circle { radius: f64 },
    Named(String),
    Nothing,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum ByTag {
    Opened { by: String },
    Moved { count: u32 },
    Closed,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Either {
    Text(String),
    Part(Part),
    List(Vec<u8>),
}

/// One of several sets of arguments.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolCall)]
#[serde(tag = "what")]
#[tool(single)]
enum Single {
    Add { text: String },
    Remove { number: u32 },
}

fn closed() -> Value {
    json!({"name": "a", "count": 3, "score": 0.5, "single": 1.5, "flag": true, "note": null, "size": "small",
        "parts": [{"a": 1}, {"a": 2, "b": "extra_large"}, {"a": 3, "b": null}]})
}

fn open() -> Value {
    json!({"name": "a", "count": -3, "part": {"a": 1, "b": "small"}})
}

fn limited() -> Value {
    json!({"name": "abc", "count": 5, "must": 1, "tags": ["x", "y"], "by_name": {"p": {"a": 1}, "q": {"a": 2}},
        "pair": [7, "z"], "any": {"x": [1, {"y": null}]}})
}

fn varied() -> Value {
    json!({"by_key": [{"Circle": {"radius": 2}}, {"Named": "n"}, "Nothing"],
        "by_tag": [{"kind": "Opened", "by": "i"}, {"kind": "Moved", "count": 1}, {"kind": "Closed"}],
        "either": {"a": 1}, "maybe": null})
}

/// What is put in the place of a part.
fn others() -> Vec<&'static str> {
    vec![
        "null",
        "true",
        "7",
        "-1",
        "0",
        "256",
        "1.0",
        "2.5",
        "1e39",
        "1e300",
        "\"\"",
        "\"a\"",
        "\"small\"",
        "\"Small\"",
        "\"extra_large\"",
        "\"Nothing\"",
        "\"123456789\"",
        "[]",
        "[1]",
        "[\"a\"]",
        "[1,2,3,4,5,6,7,8]",
        "{}",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"b\":\"small\",\"c\":{}}",
        "{\"small\":null}",
        "{\"Circle\":{\"radius\":1}}",
        "{\"Circle\":{\"radius\":1},\"Named\":\"x\"}",
        "{\"Nothing\":null}",
        "{\"kind\":\"Opened\",\"by\":\"x\"}",
        "{\"by\":\"x\",\"kind\":\"Opened\"}",
        "{\"kind\":\"Moved\",\"by\":\"x\"}",
        "{\"kind\":\"Closed\",\"kind\":\"Closed\"}",
        "{\"x\":1,\"y\":2,\"x\":3}",
        "18446744073709551616",
        "[0.5,\"a\"]",
        "{\"c\":{\"d\":1,\"d\":1},\"a\":1}",
    ]
}

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    /// A part becomes something else.
    Replaced(Index, &'static str),
    /// A key and its value are gone.
    Removed(Index),
    /// A key that is not known comes in.
    Added(Index, &'static str),
    /// A key is there twice.
    Doubled(Index),
    /// The keys of an object are in the other order.
    Reversed(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), select(others())).prop_map(|(at, with)| Change::Replaced(at, with)),
        1 => any::<Index>().prop_map(Change::Removed),
        1 => (any::<Index>(), select(others())).prop_map(|(at, value)| Change::Added(at, value)),
        1 => any::<Index>().prop_map(Change::Doubled),
        1 => any::<Index>().prop_map(Change::Reversed),
    ]
}

/// JSON whose keys may be there twice.
#[derive(Clone, Debug)]
enum Text {
    Leaf(String),
    List(Vec<Text>),
    Object(Vec<(String, Text)>),
}

impl Text {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(entries) => {
                Self::Object(entries.iter().map(|(key, v)| (key.clone(), Self::of(v))).collect())
            }
            leaf => Self::Leaf(leaf.to_string()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Leaf(text) => text.clone(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::write).collect::<Vec<_>>().join(","))
            }
            Self::Object(entries) => {
                let entries = entries.iter().map(|(k, v)| format!("{}: {}", json!(k), v.write()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// How many parts it has, itself included.
    fn count(&self) -> usize {
        1 + match self {
            Self::Leaf(_) => 0,
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Object(entries) => entries.iter().map(|(_, v)| v.count()).sum(),
        }
    }

    /// Does something to the part at a place, counted through the whole.
    fn at(&mut self, left: &mut usize, act: &mut impl FnMut(&mut Self)) {
        if *left == 0 {
            act(self);
        }
        *left = left.wrapping_sub(1);
        match self {
            Self::Leaf(_) => {}
            Self::List(items) => items.iter_mut().for_each(|item| item.at(left, act)),
            Self::Object(entries) => entries.iter_mut().for_each(|(_, v)| v.at(left, act)),
        }
    }

    fn changed(mut self, change: &Change) -> Self {
        let (Change::Replaced(at, _)
        | Change::Removed(at)
        | Change::Added(at, _)
        | Change::Doubled(at)
        | Change::Reversed(at)) = change;
        self.at(&mut at.index(self.count()), &mut |part| match (change, part) {
            (Change::Replaced(_, with), part) => *part = Self::Leaf((*with).to_owned()),
            (Change::Removed(at), Self::Object(entries)) if !entries.is_empty() => {
                entries.remove(at.index(entries.len()));
            }
            (Change::Added(_, value), Self::Object(entries)) => {
                entries.push(("unknown".to_owned(), Self::Leaf((*value).to_owned())));
            }
            (Change::Doubled(at), Self::Object(entries)) if !entries.is_empty() => {
                let entry = entries[at.index(entries.len())].clone();
                entries.push(entry);
            }
            (Change::Reversed(_), Self::Object(entries)) => entries.reverse(),
            _ => {}
        });
        self
    }
}

/// Both ways come to the same for `right`, and for all that a few changes make of it.
fn both_ways_agree<T>(right: &Value)
where
    T: ToolCall + Serialize + PartialEq + std::fmt::Debug,
{
    let spec = T::spec().unwrap();
    let reader = Reader::new(spec.schema()).unwrap().tool(spec.name());
    assert!(T::parse(&right.to_string()).is_ok(), "{:?}", T::parse(&right.to_string()));
    let config = Config {
        cases: 3000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5eed),
        ..Config::default()
    };
    let changes = proptest::collection::vec(change(), 0..3);
    let mut runner = TestRunner::new(config);
    let judged = runner.run(&changes, |changes| {
        let text = changes.iter().fold(Text::of(right), Text::changed).write();
        let through_a_value = reader.read(&text).ok();
        if through_a_value.is_some() {
            // What reads well is given up at none of its starts.
            for (end, _) in text.char_indices().step_by(text.len() / 8 + 1) {
                prop_assert!(reader.look_at_start(&text[..end]).is_ok(), "{}", &text[..end]);
            }
        }
        let by_value =
            through_a_value.and_then(|read| serde_json::from_value::<T>(read.value).ok());
        prop_assert_eq!(T::parse(&text).ok(), by_value, "{}", text);
        Ok(())
    });
    if let Err(broken) = judged {
        panic!("{broken}");
    }
}

#[test]
fn a_type_that_says_it_all_is_read_as_through_a_value() {
    both_ways_agree::<Closed>(&closed());
    both_ways_agree::<Open>(&open());
}

#[test]
fn a_type_with_limits_is_read_as_through_a_value() {
    both_ways_agree::<Limited>(&limited());
}

#[test]
fn a_type_of_variants_is_read_as_through_a_value() {
    both_ways_agree::<Varied>(&varied());
    both_ways_agree::<Single>(&json!({"what": "Add", "text": "x"}));
}

/// One variant takes all words that are none.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
enum Colour {
    Red,
    #[serde(other)]
    Other,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct Painted {
    colour: Colour,
}

#[test]
fn a_word_that_the_schema_does_not_list_is_not_taken_for_any_other() {
    let painted = |colour: &str| Painted::parse(&json!({ "colour": colour }).to_string());
    assert_eq!(painted("Red").unwrap(), Painted { colour: Colour::Red });
    assert_eq!(painted("Other").unwrap(), Painted { colour: Colour::Other });
    let failure = painted("Blue").unwrap_err();
    assert_eq!(failure.violations()[0].pointer(), "/colour");
}

/// A struct of more fields than are looked at in passing.
macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
        struct Wide { $($field: Option<u8>,)* }
    };
}

wide! {
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7 d8
    d9 e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 g0 g1 g2 g3 g4 g5 g6 g7 g8 g9
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct Flat {
    count: Option<u8>,
    #[serde(flatten)]
    size: Option<FlatSize>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FlatSize {
    Round { radius: u8 },
    Square { side: u8 },
}

#[test]
fn a_wrapper_is_seen_where_the_whole_is_not_looked_at_in_passing() {
    let wide = Wide::parse(r#"{"name": "wide", "arguments": {"a3": 7}}"#).unwrap();
    assert_eq!(wide.a3, Some(7));
    assert_eq!(Wide::parse(r#"{"g9": 7}"#).unwrap().g9, Some(7));
    let flat = Flat::parse(r#"{"name": "flat", "arguments": {"count": 7}}"#).unwrap();
    assert_eq!(flat, Flat { count: Some(7), size: None });
}
