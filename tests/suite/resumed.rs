//! Content that broke off, and is gone on with where the endpoint can.

use std::sync::atomic::{AtomicUsize, Ordering};

use fcretry::{
    FailureKind,
    openai::Continuation,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::{
    streams::{arguments, extracted, good, right},
    support::{Mock, Order},
};

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

/// Asks something else each time.
#[retry_policy(on(partial_stream, resume), backoff(constant, base = "1s", jitter = "none"))]
async fn resumed_otherwise(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "gpt-4o").user(format!("Order {}.", attempt.number()));
    chat.continues(Continuation::Vllm).stream().extract().await
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
    // Another request than the one that it answers.
    let model = MockModel::new([text().stream_cut_after(4), text()]);
    assert_eq!(resumed_otherwise(&model.client()).await.unwrap(), right());
    assert_eq!(model.requests()[1].messages().len(), 1);
    // One that begins anew instead of going on: the whole is judged, and is none.
    let model = MockModel::new([text().stream_cut_after(3), text(), text()]);
    let (read, report) = fcretry::report(resumed(&model.client())).await;
    assert_eq!(read.unwrap(), right());
    assert_eq!(report.attempts[1].kind, Some(FailureKind::StructuralParse));
}
