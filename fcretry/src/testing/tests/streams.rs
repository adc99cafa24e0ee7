use async_openai::types::chat::CreateChatCompletionStreamResponse;
use serde_json::{Value, json};

use super::{super::*, ask, events, find_io_error, question, streamed_question};

async fn played(reply: Reply) -> (Vec<String>, Option<reqwest::Error>) {
    let response = ask(&MockModel::new([reply]), &streamed_question()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    events(response).await
}

/// The chunks of a stream that must be whole.
async fn chunks(reply: Reply) -> Vec<Value> {
    let (mut events, error) = played(reply).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(events.pop().as_deref(), Some("[DONE]"));
    events.iter().map(|event| event.parse().unwrap()).collect()
}

fn deltas(chunks: &[Value]) -> Vec<Value> {
    let choices = chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
    choices.map(|choice| choice["delta"].clone()).collect()
}

fn call(index: u32, arguments: &str) -> Value {
    json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
}

fn call_start(index: u32, name: &str) -> Value {
    json!({"tool_calls": [{
        "index": index,
        "id": format!("call_1_{index}"),
        "type": "function",
        "function": {"name": name, "arguments": ""},
    }]})
}

#[tokio::test]
async fn content_comes_in_pieces_after_the_role_and_before_finish_and_usage() {
    let chunks = chunks(Reply::text("Grüße, Welt").usage(7, 3)).await;
    assert_eq!(
        deltas(&chunks),
        [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Grü"}),
            json!({"content": "ße,"}),
            json!({"content": " We"}),
            json!({"content": "lt"}),
            json!({}),
        ]
    );
    let reasons: Vec<_> = chunks.iter().map(|c| &c["choices"][0]["finish_reason"]).collect();
    assert_eq!(reasons.iter().filter(|reason| reason.is_string()).count(), 1);
    assert_eq!(reasons[5], "stop");
    let last = chunks.last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(10)));
    assert!(chunks[..6].iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
    assert!(chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-1" && chunk["model"] == "gpt-4o"));
}

#[tokio::test]
async fn tool_calls_come_by_index_with_their_arguments_in_pieces() {
    let reply = Reply::tool_calls([("a", "{\"x\":12}"), ("b", "")]).with_content("hm");
    assert_eq!(
        deltas(&chunks(reply).await),
        [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "h"}),
            json!({"content": "m"}),
            call_start(0, "a"),
            call(0, "{\""),
            call(0, "x\""),
            call(0, ":1"),
            call(0, "2}"),
            call_start(1, "b"),
            json!({}),
        ]
    );
}

#[tokio::test]
async fn chunks_are_what_a_typed_client_reads_and_add_up_to_the_answer() {
    let arguments = json!({"customer": "Ann \u{1f600} ".repeat(40)}).to_string();
    for reply in
        [Reply::tool_call("a", arguments.clone()), Reply::refusal("no"), Reply::text("prose")]
    {
        let mut joined = String::new();
        for chunk in chunks(reply).await {
            let typed: CreateChatCompletionStreamResponse = serde_json::from_value(chunk).unwrap();
            for delta in typed.choices.into_iter().map(|choice| choice.delta) {
                let calls = delta.tool_calls.into_iter().flatten();
                let arguments = calls.filter_map(|call| call.function?.arguments);
                joined.extend(arguments.chain(delta.content).chain(delta.refusal));
            }
        }
        assert!([arguments.as_str(), "no", "prose"].contains(&joined.as_str()), "{joined}");
    }
}

#[tokio::test]
async fn usage_is_streamed_only_to_those_who_ask_for_it() {
    let mut request = streamed_question();
    request.as_object_mut().unwrap().remove("stream_options");
    let model = MockModel::new([Reply::text("abcd")]);
    let (with, _) = played(Reply::text("abcd")).await;
    let (without, _) = events(ask(&model, &request).await.unwrap()).await;
    assert_eq!(without.len() + 1, with.len());
    assert!(without.iter().all(|event| !event.contains("usage")));
    let (withheld, _) = played(Reply::text("abcd").no_usage()).await;
    assert_eq!(withheld, without);
}

#[tokio::test]
async fn a_cut_stream_breaks_off_without_finish_reason_and_done() {
    let whole = played(Reply::text("abcd")).await.0;
    // Five chunks come before the finish reason, however many were asked for.
    for (after, expected) in [(0, 0), (3, 3), (5, 5), (6, 5), (100, 5)] {
        let (events, error) = played(Reply::text("abcd").stream_cut_after(after)).await;
        assert_eq!(events, whole[..expected], "after {after}");
        let kind = find_io_error(&error.expect("the connection was cut"));
        assert_eq!(kind, Some(std::io::ErrorKind::ConnectionReset));
    }
}

#[tokio::test]
async fn a_stream_can_end_too_early_in_good_order() {
    let whole = played(Reply::text("abcd")).await.0;
    let (events, error) = played(Reply::text("abcd").stream_end_after(3)).await;
    assert_eq!(events, whole[..3]);
    assert!(error.is_none());
}

#[tokio::test]
async fn an_error_in_a_stream_is_sent_as_given_and_is_the_last() {
    let error = json!({"error": {"message": "overloaded", "code": 503}});
    let reply = Reply::text("abcd").stream_error_after(2, error.clone());
    let (events, broken) = played(reply).await;
    assert!(broken.is_none());
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].parse::<Value>().unwrap(), error);
}

#[tokio::test]
async fn a_patched_body_makes_a_stream_that_is_off_in_the_same_way() {
    let reply = Reply::tool_call("a", "{}").patch(|body| {
        let choice = &mut body["choices"][0];
        choice["finish_reason"] = json!("eos");
        choice["message"]["reasoning_content"] = json!("hm");
        let call = &mut choice["message"]["tool_calls"][0];
        call.as_object_mut().unwrap().remove("id");
        call["function"]["arguments"] = json!({"x": 1});
    });
    let chunks = chunks(reply).await;
    let deltas = deltas(&chunks);
    let expected = json!({"tool_calls": [{
        "index": 0, "type": "function", "function": {"name": "a", "arguments": {"x": 1}},
    }]});
    assert!(deltas.contains(&expected), "{deltas:?}");
    assert!(deltas.contains(&json!({"reasoning_content": "h"})), "{deltas:?}");
    assert!(chunks.iter().any(|chunk| chunk["choices"][0]["finish_reason"] == "eos"));

    let error = json!({"error": {"message": "overloaded"}});
    let inside = error.clone();
    let reply = Reply::text("x").patch(move |body| *body = inside.clone());
    let (events, _) = played(reply).await;
    assert_eq!(events, [error.to_string(), "[DONE]".to_owned()]);
}

#[tokio::test]
async fn a_request_that_does_not_ask_for_a_stream_gets_none() {
    for stream in [json!(false), Value::Null] {
        let mut request = question("m");
        request["stream"] = stream;
        let response = ask(&MockModel::new([Reply::text("x")]), &request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}
