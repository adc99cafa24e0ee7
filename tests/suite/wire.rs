//! Over real sockets: what goes on the wire is what the report says.

use fcretry::{
    FailureKind as K,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, broken, good, with_count};

/// No waits: these tests have real sockets, whose time cannot be paused.
#[retry_policy(
    max_attempts = 5,
    timeout = "2s",
    on(rate_limit, retry = 4, delay_scale = 0.0),
    on(model_overload, retry = 4, delay_scale = 0.0),
    on(transient_network, retry = 4, delay_scale = 0.0),
    on(truncated, retry = 4, delay_scale = 0.0, max_tokens = 1_000_000),
    on(structural_parse, repair = 2, retry = 2, delay_scale = 0.0),
    on(schema_validation, repair = 2, retry = 2, delay_scale = 0.0),
    on(semantic_validation, repair = 2, retry = 2, delay_scale = 0.0),
    on(unknown_tool, repair = 2, retry = 2, delay_scale = 0.0),
    on(no_tool_call, repair = 2, retry = 2, delay_scale = 0.0)
)]
async fn insist(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "m").user("go").call().await
}

async fn client(model: MockModel) -> (Mock, fcretry::testing::MockServer) {
    let server = model.serve().await.unwrap();
    let config = async_openai::config::OpenAIConfig::new()
        .with_api_base(server.base_url())
        .with_api_key("k");
    (fcretry::openai::client(config), server)
}

#[tokio::test]
async fn attempts_are_requests_for_every_kind_that_is_retried() {
    for (kind, fault) in [
        (K::RateLimit, Reply::status(429)),
        (K::ModelOverload, Reply::status(500)),
        (K::ModelOverload, Reply::status(504)),
        (K::TransientNetwork, Reply::status(408)),
        (K::TransientNetwork, Reply::drop_connection()),
        (K::TransientNetwork, good().cut_body_after(40)),
        (K::Truncated, Reply::truncated("order", "{")),
        (K::StructuralParse, broken()),
        (K::SchemaValidation, with_count("two")),
        (K::SemanticValidation, with_count(500)),
        (K::UnknownTool, Reply::tool_call("other", json!({}))),
        (K::NoToolCall, Reply::text("Sure, Ann wants two.")),
    ] {
        let (client, server) = client(MockModel::repeat(fault)).await;
        let (result, report) = fcretry::report(insist(&client)).await;
        assert_eq!(result.unwrap_err().kind(), kind);
        let answers_stay_the_same = kind.is_repairable();
        let expected = if answers_stay_the_same { 4..=5 } else { 5..=5 };
        assert!(expected.contains(&report.attempts.len()), "{kind}: {report}");
        assert_eq!(server.request_count(), report.attempts.len(), "{kind}");
        assert_eq!(report.wire_requests as usize, server.request_count(), "{kind}");
    }
}

#[tokio::test]
async fn a_request_says_what_the_readme_says() {
    let (client, server) = client(MockModel::new([good()])).await;
    assert_eq!(insist(&client).await.unwrap(), Order { customer: "Ann".into(), count: 2 });
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(request.headers["authorization"], "Bearer k");
    assert_eq!(request.tool_names(), ["order"]);
    assert_eq!(request.body["tools"][0]["function"]["description"], "Place an order.");
    assert_eq!(
        request.body["tools"][0]["function"]["parameters"],
        *Order::spec().unwrap().schema()
    );
    assert_eq!(request.body["tool_choice"], "required");
    assert_eq!(request.body["messages"], json!([{"role": "user", "content": "go"}]));
}

#[tokio::test]
async fn a_silent_server_is_left_when_the_attempt_s_time_is_up() {
    #[retry_policy(timeout = "100ms", on(timeout, retry = 1, delay_scale = 0.0))]
    async fn hasty(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let (client, server) = client(MockModel::repeat(Reply::hang())).await;
    assert_eq!(hasty(&client).await.unwrap_err().kind(), K::Timeout);
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn a_call_runs_in_a_task_of_its_own() {
    let (client, _server) = client(MockModel::repeat(good())).await;
    let task = tokio::spawn(async move { insist(&client).await });
    assert_eq!(task.await.unwrap().unwrap().count, 2);
}
