//! Rules for kinds that are unknown, given twice, or always end the call.

use fcretry::prelude::*;

#[retry_policy(on(rate_limited, retry = 4))]
async fn near_miss() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(RateLimit, retry = 4))]
async fn name_of_the_variant() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(bad_weather, retry = 4))]
async fn unknown() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on("rate_limit", retry = 4))]
async fn quoted() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit = 4))]
async fn count_of_a_kind() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(retry = 4))]
async fn no_kind() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on())]
async fn empty() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on)]
async fn no_list() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on = "rate_limit")]
async fn value() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, retry = 4), on(timeout, retry), on(rate_limit, fail))]
async fn twice() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit, timeout, retry = 4))]
async fn two_kinds_in_one_rule() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(FailureKind::Timeout, retry), on(FailureKind::Weather, retry))]
async fn paths() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on((timeout, rate_limit), retry = 4), on(auth | refusal, fail))]
async fn several_in_one_rule() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(rate_limit: retry = 4), on(timeout: {}))]
async fn colon() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(deadline_exceeded, retry), on(invalid_policy, fail))]
async fn kinds_that_end_the_call() -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
