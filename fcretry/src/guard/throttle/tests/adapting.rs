//! What the server says, and what becomes of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pause_holds_all_back_and_ends_without_a_burst() {
    let throttle = paced(10.0, 50);
    let mut permit = throttle.reserve(key(), 0, later(1)).await.unwrap();
    permit.sent();
    permit.pushed_back(Some(60 * SECOND));
    assert_eq!(throttle.stats().paused_for, 60 * SECOND);
    let refused = ask(&throttle, 0, later(30)).await.unwrap_err();
    assert!(refused.wait >= 60 * SECOND);
    let times = times(&throttle, 0, 3).await;
    assert!(times[0] >= 60_000 && times[2] - times[0] >= 200, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn one_who_waits_is_refused_at_once_when_a_pause_outlasts_its_deadline() {
    let throttle = Throttle::new(1.0, u64::MAX).burst(2);
    let mut permit = throttle.reserve(key(), 0, later(0)).await.unwrap();
    ask(&throttle, 0, later(0)).await.unwrap();
    let pause = async {
        tokio::task::yield_now().await;
        permit.sent();
        permit.pushed_back(Some(60 * SECOND));
    };
    let start = Instant::now();
    let (refused, ()) = tokio::join!(ask(&throttle, 0, later(30)), pause);
    assert!(refused.unwrap_err().wait >= 58 * SECOND);
    assert!(start.elapsed() <= SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_push_back_lowers_the_rate_and_the_capacity_and_answers_bring_it_back() {
    let throttle = Throttle::new(10.0, u64::MAX).burst(100);
    for _ in 0..100 {
        ask(&throttle, 0, later(60)).await.unwrap();
    }
    let mut permit = throttle.reserve(key(), 0, later(60)).await.unwrap();
    permit.sent();
    permit.pushed_back(None);
    let low = throttle.stats().requests_per_second;
    assert!(low <= 7.0 + 1e-9, "{low}");
    // Nothing waits for a capacity that would take long to fill, and nothing of the old store is left.
    let refused = throttle.reserve(key(), 0, later(0)).await.unwrap_err();
    assert!(refused.wait <= SECOND, "{refused:?}");
    for _ in 0..200 {
        ask(&throttle, 0, later(60)).await.unwrap();
    }
    assert!(throttle.stats().requests_per_second > 9.9);
}

#[tokio::test(start_paused = true)]
async fn after_one_push_back_at_low_load_demand_brings_the_rate_back() {
    let throttle = Arc::new(paced(100.0, 1));
    let mut first = throttle.reserve(key(), 0, later(10)).await.unwrap();
    first.sent();
    first.pushed_back(None);
    let start = Instant::now();
    let mut asks = JoinSet::new();
    for _ in 0..300 {
        let throttle = Arc::clone(&throttle);
        asks.spawn(async move { ask(&throttle, 0, later(600)).await });
    }
    assert!(asks.join_all().await.iter().all(Result::is_ok));
    // By the cube from two requests a second: about 8 s until all of the rate is back.
    assert!(start.elapsed() < 15 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_lowers_the_limits_and_never_raises_them() {
    let throttle = Throttle::new(10.0, 60_000).burst(10).burst_tokens(1_000);
    let permit = throttle.reserve(key(), 0, later(1)).await.unwrap();
    let say = |limit, remaining| {
        permit.limits(&ServerLimits::read([
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", "6m0s"),
        ]));
    };
    say("120", "100");
    let stats = throttle.stats();
    assert_eq!(stats.server_requests_per_second, Some(2.0));
    assert!((stats.requests_per_second - 2.0).abs() < 1e-9);
    say("120", "0");
    assert!(throttle.reserve(key(), 0, later(2)).await.is_err());
    say("1000000", "1000000");
    assert!((throttle.stats().requests_per_second - 10.0).abs() < 1e-9);
}

/// What the server says of its requests in a minute.
fn say(throttle: &Throttle, limit: &str) {
    throttle.limits(key(), &ServerLimits::read([("x-ratelimit-limit-requests", limit)]));
}

fn per_second(throttle: &Throttle) -> Option<f64> {
    throttle.stats().server_requests_per_second
}

#[tokio::test(start_paused = true)]
async fn what_the_server_said_is_believed_for_ten_minutes_after_it_was_said_last() {
    let throttle = Throttle::new(10.0, u64::MAX).burst(10);
    ask(&throttle, 0, later(0)).await.unwrap();
    say(&throttle, "60");
    advance(599 * SECOND).await;
    assert_eq!(per_second(&throttle), Some(1.0));
    say(&throttle, "60");
    advance(599 * SECOND).await;
    assert_eq!(per_second(&throttle), Some(1.0));
    advance(SECOND).await;
    assert_eq!(per_second(&throttle), None);
    assert!((throttle.stats().requests_per_second - 10.0).abs() < 1e-9);
    // From then on more comes, too, though nobody looked.
    say(&throttle, "1");
    advance(601 * SECOND).await;
    let start = Instant::now();
    for _ in 0..10 {
        ask(&throttle, 0, later(60)).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_limit_that_is_no_longer_believed_is_served_then() {
    let throttle = paced(10.0, 1);
    let permit = throttle.reserve(key(), 0, later(0)).await.unwrap();
    // All of a day are spent: the next would come in hours.
    permit.limits(&ServerLimits::read([
        ("x-ratelimit-limit-requests", "4"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "24h"),
    ]));
    let start = Instant::now();
    let waits = || ask(&throttle, 0, later(86_400));
    let (first, second) = tokio::join!(waits(), waits());
    first.and(second).unwrap();
    let took = start.elapsed();
    assert!(took >= 600 * SECOND && took < 601 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_debt_is_not_longer_for_a_rate_that_falls_and_shorter_for_one_that_rises() {
    let throttle = Throttle::new(100.0, 60_000).burst_tokens(1_000);
    let owed = || async { throttle.reserve(key(), 0, Instant::now()).await.unwrap_err().wait };
    let about = |wait: Duration, seconds: f64| (wait.as_secs_f64() - seconds).abs() < 0.01;
    let tell = |tokens: &str| {
        throttle.limits(key(), &ServerLimits::read([("x-ratelimit-limit-tokens", tokens)]));
    };
    ask(&throttle, 11_000, later(0)).await.unwrap();
    assert!(about(owed().await, 10.0), "10 000 tokens at 1 000 a second");
    tell("60");
    assert!(about(owed().await, 10.0), "not the hours of one a second");
    advance(4 * SECOND).await;
    assert!(about(owed().await, 6.0));
    tell("60000");
    assert!(about(owed().await, 6.0), "what was owed for longer is not owed again");
    advance(6 * SECOND).await;
    assert!(throttle.reserve(key(), 0, Instant::now()).await.is_ok());

    tell("600");
    advance(SECOND).await;
    ask(&throttle, 1_000, later(60)).await.unwrap();
    let before = owed().await;
    assert!(before > 90 * SECOND, "nearly 1 000 tokens at 10 a second: {before:?}");
    tell("60000");
    assert!(owed().await <= SECOND, "and at 1 000 a second");
}

#[tokio::test(start_paused = true)]
async fn push_backs_on_what_was_sent_before_lower_the_rate_and_the_calls_in_flight_once() {
    let by_error_share = Concurrency::ByErrorShare { latency: SECOND };
    for concurrency in [Concurrency::ByFirstToken, by_error_share] {
        let throttle = Throttle::new(100.0, u64::MAX).burst(50).concurrency(concurrency);
        let mut out = Vec::new();
        for _ in 0..50 {
            let mut permit = throttle.reserve(key(), 0, later(0)).await.unwrap();
            permit.sent();
            out.push(permit);
        }
        advance(SECOND).await;
        let mut seen = Vec::new();
        for permit in out {
            permit.pushed_back(None);
            advance(SECOND / 2).await;
            let stats = throttle.stats();
            seen.push((stats.concurrency, stats.requests_per_second));
        }
        assert!(seen.iter().all(|now| *now == seen[0]), "{concurrency:?}: {seen:?}");
        assert!(seen[0].0 >= 45, "{concurrency:?}: {seen:?}");
        assert_eq!(throttle.stats().pushed_back, 50);
    }
}
