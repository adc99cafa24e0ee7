//! Going on with another model.

use std::sync::Mutex;

use fcretry::{
    Action, FailureKind, RetryPolicy, Rule, Then,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, broken, good, with_count};

#[retry_policy(max_attempts = 6, fallback("b", "c"))]
async fn laddered(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("go").call().await
}

fn models(model: &MockModel) -> String {
    model.requests().iter().map(|r| r.model().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dead_model_is_left_for_the_next_and_the_count_starts_again() {
    let model = MockModel::repeat(good()).repeat_for_model("a", Reply::status(503));
    let (result, report) = fcretry::report(laddered(&model.client())).await;
    assert!(result.is_ok());
    assert_eq!(models(&model), "aaab");
    assert_eq!(report.attempts[2].action, Some(Action::Fallback));
    assert!(report.attempts[2].delay.is_zero());
    assert_eq!(report.attempts[3].model.as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_starts_from_the_original_messages() {
    let model = MockModel::repeat(good())
        .for_model("a", [with_count("one"), with_count("two"), with_count("three")]);
    assert!(laddered(&model.client()).await.is_ok());
    assert_eq!(models(&model), "aaab");
    let requests = model.requests();
    assert_eq!(requests[3].messages(), requests[0].messages());
    assert_eq!(requests[3].body["tool_choice"], "required");
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_the_fallback_s() {
    #[retry_policy(fallback("b"))]
    async fn defaults(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let model = MockModel::repeat(Reply::status(429));
    assert!(defaults(&model.client()).await.is_err());
    assert_eq!(models(&model), "aaab");
}

#[tokio::test(start_paused = true)]
async fn a_long_retry_after_is_somebody_else_s_time() {
    let model =
        MockModel::repeat(good()).repeat_for_model("a", Reply::status(429).retry_after("300s"));
    let start = tokio::time::Instant::now();
    assert!(laddered(&model.client()).await.is_ok());
    assert_eq!(models(&model), "ab");
    assert!(start.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn what_another_model_cannot_help_does_not_go_there() {
    for fault in [Reply::status(401), Reply::status(402), Reply::refusal("no"), Reply::status(400)]
    {
        let model = MockModel::repeat(fault);
        assert!(laddered(&model.client()).await.is_err());
        assert_eq!(models(&model), "a");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_ask_that_failed_changes_its_model() {
    #[retry_policy(fallback("b"), on(model_overload, fallback))]
    async fn twice(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
        let first: Order = attempt.chat(client, "a").user("first").call().await?;
        let second: Order = attempt.chat(client, "x").user("second").call().await?;
        Ok(first.count + second.count)
    }
    let model = MockModel::repeat(good()).repeat_for_model("x", Reply::status(503));
    assert_eq!(twice(&model.client()).await.unwrap(), 4);
    assert_eq!(models(&model), "axab");
}

#[tokio::test(start_paused = true)]
async fn a_policy_made_at_run_time_names_its_own() {
    #[retry_policy(policy(policy), max_attempts = 3)]
    async fn steered(
        attempt: &Attempt,
        policy: &RetryPolicy,
        client: &Mock,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let policy = RetryPolicy::builder()
        .max_attempts(9)
        .fallback("z")
        .on(FailureKind::StructuralParse, Rule::new().repair(1).then(Then::Fallback))
        .build()
        .unwrap();
    let model = MockModel::repeat(broken());
    let error = steered(&policy, &model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::StructuralParse);
    // The attribute's own limit stands, with the fallback and the rule of the policy.
    assert_eq!(models(&model), "aaz");
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_that_shows_at_run_time_sends_nothing() {
    #[retry_policy(policy(RetryPolicy::default()), on(timeout, retry = 1, then = "fallback"))]
    async fn contradictory(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let model = MockModel::repeat(good());
    let error = contradictory(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidPolicy);
    assert_eq!(model.request_count(), 0);
    assert!(error.to_string().contains("there is no fallback model to go to"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_goes_on_with_the_next_model() {
    #[retry_policy(fallback("b"), on(model_overload, fallback))]
    async fn by_hand(attempt: &Attempt) -> fcretry::Result<String> {
        let model = attempt.model("a");
        if model == "a" {
            return Err(FailureKind::ModelOverload.into());
        }
        Ok(model)
    }
    assert_eq!(by_hand().await.unwrap(), "b");
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_counts_on_each_model() {
    #[retry_policy(
        max_attempts = 9,
        fallback("b", "c"),
        on(model_overload, retry = 1, then = "fallback")
    )]
    async fn by_hand(attempt: &Attempt, seen: &Mutex<Vec<String>>) -> fcretry::Result<String> {
        seen.lock().unwrap().push(attempt.model("a"));
        Err(FailureKind::ModelOverload.into())
    }
    let seen = Mutex::default();
    by_hand(&seen).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), ["a", "a", "b", "b", "c", "c"]);
}
