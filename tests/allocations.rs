//! What a call takes on the heap, and in its future. One test: others in the process would be counted in.

// A suite asserts by panicking.
#![allow(clippy::unwrap_used)]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use fcretry::{
    Usage,
    guard::{CircuitBreaker, RetryBudget, Throttle},
    prelude::*,
};
use peak_alloc::PeakAlloc;
use tracing::{
    Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[retry_policy]
async fn ready(attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy(max_attempts = 1)]
async fn outer() -> fcretry::Result<u32> {
    ready().await
}

static BREAKER: CircuitBreaker = CircuitBreaker::new();
static LIMITS: Throttle = Throttle::new(1e9, u64::MAX).burst(1_000_000);
static RETRIES: RetryBudget = RetryBudget::new();

#[retry_policy(
    timeout = "30s",
    breaker(BREAKER),
    throttle(LIMITS),
    retry_budget(RETRIES),
    budget(tokens = 20_000)
)]
async fn guarded(attempt: &Attempt) -> fcretry::Result<u32> {
    let answer = ready_answer(attempt.number());
    let answer = attempt.guard("gpt-4o-mini-2024-07-18", 100, answer).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

fn ready_answer(answer: u32) -> impl Future<Output = fcretry::Result<u32>> {
    std::future::ready(Ok(answer))
}

/// Keeps spans, and none of ours.
struct KeepsOthers;

impl Subscriber for KeepsOthers {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != fcretry::telemetry::TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What a future gives that is ready at once.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it is ready at once"),
    }
}

/// The most that is on the heap at once beyond what was there before, once what is made once is there.
fn took(act: impl Fn()) -> usize {
    act();
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    act();
    ALLOCATOR.peak_usage() - before
}

#[test]
fn a_call_that_goes_well_at_once_takes_nothing_on_the_heap() {
    assert_eq!(took(|| assert_eq!(at_once(ready()).unwrap(), 1)), 0);
    // Nor does one whose request goes through every guard.
    assert_eq!(took(|| assert_eq!(at_once(guarded()).unwrap(), 1)), 0);
    // One that has others in it takes what their attempts need.
    assert!(took(|| assert_eq!(at_once(outer()).unwrap(), 1)) > 0);
    // Whether somebody traces other things is nothing to us.
    tracing::subscriber::with_default(KeepsOthers, || {
        assert_eq!(took(|| assert_eq!(at_once(ready()).unwrap(), 1)), 0);
        assert_eq!(took(|| assert_eq!(at_once(guarded()).unwrap(), 1)), 0);
    });
    let size = size_of_val(&ready());
    assert!(size <= 1024, "{size}");
}
