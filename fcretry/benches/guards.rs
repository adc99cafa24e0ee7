//! What the guards cost where all is well: `cargo bench --package fcretry --bench guards`.
//!
//! | group | what is measured |
//! |---|---|
//! | `breaker` | an ask is let through and succeeds, with the time given, and with the clock read twice |
//! | `retry_budget` | a first ask is let through and answered, the same two ways |
//! | `throttle` | a request and its tokens are reserved, sent and settled, the same two ways |
//!
//! `two threads` is the time of one such round while another thread does the same with the same key.

// A benchmark that cannot run has nothing to say.
#![allow(clippy::unwrap_used)]

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use criterion::Criterion;
use fcretry::guard::{Breaker, Came, CircuitBreaker, Key, Limiter, Retries, RetryBudget, Throttle};
use tokio::time::Instant;

static BREAKER: CircuitBreaker = CircuitBreaker::new();
static RETRIES: RetryBudget = RetryBudget::new();
static LIMITS: Throttle = Throttle::new(1e9, u64::MAX).burst(1_000_000);

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let key = black_box(Key::of("endpoint"));
    let now = Instant::now();

    let breaker: &dyn Breaker = &BREAKER;
    measure(&mut criterion, "breaker", "time given", || {
        ready(breaker.admit_at(key, now)).unwrap().settle(None, now);
    });
    measure(&mut criterion, "breaker", "clock read", || {
        ready(breaker.admit(key)).unwrap().success();
    });

    let retries: &dyn Retries = &RETRIES;
    measure(&mut criterion, "retry_budget", "time given", || {
        let mut asking = ready(retries.ask_at(key, None, now)).unwrap();
        asking.sent();
        asking.settle(Came::Answer, now);
    });
    measure(&mut criterion, "retry_budget", "clock read", || {
        let mut asking = ready(retries.ask(key, None)).unwrap();
        asking.sent();
        asking.success();
    });
    let limiter: &dyn Limiter = &LIMITS;
    let deadline = now + Duration::from_secs(3600);
    measure(&mut criterion, "throttle", "time given", || {
        let mut permit = ready(limiter.reserve_at(key, 1_000, deadline, now)).unwrap();
        permit.sent();
        permit.at(now);
        permit.settle(700);
    });
    measure(&mut criterion, "throttle", "clock read", || {
        let asked = Instant::now();
        let mut permit = ready(limiter.reserve_at(key, 1_000, deadline, asked)).unwrap();
        permit.sent();
        permit.settle(700);
    });
    criterion.final_summary();
}

/// What is there at once.
fn ready<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("a guard in this process never waits"),
    }
}

fn measure(criterion: &mut Criterion, guard: &str, how: &str, round: impl Fn() + Sync) {
    let mut group = criterion.benchmark_group(guard);
    group.bench_function(format!("{how}/one thread"), |b| b.iter(&round));
    group.bench_function(format!("{how}/two threads"), |b| {
        b.iter_custom(|rounds| {
            let timed = || {
                let start = std::time::Instant::now();
                (0..rounds).for_each(|_| round());
                start.elapsed()
            };
            thread::scope(|scope| {
                let threads = [scope.spawn(timed), scope.spawn(timed)];
                let both: Duration = threads.map(|thread| thread.join().unwrap()).iter().sum();
                both / 2
            })
        });
    });
    group.finish();
}
