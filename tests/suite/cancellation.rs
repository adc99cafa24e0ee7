//! Calls that are dropped midway, at any point of their way.

use std::{pin::Pin, sync::Arc, time::Duration};

use async_openai::config::OpenAIConfig;
use fcretry::{
    StoppedBy,
    guard::{CircuitBreaker, RetryBudget, Throttle},
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;
use tokio::{runtime::Handle, time::timeout};

use crate::support::{Mock, Order, good, with_count};

#[retry_policy(backoff(constant, base = "200ms", jitter = "none"))]
async fn streamed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
}

#[retry_policy(backoff(constant, base = "200ms", jitter = "none"))]
async fn whole(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

/// A limit, an answer that breaks off, a bad one, and a good one, each of which takes its time.
fn bad_day() -> MockModel {
    MockModel::new([
        Reply::status(429).delay("40ms"),
        good().delay("40ms").chunk_delay("20ms").stream_cut_after(4),
        with_count(0).delay("40ms").chunk_delay("20ms"),
        good().delay("40ms").chunk_delay("20ms"),
    ])
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_anywhere_leaves_nothing_behind() {
    let before = tasks();
    let mut finished = 0;
    for after in (0..3000).step_by(10).map(Duration::from_millis) {
        let model = bad_day();
        let client = model.client();
        let (ended, report) = fcretry::report(timeout(after, streamed(&client))).await;
        let ended = ended.is_ok();
        finished += u32::from(ended);
        assert_eq!(tasks(), before, "after {after:?}");
        // No request goes out behind the caller's back.
        let asked = model.request_count();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(model.request_count(), asked, "after {after:?}");
        // And what was done until then is in the ledger.
        if !ended && asked > 0 {
            assert_eq!(report.stopped_by, Some(StoppedBy::Cancelled), "after {after:?}");
            assert_eq!(report.wire_requests as usize, asked, "after {after:?}");
        }
    }
    assert!((100..250).contains(&finished), "{finished}");
}

#[tokio::test]
async fn a_call_that_is_dropped_over_http_closes_its_connection() {
    let long = Reply::tool_call("order", json!({"customer": "x".repeat(4000), "count": 2}));
    let paced = long.clone().chunk_delay("1h");
    let replies = [Reply::hang(), paced, long.stream_hang_after(5)];
    for (reply, streams) in replies.into_iter().map(|r| (r, true)).chain([(Reply::hang(), false)]) {
        let model = MockModel::repeat(reply);
        let server = model.serve().await.unwrap();
        let config = OpenAIConfig::new().with_api_base(server.base_url()).with_api_key("k");
        let client = fcretry::openai::client(config);
        let mut call: Pin<Box<dyn Future<Output = _>>> =
            if streams { Box::pin(streamed(&client)) } else { Box::pin(whole(&client)) };
        // Until the request is there; then a moment for what is sent of the answer.
        while model.request_count() == 0 {
            let _ = timeout(Duration::from_millis(1), &mut call).await;
        }
        let _ = timeout(Duration::from_millis(1), &mut call).await;
        assert_eq!(server.open_connections(), 1);
        drop(call);
        while server.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_anywhere_gives_back_what_its_guards_gave() {
    #[retry_policy(
        breaker(breaker),
        throttle(limits),
        retry_budget(retries),
        budget(tokens = 100_000),
        backoff(constant, base = "200ms", jitter = "none")
    )]
    async fn guarded(
        attempt: &Attempt,
        client: &Mock,
        breaker: &Arc<CircuitBreaker>,
        limits: &Arc<Throttle>,
        retries: &Arc<RetryBudget>,
        streams: bool,
    ) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
        if streams { chat.stream().call().await } else { chat.call().await }
    }
    for streams in [false, true] {
        for after in (0..1500).step_by(10).map(Duration::from_millis) {
            // Half open: the one probe that there may be is out while a call runs.
            let breaker = CircuitBreaker::new().in_a_row(1).close_after(100);
            let breaker =
                Arc::new(breaker.cooldown(Duration::from_millis(5), Duration::from_millis(5)));
            let limits = Arc::new(Throttle::new(8.0, 1_000_000).burst(1));
            let retries = Arc::new(RetryBudget::new().in_flight(0.0, 1));
            let model = bad_day();
            let client = model.client();
            let call = || guarded(&client, &breaker, &limits, &retries, streams);
            let _ = timeout(after, call()).await;
            let stats = limits.stats();
            assert_eq!((stats.in_flight, stats.waiting), (0, 0), "after {after:?}");
            let settled = stats.tokens_settled + stats.tokens_refunded;
            assert_eq!(stats.tokens_reserved, settled, "after {after:?}");
            for key in retries.all_stats() {
                assert_eq!((key.active, key.retrying), (0, 0), "after {after:?}");
            }
            for key in breaker.states() {
                assert_eq!(key.probes, 0, "after {after:?}");
            }
        }
    }
}
