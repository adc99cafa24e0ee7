//! Backoffs that contradict themselves.

use fcretry::prelude::*;

#[retry_policy(backoff(exponential, base = "2s", max = "1s"))]
async fn max_below_base() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(max = "500ms"))]
async fn max_below_the_default_base() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(linear, base = "1m"))]
async fn base_above_the_default_max() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(jitter = "ful"))]
async fn near_miss_of_a_jitter() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(jitter = "random"))]
async fn unknown_jitter() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(jitter = full))]
async fn unquoted_jitter() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff("exponential"))]
async fn quoted_strategy() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(exponental))]
async fn near_miss_of_a_strategy() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(quadratic))]
async fn unknown_strategy() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(exponential, linear))]
async fn two_strategies() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(exponential = 2))]
async fn strategy_with_a_value() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(factor = 0.5))]
async fn shrinking() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(factor = 11))]
async fn exploding() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(factor = "2"))]
async fn quoted_factor() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(linear, factor = 2.0))]
async fn factor_of_linear() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(constant, base = "1s", max = "2s", factor = 2.0))]
async fn growth_of_constant() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(base = "0s", max = "0ms"))]
async fn zero() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(initial = "1s", base = "1s", base = "2s"))]
async fn keys() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff)]
async fn no_list() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff = "exponential")]
async fn value() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry = 2, backoff(constant, max = "1s")))]
async fn in_a_rule() -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
