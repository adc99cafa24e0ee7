//! Several asks in one body: each keeps its own failure, feedback and model.

use fcretry::{
    Action, FailureKind,
    prelude::*,
    testing::{MockModel, RecordedRequest, Reply},
};

use crate::support::{Mock, Order, good, with_count};

/// Two asks at once, told apart by their message.
#[retry_policy(timeout = "10s", fallback("b"))]
async fn both(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
    let first = attempt.chat(client, "a").user("first").call::<Order>();
    let second = attempt.chat(client, "a").user("second").call::<Order>();
    let (first, second) = tokio::join!(first, second);
    Ok(first?.count + second?.count)
}

fn is_first(request: &RecordedRequest) -> bool {
    request.text_of_message(0) == "first"
}

#[tokio::test(start_paused = true)]
async fn the_ask_that_failed_gets_the_feedback_and_no_other() {
    let model = MockModel::with(|request| {
        let is_bad = is_first(request) && request.messages().len() == 1;
        if is_bad { with_count("two") } else { good() }
    });
    assert_eq!(both(&model.client()).await.unwrap(), 4);
    for request in model.requests() {
        let expected = [1, if is_first(&request) { 3 } else { 1 }];
        assert!(expected.contains(&request.messages().len()), "{request:?}");
    }
    assert_eq!(model.requests().iter().filter(|r| r.messages().len() == 3).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_ask_that_was_silent_is_the_one_that_is_moved() {
    let model = MockModel::with(|request| {
        if is_first(request) && request.model() == "a" { Reply::hang() } else { good() }
    });
    let (result, report) = fcretry::report(both(&model.client())).await;
    assert_eq!(result.unwrap(), 4);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::Timeout));
    assert!(report.attempts.iter().any(|a| a.action == Some(Action::Fallback)));
    for request in model.requests() {
        assert!(is_first(&request) || request.model() == "a");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_the_body_dealt_with_is_not_the_call_s() {
    #[retry_policy]
    async fn forgiving(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
        let first = attempt.chat(client, "a").user("first").call::<Order>().await;
        let second: Order = attempt.chat(client, "a").user("second").call().await?;
        Ok(first.map_or(0, |order| order.count) + second.count)
    }
    let model = MockModel::new([with_count("two"), Reply::status(503), with_count("two"), good()]);
    let (result, report) = fcretry::report(forgiving(&model.client())).await;
    assert_eq!(result.unwrap(), 2);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::ModelOverload));
    assert!(report.attempts[0].violations.is_empty());
    // The feedback of the first ask was not asked for: its failure was final to the body.
    assert!(model.requests().iter().all(|request| request.messages().len() == 1));
}

#[tokio::test(start_paused = true)]
async fn of_several_waits_that_servers_ask_for_the_longest_is_kept_to() {
    let model = MockModel::with(|request| {
        if is_first(request) { Reply::status(503) } else { Reply::status(429).retry_after("30s") }
    });
    let (result, report) = fcretry::report(both(&model.client())).await;
    assert!(result.is_err());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::ModelOverload));
    assert!(report.attempts[0].delay.as_secs() >= 30, "{report}");
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_at_the_attempt_asks_nothing_by_hand() {
    #[retry_policy(timeout = "10s")]
    async fn looking(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        assert_eq!(attempt.model("m"), "m");
        attempt.chat(client, "a").user("go").call().await
    }
    let model = MockModel::new([Reply::hang(), with_count("two"), good()]);
    let (result, report) = fcretry::report(looking(&model.client())).await;
    assert_eq!((result.unwrap().count, report.wire_requests), (2, 3));
    assert_eq!(model.requests()[2].messages().len(), 3);
}
