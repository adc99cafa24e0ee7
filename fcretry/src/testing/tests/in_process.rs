use std::{io, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tower::Service;

use super::{
    super::{
        body::{End, PlayedBody},
        *,
    },
    answer, ask, events, find_io_error, json_of, question, streamed_question,
};

#[tokio::test(start_paused = true)]
async fn delays_are_exact_under_a_paused_clock() {
    let model = MockModel::new([
        Reply::text("slow").delay("200ms"),
        Reply::status(503).delay("1h"),
        Reply::drop_connection().delay("3s"),
        Reply::text("at once"),
    ]);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let start = Instant::now();
        let _ = ask(&model, &question("m")).await;
        waits.push(start.elapsed());
    }
    let expected = [200, 3_600_000, 3_000, 0].map(Duration::from_millis);
    assert_eq!(waits, expected);
}

#[tokio::test(start_paused = true)]
async fn chunks_of_a_stream_are_apart_by_their_delay() {
    let model = MockModel::new([Reply::text("abcd").delay("1s").chunk_delay("5ms")]);
    let start = Instant::now();
    let mut response = ask(&model, &streamed_question()).await.unwrap();
    let mut times = Vec::new();
    while response.chunk().await.unwrap().is_some() {
        times.push(start.elapsed());
    }
    // The role, four pieces, the finish reason, the usage, `[DONE]`; the end itself takes no time.
    let expected: Vec<_> = (0..8).map(|n| Duration::from_millis(1_000 + 5 * n)).collect();
    assert_eq!(times, expected);
    assert_eq!(start.elapsed(), Duration::from_millis(1_035));
}

#[tokio::test]
async fn a_dropped_connection_is_a_reset() {
    let model = MockModel::new([Reply::drop_connection()]);
    let error = ask(&model, &question("m")).await.unwrap_err();
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(model.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_reply_never_comes() {
    let model = MockModel::new([Reply::hang()]);
    let day = Duration::from_secs(86_400);
    assert!(timeout(day, ask(&model, &question("m"))).await.is_err());
    assert_eq!(model.request_count(), 1);
}

#[tokio::test]
async fn a_cut_body_is_an_error_after_its_bytes() {
    let body = "0123456789";
    let reply = |cut| Reply::status(200).body(body, "text/plain").cut_body_after(cut);
    let model = MockModel::new([reply(4), reply(0), reply(10)]);
    for expected in ["0123", ""] {
        let mut response = ask(&model, &question("m")).await.unwrap();
        assert_eq!(response.content_length(), Some(10));
        let mut got = Vec::new();
        let error = loop {
            match response.chunk().await {
                Ok(Some(part)) => got.extend_from_slice(&part),
                Ok(None) => panic!("the body ended in good order"),
                Err(error) => break error,
            }
        };
        assert_eq!(got, expected.as_bytes());
        assert_eq!(find_io_error(&error), Some(io::ErrorKind::ConnectionReset));
    }
    let whole = ask(&model, &question("m")).await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), body);
}

#[tokio::test]
async fn a_completion_can_be_cut_plain_and_streamed() {
    let model = MockModel::repeat(Reply::text("a long enough text").cut_body_after(100));
    let response = ask(&model, &question("m")).await.unwrap();
    assert!(response.bytes().await.is_err());
    let mut response = ask(&model, &streamed_question()).await.unwrap();
    let mut bytes = 0;
    while let Ok(part) = response.chunk().await {
        bytes += part.expect("cut, not ended").len();
    }
    assert_eq!(bytes, 100);
}

#[tokio::test]
async fn faults_of_a_stream_leave_a_plain_answer_alone() {
    let model = MockModel::new([Reply::text("whole").stream_cut_after(1)]);
    let body = answer(&model, &question("m")).await;
    assert_eq!(body["choices"][0]["message"]["content"], "whole");
}

#[tokio::test]
async fn an_error_answers_a_streamed_request_as_plain_json() {
    let model = MockModel::new([Reply::status(429)]);
    let response = ask(&model, &streamed_question()).await.unwrap();
    assert_eq!(json_of(response).await["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn the_service_serves_the_paths_of_a_server() {
    let model = MockModel::new([Reply::text("fine")]);
    let client = reqwest::Client::new();
    let base = model.base_url_in_process();
    let send = async |request: reqwest::RequestBuilder| {
        let response = model.service().call(request.build().unwrap()).await.unwrap();
        (response.status().as_u16(), json_of(response).await)
    };

    let (status, body) = send(client.get(format!("{base}/models"))).await;
    assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(1)));
    let (status, body) = send(client.get(format!("{base}/models/gpt-4o"))).await;
    assert_eq!((status, &body["id"], &body["object"]), (200, &"gpt-4o".into(), &"model".into()));
    let _ = model.clone().repeat_for_model("gpt-4o", Reply::text("fine"));
    let (_, body) = send(client.get(format!("{base}/models"))).await;
    assert_eq!(body["data"][0]["id"], "gpt-4o");
    for request in [
        client.post(format!("{base}/embeddings")).body("{}"),
        client.get(format!("{base}/chat/completions")),
    ] {
        let (status, body) = send(request).await;
        assert_eq!((status, &body["error"]["code"]), (404, &"unknown_url".into()));
    }
    assert_eq!(model.request_count(), 0);

    let any_prefix = "http://elsewhere.invalid/openai/deployments/x/chat/completions?api-version=1";
    let (status, _) = send(client.post(any_prefix).body("{}")).await;
    assert_eq!(status, 200);
    assert_eq!(model.requests()[0].path, "/openai/deployments/x/chat/completions");
    assert_eq!(model.requests()[0].model(), "");
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_gets_a_400_and_no_reply() {
    let model = MockModel::new([Reply::text("fine")]);
    for (sent, kept) in [("{'a'", json!("{'a'")), ("", json!("")), ("[1]", json!("[1]"))] {
        let url = format!("{}/chat/completions", model.base_url_in_process());
        let request = reqwest::Client::new().post(url).body(sent).build().unwrap();
        let response = model.service().call(request).await.unwrap();
        assert_eq!(response.status(), 400);
        let body = json_of(response).await;
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("JSON"), "{message}");
        assert_eq!(model.requests().last().unwrap().body, kept);
    }
    assert_eq!((model.request_count(), model.remaining()), (3, 1));
}

#[tokio::test]
async fn a_streamed_request_body_is_read_to_its_end() {
    let model = MockModel::new([Reply::text("fine")]);
    let whole = question("m").to_string();
    let (left, right) = whole.split_at(10);
    let parts = [left, right].map(|part| part.to_owned().into());
    let body = reqwest::Body::wrap(PlayedBody::stream(parts.into(), End::Complete));
    let url = format!("{}/chat/completions", model.base_url_in_process());
    let request = reqwest::Client::new().post(&url).body(body).build().unwrap();
    let response = model.service().call(request).await.unwrap();
    assert_eq!(response.url().as_str(), url);
    assert_eq!(model.requests()[0].body, question("m"));
}

#[tokio::test]
async fn a_request_larger_than_the_limit_gets_a_413() {
    let model = MockModel::new([Reply::text("fine")]);
    let url = format!("{}/chat/completions", model.base_url_in_process());
    let body = vec![b' '; (64 << 20) + 1];
    let request = reqwest::Client::new().post(&url).body(body).build().unwrap();
    let response = model.service().call(request).await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(model.remaining(), 1);
}

#[tokio::test]
async fn keys_do_not_show_in_debug_output() {
    let model = MockModel::new([Reply::text("fine")]);
    let url = format!("{}/chat/completions", model.base_url_in_process());
    let request = reqwest::Client::new()
        .post(&url)
        .header("authorization", "Bearer sk-secret")
        .header("api-key", "sk-secret")
        .header("x-trace", "visible")
        .body(question("m").to_string());
    model.service().call(request.build().unwrap()).await.unwrap();
    let requests = model.requests();
    let shown = format!("{requests:?} {model:?} {:?}", model.service());
    assert!(!shown.contains("sk-secret") && shown.contains("visible"), "{shown}");
    assert_eq!(requests[0].headers["authorization"], "Bearer sk-secret");
}

#[tokio::test(start_paused = true)]
async fn a_stream_can_fall_silent() {
    let model = MockModel::new([Reply::text("abcd").stream_hang_after(2)]);
    let mut response = ask(&model, &streamed_question()).await.unwrap();
    for _ in 0..2 {
        assert!(response.chunk().await.unwrap().is_some());
    }
    assert!(timeout(Duration::from_secs(3_600), response.chunk()).await.is_err());
}

#[tokio::test]
async fn a_stream_in_process_is_the_stream_over_http() {
    let script = || MockModel::new([Reply::tool_call("a", json!({"x": "a longer text"}))]);
    let (in_process, error) = events(ask(&script(), &streamed_question()).await.unwrap()).await;
    assert!(error.is_none());
    let server = script().serve().await.unwrap();
    let response = super::post(&server.base_url(), &streamed_question()).await.unwrap();
    let (over_http, _) = events(response).await;
    assert_eq!(in_process, over_http);
    assert_eq!(in_process.last().map(String::as_str), Some("[DONE]"));
    assert!(in_process.iter().rev().skip(1).all(|event| event.parse::<Value>().is_ok()));
}
