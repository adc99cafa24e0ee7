//! Several tools in one request, and several calls in one answer.

use fcretry::{
    FailureKind, RecoveryKind, ToolSet,
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::support::Mock;

/// Place an order.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct PlaceOrder {
    customer: String,
}

/// Cancel an order.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct CancelOrder {
    #[schemars(range(min = 1))]
    number: u32,
}

#[derive(Debug, PartialEq, ToolCall)]
enum Desk {
    Place(PlaceOrder),
    Cancel(CancelOrder),
}

#[retry_policy]
async fn one(attempt: &Attempt, client: &Mock) -> fcretry::Result<Desk> {
    attempt.chat(client, "m").user("go").call().await
}

#[retry_policy]
async fn all(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
    attempt.chat(client, "m").user("go").call_all().await
}

fn placed() -> Desk {
    Desk::Place(PlaceOrder { customer: "Ann".into() })
}

fn cancelled(number: u32) -> Desk {
    Desk::Cancel(CancelOrder { number })
}

#[tokio::test(start_paused = true)]
async fn the_value_says_which_tool_was_called() {
    let model = MockModel::new([
        Reply::tool_call("cancel_order", json!({"number": 7})),
        Reply::tool_call("place_order", json!({"customer": "Ann"})),
    ]);
    let client = model.client();
    assert_eq!(one(&client).await.unwrap(), cancelled(7));
    assert_eq!(one(&client).await.unwrap(), placed());
    let request = &model.requests()[0];
    assert_eq!(request.tool_names(), ["place_order", "cancel_order"]);
    assert_eq!(request.body["tools"][1]["function"]["description"], "Cancel an order.");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_is_none_of_them_is_unknown_and_all_are_named() {
    let model = MockModel::new([
        Reply::tool_call("refund", json!({})),
        Reply::tool_call("place_order", json!({"customer": "Ann"})),
    ]);
    let (result, report) = fcretry::report(one(&model.client())).await;
    assert_eq!(result.unwrap(), placed());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::UnknownTool));
    let told = crate::support::last_message(&model, 1);
    assert!(told.contains("`place_order`, `cancel_order`"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn several_calls_in_the_content_are_read_where_calls_were_required() {
    let call = |name: &str, arguments: &str| {
        format!("<tool_call>{{\"name\": \"{name}\", \"arguments\": {arguments}}}</tool_call>")
    };
    let place = call("place_order", r#"{"customer": "Ann"}"#);
    let model = MockModel::new([
        Reply::text(format!("{place}\n{}\n{place}", call("cancel_order", r#"{"number": "7"}"#))),
        Reply::text(format!("{place}\n{}", call("cancel_order", r#"{"number": 0}"#))),
        Reply::tool_call("cancel_order", json!({"number": 8})),
        Reply::text(format!("{place}\n{}", call("refund", "{}"))),
        Reply::tool_call("place_order", json!({"customer": "Ann"})),
    ]);
    let client = model.client();
    assert_eq!(all(&client).await.unwrap(), [placed(), cancelled(7), placed()]);
    let (result, report) = fcretry::report(all(&client)).await;
    assert_eq!(result.unwrap(), [placed(), cancelled(8)]);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::SchemaValidation));
    let (result, report) = fcretry::report(all(&client)).await;
    assert_eq!(result.unwrap(), [placed()]);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::NoToolCall));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_content_may_be_named_by_what_stands_around_it() {
    let model = MockModel::new([
        Reply::text("<function=cancel_order>{\"number\": 7}</function>"),
        Reply::text("Action: cancel_order\nAction Input: {'number': 7}"),
    ]);
    let client = model.client();
    assert_eq!(one(&client).await.unwrap(), cancelled(7));
    assert_eq!(one(&client).await.unwrap(), cancelled(7));
    assert_eq!(model.request_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_made_up_tool_for_several_calls_is_the_calls_in_it() {
    let calls = |calls: serde_json::Value| {
        Reply::tool_call("multi_tool_use.parallel", json!({"tool_uses": calls}))
    };
    let place =
        json!({"recipient_name": "functions.place_order", "parameters": {"customer": "Ann"}});
    let cancel = json!({"recipient_name": "functions.cancel_order", "parameters": {"number": 7}});
    let refund = json!({"recipient_name": "functions.refund", "parameters": {}});
    let model = MockModel::new([
        calls(json!([place, cancel])),
        calls(json!([cancel])),
        calls(json!([place, refund])),
        Reply::tool_call("cancel_order", json!({"number": 7})),
    ]);
    let client = model.client();
    assert_eq!(all(&client).await.unwrap(), [placed(), cancelled(7)]);
    assert_eq!(one(&client).await.unwrap(), cancelled(7));
    // The bad one of them is asked for again alone.
    let (result, report) = fcretry::report(all(&client)).await;
    assert_eq!(result.unwrap(), [placed(), cancelled(7)]);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::UnknownTool));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_content_must_name_its_tool_where_there_are_several() {
    let model = MockModel::new([
        Reply::json(json!({"number": 7})),
        Reply::json(json!({"name": "cancel_order", "arguments": {"number": 7}})),
    ]);
    let (result, report) = fcretry::report(one(&model.client())).await;
    assert_eq!(result.unwrap(), cancelled(7));
    assert_eq!(report.attempts[0].kind, Some(FailureKind::NoToolCall));
}

#[tokio::test(start_paused = true)]
async fn a_wrapper_that_names_no_tool_is_no_call_where_there_are_several() {
    for unnamed in [
        json!({"arguments": {"customer": "Ann"}}),
        json!({"type": "object", "properties": {"customer": "Ann"}}),
    ] {
        let model = MockModel::new([
            Reply::json(unnamed),
            Reply::tool_call("cancel_order", json!({"number": 7})),
        ]);
        let (result, report) = fcretry::report(one(&model.client())).await;
        assert_eq!(result.unwrap(), cancelled(7));
        assert_eq!(report.attempts[0].kind, Some(FailureKind::NoToolCall));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_one_of_several_calls_in_the_content_is_not_lost() {
    let cancel = r#"{"name": "cancel_order", "arguments": {"number": 7}}"#;
    let twice = r#"{"name": "place_order", "arguments": {"customer": "Ann", "customer": "Bob"}}"#;
    // The last brace may have stood behind `extra`.
    let early =
        r#"{"name": "place_order", "arguments": {"customer": "Ann", "extra": {}, "more": 1}}}"#;
    let (first, last) = ([placed(), cancelled(7)], [cancelled(7), placed()]);
    for (text, kind, whole) in [
        (format!("[{twice}, {cancel}]"), FailureKind::SchemaValidation, &first),
        (format!("{{\"tool_calls\": [{cancel}, {twice}]}}"), FailureKind::SchemaValidation, &last),
        (
            format!("<tool_call>{twice}</tool_call><tool_call>{cancel}</tool_call>"),
            FailureKind::SchemaValidation,
            &first,
        ),
        (
            format!("<tool_call>{early}</tool_call><tool_call>{cancel}</tool_call>"),
            FailureKind::StructuralParse,
            &first,
        ),
    ] {
        // The good one is kept.
        let model = MockModel::new([
            Reply::text(text.clone()),
            Reply::tool_call("place_order", json!({"customer": "Ann"})),
        ]);
        let (result, report) = fcretry::report(all(&model.client())).await;
        assert_eq!(result.unwrap(), *whole, "{text}");
        assert_eq!(report.attempts[0].kind, Some(kind), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_put_right_in_several_calls_in_the_content_is_in_the_report() {
    use RecoveryKind as R;
    let text = "<think>Two.</think><tool_call>{'name': 'place_order', 'arguments': {'customer': 'Ann'}}</tool_call>\n\
        <tool_call>{\"name\": \"cancel_order\", \"arguments\": {\"number\": \"7\"}}</tool_call>";
    let model = MockModel::new([Reply::text(text)]);
    let (result, report) = fcretry::report(all(&model.client())).await;
    assert_eq!(result.unwrap(), [placed(), cancelled(7)]);
    let recovered = &report.attempts[0].recovered;
    let has = |kind: R| recovered.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!((has(R::Tags), has(R::CallInContent), has(R::NumberInString)), (2, 2, 1));
    let quote = recovered.iter().find(|entry| entry.kind == R::SingleQuotes).unwrap();
    assert_eq!(quote.at, fcretry::Place::Byte(text.find('\'').unwrap()));
}

#[tokio::test(start_paused = true)]
async fn of_the_calls_in_a_made_up_one_all_that_is_wrong_is_told() {
    let calls = |calls: serde_json::Value| {
        Reply::tool_call("multi_tool_use.parallel", json!({"tool_uses": calls}))
    };
    let cancel = |number: i32| json!({"recipient_name": "functions.cancel_order", "parameters": {"number": number}});
    let place = json!({"recipient_name": "functions.place_order", "parameters": {}});
    let model = MockModel::new([
        calls(json!([cancel(0), place])),
        Reply::tool_call("cancel_order", json!({"number": 7})),
    ]);
    assert_eq!(all(&model.client()).await.unwrap(), [cancelled(7)]);
    let told = crate::support::last_message(&model, 1);
    // Each is quoted, with what is wrong with it.
    let (number, customer) = told.split_once("place_order").unwrap();
    assert!(number.contains("\n- /number: expected at least 1"), "{told}");
    assert!(customer.contains("\n- /customer: expected a string; it is required"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_calls_in_the_content_is_told_of_each() {
    let call = |name: &str, arguments: &str| {
        format!("<tool_call>{{\"name\": \"{name}\", \"arguments\": {arguments}}}</tool_call>\n")
    };
    let text = call("place_order", r#"{"customer": "Ann"}"#)
        + &call("cancel_order", r#"{"number": 0}"#)
        + &call("place_order", "{}");
    let good = || Reply::tool_call("cancel_order", json!({"number": 7}));
    let rest = Reply::tool_calls([
        ("cancel_order", json!({"number": 7})),
        ("place_order", json!({"customer": "Bob"})),
    ]);
    let model = MockModel::new([Reply::text(text), rest]);
    let bob = Desk::Place(PlaceOrder { customer: "Bob".into() });
    assert_eq!(all(&model.client()).await.unwrap(), [placed(), cancelled(7), bob]);
    let told = crate::support::last_message(&model, 1);
    let (number, customer) = told.split_once("/customer: expected a string").unwrap();
    assert!(number.contains("\n- /number: expected at least 1"), "{told}");
    assert!(!customer.contains("/number"), "{told}");
    // Where there is one alone it needs no number.
    let model = MockModel::new([Reply::tool_call("cancel_order", json!({"number": 0})), good()]);
    assert_eq!(all(&model.client()).await.unwrap(), [cancelled(7)]);
    let told = crate::support::last_message(&model, 1);
    assert!(told.contains("\n- /number: expected at least 1"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn of_calls_in_a_made_up_one_where_one_was_asked_for_nothing_is_kept() {
    let uses = json!([
        {"recipient_name": "functions.place_order", "parameters": {"customer": "Ann"}},
        {"recipient_name": "functions.cancel_order", "parameters": {"number": 0}},
    ]);
    let whole = json!({"tool_uses": uses});
    // As it can be replayed, and as it cannot.
    for arguments in [whole.to_string(), whole.to_string().replace('"', "'")] {
        let model = MockModel::new([
            Reply::tool_call("multi_tool_use.parallel", arguments.as_str()),
            Reply::tool_call("cancel_order", json!({"number": 7})),
        ]);
        assert_eq!(one(&model.client()).await.unwrap(), cancelled(7));
        let told = crate::support::last_message(&model, 1);
        assert!(told.contains("/number: expected at least 1"), "{told}");
        assert!(!told.contains("is kept"), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_calls_in_a_made_up_one_are_one_where_one_was_asked_for() {
    let cancel = json!({"recipient_name": "functions.cancel_order", "parameters": {"number": 7}});
    let model = MockModel::new([Reply::tool_call(
        "multi_tool_use.parallel",
        json!({"tool_uses": [cancel, cancel]}),
    )]);
    let (result, report) = fcretry::report(one(&model.client())).await;
    assert_eq!(result.unwrap(), cancelled(7));
    let recovered = &report.attempts[0].recovered;
    assert!(!recovered.is_empty());
    // They stood where calls stand.
    assert!(recovered.iter().all(|entry| entry.kind != RecoveryKind::CallInContent));
}

#[tokio::test(start_paused = true)]
async fn every_call_of_an_answer_is_read_in_order() {
    let model = MockModel::new([Reply::tool_calls([
        ("cancel_order", json!({"number": 7})),
        ("place_order", json!({"customer": "Ann"})),
        ("cancel_order", json!({"number": "8"})),
    ])]);
    assert_eq!(all(&model.client()).await.unwrap(), [cancelled(7), placed(), cancelled(8)]);
}

#[tokio::test(start_paused = true)]
async fn several_calls_where_one_was_asked_for_are_a_violation() {
    let model = MockModel::new([
        Reply::tool_calls([
            ("place_order", json!({"customer": "Ann"})),
            ("cancel_order", json!({"number": 1})),
        ]),
        Reply::tool_call("cancel_order", json!({"number": 1})),
    ]);
    let (result, report) = fcretry::report(one(&model.client())).await;
    assert_eq!(result.unwrap(), cancelled(1));
    assert_eq!(report.attempts[0].kind, Some(FailureKind::SchemaValidation));
}

/// Draw something.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[tool(single, validate(not_flat))]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

fn not_flat(shape: &Shape, found: &mut Violations) {
    let (Shape::Circle { radius: size } | Shape::Square { side: size }) = shape;
    found.ensure(*size > 0.0, "", || "is flat");
}

#[derive(Debug, PartialEq, ToolCall)]
enum Nested {
    Desk(Desk),
    Draw(Shape),
}

#[test]
fn an_enum_may_be_the_arguments_of_one_tool() {
    let spec = Shape::spec().unwrap();
    assert_eq!((spec.name(), spec.description()), ("shape", Some("Draw something.")));
    assert_eq!(spec.schema()["type"], "object");
    assert_eq!(
        Shape::parse(r#"{"kind": "circle", "radius": 2}"#).unwrap(),
        Shape::Circle { radius: 2.0 }
    );
    let failure = Shape::parse(r#"{"kind": "square", "radius": 2}"#).unwrap_err();
    assert_eq!(failure.violations()[0].pointer(), "/side");
    let failure = Shape::parse(r#"{"kind": "oval"}"#).unwrap_err();
    assert_eq!(failure.violations()[0].expected(), r#"one of "circle", "square""#);
    let failure = Shape::parse(r#"{"kind": "square", "side": 0}"#).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::SemanticValidation);
}

/// Keep notes.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[serde(tag = "name", rename_all = "snake_case")]
#[tool(single)]
enum Notes {
    Add { text: Option<String> },
    Clear,
}

#[test]
fn a_wrapper_is_seen_around_the_arguments_of_an_enum_that_is_one_tool() {
    let added = |text: &str| Notes::Add { text: Some(text.into()) };
    assert_eq!(Notes::parse(r#"{"name": "add", "text": "x"}"#).unwrap(), added("x"));
    assert_eq!(Notes::parse(r#"{"name": "clear", "more": 1}"#).unwrap(), Notes::Clear);
    let wrapped = r#"{"name": "notes", "arguments": {"name": "add", "text": "x"}}"#;
    assert_eq!(Notes::parse(wrapped).unwrap(), added("x"));
    // `add` is no tool, and what it is given is not to be lost.
    let failure = Notes::parse(r#"{"name": "add", "arguments": {"text": "x"}}"#).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::SchemaValidation);
}

#[test]
fn sets_hold_sets() {
    let names: Vec<_> = Nested::specs().unwrap().iter().map(|spec| spec.name()).collect();
    assert_eq!(names, ["place_order", "cancel_order", "shape"]);
}

#[derive(Debug, ToolCall)]
enum Either<A, B> {
    Left(A),
    Right(B),
}

#[tokio::test(start_paused = true)]
async fn two_tools_of_one_name_are_an_error_before_any_request() {
    #[retry_policy]
    async fn clash(attempt: &Attempt, client: &Mock) -> fcretry::Result<Either<Desk, CancelOrder>> {
        attempt.chat(client, "m").user("go").call().await
    }
    let model = MockModel::new([]);
    let error = clash(&model.client()).await.unwrap_err();
    assert_eq!((error.kind(), model.request_count()), (FailureKind::InvalidRequest, 0));
    assert!(
        error.to_string().contains("another tool of the set has the name `cancel_order`"),
        "{error}"
    );
    let _ = (Either::<u8, u8>::Left, Either::<u8, u8>::Right);
}
