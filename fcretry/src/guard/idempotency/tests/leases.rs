use tokio::{
    join,
    time::{Instant, advance, sleep},
};

use super::*;

#[tokio::test(start_paused = true)]
async fn an_action_may_take_longer_than_its_lease() {
    for minutes in [1, 10] {
        let (local, remote, runs) = (Idempotency::new(), remote(), Cell::new(0));
        let slow = || async {
            sleep(Duration::from_secs(60 * minutes)).await;
            counted(&runs, 0).await
        };
        let (owner, waiter) = join!(local.once(key(1), HOUR, slow), local.once(key(1), HOUR, slow));
        assert_eq!((owner.unwrap(), waiter.unwrap()), (1, 1));
        let (owner, waiter) =
            join!(remote.once(key(1), HOUR, slow), remote.once(key(1), HOUR, slow));
        assert_eq!((owner.unwrap(), waiter.unwrap()), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_nobody_polls_any_more_loses_its_key_with_the_lease() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let mut owner = Box::pin(once.once(key(1), HOUR, || counted(&runs, 9)));
    assert!(poll_once(owner.as_mut()).is_pending());
    let start = Instant::now();
    assert!(is_unknown(&once.once(key(1), HOUR, || counted(&runs, 0)).await));
    assert_eq!(start.elapsed(), super::super::LEASE);
    assert_eq!((once.stats().running, once.stats().unknown), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_after_the_lease_makes_the_key_known() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let mut owner = Box::pin(once.once(key(1), HOUR, || counted(&runs, 1)));
    assert!(poll_once(owner.as_mut()).is_pending());
    advance(Duration::from_secs(61)).await;
    let call = || once.once(key(1), HOUR, || counted(&runs, 0));
    assert!(is_unknown(&call().await));
    assert_eq!(owner.await.unwrap(), 1);
    assert_eq!(call().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_after_another_run_began_is_its_callers_alone() {
    let (once, runs) = (Idempotency::new(), Cell::new(0));
    let mut late = Box::pin(once.once(key(1), HOUR, || counted(&runs, 1)));
    assert!(poll_once(late.as_mut()).is_pending());
    advance(Duration::from_secs(61)).await;
    let mut second = Box::pin(once.at_least_once().once(key(1), HOUR, || counted(&runs, 1)));
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(late.await.unwrap(), 1);
    assert_eq!(once.stats().running, 1);
    assert_eq!(second.await.unwrap(), 2);
    assert_eq!(once.once(key(1), HOUR, || counted(&runs, 0)).await.unwrap(), 2);
}
