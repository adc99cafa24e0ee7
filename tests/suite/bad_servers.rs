//! Servers that are none, or not the right ones.

use std::net::TcpListener;

use fcretry::{
    FailureKind as K,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, good};

#[retry_policy(
    on(transient_network, retry = 2, delay_scale = 0.0),
    on(model_overload, retry = 2, delay_scale = 0.0)
)]
async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "m").user("go").call().await
}

fn client_of(base_url: String) -> Mock {
    let config =
        async_openai::config::OpenAIConfig::new().with_api_base(base_url).with_api_key("k");
    fcretry::openai::client(config)
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_right_kind_and_no_more_requests_than_it_allows() {
    let html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    for (name, reply, kind, requests, told) in [
        (
            "a 401 with a number for a code",
            Reply::status(401).error_body(json!({"error": {"code": 401, "message": "Invalid key", "type": "authentication_error"}})),
            K::Auth, 1, "check the API key",
        ),
        ("a web page in a 502", Reply::status(502).body(html, "text/html"), K::ModelOverload, 3, "status 502"),
        ("a web page in a 429", Reply::status(429).retry_after("200s").body(html, "text/html"), K::RateLimit, 1, "retry after 200s"),
        ("a web page in a 200", Reply::status(200).body(html, "text/html"), K::InvalidRequest, 1, "a web page"),
        ("a web page in a 404", Reply::status(404).body(html, "text/html"), K::InvalidRequest, 1, "check the base URL"),
        ("an empty 200", Reply::status(200).body("", "application/json"), K::TransientNetwork, 3, "the answer is empty"),
        ("half a 200", Reply::status(200).body("{\"id\": \"c\", \"cho", "application/json"), K::TransientNetwork, 3, "cut off"),
        ("an empty 500", Reply::status(500).body("", "text/plain"), K::ModelOverload, 3, "status 500"),
        ("a 200 that is an error", Reply::status(200).error_body(json!({"error": {"code": 402, "message": "no credits"}})), K::QuotaExhausted, 1, "billing"),
        ("a 200 that is a sentence", Reply::status(200).error_body(json!({"error": "model is busy"})), K::ModelOverload, 3, "an error inside an answer"),
        ("a 200 of something else", Reply::status(200).body("[1, 2]", "application/json"), K::InvalidRequest, 1, "no chat completion"),
        ("no choices", Reply::status(200).body("{\"choices\": []}", "application/json"), K::ModelOverload, 3, "no choices"),
        ("a redirect to nowhere", Reply::status(304).body("", "text/plain"), K::InvalidRequest, 1, "status 304"),
        ("a missing path", Reply::status(404).body("404 page not found", "text/plain"), K::InvalidRequest, 1, "`/v1`"),
    ] {
        let server = MockModel::repeat(reply).serve().await.unwrap();
        let (result, report) = fcretry::report(ask(&client_of(server.base_url()))).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(server.request_count(), requests, "{name}");
        assert_eq!(report.attempts.len(), requests, "{name}");
        assert!(error.to_string().contains(told), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error =
        ask(&client_of(format!("http://127.0.0.1:{port}/v1?key=secret"))).await.unwrap_err();
    assert_eq!(error.kind(), K::TransientNetwork);
    assert_eq!(error.report().attempts.len(), 3);
    let told = error.to_string();
    assert!(told.contains(&format!("no connection to http://127.0.0.1:{port}")), "{told}");
    assert!(
        !format!("{told} {error:?} {:?}", std::error::Error::source(&error)).contains("secret")
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_not_tried_again() {
    let error = ask(&client_of("not a url".to_owned())).await.unwrap_err();
    assert_eq!((error.kind(), error.report().attempts.len()), (K::InvalidRequest, 1));
    assert!(error.to_string().contains("base URL"), "{error}");
}

#[tokio::test]
async fn answers_that_stray_from_the_specification_are_read() {
    let strayings: [fn(&mut serde_json::Value); 4] = [
        |v| v["choices"][0]["finish_reason"] = json!("eos"),
        |v| v["service_tier"] = json!("on_demand"),
        |v| {
            v["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] =
                json!({"customer": "Ann", "count": 2});
        },
        |v| drop(v["choices"][0]["message"]["tool_calls"][0].as_object_mut().unwrap().remove("id")),
    ];
    for stray in strayings {
        let server = MockModel::new([good().patch(stray)]).serve().await.unwrap();
        let (result, report) = fcretry::report(ask(&client_of(server.base_url()))).await;
        assert_eq!(result.unwrap().count, 2);
        assert!(!report.partial);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let huge = format!("{{\"choices\": [{}", " ".repeat(33 << 20));
    let server =
        MockModel::repeat(Reply::status(200).body(huge, "application/json")).serve().await.unwrap();
    let error = ask(&client_of(server.base_url())).await.unwrap_err();
    assert_eq!((error.kind(), server.request_count()), (K::InvalidRequest, 1));
    assert!(error.to_string().contains("larger than 32 MiB"), "{error}");
}
