mod adapting;
mod advances;

use std::{
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, advance, timeout},
};

use super::*;
use crate::{failure::FailureKind, guard::Key};

const SECOND: Duration = Duration::from_secs(1);

fn key() -> Key {
    Key::of("endpoint")
}

fn later(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// One whose calls in flight and tokens are no matter.
const fn paced(requests_per_second: f64, burst: u32) -> Throttle {
    Throttle::new(requests_per_second, u64::MAX)
        .burst(burst)
        .in_flight(1_000_000)
        .concurrency(Concurrency::Fixed)
}

/// A request that is sent and answered at once.
async fn ask(throttle: &Throttle, tokens: u64, deadline: Instant) -> Result<(), Refused> {
    let mut permit = throttle.reserve(key(), tokens, deadline).await?;
    permit.sent();
    permit.settle(tokens);
    Ok(())
}

async fn times(throttle: &Throttle, tokens: u64, requests: usize) -> Vec<u128> {
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..requests {
        ask(throttle, tokens, later(3600)).await.unwrap();
        times.push(start.elapsed().as_millis());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    assert_eq!(times(&paced(10.0, 3), 0, 6).await, [0, 0, 0, 100, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_paced_too_and_both_are_reserved_or_neither() {
    let throttle = Throttle::new(1_000.0, 60_000).burst_tokens(1_000);
    assert_eq!(times(&throttle, 500, 4).await, [0, 0, 500, 1_000]);
    // One that is refused for its tokens has taken no request.
    assert!(throttle.reserve(key(), 1_000, Instant::now()).await.is_err());
    assert_eq!(throttle.stats().admitted, 4);
    assert_eq!(throttle.stats().tokens_reserved, 2_000);
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_the_bucket_goes_when_it_is_full_and_leaves_a_debt() {
    let throttle = Throttle::new(1_000.0, 60_000).burst_tokens(1_000);
    ask(&throttle, 5_000, later(0)).await.unwrap();
    let start = Instant::now();
    ask(&throttle, 100, later(60)).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 4_100);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_served_before_the_deadline_is_refused_at_once_with_the_time_it_would_take()
{
    let throttle = paced(0.1, 1);
    ask(&throttle, 0, later(0)).await.unwrap();
    let start = Instant::now();
    let refused = ask(&throttle, 0, later(9)).await.unwrap_err();
    assert_eq!((start.elapsed(), refused.wait.as_secs()), (Duration::ZERO, 10));
    assert!(ask(&throttle, 0, later(11)).await.is_ok());
    assert_eq!(throttle.stats().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_count_for_who_comes_after_them() {
    let throttle = Arc::new(paced(1.0, 1));
    ask(&throttle, 0, later(0)).await.unwrap();
    let mut waiting = JoinSet::new();
    for _ in 0..5 {
        let throttle = Arc::clone(&throttle);
        waiting.spawn(async move { ask(&throttle, 0, later(60)).await });
    }
    tokio::task::yield_now().await;
    assert_eq!(throttle.stats().waiting, 5);
    assert_eq!(ask(&throttle, 0, later(5)).await.unwrap_err().wait.as_secs(), 6);
    while let Some(served) = waiting.join_next().await {
        served.unwrap().unwrap();
    }
    assert_eq!(throttle.stats().longest_wait.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_call_in_flight_ends_at_the_deadline() {
    let throttle = Throttle::new(1e6, u64::MAX).burst(1_000).in_flight(1);
    let held = throttle.reserve(key(), 0, later(1)).await.unwrap();
    let start = Instant::now();
    assert!(ask(&throttle, 0, later(7)).await.is_err());
    assert_eq!(start.elapsed().as_secs(), 7);
    drop(held);
    assert!(ask(&throttle, 0, later(0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_end_lets_the_next_one_in() {
    let throttle = Throttle::new(1e6, u64::MAX).burst(1_000).in_flight(1);
    let held = throttle.reserve(key(), 0, later(1)).await.unwrap();
    let end = async {
        advance(3 * SECOND).await;
        drop(held);
    };
    let start = Instant::now();
    let (served, ()) = tokio::join!(ask(&throttle, 0, later(60)), end);
    served.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_given_back_whole() {
    let throttle = Throttle::new(1.0 / 3600.0, 60).burst(2).burst_tokens(100);
    for _ in 0..10 {
        drop(throttle.reserve(key(), 60, later(1)).await.unwrap());
        throttle.reserve(key(), 60, later(1)).await.unwrap().refund();
    }
    let stats = throttle.stats();
    assert_eq!((stats.tokens_reserved, stats.tokens_refunded), (1_200, 1_200));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_dropped_is_spent() {
    let throttle = Throttle::new(1.0 / 3600.0, 60).burst(2).burst_tokens(100);
    let mut permit = throttle.reserve(key(), 60, later(1)).await.unwrap();
    permit.sent();
    drop(permit);
    assert!(throttle.reserve(key(), 60, later(1)).await.is_err());
    assert_eq!(throttle.stats().tokens_settled, 60);
}

#[tokio::test(start_paused = true)]
async fn what_a_long_answer_did_not_use_is_given_back_and_what_it_used_beyond_is_taken() {
    let throttle = Throttle::new(100.0, 60).burst_tokens(1_000);
    let mut permits = Vec::new();
    for _ in 0..2 {
        permits.push(throttle.reserve(key(), 500, later(1)).await.unwrap());
    }
    advance(50 * SECOND).await;
    for (mut permit, used) in permits.into_iter().zip([100, 700]) {
        permit.sent();
        permit.settle(used);
    }
    // 50 came meanwhile, 400 came back, and 200 more were used.
    assert!(throttle.reserve(key(), 251, later(0)).await.is_err());
    assert!(throttle.reserve(key(), 250, later(0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_loses_nothing_and_lets_the_next_one_in() {
    let throttle = Throttle::new(1e6, 60_000).burst(1_000).burst_tokens(1_000);
    ask(&throttle, 500, later(0)).await.unwrap();
    // The first wants much, and goes; the second could have gone before.
    let big = timeout(SECOND / 10, throttle.reserve(key(), 5_000, later(60)));
    let small = async {
        tokio::task::yield_now().await;
        ask(&throttle, 100, later(60)).await
    };
    let start = Instant::now();
    let (gone, served) = tokio::join!(big, small);
    assert!(gone.is_err());
    served.unwrap();
    assert_eq!(start.elapsed().as_millis(), 100);
    let stats = throttle.stats();
    assert_eq!((stats.waiting, stats.in_flight, stats.tokens_reserved), (0, 0, 600));
}

#[tokio::test(start_paused = true)]
async fn one_who_was_served_and_goes_without_knowing_gives_it_back() {
    let throttle = Throttle::new(1e6, u64::MAX).burst(1_000).in_flight(1);
    let held = throttle.reserve(key(), 7, later(1)).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(throttle.reserve(key(), 8, later(60)));
    let mut second = pin!(throttle.reserve(key(), 9, later(60)));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(held);
    assert_eq!(throttle.stats().in_flight, 1, "the first has it");
    drop(first);
    assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    assert_eq!(throttle.stats().tokens_refunded, 7 + 8 + 9);
}

#[tokio::test(start_paused = true)]
async fn keys_have_limits_of_their_own_in_bounded_memory() {
    let throttle = paced(1.0, 1);
    let asked = |n: u64| throttle.reserve(Key::of(n), 0, Instant::now());
    let held = asked(0).await.unwrap();
    for n in 1..10_000 {
        let mut permit = asked(n).await.unwrap();
        permit.sent();
    }
    assert!(throttle.stats().keys <= 256);
    assert_eq!(throttle.stats_of(Key::of(0_u64)).in_flight, 1, "one in use is never forgotten");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn more_keys_in_use_than_are_kept_share_and_give_back_what_they_took() {
    let throttle = paced(1e6, 1_000_000);
    let mut held = Vec::new();
    for n in 0..2_000_u64 {
        held.push(throttle.reserve(Key::of(n), 3, later(1)).await.unwrap());
    }
    assert_eq!(throttle.stats().in_flight, 2_000);
    held.clear();
    let stats = throttle.stats();
    assert_eq!((stats.in_flight, stats.tokens_refunded), (0, 6_000));
}

#[tokio::test(start_paused = true)]
async fn it_is_used_as_a_limiter_from_a_static_a_lazy_lock_and_an_arc() {
    static PLAIN: Throttle = Throttle::new(10.0, 1_000);
    static LAZY: LazyLock<Throttle> = LazyLock::new(Throttle::default);
    let shared = Arc::new(Throttle::default());
    for limiter in [&PLAIN as &dyn Limiter, &*LAZY, &*shared] {
        let now = Instant::now();
        let mut permit = limiter.reserve_at(key(), 10, later(1), now).await.unwrap();
        permit.sent();
        permit.first_token(SECOND);
        permit.outcome(None);
        permit.settle(3);
        assert_eq!(limiter.stats_of(key()).tokens_settled, 3);
        // Kept apart from its limiter, and ended there.
        let (key, ended) = limiter.reserve_at(key(), 10, later(1), now).await.unwrap().into_ended();
        assert_eq!(limiter.stats_of(key).in_flight, 1);
        limiter.ended(key, &ended);
        assert_eq!(limiter.stats_of(key).in_flight, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn figures_are_of_results_and_serialize() {
    let throttle = Throttle::default();
    for n in 0..4 {
        let mut permit = throttle.reserve(key(), 10, later(1)).await.unwrap();
        permit.sent();
        advance(SECOND).await;
        permit.outcome((n == 0).then_some(FailureKind::ModelOverload));
        permit.settle(10);
    }
    let stats = throttle.stats();
    assert_eq!((stats.results, stats.mean_latency), (4, Some(SECOND)));
    assert!((stats.error_share - 0.25).abs() < 1e-9);
    let json = serde_json::to_value(stats).unwrap();
    assert_eq!(json["mean_latency_ms"], 1_000);
    assert_eq!(json["longest_wait_ms"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_wait_in_line_and_are_served_in_their_order() {
    const CALLS: u32 = 100_000;
    let throttle = Arc::new(paced(10_000.0, 100));
    let served = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let mut waiting = JoinSet::new();
    for n in 0..CALLS {
        let (throttle, served) = (Arc::clone(&throttle), Arc::clone(&served));
        waiting.spawn(async move {
            ask(&throttle, 0, later(60)).await.unwrap();
            assert_eq!(served.fetch_add(1, std::sync::atomic::Ordering::Relaxed), n);
        });
    }
    let start = Instant::now();
    while let Some(served) = waiting.join_next().await {
        served.unwrap();
    }
    let took = start.elapsed();
    assert!(took >= 9 * SECOND && took <= 11 * SECOND, "{took:?}");
}

#[test]
fn a_wait_is_small() {
    assert!(size_of::<Reserve<'_>>() < 300, "{}", size_of::<Reserve<'_>>());
    assert!(size_of::<Permit<'_>>() <= 160, "{}", size_of::<Permit<'_>>());
}
