//! What a throttle does in a call.

use std::{sync::Arc, time::Duration};

use fcretry::{
    Endpoint, FailureKind, RetryPolicy, Run, StoppedBy,
    guard::{CircuitBreaker, RetryBudget, State, Throttle},
    prelude::*,
    testing::{MockModel, Reply},
};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::support::{Mock, Order, broken, good};

#[retry_policy(throttle(limits), timeout = "5s", backoff(constant, base = "1ms", jitter = "none"))]
async fn call(attempt: &Attempt, client: &Mock, limits: &Arc<Throttle>) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
    chat.max_completion_tokens(100).call().await
}

#[tokio::test(start_paused = true)]
async fn calls_go_out_at_the_throttle_s_rate_in_their_order_and_each_request_counts() {
    let limits = Arc::new(Throttle::new(10.0, 1_000_000).burst(1));
    let model = MockModel::repeat(good());
    let client = model.client();
    let start = Instant::now();
    let calls = join_all((0..21).map(|_| call(&client, &limits)));
    assert!(calls.await.iter().all(Result::is_ok));
    // The first at once, then one each tenth of a second; the last waits for less than its deadline.
    assert_eq!(start.elapsed().as_millis(), 2000);
    assert_eq!(limits.stats().admitted, 21);
    // Repairs are requests, too.
    let model = MockModel::new([broken(), good()]);
    assert!(call(&model.client(), &limits).await.is_ok());
    assert_eq!(limits.stats().admitted, 23);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_by_estimate_and_settled_with_the_usage() {
    let limits = Arc::new(Throttle::new(1000.0, 60_000).burst_tokens(1000));
    let model = MockModel::new([good().usage(50, 20), Reply::status(429), good().usage(50, 20)]);
    let client = model.client();
    assert!(call(&client, &limits).await.is_ok());
    let stats = limits.stats();
    assert_eq!(stats.tokens_settled, 70);
    assert!(stats.tokens_reserved > 100, "{stats:?}");
    assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
    // What the server turned down took nothing.
    assert!(call(&client, &limits).await.is_ok());
    let stats = limits.stats();
    assert_eq!((stats.tokens_settled, stats.pushed_back, stats.in_flight), (140, 1, 0));
    assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_served_before_the_deadline_is_refused_at_once_and_uses_no_attempt() {
    #[retry_policy(throttle(limits), deadline = "10s", fallback("mini"))]
    async fn hurried(
        attempt: &Attempt,
        client: &Mock,
        limits: &Arc<Throttle>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let limits = Arc::new(Throttle::new(0.05, 1_000_000).burst(1));
    let model = MockModel::repeat(good());
    let client = model.client();
    assert!(hurried(&client, &limits).await.is_ok());
    let start = Instant::now();
    let (result, report) = fcretry::report(hurried(&client, &limits)).await;
    assert!(result.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(report.attempts[0].kind, Some(FailureKind::RateLimit));
    assert_eq!((report.attempts[1].number, report.attempts[1].model.as_deref()), (1, Some("mini")));
    // Now the fallback has nothing left either.
    let (result, report) = fcretry::report(hurried(&client, &limits)).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::RateLimit);
    assert_eq!(report.stopped_by, Some(StoppedBy::RetryAfter));
    let wait = error.failure().unwrap().retry_after().unwrap();
    assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
    assert_eq!((start.elapsed(), report.wire_requests), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_is_not_of_the_attempt_s_time() {
    // The attempt may take 5 s, and its turn comes after 20.
    let limits = Arc::new(Throttle::new(0.05, 1_000_000).burst(1));
    let model = MockModel::repeat(good().delay("4s"));
    let client = model.client();
    assert!(call(&client, &limits).await.is_ok());
    let start = Instant::now();
    assert!(call(&client, &limits).await.is_ok());
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn after_a_retry_after_nobody_asks_before_it_has_passed() {
    let limits = Arc::new(Throttle::new(100.0, 1_000_000));
    let model = MockModel::new([Reply::status(429).retry_after("3s"), good(), good()]);
    let client = model.client();
    let start = Instant::now();
    assert!(call(&client, &limits).await.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(3));
    let model = MockModel::new([Reply::status(429).retry_after("3s"), good(), good()]);
    let client = model.client();
    let first = tokio::spawn({
        let (client, limits) = (client.clone(), Arc::clone(&limits));
        async move { call(&client, &limits).await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    // Another call, which was told nothing.
    assert!(call(&client, &limits).await.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(first.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_server_lower_the_rates() {
    let limits = Arc::new(Throttle::new(100.0, 1_000_000));
    let told = good()
        .header("x-ratelimit-limit-requests", "60")
        .header("x-ratelimit-remaining-requests", "59")
        .header("x-ratelimit-limit-tokens", "30000");
    let model = MockModel::repeat(told);
    assert!(call(&model.client(), &limits).await.is_ok());
    let stats = limits.stats();
    assert_eq!((stats.requests_per_second, stats.tokens_per_minute), (1.0, 30_000.0));
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_dropped_wherever_it_is_gives_back_its_place() {
    let limits = Arc::new(Throttle::new(1.0, 1_000_000).burst(2));
    let model = MockModel::repeat(good().delay("10s"));
    let client = model.client();
    for after in [0, 500, 1500, 2500] {
        let calls = join_all((0..5).map(|_| call(&client, &limits)));
        let _ = timeout(Duration::from_millis(after), calls).await;
        let stats = limits.stats();
        assert_eq!((stats.in_flight, stats.waiting), (0, 0), "after {after} ms");
        assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_server_lowers_the_calls_in_flight() {
    let limits = Arc::new(Throttle::new(1000.0, 10_000_000).burst(50));
    let model = MockModel::repeat(Reply::hang());
    let client = model.client();
    let calls = join_all((0..50).map(|_| call(&client, &limits)));
    assert!(calls.await.iter().all(Result::is_err));
    let stats = limits.stats();
    assert!(stats.concurrency < 50, "{stats:?}");
    assert!(stats.error_share > 0.9, "{stats:?}");
    assert_eq!(stats.in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_and_an_endpoint_take_one_too() {
    static LIMITS: Throttle = Throttle::new(1.0, 1_000_000).burst(1);
    let endpoint = Endpoint::new("here", "model", ()).throttle(&LIMITS);
    assert_eq!(endpoint.name(), "here");
    let policy = RetryPolicy::default();
    let start = Instant::now();
    for _ in 0..2 {
        let by_hand = Run::new(&policy).throttle(&LIMITS).run(
            async |attempt: &Attempt| -> fcretry::Result<u8> {
                let answer = std::future::ready(Ok::<_, fcretry::Error>(7));
                attempt.guard("large", 100, answer).await
            },
        );
        assert_eq!(by_hand.await.unwrap(), 7);
    }
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(LIMITS.stats().in_flight, 0);
}

/// One request at a time, and a breaker.
#[retry_policy(breaker(breaker), throttle(limits), max_attempts = 1)]
async fn guarded(
    attempt: &Attempt,
    client: &Mock,
    breaker: &Arc<CircuitBreaker>,
    limits: &Arc<Throttle>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_turn_is_not_sent_to_an_endpoint_that_went_down_meanwhile() {
    let breaker = Arc::new(CircuitBreaker::new().in_a_row(1));
    let limits = Arc::new(Throttle::new(1000.0, 10_000_000).burst(1));
    let model = MockModel::new([Reply::status(503).delay("2s")]).then_repeat(good());
    let client = model.client();
    let start = Instant::now();
    let calls = join_all((0..50).map(|_| guarded(&client, &breaker, &limits))).await;
    let kinds = calls.into_iter().map(|result| result.unwrap_err().kind());
    let open = kinds.filter(|kind| *kind == FailureKind::CircuitOpen).count();
    assert_eq!((open, model.request_count()), (49, 1));
    // At once when they know, and what the throttle gave them is back.
    assert!(start.elapsed() < Duration::from_millis(2100), "{:?}", start.elapsed());
    let stats = limits.stats();
    assert_eq!((stats.in_flight, stats.waiting), (0, 0));
    assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_waits_for_its_turn_stays_the_only_one() {
    let breaker = Arc::new(CircuitBreaker::new().in_a_row(1));
    let limits = Arc::new(Throttle::new(1.0, 10_000_000).burst(1));
    let model = MockModel::new([Reply::status(503)]).then_repeat(good());
    let client = model.client();
    assert!(guarded(&client, &breaker, &limits).await.is_err());
    tokio::time::sleep(Duration::from_secs(20)).await;
    // Takes the throttle's turn, so that the probe has to wait.
    let at = Arc::new(CircuitBreaker::new());
    let one = Run::new(&RetryPolicy::default()).breaker(&at).throttle(&limits).run(
        async |attempt: &Attempt| -> fcretry::Result<Order> {
            attempt.chat(&client, "gpt-4o").user("An order, please.").call().await
        },
    );
    assert!(one.await.is_ok());
    let calls = join_all((0..10).map(|_| guarded(&client, &breaker, &limits))).await;
    assert_eq!(calls.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(model.request_count(), 3);
    assert_eq!(breaker.states()[0].state, State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_before_its_turn_says_nothing_of_the_endpoint() {
    let breaker = Arc::new(CircuitBreaker::new().in_a_row(1).cut_after(Duration::from_secs(1)));
    let limits = Arc::new(Throttle::new(0.05, 10_000_000).burst(1));
    let model = MockModel::repeat(good());
    let client = model.client();
    assert!(guarded(&client, &breaker, &limits).await.is_ok());
    let waits = guarded(&client, &breaker, &limits);
    assert!(timeout(Duration::from_secs(10), waits).await.is_err());
    assert_eq!(breaker.states()[0].state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn asks_by_hand_that_wait_at_once_lose_nothing_of_what_was_given_for_them() {
    let (breaker, limits) =
        (Arc::new(CircuitBreaker::new()), Arc::new(Throttle::new(1.0, 60_000).burst(2)));
    let retries = Arc::new(RetryBudget::new());
    let policy = RetryPolicy::builder().budget_tokens(1000).build().unwrap();
    let run = Run::new(&policy).breaker(&breaker).throttle(&limits).retry_budget(&retries);
    let sum = run.run(async |attempt: &Attempt| -> fcretry::Result<u8> {
        let ask = || {
            attempt.guard("large", 100, async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok::<_, fcretry::Error>(1)
            })
        };
        let dropped = timeout(Duration::from_millis(500), join_all((0..5).map(|_| ask()))).await;
        assert!(dropped.is_err());
        let answers = join_all((0..5).map(|_| ask())).await;
        answers.into_iter().sum()
    });
    assert_eq!(sum.await.unwrap(), 5);
    let stats = limits.stats();
    assert_eq!((stats.in_flight, stats.waiting, stats.admitted), (0, 0, 7));
    assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
    assert_eq!(retries.all_stats()[0].active, 0);
}
