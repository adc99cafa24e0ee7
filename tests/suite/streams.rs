//! Answers that are streamed: whole or not at all, and left as soon as nothing good can come of them.

use std::time::Duration;

use fcretry::{
    FailureKind,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::{Value, json};

use crate::support::{Mock, Order};

#[retry_policy]
async fn order(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

#[retry_policy]
pub(crate) async fn orders(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Order>> {
    attempt.chat(client, "gpt-4o").user("Orders, please.").stream().call_all().await
}

#[retry_policy]
pub(crate) async fn extracted(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().extract().await
}

#[retry_policy(max_attempts = 1)]
async fn order_once(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

pub(crate) fn arguments() -> Value {
    json!({"customer": "Ann", "count": 2})
}

pub(crate) fn good() -> Reply {
    Reply::tool_call("order", arguments())
}

pub(crate) fn right() -> Order {
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

/// An event as a server writes it.
fn chunk(delta: &Value, finish: &Value) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    format!("data: {}\n\n", json!({"choices": [choice]}))
}

fn call_chunk(piece: &Value) -> String {
    chunk(&json!({"tool_calls": [piece]}), &Value::Null)
}

fn streamed_as(body: String) -> Reply {
    Reply::status(200).body(body, "text/event-stream")
}

#[tokio::test(start_paused = true)]
async fn events_without_data_and_ids_without_names_are_no_ends() {
    let (start, end) = (r#"{"customer": "Ann", "#, r#""count": 2}"#);
    let done = "data: [DONE]\n\n";
    // An id of its own for each piece.
    let pieces = call_chunk(
        &json!({"index": 0, "id": "a", "function": {"name": "order", "arguments": start}}),
    ) + "data:\n\n"
        + &call_chunk(&json!({"index": 0, "id": "b", "function": {"arguments": end}}));
    let model =
        MockModel::new([streamed_as(pieces + &chunk(&json!({}), &json!("tool_calls")) + done)]);
    assert_eq!(order(&model.client()).await.unwrap(), right());
    // A finish reason all along, of which only the last is one.
    let stop = json!("stop");
    let pieces = chunk(&json!({"content": start}), &stop) + &chunk(&json!({"content": end}), &stop);
    let model = MockModel::new([streamed_as(pieces.clone() + done), streamed_as(pieces)]);
    assert_eq!(extracted(&model.client()).await.unwrap(), right());
    assert_eq!(extracted(&model.client()).await.unwrap(), right());
}

#[tokio::test(start_paused = true)]
async fn an_error_after_more_than_the_finish_reason_is_not_passed_over() {
    let (start, end) = (r#"{"customer": "Ann", "#, r#""count": 2}"#);
    let stop = json!("stop");
    let error = format!("data: {}\n\n", json!({"error": {"message": "gone"}}));
    let lying =
        chunk(&json!({"content": start}), &stop) + &chunk(&json!({"content": end}), &stop) + &error;
    let model = MockModel::new([streamed_as(lying), Reply::text(arguments().to_string())]);
    let (read, report) = fcretry::report(extracted(&model.client())).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::PartialStream));
}
