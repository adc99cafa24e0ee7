//! What a model, a user or a provider said is shown to nobody who did not ask for it.

use std::fmt::Write as _;

use fcretry::{
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order};

const CANARY: &str = "c4n4ry";

#[retry_policy(max_attempts = 2)]
async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "m").system(CANARY).user(CANARY).call().await
}

#[tokio::test(start_paused = true)]
async fn no_content_is_in_errors_or_reports() {
    let sentence = format!("{CANARY} and more words");
    let faults = [
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
    ];
    for (i, fault) in faults.into_iter().enumerate() {
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
