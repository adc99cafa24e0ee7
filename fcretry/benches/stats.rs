//! What it costs to have calls counted: `cargo bench --package fcretry --bench stats`.
//!
//! | group | what is measured |
//! |---|---|
//! | `call` | a call of an annotated function around a ready answer with its tokens, alone and with [`Stats`] that know prices |
//! | `stats` | a snapshot of an hour |
//!
//! `two threads` is the time of one call while another thread makes the same calls.

// A benchmark that cannot run has nothing to say.
#![allow(clippy::unwrap_used)]

mod timing;

use std::{future::ready, hint::black_box};

use criterion::Criterion;
use fcretry::{Prices, Stats, Usage, prelude::*};
use timing::{at_once, measure};

static STATS: Stats = Stats::new();

#[retry_policy]
async fn alone(attempt: &Attempt) -> fcretry::Result<u32> {
    let answer = ready(Ok::<_, fcretry::Error>(black_box(7)));
    let answer = attempt.guard("gpt-4.1", 100, answer).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(observer(STATS))]
async fn counted(attempt: &Attempt) -> fcretry::Result<u32> {
    let answer = ready(Ok::<_, fcretry::Error>(black_box(7)));
    let answer = attempt.guard("gpt-4.1", 100, answer).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    STATS.prices(Prices::builtin());
    measure(&mut criterion, "call", "alone", || at_once(alone()));
    measure(&mut criterion, "call", "counted", || at_once(counted()));
    criterion.bench_function("stats/snapshot", |b| b.iter(|| STATS.snapshot()));
    criterion.final_summary();
}
