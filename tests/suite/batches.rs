//! Many calls at once: bounded, lazily pulled, and resumed from what was kept.

use std::{
    cell::Cell,
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fcretry::{
    FailureKind, batch,
    guard::Throttle,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::{Mock, Order, good, order};

#[retry_policy(backoff(constant, base = "1s", jitter = "none"))]
async fn ordered(attempt: &Attempt, client: &Mock, text: &str) -> fcretry::Result<u32> {
    let order: Order = attempt.chat(client, "m").user(text).call().await?;
    Ok(order.count)
}

#[retry_policy]
async fn doubled(n: u32) -> fcretry::Result<u32> {
    sleep(Duration::from_millis(10)).await;
    if n % 10 == 3 { Err(FailureKind::Refusal.into()) } else { Ok(2 * n) }
}

/// A file of its own for a test.
fn file(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("fcretry-{}-{name}.jsonl", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

#[tokio::test(start_paused = true)]
async fn each_input_has_its_record_and_their_sums_are_the_totals() {
    let model = MockModel::with(|request| {
        let text = request.text_of_message(0);
        if text == "no" {
            return Reply::text("I'm sorry, but I can't help with that.");
        }
        let count: u32 = text.parse().unwrap();
        // Every third has a bad first attempt.
        let is_first = request.messages().len() == 1;
        let count = if count.is_multiple_of(3) && is_first { 0 } else { count };
        Reply::tool_call("order", json!({"customer": "Ann", "count": count})).usage(10, 5)
    });
    let client = model.client();
    let inputs = ["1", "2", "3", "no", "5", "6"];
    let report = batch(inputs).concurrency(3).run(|text| ordered(&client, text)).await;
    let values: Vec<_> = report.records.iter().map(|r| r.result.as_ref().ok().copied()).collect();
    assert_eq!(values, [Some(1), Some(2), Some(3), None, Some(5), Some(6)]);
    let totals = &report.totals;
    assert_eq!((totals.done, totals.failed, totals.kept), (5, 1, 0));
    assert_eq!(totals.failed_by_kind, [(FailureKind::Refusal, 1)].into());
    assert_eq!(totals.failures_by_kind[&FailureKind::SchemaValidation], 2);
    assert_eq!(totals.wire_requests, 8);
    assert!(report.is_complete && report.fault.is_none());
    assert_eq!(report.records[2].report.attempts.len(), 2);
    // And whoever awaits the batch has all of it in his own report.
    let (_, ledger) = fcretry::report(batch(["1", "3"]).run(|text| ordered(&client, text))).await;
    assert_eq!(ledger.attempts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_million_inputs_are_pulled_as_there_is_room() {
    let pulled = Cell::new(0_usize);
    let ended = Cell::new(0_usize);
    let most = Cell::new(0_usize);
    let inputs = (0..1_000_000_u32).inspect(|_| {
        pulled.set(pulled.get() + 1);
        most.set(most.get().max(pulled.get() - ended.get()));
    });
    let mut records =
        batch(inputs).concurrency(7).stream(|n| async move { Ok::<_, fcretry::Error>(n) });
    let mut sum = 0_u64;
    while let Some(record) = records.next().await {
        ended.set(ended.get() + 1);
        sum += u64::from(record.result.unwrap());
    }
    assert_eq!((ended.get(), sum), (1_000_000, 999_999 * 500_000));
    assert!(most.get() <= 8, "{}", most.get());
    assert_eq!(records.totals().done, 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_than_were_allowed_and_as_many_as_can() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = tokio::time::Instant::now();
    let report = batch(0..100_u32)
        .concurrency(10)
        .run(async |n| {
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            let doubled = doubled(n).await;
            running.fetch_sub(1, Ordering::Relaxed);
            doubled
        })
        .await;
    assert_eq!(most.into_inner(), 10);
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    assert_eq!((report.totals.done, report.totals.failed), (90, 10));
}

#[tokio::test(start_paused = true)]
async fn what_had_ended_is_given_when_the_batch_is_stopped() {
    let stop = sleep(Duration::from_millis(35));
    let report = batch(0..100_u32).concurrency(5).run_until(stop, doubled).await;
    assert!(!report.is_complete);
    assert_eq!(report.records.len(), 15);
    let indices: Vec<_> = report.records.iter().map(|record| record.index).collect();
    assert_eq!(indices, (0..15).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_is_not_paid_for_again() {
    let path = file("kept");
    let called = AtomicUsize::new(0);
    let run = async |stop: u64| {
        let stop = sleep(Duration::from_millis(stop));
        let inputs = (0..20_u32).map(|n| format!("input {n}"));
        let call = async |text: String| {
            called.fetch_add(1, Ordering::Relaxed);
            doubled(text.trim_start_matches("input ").parse().unwrap()).await
        };
        batch(inputs).concurrency(2).checkpoint(&path).unwrap().run_until(stop, call).await
    };
    let first = run(55).await;
    assert_eq!((first.is_complete, first.records.len(), first.totals.done), (false, 10, 9));
    // A line that was being written when the machine stopped.
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"index\":19,\"input\":\"00\",\"val");
    fs::write(&path, text).unwrap();
    called.store(0, Ordering::Relaxed);
    let second = run(100_000).await;
    assert!(second.is_complete);
    assert_eq!((second.totals.done, second.totals.kept, second.totals.failed), (18, 9, 2));
    // Failures are tried again, values are not.
    assert_eq!(called.load(Ordering::Relaxed), 11);
    let values: HashSet<u32> =
        second.records.iter().filter_map(|r| r.result.as_ref().ok()).copied().collect();
    assert_eq!(values.len(), 18);
    let third = run(100_000).await;
    assert_eq!((third.totals.kept, third.totals.failed), (18, 2));
    fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_other_inputs_is_refused_before_anything_is_paid() {
    let path = file("others");
    let run = async |inputs: &[&'static str]| {
        let calls = AtomicUsize::new(0);
        let model = MockModel::repeat(good());
        let client = model.client();
        let report = batch(inputs.iter().copied())
            .concurrency(1)
            .checkpoint(&path)
            .unwrap()
            .run(|text| {
                calls.fetch_add(1, Ordering::Relaxed);
                ordered(&client, text)
            })
            .await;
        (report, calls.into_inner())
    };
    let (first, calls) = run(&["a", "b", "c"]).await;
    assert!(first.is_complete && calls == 3);
    let (other, calls) = run(&["a", "x", "c"]).await;
    assert_eq!((calls, other.is_complete, other.records.len()), (0, false, 2));
    assert_eq!(other.records[1].result.as_ref().unwrap_err().kind(), FailureKind::InvalidRequest);
    let fault = other.fault.unwrap().to_string();
    assert!(fault.contains("other inputs") && fault.contains("number 1"), "{fault}");
    fs::write(&path, "no checkpoint\n").unwrap();
    let fault = batch(["a"]).checkpoint(&path).unwrap_err().to_string();
    assert!(fault.contains("line 1 is no line of a checkpoint"), "{fault}");
    fs::remove_file(path).unwrap();
    assert!(batch(["a"]).checkpoint("/nowhere/at/all.jsonl").is_err());
}

#[tokio::test(start_paused = true)]
async fn the_requests_of_a_batch_are_throttled_inside_and_out() {
    #[retry_policy]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        order(client).await
    }
    let limits = Arc::new(Throttle::new(2.0, 1_000_000).burst(1));
    let model = MockModel::repeat(good());
    let client = model.client();
    let start = Instant::now();
    let report = batch(0..5).throttle(&limits).run(|_| outer(&client)).await;
    assert_eq!(report.totals.done, 5);
    assert_eq!((start.elapsed().as_secs(), limits.stats().admitted), (2, 5));
    // Only within: the same function is not throttled elsewhere.
    assert!(order(&client).await.is_ok());
    assert_eq!(limits.stats().admitted, 5);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_a_function_names_comes_before_the_batch_s() {
    static OWN: Throttle = Throttle::new(1000.0, 1_000_000);
    #[retry_policy(throttle(OWN))]
    async fn named(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order, please.").call().await
    }
    let limits = Arc::new(Throttle::new(2.0, 1_000_000).burst(1));
    let model = MockModel::repeat(good());
    let client = model.client();
    let report = batch(0..5).throttle(&limits).run(|_| named(&client)).await;
    assert_eq!(report.totals.done, 5);
    assert_eq!((limits.stats().admitted, OWN.stats().admitted), (0, 5));
}
