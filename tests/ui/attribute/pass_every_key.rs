//! Each key with values at both ends of its range, and each action of each kind that takes it.

#![deny(warnings)]
#![allow(dead_code)]

use fcretry::prelude::*;

#[retry_policy(max_attempts = 1)]
async fn least_attempts() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 100, history = 20, max_feedback_chars = 100_000)]
async fn most(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(history = 1, max_feedback_chars = 100, recovery = "off")]
async fn least(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

// A policy made at run time may bring the fallback that a rule here needs.
#[retry_policy(policy(policy), on(timeout, fallback), max_attempts = 2)]
async fn steered(_: &Attempt, policy: &fcretry::RetryPolicy) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(policy(fcretry::RetryPolicy::default()))]
async fn made_here(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

static POLICY: std::sync::LazyLock<fcretry::RetryPolicy> =
    std::sync::LazyLock::new(fcretry::RetryPolicy::default);

#[retry_policy(policy(*POLICY))]
async fn made_once(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

static BACKUPS: std::sync::LazyLock<fcretry::Route> =
    std::sync::LazyLock::new(fcretry::Route::default);

#[retry_policy(route(BACKUPS), on(timeout, fallback), on(auth, then = "escalate"), max_attempts = 2)]
async fn routed(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(route(std::sync::Arc::clone(route)), on(rate_limit, then = "fallback"))]
async fn routed_by_argument(
    _: &Attempt,
    route: &std::sync::Arc<fcretry::Route>,
) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 3, on(timeout, retry = 2), on(unknown_tool, repair))]
async fn just_enough(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = "250ms", deadline = "720h", recovery = "lenient")]
async fn times() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(deadline = "5s", timeout = "5s", recovery = "lossless")]
async fn equal_times() -> fcretry::Result<()> {
    Ok(())
}

// Shorter than the default timeout, which is then cut.
#[retry_policy(deadline = "1.5s")]
async fn short_deadline() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(budget(tokens = 1_000_000_000))]
async fn rich() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(first_token = "1ms", idle = "5s", timeout = "5s")]
async fn streamed(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(exponential, base = "1ms", max = "1ms", factor = 1.0, jitter = "full"))]
async fn exponential() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(factor = 10, jitter = "equal"))]
async fn no_strategy() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(linear, base = "30s", jitter = "decorrelated"))]
async fn linear() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(fibonacci, max = "1s", jitter = "none"))]
async fn fibonacci() -> fcretry::Result<()> {
    Ok(())
}

// `max` does not apply to it, so that its default is no bound.
#[retry_policy(deadline = "3h", backoff(constant, base = "1h"))]
async fn constant() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(structural_parse, repair, retry = 1, fallback),
    on(schema_validation, repair = 50),
    on(semantic_validation, repair, then = "escalate"),
    on(unknown_tool, retry, fallback, then = "escalate"),
    on(no_tool_call, repair = 1, delay_scale = 0.5),
    on(truncated, max_tokens = 1),
    on(refusal, escalate),
    on(content_filter, fallback, then = "escalate"),
    on(timeout, retry = 1, then = "fail"),
    on(rate_limit, delay_scale = 0),
    on(model_overload, backoff(linear, base = "2s")),
    on(transient_network, retry = 50, delay_scale = 100.0),
    on(partial_stream, then = "fallback"),
    on(quota_exhausted, fallback, then = "fail"),
    on(context_overflow, fallback),
    on(auth, fail),
    on(model_not_found, fallback),
    on(invalid_request, fail),
    on(application, retry = 2, backoff(constant)),
    on(circuit_open, then = "escalate"),
    on(budget_exhausted, escalate),
    fallback("gpt-4o-mini"),
    route(&BACKUPS)
)]
async fn every_kind(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

fn none<T: Default>(_: &fcretry::Error) -> T {
    T::default()
}

struct Log;

impl fcretry::Observer for Log {}

static LOG: Log = Log;

#[retry_policy(degrade(none), observer(LOG))]
async fn watched() -> fcretry::Result<u32> {
    Ok(1)
}

static BREAKER: fcretry::guard::CircuitBreaker = fcretry::guard::CircuitBreaker::new();
static LIMITS: std::sync::LazyLock<fcretry::guard::Throttle> =
    std::sync::LazyLock::new(fcretry::guard::Throttle::default);

#[retry_policy(
    breaker(BREAKER),
    throttle(LIMITS),
    retry_budget(retries),
    idempotency(customer, order.1, "constant")
)]
async fn guarded(
    attempt: &Attempt,
    retries: &std::sync::Arc<fcretry::guard::RetryBudget>,
    customer: &str,
    order: (u8, u64),
) -> fcretry::Result<()> {
    let _ = attempt.idempotency_key();
    Ok(())
}

fn main() {}
