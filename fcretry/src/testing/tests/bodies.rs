use std::time::{Duration, SystemTime};

use async_openai::types::chat::{ChatCompletionMessageToolCalls, CreateChatCompletionResponse};
use serde_json::{Value, json};

use super::{super::*, answer, ask, json_of, question};

async fn completion(reply: Reply) -> Value {
    answer(&MockModel::new([reply]), &question("gpt-4o")).await
}

async fn response(reply: Reply) -> reqwest::Response {
    ask(&MockModel::new([reply]), &question("gpt-4o")).await.unwrap()
}

fn header(response: &reqwest::Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn completions_are_what_a_typed_client_reads() {
    let calls = [("a", json!({"x": 1})), ("b", json!([]))];
    for reply in [
        Reply::text("prose"),
        Reply::json(json!({"x": [1, 2]})),
        Reply::refusal("I can't help with that"),
        Reply::tool_call("a", "{broken"),
        Reply::tool_calls(calls).with_content("beside").cached(3).reasoning(4),
        Reply::truncated("a", "{\"x\": \"An"),
    ] {
        let body = completion(reply).await;
        let typed: CreateChatCompletionResponse = serde_json::from_value(body.clone()).unwrap();
        assert_eq!((typed.id.as_str(), typed.model.as_str()), ("chatcmpl-1", "gpt-4o"), "{body}");
        assert!(typed.usage.is_some(), "{body}");
    }
}

#[tokio::test]
async fn a_value_is_written_as_json_and_text_is_sent_as_it_is() {
    let broken = "{'customer': Ann,, \u{1f}";
    let arguments = [Arguments::from(json!({"x": "y"})), broken.into()];
    let body = completion(Reply::tool_calls(["a", "b"].into_iter().zip(arguments))).await;
    let typed: CreateChatCompletionResponse = serde_json::from_value(body).unwrap();
    let message = &typed.choices[0].message;
    let calls: Vec<_> = message.tool_calls.iter().flatten().collect();
    let [
        ChatCompletionMessageToolCalls::Function(first),
        ChatCompletionMessageToolCalls::Function(second),
    ] = calls.as_slice()
    else {
        panic!("{calls:?}")
    };
    assert_eq!(first.function.name, "a");
    assert_eq!(first.function.arguments, r#"{"x":"y"}"#);
    assert_eq!(second.function.arguments, broken);
    assert_ne!(first.id, second.id);
}

#[tokio::test]
async fn each_kind_of_completion_has_its_field_and_finish_reason() {
    let choice = async |reply| completion(reply).await["choices"][0].clone();

    let text = choice(Reply::text("prose")).await;
    assert_eq!(text["message"]["content"], "prose");
    assert_eq!(text["finish_reason"], "stop");
    assert_eq!(text["message"].get("tool_calls"), None);

    let json = choice(Reply::json(json!({"x": 1}))).await;
    assert_eq!(json["message"]["content"], r#"{"x":1}"#);

    let refusal = choice(Reply::refusal("no")).await;
    assert_eq!(refusal["message"]["refusal"], "no");
    assert_eq!(refusal["message"]["content"], Value::Null);

    let call = choice(Reply::tool_call("a", "{}")).await;
    assert_eq!(call["message"]["content"], Value::Null);
    assert_eq!(call["finish_reason"], "tool_calls");

    let cut = choice(Reply::truncated("a", "{\"x")).await;
    assert_eq!(cut["message"]["tool_calls"][0]["function"]["arguments"], "{\"x");
    assert_eq!(cut["finish_reason"], "length");

    let filtered = choice(Reply::text("").finish_reason("content_filter")).await;
    assert_eq!(filtered["finish_reason"], "content_filter");

    let both = choice(Reply::tool_call("a", "{}").with_content("beside")).await;
    assert_eq!(both["message"]["content"], "beside");
}

#[tokio::test]
async fn usage_follows_from_lengths_unless_it_is_given() {
    // 5 characters of content and 4 of the role make 9; "prose" makes 5.
    let usage = async |reply| completion(reply).await["usage"].clone();
    assert_eq!(
        usage(Reply::text("prose")).await,
        json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})
    );
    assert_eq!(
        usage(Reply::text("prose").usage(900, 40).cached(512).reasoning(16)).await,
        json!({
            "prompt_tokens": 900,
            "completion_tokens": 40,
            "total_tokens": 940,
            "prompt_tokens_details": {"cached_tokens": 512},
            "completion_tokens_details": {"reasoning_tokens": 16},
        })
    );
    let detailed = usage(Reply::text("prose").cached(10).reasoning(7)).await;
    assert_eq!(
        (&detailed["prompt_tokens"], &detailed["completion_tokens"]),
        (&10.into(), &9.into())
    );
    assert_eq!(completion(Reply::text("prose").no_usage()).await.get("usage"), None);
}

#[tokio::test]
async fn patches_are_applied_to_the_finished_body_in_order() {
    let reply = Reply::tool_call("a", "{}")
        .model("other")
        .patch(|body| body["seen"] = body["model"].clone())
        .patch(|body| {
            let call = &mut body["choices"][0]["message"]["tool_calls"][0];
            call.as_object_mut().unwrap().remove("type");
            call["function"]["arguments"] = json!({"x": 1});
            body["seen"] = json!([body["seen"]]);
        });
    let body = completion(reply).await;
    assert_eq!(body["seen"], json!(["other"]));
    let call = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call.get("type"), None);
    assert_eq!(call["function"]["arguments"]["x"], 1);
}

#[tokio::test]
async fn a_status_has_the_error_that_usually_comes_with_it() {
    for (status, code) in [
        (401, "invalid_api_key"),
        (402, "insufficient_quota"),
        (404, "model_not_found"),
        (429, "rate_limit_exceeded"),
        (500, "server_error"),
        (503, "server_error"),
        (529, "server_error"),
    ] {
        let response = response(Reply::status(status)).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(header(&response, "content-type").as_deref(), Some("application/json"));
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["code"], code);
        assert!(error["type"].is_string() && error["message"].is_string(), "{error}");
    }
    let moved = response(Reply::status(302)).await;
    assert_eq!(moved.bytes().await.unwrap(), "");
}

#[tokio::test]
async fn errors_and_bodies_are_sent_as_given() {
    let reply = Reply::error(400, "exceed_context_size_error", 400, "too long");
    assert_eq!(
        json_of(response(reply).await).await,
        json!({"error": {
            "message": "too long", "type": "exceed_context_size_error", "param": null, "code": 400,
        }})
    );
    let reply = Reply::status(401).error_body(json!({"detail": "who?"}));
    assert_eq!(json_of(response(reply).await).await, json!({"detail": "who?"}));

    let html = response(Reply::status(502).body("<h1>busy</h1>", "text/html")).await;
    assert_eq!(header(&html, "content-type").as_deref(), Some("text/html"));
    assert_eq!(html.bytes().await.unwrap(), "<h1>busy</h1>");
    let empty = response(Reply::status(200).body("", "application/json")).await;
    assert_eq!((empty.status().as_u16(), empty.bytes().await.unwrap().len()), (200, 0));
}

#[tokio::test]
async fn retry_after_takes_the_form_its_length_needs() {
    let both = async |reply| {
        let response = response(reply).await;
        (header(&response, "retry-after"), header(&response, "retry-after-ms"))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(both(Reply::status(429).retry_after("2s")).await, (some("2"), None));
    assert_eq!(both(Reply::status(429).retry_after("2000ms")).await, (some("2"), None));
    assert_eq!(both(Reply::status(429).retry_after("1500ms")).await, (None, some("1500")));
    let odd = Duration::from_micros(1_200);
    assert_eq!(both(Reply::status(429).retry_after(odd)).await, (None, some("2")));
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    assert_eq!(
        both(Reply::status(503).retry_after_date(at)).await,
        (some("Sun, 06 Nov 1994 08:49:37 GMT"), None)
    );
}

#[tokio::test]
async fn headers_are_set_and_request_ids_counted() {
    let model = MockModel::new([
        Reply::text("a"),
        Reply::status(500).header("Server", "llama.cpp").header("server", "vllm"),
        Reply::text("c").id("abc").header("content-type", "text/plain"),
    ]);
    let mut responses = Vec::new();
    for _ in 0..3 {
        responses.push(ask(&model, &question("m")).await.unwrap());
    }
    let ids: Vec<_> = responses.iter().map(|response| header(response, "x-request-id")).collect();
    assert_eq!(ids, [Some("req_1".into()), Some("req_2".into()), Some("abc".to_owned())]);
    assert_eq!(responses[1].headers().get_all("server").iter().count(), 1);
    assert_eq!(header(&responses[1], "server").as_deref(), Some("vllm"));
    assert_eq!(header(&responses[2], "content-type").as_deref(), Some("text/plain"));
}
