use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use tokio::{
    join,
    time::{Instant, advance, sleep},
};

use super::*;
use crate::guard::{After, Fingerprint};

#[tokio::test(start_paused = true)]
async fn concurrent_callers_get_the_value_of_one_run() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let action = || async {
        sleep(Duration::from_secs(5)).await;
        counted(&runs, 0).await
    };
    let call = || once.once(key(1), HOUR, action);
    let start = Instant::now();
    let (first, second, third) = join!(call(), call(), call());
    assert_eq!([first.unwrap(), second.unwrap(), third.unwrap()], [1, 1, 1]);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!((runs.get(), once.stats().waited), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn later_callers_get_the_stored_value_until_its_time_is_over() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let call = || once.once(key(1), HOUR, || counted(&runs, 0));
    assert_eq!(call().await.unwrap(), 1);
    advance(Duration::from_millis(3_599_999)).await;
    assert_eq!(call().await.unwrap(), 1);
    advance(Duration::from_millis(1)).await;
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(once.once(key(2), HOUR, || counted(&runs, 0)).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_every_kind_is_kept_or_frees_the_key_or_leaves_it_unknown() {
    for (n, &kind) in FailureKind::ALL.iter().enumerate() {
        let (once, runs) = (Idempotency::new(), Cell::new(0));
        let fails = || async { Err::<u32, _>(Oops(kind)) };
        let ended = once.once(key(n as u128), HOUR, fails).await;
        assert!(matches!(ended, Err(OnceError::Failed(Oops(own))) if own == kind), "{kind}");

        let later = once.once(key(n as u128), HOUR, || counted(&runs, 0)).await;
        match After::default_for(kind) {
            After::Keep => {
                let Err(OnceError::Earlier(error)) = later else { panic!("{kind}: {later:?}") };
                assert_eq!((error.kind(), error.message()), (kind, &*format!("oops: {kind}")));
            }
            After::Free => assert_eq!(later.unwrap(), 1, "{kind}"),
            After::Doubt => assert!(is_unknown(&later), "{kind}"),
        }
    }
    // An answer that was lost says nothing of what it was to answer.
    assert_eq!(After::default_for(FailureKind::Timeout), After::Doubt);
    assert_eq!(After::default_for(FailureKind::RateLimit), After::Free);
    assert_eq!(After::default_for(FailureKind::Application), After::Keep);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_transient_error_gets_it_and_does_not_ask_again() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let call = || {
        once.once(key(1), HOUR, || async {
            counted(&runs, 1).await?;
            Err::<u32, _>(Oops(FailureKind::ModelOverload))
        })
    };
    let (owner, waiter) = join!(call(), call());
    assert!(matches!(owner, Err(OnceError::Failed(_))));
    assert!(
        matches!(waiter, Err(OnceError::Earlier(error)) if error.kind() == FailureKind::ModelOverload)
    );
    assert_eq!(runs.get(), 1);
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_an_error_means_can_be_chosen() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let kind = FailureKind::Timeout;
    let options = once.options().after(|_| After::Free);
    let failed = options.once(key(1), HOUR, || async { Err::<u32, _>(Oops(kind)) }).await;
    assert!(failed.is_err());
    assert_eq!(options.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_fingerprint_is_refused_in_every_state() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let of = |request: u32| once.options().fingerprint(Fingerprint::of(&request).unwrap());
    let reused = |result| matches!(result, Err(OnceError::<Oops>::KeyReused));

    // Running.
    let (right, wrong) = join!(
        of(1).once(key(1), HOUR, || counted(&runs, 1)),
        of(2).once(key(1), HOUR, || counted(&runs, 0))
    );
    assert_eq!(right.unwrap(), 1);
    assert!(reused(wrong));
    // Done.
    assert!(reused(of(2).once(key(1), HOUR, || counted(&runs, 0)).await));
    assert_eq!(of(1).once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
    // Not compared.
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
    // Unknown, even at least once.
    {
        let mut dropped = Box::pin(of(1).once(key(2), HOUR, || counted(&runs, 9)));
        assert!(poll_once(dropped.as_mut()).is_pending());
    }
    assert!(reused(of(2).at_least_once().once(key(2), HOUR, || counted(&runs, 0)).await));
    // Run again, it is still that of the first.
    assert_eq!(once.at_least_once().once(key(2), HOUR, || counted(&runs, 0)).await.unwrap(), 3);
    assert!(reused(of(2).once(key(2), HOUR, || counted(&runs, 0)).await));
    assert_eq!(once.stats().reused, 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_the_key_unknown() {
    let once = Arc::new(Idempotency::new());
    let panics = {
        let once = Arc::clone(&once);
        async move {
            once.once(key(1), HOUR, || async {
                suspend(1).await;
                assert!(size_of::<Oops>() > 100, "in the action");
                Ok::<u32, Oops>(1)
            })
            .await
        }
    };
    assert!(tokio::spawn(panics).await.unwrap_err().is_panic());
    // In the part that makes the future, too.
    let factory = || -> std::future::Ready<Result<u32, Oops>> { panic!("before its future") };
    let mut call = Box::pin(once.once(key(2), HOUR, factory));
    let poll = std::panic::catch_unwind(AssertUnwindSafe(|| drop(poll_once(call.as_mut()))));
    assert!(poll.is_err());
    drop(call);

    let runs = Cell::new(0);
    for n in [1, 2] {
        assert!(is_unknown(&once.once(key(n), HOUR, || counted(&runs, 0)).await));
    }
    assert_eq!(runs.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_forgotten_by_who_has_looked_and_a_running_one_stays() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    assert!(!once.forget(key(1)).await.unwrap());
    {
        let mut running = Box::pin(once.once(key(1), HOUR, || counted(&runs, 9)));
        assert!(poll_once(running.as_mut()).is_pending());
        assert!(!once.forget(key(1)).await.unwrap());
    }
    assert!(is_unknown(&once.once(key(1), HOUR, || counted(&runs, 0)).await));
    assert!(once.forget(key(1)).await.unwrap());
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 2);
    // A result, too.
    assert!(once.forget(key(1)).await.unwrap());
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_value_without_json_is_the_callers_and_its_action_is_not_run_again() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let call = || {
        once.once(key(1), HOUR, || async {
            counted(&runs, 0).await?;
            Ok::<_, Oops>(HashMap::from([(vec![1], 2)]))
        })
    };
    assert_eq!(call().await.unwrap().len(), 1);
    assert!(is_unknown(&call().await));
    assert_eq!(runs.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_type_is_an_error_and_runs_nothing() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
    let text = once.once(key(1), HOUR, || async { Ok::<String, Oops>(String::new()) }).await;
    assert!(matches!(text, Err(OnceError::Unreadable(_))));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_asked_runs_nothing_and_one_that_cannot_be_told_loses_no_value() {
    /// Down at once, or after the claim.
    struct Down(MemoryStore, bool);
    impl OnceStore for Down {
        fn claim(&self, claim: Claim) -> Soon<'_, Result<Claimed<'_>, StoreError>> {
            if self.1 { Soon::now(Err(StoreError::new("down"))) } else { self.0.claim(claim) }
        }
        fn renew(&self, _: Claim, _: Token) -> Soon<'_, Result<bool, StoreError>> {
            Soon::now(Err(StoreError::new("down")))
        }
        fn finish(&self, _: Claim, _: Token, _: Ending) -> Soon<'_, Result<(), StoreError>> {
            Soon::now(Err(StoreError::new("down")))
        }
        fn abandon(&self, claim: Claim, token: Token) {
            self.0.abandon(claim, token);
        }
        fn forget(&self, _: IdempotencyKey) -> Soon<'_, Result<bool, StoreError>> {
            Soon::now(Err(StoreError::new("down")))
        }
    }

    let runs = Cell::new(0);
    let shared: Arc<dyn OnceStore> = Arc::new(Down(MemoryStore::new(), true));
    let once = Idempotency::with_store(shared);
    let refused = once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap_err();
    assert_eq!(refused.kind(), FailureKind::TransientNetwork);
    assert_eq!(runs.get(), 0);

    let once = Idempotency::with_store(Down(MemoryStore::new(), false));
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
    assert!(is_unknown(&once.once(key(1), HOUR, || counted(&runs, 0)).await));
}

#[test]
fn keys_are_texts_of_32_digits_and_change_with_each_repair() {
    let key = IdempotencyKey::derived("a", "m::f").unwrap();
    assert_eq!(
        serde_json::from_str::<IdempotencyKey>(&serde_json::to_string(&key).unwrap()).unwrap(),
        key
    );
    assert_eq!(IdempotencyKey::from_bits(10).to_string(), format!("{:0>32}", "a"));
    for wrong in ["", "+0000000000000000000000000000001", "0", "zz", &"0".repeat(33)] {
        assert!(wrong.parse::<IdempotencyKey>().is_err(), "{wrong}");
    }
    assert_eq!(key.repaired(0), key);
    assert!(key.repaired(1) != key && key.repaired(2) != key.repaired(1));
    assert_ne!(key, IdempotencyKey::derived("a", "m::g").unwrap());
}

#[test]
fn the_future_can_be_sent_and_is_small() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let once = Idempotency::new();
    let call = is_send(once.once(key(1), HOUR, || async { Ok::<u32, Oops>(1) }));
    assert!(size_of_val(&call) < 1200, "{}", size_of_val(&call));
}
