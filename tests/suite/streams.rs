//! Answers that are streamed: whole or not at all, and left as soon as nothing good can come of them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use fcretry::{
    FailureKind,
    answer::Finish,
    openai::Continuation,
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Mock, Order, last_message};

#[retry_policy]
async fn order(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

#[retry_policy]
async fn orders(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Order>> {
    attempt.chat(client, "gpt-4o").user("Orders, please.").stream().call_all().await
}

#[retry_policy]
async fn extracted(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().extract().await
}

#[retry_policy(max_attempts = 1)]
async fn order_once(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

fn arguments() -> Value {
    json!({"customer": "Ann", "count": 2})
}

fn good() -> Reply {
    Reply::tool_call("order", arguments())
}

fn right() -> Order {
    Order { customer: "Ann".into(), count: 2 }
}

#[tokio::test(start_paused = true)]
async fn a_streamed_answer_is_what_it_would_be_in_one_piece() {
    let model = MockModel::new([
        good().usage(20, 9).delay("2s").chunk_delay("10ms"),
        Reply::tool_calls([("order", arguments()), ("order", arguments())]),
        Reply::text(arguments().to_string()),
        good().with_content("Let me record that."),
        Reply::text("```json\n{'customer': 'Ann', 'count': 2,}\n```"),
    ]);
    let client = model.client();
    let (order_read, report) = fcretry::report(order(&client)).await;
    assert_eq!(order_read.unwrap(), right());
    assert_eq!(report.usage.total(), 29);
    assert!(!report.partial);
    let first_token = report.attempts[0].first_token.unwrap();
    assert!(first_token >= Duration::from_secs(2) && first_token < report.elapsed, "{report:?}");
    assert!(report.attempts[0].streamed_tokens.unwrap() > 4);
    assert_eq!(orders(&client).await.unwrap(), [right(), right()]);
    assert_eq!(extracted(&client).await.unwrap(), right());
    assert_eq!(order(&client).await.unwrap(), right());
    assert_eq!(order(&client).await.unwrap(), right());
    for request in model.requests() {
        assert_eq!(request.body["stream"], json!(true));
        assert_eq!(request.body["stream_options"], json!({"include_usage": true}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_broke_off_is_asked_for_again_and_never_used() {
    let error = json!({"error": {"message": "overloaded", "code": "server_error"}});
    for broken in [
        good().stream_cut_after(4),
        good().stream_end_after(4),
        good().stream_error_after(4, error.clone()),
        // All of the arguments, and no end.
        good().stream_end_after(100),
        good().stream_cut_after(1),
    ] {
        let model = MockModel::new([broken, good()]);
        let (read, report) = fcretry::report(order(&model.client())).await;
        assert_eq!(read.unwrap(), right());
        assert_eq!(report.attempts[0].kind, Some(FailureKind::PartialStream));
        assert_eq!(report.wire_requests, 2);
        assert!(report.partial);
    }
    let model = MockModel::repeat(good().stream_end_after(100));
    let (read, report) = fcretry::report(order(&model.client())).await;
    let error = read.unwrap_err();
    assert_eq!((error.kind(), report.wire_requests), (FailureKind::PartialStream, 3));
    assert!(error.failure().unwrap().answer().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_first_token_is_what_it_is() {
    let limited = json!({"error": {"message": "slow down", "code": "rate_limit_exceeded"}});
    let model = MockModel::new([good().stream_error_after(0, limited.clone()), good()]);
    let (read, report) = fcretry::report(order(&model.client())).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::RateLimit));
    // And where waiting is asked for, also midway.
    let model = MockModel::new([good().stream_error_after(4, limited), good()]);
    let (_, report) = fcretry::report(order(&model.client())).await;
    assert_eq!(report.attempts[0].kind, Some(FailureKind::RateLimit));
    let filtered = json!({"error": {"message": "no", "code": "content_filter"}});
    let model = MockModel::new([good().stream_error_after(4, filtered)]);
    assert_eq!(order(&model.client()).await.unwrap_err().kind(), FailureKind::ContentFilter);
}

#[retry_policy(first_token = "3s", idle = "500ms", timeout = "40s")]
async fn paced(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

#[tokio::test(start_paused = true)]
async fn a_dead_model_is_told_from_a_slow_one() {
    // Slow, and within the limits.
    let model = MockModel::new([good().delay("2s").chunk_delay("400ms")]);
    assert_eq!(paced(&model.client()).await.unwrap(), right());
    for (dead, seconds) in [
        (Reply::hang(), 3.0),
        (good().delay("5s"), 3.0),
        (good().stream_hang_after(0), 3.0),
        (good().chunk_delay("100ms").stream_hang_after(4), 0.8),
    ] {
        let model = MockModel::new([dead, good()]);
        let (read, report) = fcretry::report(paced(&model.client())).await;
        assert_eq!(read.unwrap(), right());
        assert_eq!(report.attempts[0].kind, Some(FailureKind::Timeout));
        let took = report.attempts[0].elapsed.as_secs_f64();
        assert!((took - seconds).abs() < 0.11, "{took} {seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_know_no_streams_are_read_all_the_same() {
    let body = |reply: Value| Reply::status(200).body(reply.to_string(), "application/json");
    let completion = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{
        "index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "order", "arguments": arguments().to_string()}}]},
    }], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    let unmarked = format!(
        "data: {}\n\ndata: [DONE]\n\n",
        json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "delta": {"tool_calls": [
            {"function": {"name": "order", "arguments": arguments()}}]}}]})
    );
    let model = MockModel::new([
        body(completion),
        Reply::status(200).body(unmarked, "text/plain"),
        body(json!({"error": {"code": 429, "message": "slow down"}})),
        Reply::status(200).body("<html>login</html>", "text/html"),
    ]);
    let client = model.client();
    assert_eq!(order(&client).await.unwrap(), right());
    assert_eq!(order(&client).await.unwrap(), right());
    assert_eq!(order_once(&client).await.unwrap_err().kind(), FailureKind::RateLimit);
    assert_eq!(order_once(&client).await.unwrap_err().kind(), FailureKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn deltas_are_put_together_however_servers_write_them() {
    let call = |index: Option<u64>, id: &str, name: &str, arguments: &str| {
        let mut call = json!({"function": {"name": name, "arguments": arguments}});
        if let Some(index) = index {
            call["index"] = json!(index);
        }
        if !id.is_empty() {
            call["id"] = json!(id);
        }
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]})
    };
    let (start, end) = (r#"{"customer": "Ann", "#, r#""count": 2}"#);
    let all = format!("{start}{end}");
    let streams = [
        // As the specification has it.
        vec![
            call(Some(0), "a", "order", ""),
            call(Some(0), "", "", start),
            call(Some(0), "", "", end),
            call(Some(1), "b", "order", start),
            call(Some(1), "", "", end),
        ],
        // Mixed up.
        vec![
            call(Some(0), "a", "order", start),
            call(Some(1), "b", "order", start),
            call(Some(1), "", "", end),
            call(Some(0), "", "", end),
        ],
        // One index for all, and whole calls.
        vec![call(Some(0), "a", "order", &all), call(Some(0), "b", "order", &all)],
        // No index, the id and the name again and again.
        vec![
            call(None, "a", "order", start),
            call(None, "a", "order", end),
            call(None, "b", "order", &all),
        ],
        // Nothing but names and arguments.
        vec![call(None, "", "order", &all), call(None, "", "order", &all)],
    ];
    for chunks in streams {
        let events: Vec<_> = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
        let mut body = events.concat();
        body.push_str(
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        );
        let model =
            MockModel::new([Reply::status(200).body(body, "text/event-stream; charset=utf-8")]);
        assert_eq!(orders(&model.client()).await.unwrap(), [right(), right()], "{chunks:?}");
    }
}

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
async fn a_client_made_elsewhere_streams_too() {
    use async_openai::{Client, config::OpenAIConfig};
    let model = MockModel::new([good(), good().stream_end_after(4), good()]);
    let server = model.serve().await.unwrap();
    let config = OpenAIConfig::new().with_api_base(server.base_url()).with_api_key("k");
    let client: Mock = Client::with_config(config);
    assert_eq!(order(&client).await.unwrap(), right());
    let (read, report) = fcretry::report(order(&client)).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::PartialStream));
}

#[retry_policy(on(partial_stream, resume), backoff(constant, base = "1s", jitter = "none"))]
async fn resumed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
    chat.continues(Continuation::Vllm).stream().extract().await
}

#[retry_policy(on(partial_stream, resume), backoff(constant, base = "1s", jitter = "none"))]
async fn resumed_call(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
    chat.continues(Continuation::Vllm).stream().call().await
}

/// Goes on with the last message, if it is the assistant's, and breaks off `breaks` times.
fn continuing(breaks: usize) -> MockModel {
    let text = serde_json::to_string_pretty(&arguments()).unwrap();
    let asked = AtomicUsize::new(0);
    MockModel::with(move |request| {
        let last = request.messages().last().unwrap();
        let begun = match last["role"].as_str() {
            Some("assistant") => last["content"].as_str().unwrap(),
            _ => "",
        };
        let reply = Reply::text(text.strip_prefix(begun).unwrap());
        if asked.fetch_add(1, Ordering::Relaxed) < breaks {
            reply.stream_cut_after(3)
        } else {
            reply
        }
    })
}

#[tokio::test(start_paused = true)]
async fn content_that_broke_off_is_gone_on_with_where_the_endpoint_can() {
    let model = continuing(2);
    assert_eq!(resumed(&model.client()).await.unwrap(), right());
    let requests = model.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].body["response_format"]["type"], json!("json_schema"));
    for request in &requests[1..] {
        assert_eq!(request.body["continue_final_message"], json!(true));
        assert_eq!(request.body["add_generation_prompt"], json!(false));
        assert_eq!(request.body.get("response_format"), None);
        assert!(request.text_of_message(0).contains("JSON schema"));
    }
    let begun = |n: usize| requests[n].text_of_message(requests[n].messages().len() - 1);
    assert!(begun(2).starts_with(&begun(1)) && begun(2).len() > begun(1).len());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_content_or_is_not_continued_begins_anew() {
    // A call, and an endpoint that objects.
    let model = MockModel::new([good().stream_cut_after(4), good()]);
    assert_eq!(resumed_call(&model.client()).await.unwrap(), right());
    assert_eq!(model.requests()[1].body, model.requests()[0].body);
    let text = || Reply::text(arguments().to_string());
    let model = MockModel::new([text().stream_cut_after(4), Reply::status(400), text()]);
    let (read, report) = fcretry::report(resumed(&model.client())).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!((report.attempts.len(), report.wire_requests), (2, 3));
    assert_eq!(model.requests()[2].body, model.requests()[0].body);
    // An endpoint that nobody said can.
    let model = MockModel::new([text().stream_cut_after(4), text()]);
    assert_eq!(extracted(&model.client()).await.unwrap(), right());
    assert_eq!(model.requests()[1].body, model.requests()[0].body);
    // One that begins anew instead of going on: the whole is judged, and is none.
    let model = MockModel::new([text().stream_cut_after(3), text(), text()]);
    let (read, report) = fcretry::report(resumed(&model.client())).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!(report.attempts[1].kind, Some(FailureKind::StructuralParse));
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
