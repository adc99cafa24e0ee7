use super::*;
use crate::guard::idempotency::Stored;

fn bounded(max_entries: usize, max_bytes: usize) -> Idempotency {
    Idempotency::with_store(MemoryStore::new().max_entries(max_entries).max_bytes(max_bytes))
}

async fn text(once: &Idempotency, n: u128, bytes: usize) -> Result<String, OnceError<Oops>> {
    once.once(key(n), HOUR, || async { Ok("x".repeat(bytes - 2)) }).await
}

#[tokio::test(start_paused = true)]
async fn a_million_keys_take_no_more_room_than_they_may() {
    let (once, runs) = (bounded(1_000, 10_000), Cell::new(0));
    let mut running = Box::pin(once.once(key(u128::MAX), HOUR, || counted(&runs, 1)));
    assert!(poll_once(running.as_mut()).is_pending());
    let value = Ending::Keep(Stored::Value([b'1'; 20].into()));
    for n in 0..1_000_000 {
        let claim = Claim::new(key(n));
        let Claimed::Owner(token) = once.store().claim(claim).await.unwrap() else { panic!("{n}") };
        once.store().finish(claim, token, value.clone()).await.unwrap();
    }
    let stats = once.stats();
    assert_eq!((stats.running, stats.done, stats.unknown), (1, 999, 0));
    assert_eq!((stats.bytes, stats.evicted), (10_000, 999_001));
    assert_eq!(running.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_finished_key_goes_first_then_the_oldest_unknown_one() {
    let (once, runs) = (bounded(3, 1_000), Cell::new(0));
    {
        let mut dropped = Box::pin(once.once(key(0), HOUR, || counted(&runs, 9)));
        assert!(poll_once(dropped.as_mut()).is_pending());
    }
    for n in 1..=4 {
        text(&once, n, 10).await.unwrap();
    }
    assert!(is_unknown(&text(&once, 0, 10).await));
    assert_eq!(text(&once, 4, 50).await.unwrap().len(), 8);
    assert_eq!(text(&once, 3, 50).await.unwrap().len(), 8);
    // Running keys never go, whatever the bound.
    let mut running: Vec<_> =
        (10..20).map(|n| Box::pin(once.once(key(n), HOUR, || counted(&runs, 1)))).collect();
    for call in &mut running {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_eq!((once.stats().running, once.stats().done, once.stats().unknown), (10, 0, 0));
    for call in running {
        call.await.unwrap();
    }
    assert_eq!((once.stats().running, once.stats().done), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_found_no_room_is_unknown_and_its_action_is_not_run_again() {
    let once = bounded(100, 100);
    for n in 0..3 {
        text(&once, n, 40).await.unwrap();
    }
    assert!(is_unknown(&text(&once, 0, 40).await));
    assert_eq!(text(&once, 1, 9).await.unwrap().len(), 38);
    // One that is larger than all the room takes none from the others.
    assert_eq!(text(&once, 3, 101).await.unwrap().len(), 99);
    assert!(is_unknown(&text(&once, 3, 9).await));
    assert_eq!(text(&once, 1, 9).await.unwrap().len(), 38);
    assert_eq!(once.stats().bytes, 80);
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_makes_room_by_itself() {
    let once = bounded(100_000, 1 << 20);
    for n in 0..1_000 {
        text(&once, n, 10).await.unwrap();
    }
    tokio::time::advance(HOUR).await;
    for n in 1_000..1_600 {
        text(&once, n, 10).await.unwrap();
    }
    assert_eq!((once.stats().done, once.stats().evicted), (600, 0));
}

#[tokio::test]
async fn debug_output_shows_no_result() {
    let stored = Stored::Value((*b"secret").into());
    assert_eq!(format!("{stored:?}"), "Value(6 bytes)");
}
