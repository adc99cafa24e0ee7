//! Every order of two or three threads at one key: `RUSTFLAGS="--cfg loom" cargo test -p fcretry --lib --release loom_tests`.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use loom::{
    future::block_on,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};
use tokio::time::Instant;

use super::{
    Ended, Outcome, Used,
    advances::shard_of,
    lane::Lane,
    settings::Settings,
    state::{Asked, Turn},
};
use crate::{
    failure::FailureKind,
    guard::keyed::{Cell as _, ticks_at},
};

/// One call in flight at a time, and nothing that comes with time: there is no clock here.
fn settings() -> Settings {
    Settings { in_flight: Some(1), burst_tokens: 1e9, ..Settings::new(1e9, 1_000_000) }
}

struct Times {
    now: Instant,
    deadline: Instant,
}

impl Times {
    fn new() -> Self {
        let now = Instant::now();
        Self { now, deadline: now + Duration::from_secs(3600) }
    }
}

/// Waits for its turn as [`Reserve`](super::Reserve) does, without a timer.
async fn reserve(lane: &Lane, settings: &Settings, times: &Times) -> u64 {
    let mut number = None;
    poll_fn(|context| {
        let Times { now, deadline } = *times;
        let turn = match number {
            None => lane.join(settings, 7, deadline, now, context.waker()),
            Some(number) => lane.look(settings, number, deadline, now, context.waker()),
        };
        match turn {
            Turn::Granted(number) => Poll::Ready(number),
            Turn::Waiting(at, _) => {
                number = Some(at);
                Poll::Pending
            }
            Turn::Refused(_) => unreachable!("the deadline is far"),
        }
    })
    .await
}

fn end(lane: &Lane, settings: &Settings, times: &Times, number: u64, used: Used) {
    let mut ended = Ended::unsent(7, times.now).numbered(number, 0);
    ended.used = used;
    lane.ended(settings, &ended, 0, times.now);
}

#[test]
fn calls_in_flight_are_never_over_the_limit_no_waiter_is_lost_and_no_token_is_lost_or_made() {
    loom::model(|| {
        let (lane, times) = (Arc::new(Lane::fresh()), Arc::new(Times::new()));
        let in_flight = Arc::new(AtomicU32::new(0));
        let threads = [Used::Unsent, Used::Tokens(3)].map(|used| {
            let (lane, times) = (Arc::clone(&lane), Arc::clone(&times));
            let in_flight = Arc::clone(&in_flight);
            thread::spawn(move || {
                let settings = settings();
                let number = block_on(reserve(&lane, &settings, &times));
                assert_eq!(in_flight.fetch_add(1, Ordering::AcqRel), 0);
                thread::yield_now();
                in_flight.fetch_sub(1, Ordering::AcqRel);
                end(&lane, &settings, &times, number, used);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let stats = lane.stats(times.now).unwrap();
        assert_eq!((stats.in_flight, stats.waiting, stats.admitted), (0, 0, 2));
        assert_eq!(
            (stats.tokens_reserved, stats.tokens_settled, stats.tokens_refunded),
            (14, 3, 11)
        );
    });
}

#[test]
fn one_who_goes_at_any_moment_leaves_the_turn_to_the_next() {
    loom::model(|| {
        let (lane, times) = (Arc::new(Lane::fresh()), Arc::new(Times::new()));
        let settings = settings();
        let held = block_on(reserve(&lane, &settings, &times));
        // In line before the end and the next one, who are threads.
        let Times { now, deadline } = *times;
        let Turn::Waiting(number, _) = lane.join(&settings, 7, deadline, now, Waker::noop()) else {
            unreachable!("there is one place")
        };
        let goes = {
            let (lane, times) = (Arc::clone(&lane), Arc::clone(&times));
            thread::spawn(move || lane.leave(&self::settings(), number, 7, times.now))
        };
        let next = {
            let (lane, times) = (Arc::clone(&lane), Arc::clone(&times));
            thread::spawn(move || {
                let settings = self::settings();
                let number = block_on(reserve(&lane, &settings, &times));
                end(&lane, &settings, &times, number, Used::Unsent);
            })
        };
        end(&lane, &settings, &times, held, Used::Unsent);
        goes.join().unwrap();
        next.join().unwrap();
        let stats = lane.stats(times.now).unwrap();
        assert_eq!((stats.in_flight, stats.waiting), (0, 0));
        assert_eq!(stats.tokens_reserved, stats.tokens_refunded);
    });
}

#[test]
fn a_key_that_comes_into_use_while_it_is_forgotten_gives_back_what_it_took() {
    loom::model(|| {
        let (lane, times) = (Arc::new(Lane::fresh()), Arc::new(Times::new()));
        let forgets = {
            let lane = Arc::clone(&lane);
            thread::spawn(move || lane.renew())
        };
        let settings = settings();
        let number = block_on(reserve(&lane, &settings, &times));
        let mut next = pin!(reserve(&lane, &settings, &times));
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending(), "there is one place");
        end(&lane, &settings, &times, number, Used::Unsent);
        assert!(next.as_mut().poll(&mut context).is_ready());
        forgets.join().unwrap();
        assert_eq!(lane.stats(times.now).unwrap().in_flight, 1);
    });
}

/// Plenty, of which nothing comes again while it is looked at.
fn plenty() -> Settings {
    Settings { burst: 1_100, burst_tokens: 1e6, ..Settings::new(1.0, 0) }
}

fn ask(lane: &Lane, settings: &Settings, times: &Times) -> u64 {
    let Times { now, deadline } = *times;
    let asked = Asked { tokens: 7, deadline, at: now, ticks: ticks_at(now), shard: 0 };
    match lane.at_once(settings, &asked) {
        Some(Turn::Granted(number)) => number,
        turn => unreachable!("there is plenty: {turn:?}"),
    }
}

#[test]
fn of_an_advance_that_is_called_back_at_any_moment_no_token_is_lost_or_made() {
    loom::model(|| {
        let (lane, times) = (Arc::new(Lane::fresh()), Arc::new(Times::new()));
        let settings = plenty();
        let first = [(); 3].map(|()| ask(&lane, &settings, &times));
        assert!(shard_of(first[2]).is_some(), "there is an advance from here on");
        let works = {
            let (lane, times) = (Arc::clone(&lane), Arc::clone(&times));
            thread::spawn(move || {
                let settings = plenty();
                let number = ask(&lane, &settings, &times);
                end(&lane, &settings, &times, number, Used::Tokens(3));
                end(&lane, &settings, &times, first[2], Used::Unsent);
            })
        };
        let looks = {
            let (lane, times) = (Arc::clone(&lane), Arc::clone(&times));
            thread::spawn(move || {
                let stats = lane.stats(times.now).unwrap();
                assert_eq!(stats.tokens_reserved, stats.admitted * 7);
                let ended = stats.tokens_settled + stats.tokens_refunded;
                assert_eq!(stats.tokens_reserved, ended + stats.in_flight * 7);
                lane.renew();
            })
        };
        let fails = {
            let mut ended = Ended::unsent(7, times.now).numbered(first[0], 0);
            (ended.used, ended.outcome) = (Used::Tokens(0), Outcome::Failed(FailureKind::Timeout));
            ended
        };
        lane.ended(&settings, &fails, 0, times.now);
        works.join().unwrap();
        looks.join().unwrap();
        end(&lane, &settings, &times, first[1], Used::Unsent);
        let stats = lane.stats(times.now).unwrap();
        assert_eq!((stats.in_flight, stats.admitted, stats.results), (0, 4, 2));
        assert_eq!(
            (stats.tokens_reserved, stats.tokens_settled, stats.tokens_refunded),
            (28, 3, 25)
        );
        // All of it is there but what was used, and no more.
        let most = |tokens| {
            let (now, ticks) = (times.now, ticks_at(times.now));
            let asked = Asked { tokens, deadline: now, at: now, ticks, shard: 0 };
            lane.at_once(&settings, &asked)
        };
        assert!(matches!(most(1_000_000 - 2), Some(Turn::Refused(_))));
        assert!(matches!(most(1_000_000 - 3), Some(Turn::Granted(_))));
    });
}

#[test]
fn a_key_whose_advance_is_granted_from_while_it_is_forgotten_gives_back_what_it_took() {
    loom::model(|| {
        let (lane, times) = (Arc::new(Lane::fresh()), Arc::new(Times::new()));
        let settings = plenty();
        for _ in 0..2 {
            let number = ask(&lane, &settings, &times);
            end(&lane, &settings, &times, number, Used::Unsent);
        }
        let forgets = {
            let lane = Arc::clone(&lane);
            thread::spawn(move || {
                if lane.worth().is_some() {
                    lane.renew();
                }
            })
        };
        let number = ask(&lane, &settings, &times);
        assert_eq!(lane.stats(times.now).unwrap().in_flight, 1);
        end(&lane, &settings, &times, number, Used::Tokens(2));
        forgets.join().unwrap();
        // It may have been forgotten before, or since.
        if let Some(stats) = lane.stats(times.now) {
            assert_eq!(stats.in_flight, 0);
            assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
        }
    });
}
