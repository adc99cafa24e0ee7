//! Calls in the body of another.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fcretry::{
    AttemptReport, FailureKind, Report, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Mock, Order, good, order, with_count};

/// Function and number of each attempt.
fn told(report: &Report) -> Vec<(&str, u32)> {
    let told = |attempt: &AttemptReport| -> (&'static str, u32) {
        (attempt.function.rsplit("::").next().unwrap(), attempt.number)
    };
    report.attempts.iter().map(told).collect()
}

#[retry_policy(max_attempts = 2, on(application, retry = 1), backoff(constant, base = "1ms"))]
async fn both(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
    let first = order(client).await?.count;
    let second = order(client).await?.count;
    if attempt.number() == 1 {
        return Err(FailureKind::Application.into());
    }
    Ok(first + second)
}

#[tokio::test(start_paused = true)]
async fn what_is_inside_stands_before_the_attempt_that_made_it() {
    let model = MockModel::new([
        with_count(0).usage(1, 1),
        good().usage(10, 1),
        good().usage(100, 1),
        good().usage(1000, 1),
        good().usage(10_000, 1).no_usage(),
    ]);
    let client = model.client();
    let (result, report) = fcretry::report(both(&client)).await;
    assert_eq!(result.unwrap(), 4);
    let expected = [
        ("order", 1),
        ("order", 2),
        ("order", 1),
        ("both", 1),
        ("order", 1),
        ("order", 1),
        ("both", 2),
    ];
    assert_eq!(told(&report), expected);
    assert_eq!(report.wire_requests, 5);
    assert_eq!(report.usage.prompt_tokens, 1111);
    assert!(report.partial);
    assert_eq!(report.kind, None);
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_has_what_is_inside_once_in_its_error_and_in_the_ledger() {
    #[retry_policy(max_attempts = 1)]
    async fn middle(client: &Mock) -> fcretry::Result<Order> {
        order(client).await
    }
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        middle(client).await
    }
    let model = MockModel::repeat(Reply::status(401));
    let (result, report) = fcretry::report(outer(&model.client())).await;
    let error = result.unwrap_err();
    assert_eq!(told(&report), [("order", 1), ("middle", 1), ("outer", 1)]);
    assert_eq!(error.report().attempts, report.attempts);
    assert_eq!(error.report().wire_requests, 1);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_call_that_is_not_linked_brings_its_attempts() {
    #[retry_policy(max_attempts = 1)]
    async fn middle(client: Mock) -> fcretry::Result<Order> {
        let client = client.clone();
        tokio::spawn(async move { order(&client).await }).await.unwrap()
    }
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        middle(client.clone()).await
    }
    let model = MockModel::repeat(Reply::status(401));
    let error = outer(&model.client()).await.unwrap_err();
    assert_eq!(told(&error.report()), [("order", 1), ("middle", 1), ("outer", 1)]);
    assert_eq!(error.report().wire_requests, 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_asked_for_in_a_body_is_given_there_and_counts_once_outside() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<usize> {
        let (first, inner) = fcretry::report(order(client)).await;
        first?;
        order(client).await?;
        Ok(inner.attempts.len())
    }
    let model = MockModel::new([with_count(0), good(), good()]);
    let (result, report) = fcretry::report(outer(&model.client())).await;
    assert_eq!(result.unwrap(), 2);
    assert_eq!(told(&report), [("order", 1), ("order", 2), ("order", 1), ("outer", 1)]);
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_are_all_inside() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<u32> {
        let (a, b) = tokio::join!(order(client), order(client));
        Ok(a?.count + b?.count)
    }
    let model = MockModel::new([with_count(0).delay("2s"), good().delay("1s"), good().delay("1s")]);
    let (result, report) = fcretry::report(outer(&model.client())).await;
    assert_eq!(result.unwrap(), 4);
    assert_eq!(told(&report), [("order", 1), ("order", 1), ("order", 2), ("outer", 1)]);
    assert_eq!(report.wire_requests, 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_go_round_over_calls() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<u32> {
        let mut sum = 0;
        for _ in 0..50 {
            sum += order(client).await?.count;
        }
        Ok(sum)
    }
    let model = MockModel::repeat(good());
    let (result, report) = fcretry::report(outer(&model.client())).await;
    assert_eq!(result.unwrap(), 100);
    assert_eq!(report.attempts.len(), 51);
    assert_eq!(report.wire_requests, 50);
}

#[retry_policy(timeout = "1h", deadline = "2h")]
async fn patient(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

#[tokio::test(start_paused = true)]
async fn the_outermost_deadline_ends_everything_inside() {
    #[retry_policy(timeout = "1h", deadline = "1h")]
    async fn middle(client: &Mock) -> fcretry::Result<Order> {
        patient(client).await
    }
    #[retry_policy(timeout = "10s", deadline = "10s")]
    async fn outer(client: &Mock, inner: &Mutex<Option<FailureKind>>) -> fcretry::Result<Order> {
        let result = middle(client).await;
        *inner.lock().unwrap() = result.as_ref().err().map(fcretry::Error::kind);
        result
    }
    let model = MockModel::repeat(Reply::hang());
    let (start, inner) = (Instant::now(), Mutex::default());
    let (result, report) = fcretry::report(outer(&model.client(), &inner)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::DeadlineExceeded);
    assert_eq!(told(&report), [("patient", 1), ("middle", 1), ("outer", 1)]);
    assert_eq!(error.report().attempts, report.attempts);
    assert_eq!(report.wire_requests, 1);
    // The inner call was ended by its own hand, and could say why.
    assert_eq!(inner.into_inner().unwrap(), Some(FailureKind::DeadlineExceeded));
    assert!(report.partial);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_one_attempt_is_not_the_deadline_of_what_is_inside() {
    #[retry_policy(timeout = "10s", deadline = "60s", on(timeout, retry = 1))]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        patient(client).await
    }
    let model = MockModel::new([Reply::hang(), good()]);
    let (result, report) = fcretry::report(outer(&model.client())).await;
    assert!(result.is_ok());
    // What was cut off is in the report, before the attempt that was.
    assert_eq!(told(&report), [("patient", 1), ("outer", 1), ("patient", 1), ("outer", 2)]);
    assert_eq!(report.attempts[0].kind, None);
    assert!(report.attempts[0].action.is_some());
    assert_eq!(report.attempts[1].kind, Some(FailureKind::Timeout));
    assert_eq!(report.wire_requests, 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_goes_with_what_is_spawned() {
    type Ends = Arc<Mutex<Vec<(FailureKind, Duration)>>>;
    #[retry_policy(timeout = "10s", deadline = "10s")]
    async fn outer(client: &Mock, ends: &Ends) -> fcretry::Result<()> {
        let (client, ends, start) = (client.clone(), Arc::clone(ends), Instant::now());
        let call = async move {
            let error = patient(&client).await.unwrap_err();
            ends.lock().unwrap().push((error.kind(), start.elapsed()));
        };
        tokio::spawn(fcretry::inherit(call));
        Ok(())
    }
    let model = MockModel::repeat(Reply::hang());
    let ends = Ends::default();
    outer(&model.client(), &ends).await.unwrap();
    sleep(Duration::from_secs(3600)).await;
    let ended = (FailureKind::DeadlineExceeded, Duration::from_secs(10));
    assert_eq!(*ends.lock().unwrap(), [ended]);
}

#[tokio::test(start_paused = true)]
async fn what_is_spawned_is_in_the_report_with_inherit_and_not_without() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock, linked: bool) -> fcretry::Result<Order> {
        let client = client.clone();
        let call = async move { order(&client).await };
        let task = if linked { tokio::spawn(fcretry::inherit(call)) } else { tokio::spawn(call) };
        task.await.unwrap()
    }
    let model = MockModel::repeat(good());
    let client = model.client();
    let (_, report) = fcretry::report(outer(&client, true)).await;
    assert_eq!(told(&report), [("order", 1), ("outer", 1)]);
    assert_eq!(report.wire_requests, 1);
    let (_, report) = fcretry::report(outer(&client, false)).await;
    assert_eq!(told(&report), [("outer", 1)]);
    // Outside a call it is as if it were not there.
    let (result, report) = fcretry::report(fcretry::inherit(order(&client))).await;
    assert!(result.is_ok());
    assert_eq!(told(&report), [("order", 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_after_the_call_is_in_its_task_s_own_ledger() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<tokio::task::JoinHandle<Report>> {
        let client = client.clone();
        let call = fcretry::inherit(async move { order(&client).await });
        Ok(tokio::spawn(async { fcretry::report(call).await.1 }))
    }
    let model = MockModel::repeat(good().delay("1s"));
    let (task, report) = fcretry::report(outer(&model.client())).await;
    assert_eq!(told(&report), [("outer", 1)]);
    assert_eq!(told(&task.unwrap().await.unwrap()), [("order", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_has_what_was_inside() {
    #[retry_policy]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        order(client).await?;
        order(client).await
    }
    let model = MockModel::new([good(), Reply::hang()]);
    let client = model.client();
    let call = timeout(Duration::from_secs(1), outer(&client));
    let (result, report) = fcretry::report(call).await;
    assert!(result.is_err());
    assert_eq!(report.stopped_by, Some(StoppedBy::Cancelled));
    assert_eq!(told(&report), [("order", 1), ("order", 1), ("outer", 1)]);
    assert_eq!(report.wire_requests, 2);
    assert!(report.partial);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_inside_a_call_that_goes_on_is_in_its_report() {
    #[retry_policy(max_attempts = 1)]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        let _ = timeout(Duration::from_secs(1), order(client)).await;
        order(client).await
    }
    let model = MockModel::new([Reply::hang(), good()]);
    let (result, report) = fcretry::report(outer(&model.client())).await;
    assert!(result.is_ok());
    assert_eq!(told(&report), [("order", 1), ("order", 1), ("outer", 1)]);
    assert_eq!((report.wire_requests, report.stopped_by), (2, None));
}

#[tokio::test(start_paused = true)]
async fn a_call_beside_a_call_is_not_inside_it() {
    #[retry_policy(timeout = "1s", deadline = "1s", max_attempts = 1)]
    async fn short() -> fcretry::Result<()> {
        sleep(Duration::from_millis(500)).await;
        Ok(())
    }
    let model = MockModel::repeat(good().delay("3s"));
    let client = model.client();
    let both = async { tokio::join!(short(), order(&client)) };
    let ((a, b), report) = fcretry::report(both).await;
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(told(&report), [("short", 1), ("order", 1)]);
}

#[tokio::test]
async fn a_body_that_is_ready_at_once_needs_no_timer() {
    // A runtime without time would panic at a timer.
    #[retry_policy]
    async fn ready() -> fcretry::Result<u8> {
        Ok(7)
    }
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ready()).unwrap()
    };
    assert_eq!(std::thread::spawn(run).join().unwrap(), 7);
}
