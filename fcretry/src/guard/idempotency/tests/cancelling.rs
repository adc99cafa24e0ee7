//! A future that is dropped after any of its polls leaves nothing, or an unknown key.

use tokio::time::{Instant, advance};

use super::*;

#[tokio::test(start_paused = true)]
async fn an_action_that_was_begun_and_dropped_is_not_run_again_until_its_time_is_over() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    {
        let mut dropped = Box::pin(once.once(key(1), HOUR, || counted(&runs, 9)));
        assert!(poll_once(dropped.as_mut()).is_pending());
    }
    let call = || once.once(key(1), HOUR, || counted(&runs, 0));
    advance(Duration::from_millis(3_599_999)).await;
    assert!(is_unknown(&call().await));
    assert_eq!(runs.get(), 1);
    advance(Duration::from_millis(1)).await;
    assert_eq!(call().await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn at_least_once_the_next_caller_runs_it_again() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let again = || once.at_least_once().once(key(1), HOUR, || counted(&runs, 1));
    let mut waits = Box::pin(again());
    {
        let mut dropped = Box::pin(once.once(key(1), HOUR, || counted(&runs, 9)));
        assert!(poll_once(dropped.as_mut()).is_pending());
        assert!(poll_once(waits.as_mut()).is_pending());
    }
    let (first, second) = tokio::join!(waits, again());
    assert_eq!((first.unwrap(), second.unwrap()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_owner_that_is_dropped_is_told_at_once() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let start = Instant::now();
    let owner = tokio::time::timeout(
        Duration::from_secs(1),
        once.once(key(1), HOUR, || async {
            std::future::pending::<()>().await;
            Ok::<u32, Oops>(1)
        }),
    );
    let (owner, waiter) = tokio::join!(owner, once.once(key(1), HOUR, || counted(&runs, 0)));
    assert!(owner.is_err());
    assert!(is_unknown(&waiter));
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn dropped_after_any_poll_it_leaves_nothing_before_the_action_began_and_an_unknown_key_after()
{
    // The claim answers at its second poll, the action is ready at its third, what it gave is stored at the next.
    for polls in 0.. {
        let (once, runs) = (remote(), Cell::new(0));
        let done = {
            let mut call = Box::pin(once.once(key(1), HOUR, || counted(&runs, 2)));
            (0..polls).any(|_| poll_once(call.as_mut()).is_ready())
        };
        let begun = runs.get() == 1;
        assert_eq!(begun, polls > 1, "{polls}");
        let later = once.once(key(1), HOUR, || counted(&runs, 0)).await;
        match (begun, done) {
            (false, _) => assert_eq!(later.unwrap(), 1, "{polls}"),
            (true, false) => assert!(is_unknown(&later), "{polls}"),
            (true, true) => {
                assert_eq!(later.unwrap(), 1, "{polls}");
                assert_eq!(polls, 5);
                return;
            }
        }
        assert_eq!(once.store().0.stats().running, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_is_dropped_changes_nothing() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let mut owner = Box::pin(once.once(key(1), HOUR, || counted(&runs, 3)));
    assert!(poll_once(owner.as_mut()).is_pending());
    for polls in 0..3 {
        let mut waiter = Box::pin(once.once(key(1), HOUR, || counted(&runs, 0)));
        for _ in 0..polls {
            assert!(poll_once(waiter.as_mut()).is_pending());
        }
    }
    assert_eq!(owner.await.unwrap(), 1);
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 1);
}
