//! What can never happen: attempts, waits and limits that are used up before.

use fcretry::prelude::*;

#[retry_policy(
    max_attempts = 1,
    backoff(linear),
    history = 1,
    max_feedback_chars = 500,
    on(timeout, delay_scale = 2.0),
    on(rate_limit, retry)
)]
async fn one_attempt(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    max_attempts = 4,
    history = 4,
    on(unknown_tool, repair = 2, retry = 2),
    on(schema_validation, repair = 3, retry),
    on(application, retry = 3, fallback),
    fallback("gpt-4o-mini")
)]
async fn counts_use_it_up(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    deadline = "10s",
    backoff(base = "10s"),
    on(timeout, retry = 4, backoff(jitter = "none")),
    on(rate_limit, retry = 9, backoff(constant, jitter = "equal")),
    on(model_overload, retry = 1, delay_scale = 20, backoff(constant, jitter = "none")),
    on(unknown_tool, repair = 12, backoff(constant, jitter = "decorrelated")),
    on(transient_network, backoff(linear, base = "12s"))
)]
async fn waits_pass_the_deadline(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(backoff(constant, base = "5m"))]
async fn waits_pass_the_default_deadline(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(
    timeout = "20s",
    deadline = "10s",
    first_token = "30s",
    idle = "30s"
)]
async fn times_pass_what_holds_them(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

// What cannot be told what was wrong cannot repair, and so has no repair to modify.
#[retry_policy(
    first_token = "1s",
    idle = "1s",
    on(schema_validation, delay_scale = 2.0),
    on(no_tool_call, backoff(linear))
)]
async fn cannot_be_steered() -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
