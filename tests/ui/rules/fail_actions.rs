//! Actions that contradict each other, their kind, or the rest of the policy.

use fcretry::prelude::*;

#[retry_policy(on(rate_limit))]
async fn no_action() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(refusal))]
async fn no_action_of_a_kind_that_fails() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, fail, retry = 3))]
async fn fail_with_retry() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, escalate, delay_scale = 2.0, backoff(constant), then = "fail"))]
async fn escalate_with_modifiers() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, fail, escalate))]
async fn fail_with_escalate() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, retry, retry = 3))]
async fn twice() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, retry = 0))]
async fn zero() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, retry = 51))]
async fn too_many() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, retry(3)))]
async fn count_in_brackets() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(refusal, escalate = 2))]
async fn count_of_an_end() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, rety = 3))]
async fn unknown_key() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, "retry"))]
async fn quoted() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(refusal, retry = 2),
    on(content_filter, retry),
    on(quota_exhausted, retry),
    on(context_overflow, retry),
    on(auth, retry),
    on(model_not_found, retry),
    on(invalid_request, retry),
    on(circuit_open, retry),
    on(budget_exhausted, retry)
)]
async fn retried_in_vain() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(truncated, repair),
    on(refusal, repair),
    on(timeout, repair),
    on(application, repair),
    on(circuit_open, repair)
)]
async fn repaired_in_vain(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(refusal, delay_scale = 2.0),
    on(application, then = "escalate"),
    on(content_filter, then = "escalate"),
    on(auth, max_tokens = 100)
)]
async fn modifiers_of_kinds_that_fail() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(circuit_open, delay_scale = 2.0),
    on(budget_exhausted, backoff(linear), max_tokens = 100)
)]
async fn modifiers_of_kinds_that_do_not_wait() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(timeout, fallback, delay_scale = 2.0, backoff(constant), then = "fail"),
    on(refusal, fallback, delay_scale = 2.0, then = "escalate"),
    fallback("gpt-4o-mini")
)]
async fn modifiers_of_a_fallback(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(timeout, retry, fallback, then = "fallback"),
    on(refusal, fallback, then = "fallback"),
    fallback("gpt-4o-mini")
)]
async fn one_way_on_twice(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry, then = "giveup"), on(rate_limit, then = fail))]
async fn unknown_ways_on() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry, fallback), on(model_overload, then = "fallback"))]
async fn no_model_to_go_to(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(auth, fallback),
    on(quota_exhausted, fallback, then = "escalate"),
    fallback("gpt-4o-mini")
)]
async fn no_endpoint_to_go_to(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry, max_tokens = 4096), on(truncated, max_tokens = 0))]
async fn max_tokens() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry, delay_scale = 100.5), on(rate_limit, delay_scale = -1.0))]
async fn delay_scale() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 1, on(timeout, retry = 2), on(schema_validation, repair))]
async fn never_asked_again(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 1, fallback("gpt-4o-mini"), on(timeout, fallback))]
async fn never_falls_back(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 1, route(BACKUPS))]
async fn never_goes_on(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 3, on(timeout, retry = 3), on(schema_validation, repair = 9))]
async fn more_than_can_follow(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, base = "2s"), on(timeout, linear), on(truncated, max_attempts = 2))]
async fn belongs_elsewhere() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    on(schema_validation, repair = 2),
    on(truncated, retry, max_tokens = 4096),
    on(timeout, fallback),
    fallback("gpt-4o-mini"),
    route(BACKUPS),
    history = 2,
    max_feedback_chars = 500
)]
async fn needs_an_attempt(email: &str) -> fcretry::Result<()> {
    let _ = email;
    Ok(())
}

fn main() {}
