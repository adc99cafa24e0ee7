//! Attributes that do not parse, or are half typed: the rest of each is read all the same.

use fcretry::prelude::*;

#[retry_policy(max_attempts: 3, timeot = "30s")]
async fn colon() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts =, timeout =)]
async fn no_values_yet() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 3 timeout = "30s", deadline = 90)]
async fn no_comma() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts 3, deadline = 90)]
async fn no_equals() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(,max_attempts = 3,, deadline = 90)]
async fn stray_commas() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on[timeout, retry], backoff { linear }, deadline = 90)]
async fn wrong_brackets() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fcretry::max_attempts = 3, (timeout = "30s"), & deadline)]
async fn no_keys() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(on(timeout, retry = , then "fail"), backoff(linear, base =))]
async fn inside_lists() -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
