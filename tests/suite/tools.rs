//! `#[derive(ToolCall)]`.

use fcretry::{FailureKind, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

/// Search the archive.
///
/// Newest first.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only its reading matters")]
struct SearchHTTPArchive {
    /// What to look for.
    zebra: String,
    aardvark: Option<u8>,
}

#[test]
fn name_description_and_schema_come_from_the_type() {
    let spec = SearchHTTPArchive::spec().unwrap();
    assert_eq!(spec.name(), "search_http_archive");
    assert_eq!(spec.description(), Some("Search the archive.\n\nNewest first."));
    let schema = spec.schema();
    assert_eq!(schema["properties"]["zebra"]["description"], "What to look for.");
    assert_eq!(schema["required"], json!(["zebra"]));
    let order: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(order, ["zebra", "aardvark"]);
    for told_elsewhere in ["$schema", "title", "description"] {
        assert!(schema.get(told_elsewhere).is_none(), "{told_elsewhere}");
    }
    assert!(std::ptr::eq(spec, SearchHTTPArchive::spec().unwrap()));
}

#[test]
fn every_violation_of_the_schema_comes_at_once() {
    let failure =
        SearchHTTPArchive::parse(r#"{"zebra": 1, "aardvark": 300, "cat": true}"#).err().unwrap();
    assert_eq!(failure.kind(), FailureKind::SchemaValidation);
    let mut pointers: Vec<_> = failure.violations().iter().map(Violation::pointer).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/aardvark", "/cat", "/zebra"]);
}

#[test]
fn a_key_given_twice_is_a_violation_and_not_a_choice() {
    let failure = SearchHTTPArchive::parse(r#"{"zebra": "a", "zebra": "b"}"#).err().unwrap();
    assert_eq!(failure.kind(), FailureKind::SchemaValidation);
    assert_eq!(failure.violations()[0].pointer(), "/zebra");
}

#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
#[serde(rename_all = "camelCase")]
#[tool(name = "move-Money", description = "Move it.", validate(differ, Transfer::is_positive))]
struct Transfer {
    from_account: String,
    #[tool(validate(no_spaces))]
    to_account: String,
    amount: i64,
    #[tool(validate(each_short))]
    #[serde(default, rename = "labels")]
    tags: Vec<String>,
}

fn differ(transfer: &Transfer, found: &mut Violations) {
    found.ensure(
        transfer.from_account != transfer.to_account,
        "/toAccount",
        || "is the same account",
    );
}

fn no_spaces(account: &str, found: &mut Violations) {
    found.ensure(!account.contains(' '), "", || "has a space");
}

fn each_short(tags: &[String], found: &mut Violations) {
    for (i, tag) in tags.iter().enumerate() {
        found.ensure(tag.len() < 5, format!("/{i}"), || "is too long");
    }
}

impl Transfer {
    fn is_positive(&self, found: &mut Violations) {
        found.ensure(self.amount > 0, "/amount", || format!("{} is not positive", self.amount));
    }
}

#[test]
fn hooks_collect_and_field_hooks_point_at_the_field() {
    assert_eq!(Transfer::name(), "move-Money");
    assert_eq!(Transfer::description(), Some("Move it."));
    let arguments =
        r#"{"fromAccount": "a b", "toAccount": "a b", "amount": -1, "labels": ["ok", "too long"]}"#;
    let failure = Transfer::parse(arguments).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::SemanticValidation);
    let mut pointers: Vec<_> = failure.violations().iter().map(Violation::pointer).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/amount", "/labels/1", "/toAccount", "/toAccount"]);
}

#[test]
fn a_transparent_tool_reports_at_the_whole() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Inner {
        count: i64,
    }
    #[derive(Debug, Deserialize, JsonSchema, ToolCall)]
    #[serde(transparent)]
    struct Outer {
        #[tool(validate(is_counted))]
        inner: Inner,
    }
    fn is_counted(inner: &Inner, found: &mut Violations) {
        found.ensure(inner.count > 0, "/count", || "is not positive");
    }
    let failure = Outer::parse(r#"{"count": 0}"#).unwrap_err();
    assert_eq!(failure.violations()[0].pointer(), "/count");
    assert_eq!(Outer::parse(r#"{"count": 1}"#).unwrap().inner.count, 1);
}

#[test]
fn a_tool_that_is_read_from_another_type_is_validated_as_a_whole() {
    #[derive(Deserialize, JsonSchema)]
    struct Raw {
        text: String,
    }
    #[derive(Debug, Deserialize, JsonSchema, ToolCall)]
    #[serde(from = "Raw")]
    #[schemars(with = "Raw")]
    #[tool(validate(is_short))]
    struct Note {
        words: Vec<String>,
    }
    impl From<Raw> for Note {
        fn from(Raw { text }: Raw) -> Self {
            Self { words: text.split(' ').map(str::to_owned).collect() }
        }
    }
    fn is_short(note: &Note, found: &mut Violations) {
        found.ensure(note.words.len() < 3, "/text", || "has too many words");
    }
    let failure = Note::parse(r#"{"text": "a b c"}"#).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::SemanticValidation);
    assert_eq!(failure.violations()[0].pointer(), "/text");
    assert!(Note::parse(r#"{"text": "a b"}"#).is_ok());
}

/// A page of something.
#[derive(Deserialize, JsonSchema, ToolCall)]
struct Page<T, const N: usize>
where
    T: Clone,
{
    entries: Vec<T>,
}

fn name_of<T: DeserializeOwned + JsonSchema + Clone + 'static>() -> String {
    Page::<T, 3>::spec().unwrap().name().to_owned()
}

#[test]
fn instances_of_a_generic_tool_are_tools_of_their_own() {
    assert_eq!(name_of::<String>(), "page_string_3");
    assert_eq!(name_of::<bool>(), "page_boolean_3");
    assert!(Page::<bool, 3>::parse(r#"{"entries": ["a"]}"#).is_err());
    assert_eq!(Page::<String, 3>::parse(r#"{"entries": ["a"]}"#).unwrap().entries, ["a"]);
}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Ping {}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Größe in cm")]
#[allow(dead_code, reason = "only its reading matters")]
struct Size {
    #[schemars(range(min = 1))]
    height: u32,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[allow(dead_code, reason = "only its reading matters")]
struct Measure {
    sizes: Vec<Size>,
}

#[test]
fn a_type_may_have_a_name_that_is_no_part_of_an_address() {
    assert!(Measure::spec().is_ok());
    assert!(Measure::parse(r#"{"sizes": [{"height": 3}]}"#).is_ok());
    assert!(Measure::parse(r#"{"sizes": [{"height": 0}]}"#).is_err());
}

#[test]
fn a_tool_may_have_no_arguments() {
    assert!(Ping::parse("{}").is_ok());
    assert!(Ping::parse("[]").is_err());
}

#[test]
fn what_the_type_demands_beyond_its_schema_is_a_violation_with_a_place() {
    /// The schema says string; the type says more.
    #[derive(Deserialize, JsonSchema, ToolCall)]
    struct Lookup {
        #[schemars(with = "String")]
        #[allow(dead_code, reason = "only its reading matters")]
        address: std::net::IpAddr,
    }
    let failure = Lookup::parse(r#"{"address": "somewhere"}"#).err().unwrap();
    assert_eq!(failure.kind(), FailureKind::SchemaValidation);
    assert_eq!(failure.violations()[0].pointer(), "/address");
    assert!(!failure.to_string().contains("somewhere"), "{failure}");
}
