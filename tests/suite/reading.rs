//! What is read without asking again, and what is not.

use fcretry::{
    FailureKind, RecoveryKind as R,
    prelude::*,
    testing::{MockModel, Reply},
};
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
