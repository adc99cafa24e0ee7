//! Calls are lent by the thread that they begin on: one has nothing of those before it. Each of these tests makes several on one
//! thread.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fcretry::{
    Adaptive, DecisionEvent, Endpoint, Observer, RetryPolicy, Route, Run, Usage,
    cost::Prices,
    guard::{
        CircuitBreaker, Key, Limiter, RetryBudget, Soon, Throttle,
        throttle::{Ended, Permit, Refused, ServerLimits, ThrottleStats},
    },
    prelude::*,
};
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

pub(crate) async fn asked(attempt: &Attempt, tokens: u64) -> fcretry::Result<()> {
    attempt.guard("gpt-4o", tokens, async { Ok::<_, fcretry::Error>(()) }).await?;
    attempt.settle(Usage::new(tokens, 0));
    Ok(())
}

#[retry_policy(budget(usd = 0.01))]
async fn cheap() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(budget(tokens = 1000))]
async fn stranger(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
    Ok(attempt.tokens_left())
}

#[retry_policy(budget(tokens = 1000, usd = 0.01))]
async fn stranger_of_both(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
    asked(attempt, 300).await?;
    Ok(attempt.tokens_left())
}

#[tokio::test(start_paused = true)]
async fn a_call_elsewhere_does_not_renew_the_budget_of_one_that_is_under_way() {
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 400).await?;
        cheap().await?;
        // No call in this one: it is not linked.
        let theirs = tokio::spawn(stranger()).await.unwrap()?;
        assert_eq!(theirs, Some(1000));
        Ok(attempt.tokens_left())
    }
    assert_eq!(outer().await.unwrap(), Some(600));
}

#[tokio::test(start_paused = true)]
async fn a_call_elsewhere_does_not_spend_of_one_that_is_under_way() {
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 400).await?;
        cheap().await?;
        let theirs = tokio::spawn(stranger_of_both()).await.unwrap()?;
        assert_eq!(theirs, Some(700));
        Ok(attempt.tokens_left())
    }
    assert_eq!(outer().await.unwrap(), Some(600));
}

#[tokio::test(start_paused = true)]
async fn two_calls_of_one_function_at_once_have_a_budget_each() {
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 400).await?;
        cheap().await?;
        sleep(Duration::from_secs(1)).await;
        Ok(attempt.tokens_left())
    }
    let first = tokio::spawn(outer());
    sleep(Duration::from_millis(100)).await;
    let second = tokio::spawn(outer());
    assert_eq!(first.await.unwrap().unwrap(), Some(600));
    assert_eq!(second.await.unwrap().unwrap(), Some(600));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_users_is_kept_after_a_call() {
    let prices = Arc::new(Prices::builtin());
    Run::new(&RetryPolicy::default())
        .prices(&prices)
        .run(async |_: &Attempt| -> fcretry::Result<()> { Ok(()) })
        .await
        .unwrap();
    assert_eq!(Arc::strong_count(&prices), 1);
}

/// What is left of a call that had everything, and was dropped while it waited: nothing.
#[tokio::test(start_paused = true)]
async fn a_call_has_nothing_of_the_one_before_on_its_thread() {
    #[derive(Default)]
    struct Sees(Mutex<u32>);
    impl Observer for Sees {
        fn on_retry(&self, _: &DecisionEvent<'_>) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let breaker = Arc::new(CircuitBreaker::default());
    let retries = Arc::new(RetryBudget::default());
    let throttle = Arc::new(Throttle::default());
    let adaptive = Arc::new(Adaptive::default());
    let observer = Arc::new(Sees::default());
    let client = Arc::new(());
    let route = Route::new([Endpoint::new("spare", "mini", Arc::clone(&client))]);
    let everything = Run::new(&RetryPolicy::default())
        .breaker(&breaker)
        .retry_budget(&retries)
        .throttle(&throttle)
        .adapt(&adaptive)
        .observer(&observer)
        .route(route)
        .run(async |attempt: &Attempt| -> fcretry::Result<()> {
            asked(attempt, 10).await?;
            Err(FailureKind::RateLimit.into())
        });
    assert!(tokio::time::timeout(Duration::from_millis(1), everything).await.is_err());
    let counts = [
        Arc::strong_count(&breaker),
        Arc::strong_count(&retries),
        Arc::strong_count(&throttle),
        Arc::strong_count(&adaptive),
        Arc::strong_count(&observer),
        Arc::strong_count(&client),
    ];
    assert_eq!(counts, [1; 6]);
    let mut seen = None;
    let bare =
        Run::new(&RetryPolicy::default()).run(async |attempt: &Attempt| -> fcretry::Result<()> {
            seen = Some((attempt.number(), attempt.model("own"), attempt.endpoint().is_some()));
            Err(FailureKind::Application.into())
        });
    let error = bare.await.unwrap_err();
    assert_eq!(seen, Some((1, "own".to_owned(), false)));
    assert_eq!(error.report().attempts.len(), 1);
}

/// A call that is refused, and dropped before it goes on.
#[tokio::test(start_paused = true)]
async fn the_number_is_not_kept_for_the_next_call() {
    let refuses = Arc::new(Throttle::new(0.001, 1_000_000).burst(1));
    let run = || {
        Run::new(&RetryPolicy::builder().deadline(Duration::from_secs(60)).build().unwrap())
            .throttle(&refuses)
            .run(async |attempt: &Attempt| -> fcretry::Result<u32> {
                asked(attempt, 10).await?;
                Ok(attempt.number())
            })
    };
    assert_eq!(run().await.unwrap(), 1);
    run().await.unwrap_err();
    let next = Run::new(&RetryPolicy::default())
        .run(async |attempt: &Attempt| -> fcretry::Result<u32> { Ok(attempt.number()) });
    assert_eq!(next.await.unwrap(), 1);
}

/// A task that outlives the call that it is of draws on the budget of that, and of no later one.
#[tokio::test(start_paused = true)]
async fn a_task_that_outlives_its_call_has_its_purse() {
    static SPAWNS: AtomicBool = AtomicBool::new(true);
    static TASK: Mutex<Option<tokio::task::JoinHandle<Option<u64>>>> = Mutex::new(None);
    #[retry_policy]
    async fn late(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 50).await?;
        Ok(attempt.tokens_left())
    }
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt) -> fcretry::Result<Option<u64>> {
        asked(attempt, 400).await?;
        if SPAWNS.swap(false, Ordering::Relaxed) {
            let task = fcretry::inherit(async {
                sleep(Duration::from_secs(1)).await;
                late().await.unwrap()
            });
            *TASK.lock().unwrap() = Some(tokio::spawn(task));
        } else {
            sleep(Duration::from_secs(2)).await;
        }
        Ok(attempt.tokens_left())
    }
    assert_eq!(outer().await.unwrap(), Some(600));
    assert_eq!(outer().await.unwrap(), Some(600));
    let task = TASK.lock().unwrap().take().unwrap();
    assert_eq!(task.await.unwrap(), Some(550));
}

/// A call that is dropped, and that nobody watches.
#[tokio::test(start_paused = true)]
async fn what_failed_in_one_call_is_in_no_report_of_the_next_on_its_thread() {
    let kept = Mutex::new(None);
    let dropped =
        Run::new(&RetryPolicy::default()).run(async |attempt: &Attempt| -> fcretry::Result<()> {
            let fails = async { Err::<(), _>(fcretry::Error::from(FailureKind::RateLimit)) };
            let error = attempt.guard("gpt-4o", 10, fails).await.unwrap_err();
            kept.lock().unwrap().replace(error.clone());
            Err(error)
        });
    assert!(tokio::time::timeout(Duration::from_millis(1), dropped).await.is_err());
    let next =
        Run::new(&RetryPolicy::default()).run(async |attempt: &Attempt| -> fcretry::Result<()> {
            let fails = async { Err::<(), _>(fcretry::Error::from(FailureKind::Auth)) };
            attempt.guard("gpt-4o", 10, fails).await
        });
    let error = next.await.unwrap_err();
    assert_eq!(error.report().attempts.len(), 1);
    let before = kept.lock().unwrap().take().unwrap();
    assert_eq!(before.report().attempts.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_inside_a_body_that_panics_is_in_the_report() {
    #[retry_policy]
    async fn inner() -> fcretry::Result<()> {
        Ok(())
    }
    #[retry_policy]
    async fn outer() -> fcretry::Result<()> {
        inner().await?;
        panic!("boom");
    }
    let (_, report) = fcretry::report(AssertUnwindSafe(outer()).catch_unwind()).await;
    assert_eq!(report.attempts.len(), 2, "{:?}", report.attempts);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_keeps_nothing() {
    let turns = Arc::new(Throttle::default());
    let call = Run::new(&RetryPolicy::builder().budget_tokens(1000).build().unwrap())
        .throttle(&turns)
        .run(async |attempt: &Attempt| -> fcretry::Result<()> {
            let waits = async {
                sleep(Duration::from_millis(10)).await;
                Ok::<_, fcretry::Error>(())
            };
            attempt.guard("gpt-4o", 10, waits).await?;
            panic!("boom");
        });
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    assert_eq!(turns.stats().in_flight, 0);
    // The lock of that call is poisoned, and lent again.
    let next = Run::new(&RetryPolicy::builder().budget_tokens(1000).build().unwrap()).run(
        async |attempt: &Attempt| -> fcretry::Result<Option<u64>> { Ok(attempt.tokens_left()) },
    );
    assert_eq!(next.await.unwrap(), Some(1000));
}

/// A guard that panics while it is asked.
#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_keeps_nothing_of_the_others() {
    struct Panics;
    impl Limiter for Panics {
        fn reserve_at(
            &self,
            _: Key,
            _: u64,
            _: Instant,
            _: Instant,
        ) -> Soon<'_, Result<Permit<'_>, Refused>> {
            panic!("boom")
        }
        fn ended(&self, _: Key, _: &Ended) {}
        fn limits(&self, _: Key, _: &ServerLimits) {}
        fn stats_of(&self, key: Key) -> ThrottleStats {
            Throttle::default().stats_of(key)
        }
    }
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt, panics: &Arc<Panics>) -> fcretry::Result<Option<u64>> {
        let inner = Run::new(&RetryPolicy::default())
            .throttle(panics)
            .run(async |attempt: &Attempt| -> fcretry::Result<()> { asked(attempt, 10).await });
        assert!(AssertUnwindSafe(inner).catch_unwind().await.is_err());
        Ok(attempt.tokens_left())
    }
    assert_eq!(outer(&Arc::new(Panics)).await.unwrap(), Some(1000));
}
