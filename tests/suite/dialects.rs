//! What servers say in their own ways, end to end: what is asked again, how often, and after how long.

use std::time::Duration;

use fcretry::{
    FailureKind as K, StoppedBy,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{good, last_message, order, play, play_lasting};

/// What Groq makes of a call that it does not take.
fn not_taken(generation: &str) -> Reply {
    Reply::status(400).error_body(json!({"error": {
        "message": "Failed to call a function. Please adjust your prompt.",
        "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": generation,
    }}))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_server_did_not_take_is_read_all_the_same() {
    let call = r#"<function=order>{"customer": "Ann", "count": "2"}</function>"#;
    let (result, report, model) = play([not_taken(call)]).await;
    assert_eq!(result.unwrap().count, 2);
    assert_eq!(model.request_count(), 1);
    assert!(!report.attempts[0].recovered.is_empty());
}

#[tokio::test(start_paused = true)]
async fn prose_that_the_server_did_not_take_is_told_to_the_model() {
    let (result, report, model) = play([not_taken("Ann wants two."), good()]).await;
    assert!(result.is_ok());
    assert_eq!(report.attempts[0].kind, Some(K::NoToolCall));
    assert!(last_message(&model, 1).contains("order"), "{}", last_message(&model, 1));
    let (error, _, model) = play_lasting(not_taken("I'm sorry, I can't help with that.")).await;
    assert_eq!((error.kind(), model.request_count()), (K::Refusal, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_told_in_the_body_is_kept_to() {
    for (body, least, most) in [
        (
            json!([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"}]}}]),
            33.0,
            36.3,
        ),
        (
            json!({"error": {"code": "429", "message": "Please retry after 12 seconds."}}),
            12.0,
            13.2,
        ),
    ] {
        let (result, report, _) = play([Reply::status(429).error_body(body), good()]).await;
        assert!(result.is_ok());
        let waited = report.attempts[0].delay;
        let bounds = Duration::from_secs_f64(least)..=Duration::from_secs_f64(most);
        assert!(bounds.contains(&waited), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_a_day_is_not_begun() {
    let body = json!({"error": {"code": "429", "message": "Please retry after 86400 seconds."}});
    let (error, report, model) = play_lasting(Reply::status(429).error_body(body)).await;
    assert_eq!((error.kind(), model.request_count()), (K::RateLimit, 1));
    assert_eq!(report.stopped_by, Some(StoppedBy::RetryAfter));
    assert_eq!(report.elapsed, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_date_is_read_by_the_clock_of_the_server_that_wrote_it() {
    let skewed = Reply::status(503)
        .header("date", "Tue, 01 Jan 2002 00:00:00 GMT")
        .header("retry-after", "Tue, 01 Jan 2002 00:00:20 GMT");
    let (result, report, _) = play([skewed, good()]).await;
    assert!(result.is_ok());
    assert!(report.attempts[0].delay >= Duration::from_secs(20), "{report}");
}

#[tokio::test(start_paused = true)]
async fn money_held_by_requests_under_way_is_waited_for_and_money_spent_is_not() {
    let payment = |source: &str| {
        Reply::status(402).error_body(json!({"error": {
            "code": 402, "message": "m", "metadata": {"limit_source": source},
        }}))
    };
    let (result, _, model) = play([payment("openrouter_in_flight_budget"), good()]).await;
    assert!(result.is_ok());
    assert_eq!(model.request_count(), 2);
    let (error, _, model) = play_lasting(payment("openrouter_credits")).await;
    assert_eq!((error.kind(), model.request_count()), (K::QuotaExhausted, 1));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_down_midway_has_not_answered() {
    for reason in ["abort", "insufficient_system_resource", "error"] {
        let model = MockModel::new([good().finish_reason(reason), good()]);
        let (result, report) = fcretry::report(order(&model.client())).await;
        assert!(result.is_ok());
        assert_eq!(report.attempts[0].kind, Some(K::ModelOverload), "{reason}");
    }
}
