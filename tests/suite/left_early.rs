//! Streams that are left as soon as nothing good can come of them, and what is said about it.

use fcretry::{
    FailureKind,
    answer::Finish,
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{
    streams::orders,
    support::{Mock, last_message},
};

/// Arguments of some length.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
#[schemars(deny_unknown_fields)]
struct Notes {
    #[allow(dead_code, reason = "what is read is compared as a whole")]
    size: Size,
    #[allow(dead_code, reason = "as above")]
    count: u8,
    #[allow(dead_code, reason = "as above")]
    lines: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    Large,
}

#[retry_policy(timeout = "20m", deadline = "1h", idle = "1m")]
async fn notes(attempt: &Attempt, client: &Mock) -> fcretry::Result<Notes> {
    attempt.chat(client, "gpt-4o").user("Notes, please.").stream().call().await
}

fn long(start: &str) -> String {
    let lines = vec!["a line of some words"; 200];
    format!(
        "{start}{}}}",
        json!({"lines": lines}).to_string().trim_start_matches('{').trim_end_matches('}')
    )
}

/// An order of some length that is wrong from its first words on.
pub(crate) fn wrong_notes() -> Reply {
    Reply::tool_call("order", long(r#"{"count": "many", "customer": "Ann", "#)).usage(100, 3000)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_went_wrong_is_left_early() {
    let tool = |arguments: String| (arguments.len(), Reply::tool_call("notes", arguments));
    let other = |arguments: String| (arguments.len(), Reply::tool_call("take_notes", arguments));
    let text = |text: String| (text.len(), Reply::text(text));
    let prose =
        "The order could be recorded in several ways, and each of them has its merits. ".repeat(60);
    let cases = [
        (tool(long(r#"{"size": "small", "count": "thirty", "#)), FailureKind::SchemaValidation),
        (tool(long(r#"{"size": "huge", "count": 3, "#)), FailureKind::SchemaValidation),
        (tool(long(r#"{"size": "small", "count": 300, "#)), FailureKind::SchemaValidation),
        (tool(long(r#"{"size": "small", "count": 6 * 7, "#)), FailureKind::StructuralParse),
        (tool(long(r#"{"size": "small", "count": <count>, "#)), FailureKind::StructuralParse),
        (other(long("{")), FailureKind::UnknownTool),
        (text(prose), FailureKind::NoToolCall),
        (
            text(format!(
                "I'm sorry, but I can't help with that. {}",
                "It would harm. ".repeat(200)
            )),
            FailureKind::Refusal,
        ),
        (
            tool(format!(r#"{{"size": "small", "count": 3, {}"#, " ".repeat(4000))),
            FailureKind::StructuralParse,
        ),
    ];
    for ((length, reply), kind) in cases {
        let model = MockModel::new([reply.chunk_delay("10ms"), Reply::status(401)]);
        let (_, report) = fcretry::report(notes(&model.client())).await;
        let attempt = &report.attempts[0];
        assert_eq!(attempt.kind, Some(kind), "{report}");
        // Pieces are of 16 characters.
        let whole = f64::from(u32::try_from(length / 16).unwrap()) * 0.01;
        let share = attempt.elapsed.as_secs_f64() / whole;
        assert!(share < 0.2, "{kind}: left after {share}");
        assert!(attempt.partial && attempt.streamed_tokens.unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_and_thought_before_an_answer_is_waited_for() {
    let fine = json!({"size": "large", "count": 3, "lines": []});
    let said =
        "I will record these notes for you now, and I will keep to the words that you gave me. ";
    let thought =
        "Okay, the user wants notes. I can't help but think about their size. ".repeat(60);
    let call = format!("<tool_call>{{\"name\": \"notes\", \"arguments\": {fine}}}</tool_call>");
    for reply in [
        Reply::tool_call("notes", fine.clone()).with_content(said.repeat(3)),
        Reply::tool_call("notes", fine.clone()).with_content(&thought),
        Reply::tool_call("notes", fine.clone())
            .with_content("I can't help with that. But I can record the notes."),
        Reply::text(format!("{thought}\n</think>\n\n{call}")),
        Reply::text(format!("<think>{thought}</think>{fine}")),
        Reply::text(format!("{said}\n{call}")),
    ] {
        let model = MockModel::new([reply]);
        assert!(notes(&model.client()).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_feedback_on_an_answer_that_was_left_quotes_it_and_says_so() {
    let wrong = Reply::tool_call("notes", long(r#"{"size": "huge", "count": 300, "#));
    let fine = Reply::tool_call("notes", json!({"size": "large", "count": 3, "lines": []}));
    let model = MockModel::new([wrong, fine]);
    let (read, report) = fcretry::report(notes(&model.client())).await;
    assert!(read.is_ok());
    let pointers: Vec<_> =
        report.attempts[0].violations.iter().map(|v| v.pointer.as_str()).collect();
    assert_eq!(pointers, ["/size"]);
    let told = last_message(&model, 1);
    for said in ["\"huge\"", "/size: expected", "Reading stopped there", r#"{"size": "huge""#] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let model =
        MockModel::repeat(Reply::tool_call("notes", long(r#"{"size": "huge", "count": 3, "#)));
    let error = notes(&model.client()).await.unwrap_err();
    assert_eq!(error.failure().unwrap().answer().unwrap().finish, Finish::Stopped);
    // Twice the same is not repaired the same way again.
    assert_eq!(model.requests()[2].body["tool_choice"]["function"]["name"], json!("notes"));
}

#[tokio::test(start_paused = true)]
async fn calls_without_end_are_no_answer() {
    let call = |i: usize| {
        let call = json!({"index": i, "id": format!("c{i}"), "function": {"name": "order", "arguments": "{}"}});
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    };
    let body: Vec<_> = (0..20_000).map(call).collect();
    let model = MockModel::repeat(Reply::status(200).body(body.concat(), "text/event-stream"));
    let (read, report) = fcretry::report(orders(&model.client())).await;
    assert_eq!(read.unwrap_err().kind(), FailureKind::StructuralParse);
    assert_eq!(report.wire_requests, 3);
}
