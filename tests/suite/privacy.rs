//! What a model, a user or a provider said is shown to nobody who did not ask for it.

use std::fmt::Write as _;

use std::sync::Arc;

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    metrics::Metrics,
    prelude::*,
    telemetry::{REQUEST_ID, RESPONSE_MODEL},
    testing::{MockModel, Reply},
};
use serde_json::json;
use tracing::Level;

use crate::{
    collected::Collected,
    exported::Exported,
    support::{Mock, Order, good},
};

const CANARY: &str = "c4n4ry";

#[retry_policy(max_attempts = 2)]
async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "m").system(CANARY).user(CANARY).call().await
}

/// Everything that can be wrong, with a canary wherever text goes.
fn faults() -> Vec<Reply> {
    let sentence = format!("{CANARY} and more words");
    vec![
        Reply::tool_call("order", format!("{{'customer': '{CANARY}'}}")),
        Reply::tool_call("order", format!("{{\"customer\": \"{CANARY}")),
        Reply::tool_call("order", json!({"customer": 1, "count": CANARY})),
        Reply::tool_call("order", json!({"customer": CANARY, "count": 500})),
        Reply::tool_call("order", json!({"customer": "Ann", "count": 4_294_967_296_u64})),
        Reply::tool_call(CANARY, json!({})),
        Reply::text(&sentence),
        Reply::refusal(&sentence),
        Reply::error(400, CANARY, sentence.as_str(), sentence.as_str()),
        Reply::status(401).error_body(json!({"error": {"message": sentence, "code": 401}})),
        Reply::status(502).body(format!("<html>{CANARY}</html>"), "text/html"),
        Reply::status(200).body(format!("<html>{CANARY}</html>"), "text/html"),
        Reply::status(200).body(format!("{{\"error\": \"{CANARY}\"}}"), "application/json"),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_content_is_in_errors_or_reports() {
    for (i, fault) in faults().into_iter().enumerate() {
        let model = MockModel::repeat(fault);
        let (result, report) = fcretry::report(ask(&model.client())).await;
        let error = result.unwrap_err();
        let mut shown = format!("{error} {error:?} {report} {report:?}");
        shown.push_str(&serde_json::to_string(&report).unwrap());
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            let _ = write!(shown, "{error} {error:?}");
            source = error.source();
        }
        assert!(!shown.contains(CANARY), "{i}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn content_is_there_for_who_asks() {
    let model = MockModel::repeat(Reply::error(400, "t", "bad_thing", CANARY));
    let error = ask(&model.client()).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.provider_message(), Some(CANARY));
    assert_eq!(failure.code(), Some("bad_thing"));

    let model =
        MockModel::repeat(Reply::tool_call("order", json!({"customer": "A", "count": CANARY})));
    let error = ask(&model.client()).await.unwrap_err();
    assert_eq!(error.violations()[0].got(), Some(&json!(CANARY)));
    let answer = error.failure().unwrap().answer().unwrap();
    assert!(answer.calls[0].arguments.contains(CANARY));
}

#[retry_policy(
    on(refusal, escalate),
    on(auth, fail),
    on(schema_validation, repair = 1, fallback),
    backoff(constant, base = "1ms"),
    idempotency(email),
    fallback("b"),
    observer(metrics)
)]
async fn watched(
    attempt: &Attempt,
    client: &Mock,
    email: &str,
    streams: bool,
    metrics: &Arc<Metrics>,
) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "a").system(CANARY).user(email);
    if streams { chat.stream().call().await } else { chat.call().await }
}

/// A client that has a canary for a key.
fn keyed(base_url: String) -> OpenAIConfig {
    OpenAIConfig::new().with_api_base(base_url).with_api_key(format!("sk-{CANARY}"))
}

/// Looks at every span and event of whatever crate, and at every metric; how many there were.
fn look(traces: &Collected, exported: &Exported) -> (usize, usize) {
    let seen = [traces.spans(), traces.events()].concat();
    for it in &seen {
        let (place, shown) = (it.metadata, format!("{:?}", it.fields));
        assert!(!shown.contains(CANARY), "{place:?}: {shown}");
    }
    let text = exported.text();
    assert!(!text.contains(CANARY), "{text}");
    (seen.iter().filter(|it| it.is_ours()).count(), exported.samples().len())
}

#[tokio::test(start_paused = true)]
async fn no_content_is_in_spans_events_or_metrics() {
    let (traces, exported) = (Collected::down_to(Level::TRACE), Exported::new());
    let metrics = Arc::new(Metrics::new());
    for streams in [false, true] {
        for fault in faults() {
            let model = MockModel::repeat(fault);
            let config = keyed(model.base_url_in_process());
            let client = fcretry::openai::client_over(config, model.service());
            assert!(watched(&client, CANARY, streams, &metrics).await.is_err());
        }
        let model = MockModel::new([Reply::tool_call(
            "order",
            format!("{{'customer': '{CANARY}', 'count': 2}}"),
        )]);
        assert!(watched(&model.client(), CANARY, streams, &metrics).await.is_ok());
    }
    let (spans, samples) = look(&traces, &exported);
    assert!(spans > 100 && samples > 50, "{spans} {samples}");
}

#[tokio::test]
async fn no_content_is_in_what_other_crates_trace_of_our_requests() {
    let (traces, exported) = (Collected::down_to(Level::TRACE), Exported::new());
    let metrics = Arc::new(Metrics::new());
    for fault in faults() {
        let server = MockModel::repeat(fault).serve().await.unwrap();
        let client: Client<_> = fcretry::openai::client(keyed(server.base_url()));
        assert!(watched(&client, CANARY, false, &metrics).await.is_err());
    }
    look(&traces, &exported);
    let others = traces.events().into_iter().filter(|event| !event.is_ours()).count();
    assert!(others > 0, "nobody traces anything");
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_names_is_in_spans_alone() {
    let (traces, exported) = (Collected::down_to(Level::TRACE), Exported::new());
    let metrics = Arc::new(Metrics::new());
    let model = MockModel::new([good().model(format!("{CANARY}-{}", "x".repeat(1000))).id(CANARY)]);
    assert!(watched(&model.client(), "no canary", false, &metrics).await.is_ok());
    let attempt = &traces.named("attempt")[0];
    assert_eq!(attempt.field(REQUEST_ID), CANARY);
    assert!(attempt.field(RESPONSE_MODEL).starts_with(CANARY));
    assert_eq!(attempt.field(RESPONSE_MODEL).len(), 96);
    assert!(!exported.text().contains(CANARY));
}
