//! What is read without asking again, and what is not.

use fcretry::{
    FailureKind, RecoveryKind as R,
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::support::{Mock, Order, good, play};

#[tokio::test(start_paused = true)]
async fn what_can_be_read_without_loss_costs_no_second_request() {
    let call = |arguments: &str| Reply::tool_call("order", arguments);
    for (reply, kinds) in [
        (call("{'customer': 'Ann', 'count': 2,}"), &[R::SingleQuotes, R::TrailingComma][..]),
        (call("```json\n{\"customer\": \"Ann\", \"count\": 2}\n```"), &[R::Fence]),
        (call("{\"customer\": \"Ann\", \"count\": \"2\"}"), &[R::NumberInString]),
        (call("{\"Customer\": \"Ann\", \"count\": 2.0}"), &[R::KeySpelling, R::WholeNumber]),
        (call("\"{\\\"customer\\\": \\\"Ann\\\", \\\"count\\\": 2}\""), &[R::DoubleEncoding]),
        (
            call("{\"name\": \"order\", \"arguments\": {\"customer\": \"Ann\", \"count\": 2}}"),
            &[R::Wrapper],
        ),
        (call("{{\"customer\": \"Ann\", \"count\": 2}}"), &[R::Wrapper]),
        (
            Reply::tool_call("functions.Order", json!({"customer": "Ann", "count": 2})),
            &[R::ToolSpelling],
        ),
        (
            Reply::text(
                "<tool_call>{\"name\": \"order\", \"arguments\": {\"customer\": \"Ann\", \"count\": 2}}</tool_call>",
            ),
            &[R::Tags, R::Wrapper, R::CallInContent],
        ),
        (Reply::json(json!({"customer": "Ann", "count": 2})), &[R::CallInContent]),
    ] {
        let (result, report, model) = play([reply]).await;
        assert_eq!(result.unwrap(), Order { customer: "Ann".into(), count: 2 });
        assert_eq!(model.request_count(), 1);
        let recovered = &report.attempts[0].recovered;
        for kind in kinds {
            assert!(recovered.iter().any(|entry| entry.kind == *kind), "{kind}: {recovered:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_right_as_it_is_has_nothing_to_recover() {
    let (result, report, _) = play([good()]).await;
    assert!(result.is_ok());
    assert!(report.attempts[0].recovered.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_known_is_asked_for_again() {
    let call = |arguments: &str| Reply::tool_call("order", arguments);
    for (reply, kind) in [
        (call("{\"customer\": \"Ann\", \"count\": 1 + 1}"), FailureKind::StructuralParse),
        (call("{\"customer\": \"Ann\", \"count\": two}"), FailureKind::StructuralParse),
        (call("{\"customer\": \"Ann\", \"count\": \"two\"}"), FailureKind::SchemaValidation),
        (call("{\"customer\": \"Ann\", \"count\": 2.5}"), FailureKind::SchemaValidation),
        (
            call("{\"customer\": \"Ann\", \"count\": 1, \"count\": 2}"),
            FailureKind::SchemaValidation,
        ),
        (
            call("{'customer': 'Ann', 'count': 1} {'customer': 'Ann', 'count': 2}"),
            FailureKind::StructuralParse,
        ),
        (call("{\"customer\": \"Ann\", \"count\": 2"), FailureKind::Truncated),
        (
            Reply::text("Orders look like {\"customer\": \"Ann\", \"count\": 2}, I think."),
            FailureKind::NoToolCall,
        ),
        (
            Reply::text(
                "{\"name\": \"order\", \"arguments\": {\"customer\": \"Ann\", \"count\": 500}}",
            ),
            FailureKind::SemanticValidation,
        ),
        (
            Reply::text("{\"name\": \"order\", \"arguments\": {\"customer\": \"An"),
            FailureKind::Truncated,
        ),
    ] {
        let (result, report, model) = play([reply, good()]).await;
        assert!(result.is_ok());
        assert_eq!(report.attempts[0].kind, Some(kind), "{report}");
        assert_eq!(model.request_count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn with_recovery_off_json_is_json() {
    #[retry_policy(recovery = "off", max_attempts = 1)]
    async fn strict(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    for (reply, kind) in [
        (
            Reply::tool_call("order", "{'customer': 'Ann', 'count': 2}"),
            FailureKind::StructuralParse,
        ),
        (
            Reply::tool_call("order", "{\"customer\": \"Ann\", \"count\": \"2\"}"),
            FailureKind::SchemaValidation,
        ),
        (
            Reply::tool_call("Order", json!({"customer": "Ann", "count": 2})),
            FailureKind::UnknownTool,
        ),
        (Reply::json(json!({"customer": "Ann", "count": 2})), FailureKind::NoToolCall),
    ] {
        let model = MockModel::repeat(reply);
        assert_eq!(strict(&model.client()).await.unwrap_err().kind(), kind);
    }
}

/// A payment, in which nothing is put right.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[tool(recovery = "off")]
struct Pay {
    amount: u32,
}

/// A note, in which more than usual is.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[tool(recovery = "lenient")]
struct Note {
    text: String,
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_says_of_its_recovery_comes_before_what_the_policy_says() {
    #[retry_policy(recovery = "lenient", max_attempts = 1)]
    async fn pay(attempt: &Attempt, client: &Mock) -> fcretry::Result<Pay> {
        attempt.chat(client, "m").user("go").call().await
    }
    #[retry_policy(recovery = "off", max_attempts = 1)]
    async fn note(attempt: &Attempt, client: &Mock) -> fcretry::Result<Note> {
        attempt.chat(client, "m").user("go").call().await
    }
    for (reply, kind) in [
        (Reply::tool_call("pay", r#"{"amount": "3"}"#), FailureKind::SchemaValidation),
        (Reply::tool_call("pay", "{'amount': 3}"), FailureKind::StructuralParse),
        (Reply::tool_call("Pay", r#"{"amount": 3}"#), FailureKind::UnknownTool),
        (Reply::json(json!({"amount": 3})), FailureKind::NoToolCall),
    ] {
        let model = MockModel::repeat(reply);
        assert_eq!(pay(&model.client()).await.unwrap_err().kind(), kind);
    }
    let model = MockModel::repeat(Reply::tool_call("note", r#"{"text": "say "hi" now""#));
    assert_eq!(note(&model.client()).await.unwrap(), Note { text: "say \"hi\" now".into() });
    assert_eq!(Note::parse("{\"text\": \"x\"").unwrap().text, "x");
    assert!(Pay::parse("{\"amount\": 3,}").is_err());
}

#[tokio::test(start_paused = true)]
async fn feedback_that_comes_back_is_seen_in_arguments_that_are_right_as_they_are() {
    #[retry_policy]
    async fn note(attempt: &Attempt, client: &Mock) -> fcretry::Result<Note> {
        attempt.chat(client, "m").user("go").call().await
    }
    let model = MockModel::new([
        Reply::tool_call("note", json!({"text": 7})),
        Reply::tool_call("note", json!({"text": "fixed: /text: expected a string; got 7"})),
        Reply::tool_call("note", json!({"text": "fine"})),
    ]);
    let (result, report) = fcretry::report(note(&model.client())).await;
    assert_eq!(result.unwrap().text, "fine");
    assert_eq!(report.attempts[0].violations[0].pointer, "/text");
    assert_eq!(report.attempts[1].kind, Some(FailureKind::SemanticValidation));
}

#[test]
fn a_wrapper_around_arguments_that_are_wrong_is_told_by_what_is_in_it() {
    use fcretry::parse::Reader;
    let schema = json!({"type": "object", "properties": {"days": {"type": "integer"}}});
    let reader = Reader::new(&schema).unwrap().tool("plan");
    let wrong = reader.read(r#"{"name": "plan", "arguments": {"days": "two"}}"#).unwrap_err();
    assert_eq!(wrong.violations()[0].pointer(), "/days");
    for other in [
        r#"{"name": "cancel", "arguments": {"days": 2}}"#,
        r#"{"name": "plan", "arguments": "{\"days\": 2"}"#,
        r#"{"tool_calls": [{"name": "plan", "arguments": {}}, {"name": "plan", "arguments": {}}]}"#,
    ] {
        assert!(reader.read(other).is_err(), "{other}");
    }
    let nothing = reader.read(r#"{"name": "plan", "arguments": ""}"#).unwrap();
    assert_eq!(nothing.value, json!({}));
    let other = reader.read("cancel_it\n{'days': 2}").unwrap_err();
    assert_eq!(other.kind(), FailureKind::UnknownTool);
}

#[test]
fn a_brace_too_many_that_may_have_stood_too_early_is_left_to_the_schema() {
    use fcretry::parse;
    let text = r#"{"filter": {"city": "Oslo"}, "limit": 2}}"#;
    let known = json!({"type": "object", "properties": {"filter": {"type": "object"}, "limit": {"type": "integer"}}});
    assert_eq!(parse::read(text, &known).unwrap().value["limit"], 2);
    let unknown = json!({"type": "object", "properties": {"filter": {"type": "object"}}});
    assert!(parse::read(text, &unknown).is_err());
    assert!(parse::read(text, &json!(true)).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_content_counts_only_where_one_was_required() {
    #[retry_policy(max_attempts = 1)]
    async fn free(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        use async_openai::types::chat::{ChatCompletionToolChoiceOption, ToolChoiceOptions};
        let auto = ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Auto);
        attempt.chat(client, "m").user("go").tool_choice(auto).call().await
    }
    let model = MockModel::repeat(Reply::json(json!({"customer": "Ann", "count": 2})));
    assert_eq!(free(&model.client()).await.unwrap_err().kind(), FailureKind::NoToolCall);
}

#[tokio::test(start_paused = true)]
async fn a_wrapper_that_names_no_tool_is_a_call_only_where_nothing_is_said_around_it() {
    let unnamed = r#"{"arguments": {"customer": "Ann", "count": 2}}"#;
    let (result, _, model) = play([Reply::text(unnamed)]).await;
    assert_eq!((result.unwrap().count, model.request_count()), (2, 1));
    let prose = Reply::text(format!("What I have so far is {unnamed} and no more."));
    let (result, report, _) = play([prose, good()]).await;
    assert!(result.is_ok());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::NoToolCall));
}

#[test]
fn a_wrapper_that_an_open_schema_admits_is_one_all_the_same() {
    use fcretry::parse::Reader;
    let schema =
        json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let reader = Reader::new(&schema).unwrap().tool("create_user");
    let wrapped = r#"{"name": "create_user", "arguments": {"name": "Ann"}}"#;
    assert_eq!(reader.read(wrapped).unwrap().value, json!({"name": "Ann"}));
    let plain = r#"{"name": "create_user"}"#;
    assert_eq!(reader.read(plain).unwrap().value, json!({"name": "create_user"}));
}

#[test]
fn strings_that_hold_values_do_not_add_up_to_any_depth() {
    use fcretry::parse;
    let schema = json!({"type": "array", "items": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}});
    let mut text = "null".to_owned();
    for quote in ["\u{ab}\u{bb}", "''", "``", "\u{ff02}\u{ff02}"] {
        let (open, close) = quote.split_at(quote.len() / 2);
        text = format!("{}{open}{text}{close}{}", "[".repeat(120), "]".repeat(120));
    }
    assert!(parse::read(&text, &schema).is_err());
}

#[test]
fn without_a_tool_s_name_a_wrapper_is_one_if_what_is_in_it_is_right() {
    use fcretry::parse;
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    });
    let read = |text: &str| parse::read(text, &schema);
    let wrapped = r#"{"name": "get_weather", "arguments": {"city": "Oslo"}}"#;
    assert_eq!(read(wrapped).unwrap().value, json!({"city": "Oslo"}));
    let other = r#"{"name": "get_news", "arguments": {"topic": "Oslo"}}"#;
    assert_eq!(read(other).unwrap_err().violations()[0].pointer(), "/city");
    assert!(read(r#"{"place": {"city": "Oslo"}}"#).is_err());
}
