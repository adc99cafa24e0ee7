//! What guards of a user's own are told, and what is given back to guards.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use fcretry::{
    RetryPolicy, Run, Usage,
    guard::{
        Key, Limiter, Soon, Throttle,
        throttle::{Ended, Permit, Refused, ServerLimits, ThrottleStats},
    },
    prelude::*,
};
use futures_util::FutureExt as _;
use tokio::time::{Instant, advance, sleep};

use crate::lent::asked;

/// Counts all endpoints as one.
struct AsOne {
    throttle: Throttle,
    ended: Mutex<Vec<Key>>,
}

fn one() -> Key {
    Key::of("one")
}

impl Limiter for AsOne {
    fn reserve_at(
        &self,
        _: Key,
        tokens: u64,
        _: Instant,
        now: Instant,
    ) -> Soon<'_, Result<Permit<'_>, Refused>> {
        Soon::now(Ok(Permit::new(self, one(), tokens, now)))
    }
    fn ended(&self, key: Key, _: &Ended) {
        self.ended.lock().unwrap().push(key);
    }
    fn limits(&self, _: Key, _: &ServerLimits) {}
    fn stats_of(&self, key: Key) -> ThrottleStats {
        self.throttle.stats_of(key)
    }
}

#[tokio::test(start_paused = true)]
async fn a_limiter_is_told_the_key_of_its_permit() {
    let limiter = Arc::new(AsOne { throttle: Throttle::default(), ended: Mutex::default() });
    Run::new(&RetryPolicy::default())
        .throttle(&limiter)
        .run(async |attempt: &Attempt| -> fcretry::Result<()> { asked(attempt, 10).await })
        .await
        .unwrap();
    assert_eq!(*limiter.ended.lock().unwrap(), [one()]);
}

/// Keeps when it was asked, and how long what it granted took.
#[derive(Default)]
struct Watch {
    asked: Mutex<Vec<Instant>>,
    took: Mutex<Vec<Option<Duration>>>,
}

impl Limiter for Watch {
    fn reserve_at(
        &self,
        key: Key,
        tokens: u64,
        _: Instant,
        now: Instant,
    ) -> Soon<'_, Result<Permit<'_>, Refused>> {
        self.asked.lock().unwrap().push(now);
        Soon::now(Ok(Permit::new(self, key, tokens, now)))
    }

    fn ended(&self, _: Key, ended: &Ended) {
        self.took.lock().unwrap().push(ended.at.map(|at| at - ended.granted));
    }

    fn limits(&self, _: Key, _: &ServerLimits) {}

    fn stats_of(&self, key: Key) -> ThrottleStats {
        Throttle::default().stats_of(key)
    }
}

/// What blocks its thread so long: time passes, and nobody is polled meanwhile.
fn block() {
    let _ = advance(Duration::from_millis(50)).now_or_never();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_blocks_took_its_time() {
    let limiter = Arc::new(Watch::default());
    Run::new(&RetryPolicy::default())
        .throttle(&limiter)
        .run(async |attempt: &Attempt| -> fcretry::Result<()> {
            let blocks = async {
                block();
                Ok::<_, fcretry::Error>(())
            };
            attempt.guard("local", 10, blocks).await?;
            attempt.settle(Usage::new(10, 0));
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(*limiter.took.lock().unwrap(), [Some(Duration::from_millis(50))]);
}

#[tokio::test(start_paused = true)]
async fn guards_are_asked_now_whatever_blocked_before() {
    let limiter = Arc::new(Watch::default());
    Run::new(&RetryPolicy::default())
        .throttle(&limiter)
        .run(async |attempt: &Attempt| -> fcretry::Result<()> {
            asked(attempt, 1).await?;
            block();
            asked(attempt, 1).await
        })
        .await
        .unwrap();
    let times = limiter.asked.lock().unwrap().clone();
    assert_eq!(times[1] - times[0], Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_is_not_sent_by_whoever_polls_on() {
    static TURNS: Throttle = Throttle::new(0.001, 1_000_000).burst(1);
    #[retry_policy(max_attempts = 1, deadline = "60s", throttle(TURNS))]
    async fn twice(attempt: &Attempt) -> fcretry::Result<bool> {
        asked(attempt, 1).await?;
        let mut sent = false;
        {
            let request = async {
                sent = true;
                Ok::<_, fcretry::Error>(())
            };
            let mut guarded = pin!(attempt.guard("gpt-4o", 1, request));
            assert!(guarded.as_mut().now_or_never().unwrap().is_err());
            assert!(guarded.as_mut().now_or_never().is_none());
        }
        Ok(sent)
    }
    assert!(!twice().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_one_guard_gave_is_given_back_when_the_next_refuses() {
    static TURNS: Throttle = Throttle::new(0.001, 1_000_000).burst(1);
    #[retry_policy(max_attempts = 1, deadline = "60s", budget(tokens = 1000), throttle(TURNS))]
    async fn third(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 100).await?;
        asked(attempt, 100).await.unwrap_err();
        Ok(attempt.tokens_left())
    }
    #[retry_policy(max_attempts = 1, budget(tokens = 1_000_000, usd = 0.0001))]
    async fn second(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 900_000).await.unwrap_err();
        Ok(attempt.tokens_left())
    }
    assert_eq!(third().await.unwrap(), Some(900));
    assert_eq!(second().await.unwrap(), Some(1_000_000));
}

#[tokio::test(start_paused = true)]
async fn turns_come_back_from_answers_that_nobody_read() {
    let turns = Arc::new(Throttle::default());
    let answered = || async { Ok::<_, fcretry::Error>(()) };
    let run = || Run::new(&RetryPolicy::default()).throttle(&turns);
    let dropped = run().run(async |attempt: &Attempt| -> fcretry::Result<()> {
        attempt.guard("gpt-4o", 10, answered()).await?;
        sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    assert!(tokio::time::timeout(Duration::from_millis(1), dropped).await.is_err());
    assert_eq!(turns.stats().in_flight, 0);
    let twice = run().run(async |attempt: &Attempt| -> fcretry::Result<()> {
        attempt.guard("gpt-4o", 10, answered()).await?;
        attempt.guard("gpt-4o", 10, answered()).await?;
        attempt.settle(Usage::new(10, 0));
        Ok(())
    });
    twice.await.unwrap();
    assert_eq!(turns.stats().in_flight, 0);
}
