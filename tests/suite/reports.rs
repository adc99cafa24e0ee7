//! The ledger.

use std::time::Duration;

use fcretry::{
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, good, order, play, with_count};

#[tokio::test(start_paused = true)]
async fn a_report_is_the_script_to_the_token() {
    let (result, report, _) = play([
        Reply::status(503).delay("250ms").id("req_a"),
        with_count(0).usage(100, 20).cached(64).reasoning(7).id("req_b"),
        good().usage(150, 21).id("req_c"),
    ])
    .await;
    assert!(result.is_ok());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["wire_requests"], 3);
    assert_eq!(
        json["usage"],
        json!({"prompt_tokens": 250, "completion_tokens": 41, "cached_tokens": 64, "reasoning_tokens": 7})
    );
    // The 503 may have cost tokens; nobody said.
    assert_eq!(json["partial"], true);
    assert_eq!(json["kind"], json!(null));
    let attempts = json["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    assert_eq!(attempts[0]["kind"], "model_overload");
    assert_eq!(attempts[0]["action"], "retry");
    assert_eq!(attempts[0]["status"], 503);
    assert_eq!(attempts[0]["elapsed_ms"], 250);
    assert_eq!(attempts[0]["request_id"], "req_a");
    assert_eq!(attempts[1]["kind"], "schema_validation");
    assert_eq!(attempts[1]["action"], "repair");
    assert_eq!(attempts[1]["delay_ms"], 0);
    assert_eq!(attempts[1]["request_id"], "req_b");
    assert_eq!(
        attempts[1]["violations"],
        json!([{"pointer": "/count", "expected": "at least 1", "got": "integer"}])
    );
    assert_eq!(attempts[2]["kind"], json!(null));
    assert_eq!(attempts[2]["action"], json!(null));
    assert_eq!(attempts[2]["model"], "gpt-4o");
    assert_eq!(attempts[2]["request_id"], "req_c");
    assert!(attempts[2]["function"].as_str().unwrap().ends_with("support::order"));
}

#[tokio::test(start_paused = true)]
async fn a_report_sums_every_call_awaited_in_it_nested_ones_too() {
    #[retry_policy]
    async fn outer(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
        let _ = attempt.number();
        Ok(order(client).await?.count)
    }
    let model = MockModel::new([Reply::status(503), good().usage(1, 1), good().usage(2, 2)]);
    let client = model.client();
    let both = async { (outer(&client).await, order(&client).await) };
    let (inner, report) = fcretry::report(fcretry::report(both)).await;
    assert!(inner.0.0.is_ok() && inner.0.1.is_ok());
    assert_eq!(report.wire_requests, 3);
    assert_eq!(report.usage.prompt_tokens, 3);
    // Two of the nested call, one of the outer, one of the last.
    assert_eq!(report.attempts.len(), 4);
    assert_eq!(inner.1.attempts, report.attempts);
}

#[tokio::test(start_paused = true)]
async fn time_is_the_call_s_own() {
    let (_, report, _) = play([Reply::status(429).retry_after("10s"), good().delay("3s")]).await;
    assert!(report.elapsed >= Duration::from_secs(13), "{:?}", report.elapsed);
    assert_eq!(report.attempts[1].elapsed, Duration::from_secs(3));
    let told = report.to_string();
    assert!(told.starts_with("1. gpt-4o: rate_limit, then retry after 1"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_usage_makes_the_sums_partial() {
    let (result, report, _) = play([good().no_usage()]).await;
    assert!(result.is_ok());
    assert!(report.partial);
    assert_eq!(report.usage.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_s_error_and_ledger_agree() {
    let model = MockModel::repeat(Reply::status(401));
    let client = model.client();
    let (result, report): (fcretry::Result<Order>, _) = fcretry::report(order(&client)).await;
    assert_eq!(result.unwrap_err().report().attempts, report.attempts);
    assert_eq!(report.attempts[0].code.as_deref(), Some("invalid_api_key"));
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_call_inside_a_call_knows_both() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let _ = attempt.number();
        order(client).await
    }
    let model = MockModel::repeat(Reply::status(503));
    let report = outer(&model.client()).await.unwrap_err().report();
    let functions: Vec<_> =
        report.attempts.iter().map(|a| a.function.rsplit("::").next()).collect();
    assert_eq!(functions, [Some("order"), Some("order"), Some("order"), Some("outer")]);
    assert_eq!(report.wire_requests, 3);
}
