//! A `policy(..)` that is none is reported at the expression.

use std::sync::LazyLock;

use fcretry::RetryPolicy;
use fcretry::prelude::*;

static P: LazyLock<RetryPolicy> = LazyLock::new(RetryPolicy::default);

// `policy(*P)` would be right.
#[retry_policy(policy(P), max_attempts = 3)]
async fn lazy(attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy(max_attempts = 3, policy(nowhere))]
async fn not_there() -> fcretry::Result<u32> {
    Ok(1)
}

fn main() {}
