//! What it costs to have calls traced and measured:
//! `cargo bench --package fcretry --features metrics --bench signals`.
//!
//! A call of an annotated function around a ready answer with its tokens:
//!
//! | name | with |
//! |---|---|
//! | `alone` | no subscriber and no observer |
//! | `not kept` | a subscriber that keeps the spans of others |
//! | `traced` | a subscriber that keeps our spans, and does nothing about them |
//! | `unrecorded` | [`Metrics`], and no recorder |
//! | `recorded` | [`Metrics`], and the recorder of Prometheus |
//!
//! `two threads` is the time of one call while another thread makes the same calls.

// A benchmark that cannot run has nothing to say.
#![allow(clippy::unwrap_used)]

mod timing;

use std::{
    future::ready,
    hint::black_box,
    sync::atomic::{AtomicU8, Ordering},
};

use criterion::Criterion;
use fcretry::{Usage, metrics::Metrics, prelude::*, telemetry::TARGET};
use metrics_exporter_prometheus::PrometheusBuilder;
use timing::{at_once, measure};
use tracing::{
    Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

static METRICS: Metrics = Metrics::new();

#[retry_policy]
async fn alone(attempt: &Attempt) -> fcretry::Result<u32> {
    let answer = ready(Ok::<_, fcretry::Error>(black_box(7)));
    let answer = attempt.guard("gpt-4.1", 100, answer).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

#[retry_policy(observer(METRICS))]
async fn measured(attempt: &Attempt) -> fcretry::Result<u32> {
    let answer = ready(Ok::<_, fcretry::Error>(black_box(7)));
    let answer = attempt.guard("gpt-4.1", 100, answer).await?;
    attempt.settle(Usage::new(60, 20));
    Ok(answer)
}

/// What is kept: nothing, the spans of others, or ours too.
static KEPT: AtomicU8 = AtomicU8::new(NOTHING);
const NOTHING: u8 = 0;
const OTHERS: u8 = 1;
const OURS: u8 = 2;

struct Keeps;

impl Keeps {
    fn now(kept: u8) {
        KEPT.store(kept, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }
}

impl Subscriber for Keeps {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match KEPT.load(Ordering::Relaxed) {
            NOTHING => false,
            OTHERS => metadata.target() != TARGET,
            _ => true,
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let is_idle = KEPT.load(Ordering::Relaxed) == NOTHING;
        Some(if is_idle { LevelFilter::OFF } else { LevelFilter::INFO })
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

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    measure(&mut criterion, "call", "alone", || at_once(alone()));
    measure(&mut criterion, "call", "unrecorded", || at_once(measured()));
    tracing::subscriber::set_global_default(Keeps).unwrap();
    Keeps::now(OTHERS);
    measure(&mut criterion, "call", "not kept", || at_once(alone()));
    Keeps::now(OURS);
    measure(&mut criterion, "call", "traced", || at_once(alone()));
    Keeps::now(NOTHING);
    let recorder = PrometheusBuilder::new().install_recorder().unwrap();
    measure(&mut criterion, "call", "recorded", || at_once(measured()));
    // What was measured is kept until somebody asks for it.
    recorder.run_upkeep();
    criterion.final_summary();
}
