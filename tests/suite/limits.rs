//! Time and attempts, with a paused clock.

use std::time::Duration;

use fcretry::{
    FailureKind, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};
use tokio::time::Instant;

use crate::support::{Mock, Order, good, order, play, play_lasting};

/// The waits between requests, in seconds.
fn gaps(model: &MockModel) -> Vec<f64> {
    let requests = model.requests();
    let pairs = requests.windows(2);
    pairs.map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_hours_of_backoff_is_tested_in_no_time() {
    #[retry_policy(
        max_attempts = 5,
        timeout = "1h",
        deadline = "72h",
        backoff(exponential, base = "1h", max = "6h", jitter = "none"),
        on(model_overload, retry = 4)
    )]
    async fn patient(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let model = MockModel::new((0..4).map(|_| Reply::status(503)).chain([good()]));
    assert!(patient(&model.client()).await.is_ok());
    // The kind's own scale of 2 stands, and the cap holds.
    assert_eq!(gaps(&model), [7200.0, 14400.0, 21600.0, 21600.0]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_out_and_never_undercut() {
    let (result, report, model) = play([
        Reply::status(429).retry_after("20s"),
        Reply::status(429).retry_after("1500ms"),
        good(),
    ])
    .await;
    assert!(result.is_ok());
    let gaps = gaps(&model);
    assert!((20.0..=22.0).contains(&gaps[0]), "{gaps:?}");
    assert!(gaps[1] >= 1.5, "{gaps:?}");
    assert_eq!(report.attempts[0].status, Some(429));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_nobody_waits_for_ends_the_call_at_once() {
    let start = Instant::now();
    let (error, report, model) = play_lasting(Reply::status(429).retry_after("300s")).await;
    assert_eq!((error.kind(), model.request_count()), (FailureKind::RateLimit, 1));
    assert_eq!(
        error.failure().and_then(fcretry::Failure::retry_after),
        Some(Duration::from_secs(300))
    );
    assert_eq!(report.stopped_by, Some(StoppedBy::RetryAfter));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_dropped_and_made_again() {
    #[retry_policy(timeout = "5s")]
    async fn hasty(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let model = MockModel::new([Reply::hang(), good()]);
    let (result, report) = fcretry::report(hasty(&model.client())).await;
    assert!(result.is_ok());
    assert_eq!(report.attempts[0].kind, Some(FailureKind::Timeout));
    assert_eq!(report.attempts[0].elapsed, Duration::from_secs(5));
    assert!(report.attempts[0].partial && report.partial);
    assert!(!report.attempts[1].partial);
}

#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_deadline() {
    #[retry_policy(timeout = "8s", deadline = "10s")]
    async fn bounded(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let start = Instant::now();
    let model = MockModel::repeat(Reply::hang());
    let error = bounded(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::DeadlineExceeded);
    assert_eq!(error.report().stopped_by, Some(StoppedBy::Deadline));
    assert_eq!(start.elapsed(), Duration::from_secs(10));

    // A wait that would pass it is not begun: the last failure is the error.
    let start = Instant::now();
    let model = MockModel::repeat(Reply::status(429).retry_after("12s"));
    let error = bounded(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::RateLimit);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_body_knows_where_it_stands() {
    #[retry_policy(
        max_attempts = 3,
        timeout = "7s",
        deadline = "10s",
        backoff(constant, base = "2s", jitter = "none")
    )]
    async fn watching(
        attempt: &Attempt,
        seen: &std::cell::RefCell<Vec<(u32, bool, u64)>>,
    ) -> fcretry::Result<()> {
        seen.borrow_mut().push((
            attempt.number(),
            attempt.is_last(),
            attempt.time_left().as_secs(),
        ));
        Err(FailureKind::TransientNetwork.into())
    }
    let seen = std::cell::RefCell::default();
    assert!(watching(&seen).await.is_err());
    assert_eq!(seen.into_inner(), [(1, false, 7), (2, false, 7), (3, true, 6)]);
}

#[tokio::test(start_paused = true)]
async fn one_attempt_is_one() {
    #[retry_policy(max_attempts = 1)]
    async fn once(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let model = MockModel::repeat(Reply::status(503));
    let error = once(&model.client()).await.unwrap_err();
    assert_eq!(model.request_count(), 1);
    assert_eq!(error.report().stopped_by, Some(StoppedBy::MaxAttempts));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_leaves_nothing_behind_but_a_ledger() {
    let model = MockModel::new([Reply::status(503), Reply::hang()]);
    let client = model.client();
    let limited = tokio::time::timeout(Duration::from_secs(30), order(&client));
    let (result, report) = fcretry::report(limited).await;
    assert!(result.is_err());
    assert_eq!(report.wire_requests, 2);
    assert_eq!(report.stopped_by, Some(StoppedBy::Cancelled));
    assert!(report.partial);
    assert_eq!(report.attempts[1].kind, None);
    assert!(report.to_string().contains("cancelled"), "{report}");
}
