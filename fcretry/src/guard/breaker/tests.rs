use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, advance, timeout};

use super::*;
use crate::FailureKind;

const SECOND: Duration = Duration::from_secs(1);

fn key() -> Key {
    Key::of("endpoint")
}

fn admit(breaker: &CircuitBreaker) -> Result<Permit<'_>, Open> {
    breaker.try_admit(key(), Instant::now())
}

fn state(breaker: &CircuitBreaker) -> State {
    breaker.state(key()).state
}

/// One that opens at the first failure, for 15 s sharp.
const fn touchy() -> CircuitBreaker {
    CircuitBreaker::new().in_a_row(1).spread_by(|| 0.5)
}

/// Opened, and its cooldown passed.
async fn half_open(breaker: &CircuitBreaker) {
    admit(breaker).unwrap().failure();
    assert_eq!(state(breaker), State::Open);
    advance(breaker.state(key()).retry_in.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_half_of_ten_and_not_before() {
    let breaker = CircuitBreaker::new();
    for n in 0..9 {
        let permit = admit(&breaker).unwrap();
        if n < 5 { permit.success() } else { permit.failure() }
    }
    assert_eq!(state(&breaker), State::Closed);
    admit(&breaker).unwrap().failure();
    assert_eq!(state(&breaker), State::Open);
    let open = admit(&breaker).unwrap_err();
    assert!((12 * SECOND..=18 * SECOND).contains(&open.retry_in), "{open}");
}

#[tokio::test(start_paused = true)]
async fn a_success_never_opens_it() {
    let breaker = CircuitBreaker::new().min_calls(3);
    admit(&breaker).unwrap().failure();
    admit(&breaker).unwrap().failure();
    admit(&breaker).unwrap().success();
    assert_eq!(state(&breaker), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_it_whatever_their_share_and_a_success_begins_anew() {
    let breaker = CircuitBreaker::new().in_a_row(3);
    for _ in 0..100 {
        admit(&breaker).unwrap().success();
    }
    for _ in 0..5 {
        admit(&breaker).unwrap().failure();
        admit(&breaker).unwrap().failure();
        admit(&breaker).unwrap().success();
    }
    assert_eq!(state(&breaker), State::Closed);
    for _ in 0..3 {
        assert_eq!(state(&breaker), State::Closed);
        admit(&breaker).unwrap().failure();
    }
    assert_eq!(state(&breaker), State::Open);
}

#[tokio::test(start_paused = true)]
async fn by_default_an_outage_opens_it_within_seconds_though_the_window_is_full_of_answers() {
    let breaker = CircuitBreaker::new();
    for _ in 0..2400 {
        admit(&breaker).unwrap().success();
    }
    let mut failures = 0;
    while let Ok(permit) = admit(&breaker) {
        permit.failure();
        failures += 1;
        advance(SECOND / 40).await;
    }
    assert_eq!(failures, 41, "one second of them");
    // As slow calls fail: ten of them.
    let breaker = CircuitBreaker::new();
    for n in 0..10 {
        assert_eq!(state(&breaker), State::Closed, "{n}");
        admit(&breaker).unwrap().failure();
        advance(10 * SECOND).await;
    }
    assert_eq!(state(&breaker), State::Open);
}

#[tokio::test(start_paused = true)]
async fn what_fails_at_one_moment_is_no_row_by_default() {
    let breaker = CircuitBreaker::new();
    for _ in 0..200 {
        admit(&breaker).unwrap().success();
    }
    for _ in 0..3 {
        // A connection breaks, and those that were under way on it.
        for _ in 0..50 {
            admit(&breaker).unwrap().failure();
        }
        admit(&breaker).unwrap().success();
        advance(10 * SECOND).await;
    }
    assert_eq!(state(&breaker), State::Closed);
}

/// tower-resilience takes 10 000 failures to open after 10 000 successes.
#[tokio::test(start_paused = true)]
async fn old_successes_leave_the_window() {
    let breaker = CircuitBreaker::new();
    for _ in 0..10_000 {
        admit(&breaker).unwrap().success();
    }
    assert_eq!(breaker.state(key()).calls, 10_000);
    advance(60 * SECOND).await;
    assert_eq!(breaker.state(key()).calls, 0);
    let mut failures = 0;
    while let Ok(permit) = admit(&breaker) {
        permit.failure();
        failures += 1;
    }
    assert_eq!(failures, 10);
}

/// failsafe and recloser let 100 of 100 through.
#[tokio::test(start_paused = true)]
async fn half_open_lets_one_of_a_hundred_through() {
    let breaker = touchy();
    half_open(&breaker).await;
    let (mut probes, mut refused) = (Vec::new(), 0);
    for _ in 0..100 {
        match admit(&breaker) {
            Ok(permit) => probes.push(permit),
            Err(open) => {
                assert!(open.retry_in > Duration::ZERO && open.retry_in <= SECOND);
                refused += 1;
            }
        }
    }
    assert_eq!((probes.len(), refused), (1, 99));
}

#[tokio::test(start_paused = true)]
async fn two_probes_that_succeed_close_it_with_an_empty_window() {
    let breaker = touchy();
    half_open(&breaker).await;
    admit(&breaker).unwrap().success();
    assert_eq!(state(&breaker), State::HalfOpen);
    admit(&breaker).unwrap().success();
    let closed = breaker.state(key());
    assert_eq!((closed.state, closed.calls, closed.in_a_row), (State::Closed, 0, 0));
    let all: Vec<_> = (0..100).map(|_| admit(&breaker).unwrap()).collect();
    drop(all);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_for_longer_each_time_up_to_the_longest() {
    let breaker = touchy();
    admit(&breaker).unwrap().failure();
    let mut waits = Vec::new();
    for _ in 0..6 {
        let wait = breaker.state(key()).retry_in.unwrap();
        waits.push(wait.as_secs());
        advance(wait.saturating_sub(Duration::from_micros(1))).await;
        assert!(admit(&breaker).is_err());
        advance(Duration::from_micros(1)).await;
        admit(&breaker).unwrap().failure();
    }
    // Halfway between 96 s and the longest.
    assert_eq!(waits, [15, 30, 60, 108, 108, 108]);

    advance(120 * SECOND).await;
    admit(&breaker).unwrap().success();
    admit(&breaker).unwrap().success();
    admit(&breaker).unwrap().failure();
    assert_eq!(breaker.state(key()).retry_in.unwrap().as_secs(), 15, "it closed between");
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_a_probe_hung_is_of_the_cooldown_after_it() {
    let breaker = touchy();
    half_open(&breaker).await;
    let probe = admit(&breaker).unwrap();
    advance(10 * SECOND).await;
    probe.failure();
    assert_eq!(breaker.state(key()).retry_in, Some(20 * SECOND));
    advance(20 * SECOND).await;
    let probe = admit(&breaker).unwrap();
    advance(100 * SECOND).await;
    probe.failure();
    // Longer than the whole cooldown: the next may go at once.
    assert_eq!(breaker.state(key()).retry_in, Some(Duration::ZERO));
    assert!(admit(&breaker).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_or_ignored_makes_room_for_the_next() {
    let breaker = touchy();
    half_open(&breaker).await;
    for n in 0..50 {
        let probe = admit(&breaker).unwrap();
        assert!(admit(&breaker).is_err());
        if n % 2 == 0 {
            drop(probe);
        } else {
            probe.ignore();
        }
        assert_eq!((state(&breaker), breaker.state(key()).probes), (State::HalfOpen, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_future_is_dropped_makes_room_for_the_next() {
    let breaker = touchy();
    half_open(&breaker).await;
    let ask = async {
        let permit = breaker.admit(key()).await.unwrap();
        std::future::pending::<()>().await;
        permit.success();
    };
    timeout(SECOND, ask).await.unwrap_err();
    assert!(admit(&breaker).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_ignored_or_refused_does_not_count() {
    let breaker = CircuitBreaker::new().in_a_row(1).min_calls(1);
    for &kind in FailureKind::ALL {
        if counts(kind) != Counts::Each {
            let _ = admit(&breaker).unwrap().settle(Some(kind), Instant::now());
        }
    }
    admit(&breaker).unwrap().ignore();
    drop(admit(&breaker).unwrap());
    let closed = breaker.state(key());
    assert_eq!((closed.state, closed.calls), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_uses_up_its_repairs_counts_once() {
    let breaker = CircuitBreaker::new();
    let bad =
        || admit(&breaker).unwrap().settle(Some(FailureKind::SchemaValidation), Instant::now());
    bad();
    bad();
    breaker.exhausted(bad().unwrap(), Instant::now());
    let counted = breaker.state(key());
    assert_eq!((counted.calls, counted.failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_uses_up_its_repairs_in_a_probe_opens_it_again() {
    let breaker = touchy();
    half_open(&breaker).await;
    let receipt = admit(&breaker).unwrap().ignore();
    breaker.exhausted(receipt, Instant::now());
    assert_eq!(state(&breaker), State::Open);
}

/// recloser and failsafe never hear of what a timeout around them cuts.
#[tokio::test(start_paused = true)]
async fn an_outage_that_hangs_opens_it_though_calls_are_cut_from_outside() {
    let reported = CircuitBreaker::new();
    let held = CircuitBreaker::new().cut_after(5 * SECOND);
    for _ in 0..10 {
        let permit = admit(&reported).unwrap();
        timeout(5 * SECOND, std::future::pending::<()>()).await.unwrap_err();
        permit.settle(Some(FailureKind::Timeout), Instant::now());
    }
    for _ in 0..10 {
        let ask = async {
            let _permit = held.admit(key()).await.unwrap();
            std::future::pending::<()>().await;
        };
        timeout(5 * SECOND, ask).await.unwrap_err();
    }
    assert_eq!((state(&reported), state(&held)), (State::Open, State::Open));
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_early_does_not_count_as_cut() {
    let held = touchy().cut_after(5 * SECOND);
    let permit = admit(&held).unwrap();
    advance(Duration::from_millis(4_999)).await;
    drop(permit);
    assert_eq!(state(&held), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_late_result_of_an_old_state_does_not_count() {
    let breaker = touchy().probes(2);
    let (late, later, cut) =
        (admit(&breaker).unwrap(), admit(&breaker).unwrap(), admit(&breaker).unwrap());
    half_open(&breaker).await;
    // Of the closed state, in the half-open one: neither a probe's success nor its failure, nor its place.
    let probe = admit(&breaker).unwrap();
    late.success();
    later.failure();
    drop(cut);
    let now = breaker.state(key());
    assert_eq!((now.state, now.probes), (State::HalfOpen, 1));

    // Of a half-open state, after it opened again.
    let other = admit(&breaker).unwrap();
    probe.failure();
    let wait = breaker.state(key()).retry_in.unwrap();
    other.success();
    assert_eq!((state(&breaker), breaker.state(key()).opened), (State::Open, 2));
    assert_eq!(breaker.state(key()).retry_in, Some(wait));
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_know_of_each_other() {
    let breaker = touchy();
    admit(&breaker).unwrap().failure();
    assert!(admit(&breaker).is_err());
    let other = Key::of("other");
    breaker.try_admit(other, Instant::now()).unwrap().success();
    assert_eq!(breaker.state(other).calls, 1);
    let keys: HashSet<_> = breaker.states().into_iter().map(|of| of.key).collect();
    assert_eq!(keys, HashSet::from([key(), other]));
}

#[tokio::test(start_paused = true)]
async fn keys_without_end_take_bounded_memory_and_a_forgotten_one_counts_for_no_other() {
    let breaker = touchy();
    let permit = admit(&breaker).unwrap();
    for n in 0..10_000 {
        advance(SECOND).await;
        breaker.try_admit(Key::of(n), Instant::now()).unwrap().success();
    }
    permit.failure();
    assert!(breaker.states().len() <= 256);
    assert!(breaker.states().iter().all(|of| of.state == State::Closed));
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_in_order_and_without_a_lock() {
    static REACHED: CircuitBreaker = touchy().on_change(|change| {
        assert_eq!(REACHED.state(change.key).state, change.to);
        TOLD.fetch_add(1, Ordering::Relaxed);
    });
    static TOLD: AtomicU32 = AtomicU32::new(0);
    half_open(&REACHED).await;
    admit(&REACHED).unwrap().success();
    admit(&REACHED).unwrap().success();
    assert_eq!(TOLD.load(Ordering::Relaxed), 3);

    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changes);
    let breaker = touchy().watched_by(move |change| seen.lock().unwrap().push(*change));
    half_open(&breaker).await;
    admit(&breaker).unwrap().success();
    admit(&breaker).unwrap().success();
    let changes = changes.lock().unwrap().clone();
    let turns: Vec<_> = changes.iter().map(|c| (c.from, c.to, c.generation)).collect();
    let (closed, open, half_open) = (State::Closed, State::Open, State::HalfOpen);
    assert_eq!(turns, [(closed, open, 1), (open, half_open, 2), (half_open, closed, 3)]);
    assert_eq!(changes[0].retry_in, Some(15 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_state_is_told_as_json() {
    let breaker = touchy();
    admit(&breaker).unwrap().failure();
    let json = serde_json::to_value(breaker.state(key())).unwrap();
    assert_eq!(json["state"], "open");
    assert_eq!(json["retry_in_ms"], 15_000);
}

#[tokio::test(start_paused = true)]
async fn it_works_where_only_the_trait_is_known() {
    let breaker: Arc<dyn Breaker> = Arc::new(touchy());
    breaker.admit(key()).await.unwrap().failure();
    assert!(breaker.admit(key()).await.is_err());
}

#[test]
fn it_is_small_until_it_is_used() {
    assert!(size_of::<CircuitBreaker>() <= 192, "{}", size_of::<CircuitBreaker>());
    assert!(size_of::<Permit<'_>>() <= 48, "{}", size_of::<Permit<'_>>());
}
