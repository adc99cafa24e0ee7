//! What is attached and is not of the right type is reported where it is named.

use std::sync::Arc;

use fcretry::prelude::*;
use fcretry::{Observer, RetryPolicy, Run};

fn of_another_value(_: &fcretry::Error) -> String {
    String::new()
}

fn of_another_error(_: &std::io::Error) -> u32 {
    0
}

fn by_value(_: fcretry::Error) -> u32 {
    0
}

#[retry_policy(degrade(of_another_value))]
async fn other_value() -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(degrade(of_another_error))]
async fn other_error() -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(degrade(by_value))]
async fn error_by_value() -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(degrade(not_there))]
async fn no_function() -> fcretry::Result<u32> {
    Ok(1)
}

struct Log;

impl Observer for Log {}

struct Deaf;

static DEAF: Deaf = Deaf;

#[retry_policy(observer(DEAF))]
async fn no_observer() -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(observer(log))]
async fn no_observer_in_the_arc(log: &Arc<Deaf>) -> fcretry::Result<u32> {
    Ok(1)
}

async fn another_value_of_a_run() -> fcretry::Result<u32> {
    Run::new(&RetryPolicy::default())
        .degrade(of_another_value)
        .run(async |_: &Attempt| -> fcretry::Result<u32> { Ok(1) })
        .await
}

#[retry_policy(breaker(DEAF))]
async fn no_breaker(_: &Attempt) -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(throttle(fcretry::guard::Throttle::default()))]
async fn a_throttle_of_its_own(_: &Attempt) -> fcretry::Result<u32> {
    Ok(1)
}

#[retry_policy(idempotency(deaf, 1))]
async fn no_part_of_a_key(_: &Attempt, deaf: &Deaf) -> fcretry::Result<u32> {
    Ok(1)
}

fn main() {}
