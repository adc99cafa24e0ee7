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

mod timing;

use std::{hint::black_box, time::Duration};

use criterion::Criterion;
use fcretry::guard::{Breaker, Came, CircuitBreaker, Key, Limiter, Retries, RetryBudget, Throttle};
use timing::{at_once, measure};
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
        at_once(breaker.admit_at(key, now)).unwrap().settle(None, now);
    });
    measure(&mut criterion, "breaker", "clock read", || {
        at_once(breaker.admit(key)).unwrap().success();
    });

    let retries: &dyn Retries = &RETRIES;
    measure(&mut criterion, "retry_budget", "time given", || {
        let mut asking = at_once(retries.ask_at(key, None, now)).unwrap();
        asking.sent();
        asking.settle(Came::Answer, now);
    });
    measure(&mut criterion, "retry_budget", "clock read", || {
        let mut asking = at_once(retries.ask(key, None)).unwrap();
        asking.sent();
        asking.success();
    });
    let limiter: &dyn Limiter = &LIMITS;
    let deadline = now + Duration::from_secs(3600);
    measure(&mut criterion, "throttle", "time given", || {
        let mut permit = at_once(limiter.reserve_at(key, 1_000, deadline, now)).unwrap();
        permit.sent();
        permit.at(now);
        permit.settle(700);
    });
    measure(&mut criterion, "throttle", "clock read", || {
        let asked = Instant::now();
        let mut permit = at_once(limiter.reserve_at(key, 1_000, deadline, asked)).unwrap();
        permit.sent();
        permit.settle(700);
    });
    criterion.final_summary();
}
