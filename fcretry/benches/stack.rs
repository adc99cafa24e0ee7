//! What a guarded call costs where all is well: `cargo bench --package fcretry --bench stack`.
//!
//! | group | what is measured |
//! |---|---|
//! | `fcretry` | a call of an annotated function around a ready future: policy, breaker, retry budget, token budget, throttle, timeout, report; with static guards, with some of them, with guards in an `Arc`, and inside another call |
//! | `others` | the same future within `backon`, `recloser`, `governor`, a `Semaphore` and a `timeout`, nested as their documentation has it |
//!
//! `two threads` is the time of one call while another thread makes the same calls under the same guards.

// A benchmark that cannot run has nothing to say.
#![allow(clippy::unwrap_used)]

mod timing;

use std::{
    convert::Infallible,
    future::ready,
    hint::black_box,
    num::NonZeroU32,
    sync::{Arc, LazyLock},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable as _};
use criterion::Criterion;
use fcretry::{
    Usage,
    guard::{CircuitBreaker, RetryBudget, Throttle},
    prelude::*,
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use recloser::{AsyncRecloser, Recloser};
use timing::{at_once, measure};
use tokio::sync::Semaphore;

/// More than a benchmark asks for: what is measured is leave that is there, not the waiting for it.
const ENOUGH: f64 = 1e9;

static BREAKER: CircuitBreaker = CircuitBreaker::new();
static RETRIES: RetryBudget = RetryBudget::new();
static LIMITS: Throttle = Throttle::new(ENOUGH, u64::MAX).burst(1_000_000);

type Answer = Result<u32, fcretry::Error>;

fn answer() -> impl Future<Output = Answer> {
    ready(Ok(black_box(7)))
}

#[retry_policy]
async fn policy_alone(attempt: &Attempt) -> Answer {
    black_box(attempt.number());
    answer().await
}

#[retry_policy(breaker(BREAKER))]
async fn with_breaker(attempt: &Attempt) -> Answer {
    let answer = attempt.guard("gpt-4o", 100, answer()).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(throttle(LIMITS))]
async fn with_throttle(attempt: &Attempt) -> Answer {
    let answer = attempt.guard("gpt-4o", 100, answer()).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(timeout = "30s", breaker(BREAKER), throttle(LIMITS), budget(tokens = 20_000))]
async fn whole(attempt: &Attempt) -> Answer {
    let answer = attempt.guard("gpt-4o", 100, answer()).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(
    timeout = "30s",
    breaker(BREAKER),
    throttle(LIMITS),
    retry_budget(RETRIES),
    budget(tokens = 20_000)
)]
async fn with_retry_budget(attempt: &Attempt) -> Answer {
    let answer = attempt.guard("gpt-4o", 100, answer()).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(timeout = "30s", breaker(breaker), throttle(limits), budget(tokens = 20_000))]
async fn dynamic(
    attempt: &Attempt,
    breaker: &Arc<CircuitBreaker>,
    limits: &Arc<Throttle>,
) -> Answer {
    let answer = attempt.guard("gpt-4o", 100, answer()).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy]
async fn nested(attempt: &Attempt) -> Answer {
    black_box(attempt.number());
    whole().await
}

static OTHER_BREAKER: LazyLock<AsyncRecloser> =
    LazyLock::new(|| AsyncRecloser::from(Recloser::default()));
static OTHER_LIMITS: LazyLock<DefaultDirectRateLimiter> = LazyLock::new(|| {
    RateLimiter::direct(Quota::per_second(NonZeroU32::MAX).allow_burst(NonZeroU32::MAX))
});
static OTHER_CALLS: Semaphore = Semaphore::const_new(1_000_000);

/// What people put together today.
async fn others() -> Result<u32, recloser::Error<Infallible>> {
    let once = || async {
        let _leave = OTHER_CALLS.acquire().await;
        OTHER_LIMITS.until_ready().await;
        let timed = tokio::time::timeout(Duration::from_secs(30), ready(Ok(black_box(7))));
        OTHER_BREAKER.call(async { timed.await.unwrap_or(Ok(0)) }).await
    };
    once.retry(ExponentialBuilder::default()).await
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let breaker = Arc::new(CircuitBreaker::new());
    let limits = Arc::new(Throttle::new(ENOUGH, u64::MAX).burst(1_000_000));

    measure(&mut criterion, "fcretry", "policy alone", || at_once(policy_alone()));
    measure(&mut criterion, "fcretry", "and breaker", || at_once(with_breaker()));
    measure(&mut criterion, "fcretry", "and throttle", || at_once(with_throttle()));
    measure(&mut criterion, "fcretry", "the whole stack", || at_once(whole()));
    measure(&mut criterion, "fcretry", "and retry budget", || at_once(with_retry_budget()));
    measure(&mut criterion, "fcretry", "guards in an Arc", || at_once(dynamic(&breaker, &limits)));
    measure(&mut criterion, "fcretry", "inside a call", || at_once(nested()));
    measure(&mut criterion, "others", "the whole stack", || at_once(others()));
    criterion.final_summary();
}
