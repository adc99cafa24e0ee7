//! Keys that are unknown, in the wrong place, given twice, or not there yet.

use fcretry::prelude::*;

#[retry_policy(max_attempt = 3)]
async fn near_miss() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(maxAttempts = 3)]
async fn another_case() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(foo = 3)]
async fn unknown() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = "30s", max_attempts = 3, timeout = "60s")]
async fn twice() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(retry = 3)]
async fn belongs_in_a_rule() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(jitter = "full", exponential)]
async fn belongs_in_the_backoff() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(rate_limit(retry = 3))]
async fn kind_without_on() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(3, "30s")]
async fn no_key() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(adapt(models))]
async fn learned_without_an_attempt() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(policy())]
async fn no_policy() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(route())]
async fn no_route(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(route = "azure")]
async fn route_is_no_name(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(policy = "strict")]
async fn policy_is_no_name() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(degrade(), observer())]
async fn nothing_named() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(degrade = "empty", observer = "PAGER")]
async fn named_by_text() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(degrade(|error| 3), degrade(a, b), observer(A), observer(B))]
async fn no_path_and_twice() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(breaker(), throttle = 3, retry_budget, idempotency())]
async fn guards_that_are_none(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(breaker(BREAKER), throttle(LIMITS), retry_budget(RETRIES), idempotency(email))]
async fn guards_without_an_attempt(email: &str) -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
