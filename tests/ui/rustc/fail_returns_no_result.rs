//! A value that is no `Result`: our words by way of rustc, at the return type.

use fcretry::prelude::*;

#[retry_policy]
async fn number() -> u32 {
    1
}

#[retry_policy]
async fn option(attempt: &Attempt) -> Option<u32> {
    Some(attempt.number())
}

fn main() {}
