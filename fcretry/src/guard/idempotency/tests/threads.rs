use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Two threads ask for the same keys in the same order; some actions fail for now, some are dropped midway.
#[test]
fn two_threads_never_run_an_action_twice() {
    const KEYS: usize = 20_000;
    let once = Idempotency::new();
    let runs: Vec<AtomicU32> = (0..KEYS).map(|_| AtomicU32::new(0)).collect();
    let work = |seed: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for (n, run) in runs.iter().enumerate() {
                let action = || async {
                    run.fetch_add(1, Ordering::Relaxed);
                    suspend(2).await;
                    Ok::<_, Oops>(n)
                };
                let mut call = Box::pin(once.once(key(n as u128), HOUR, action));
                if (n + seed).is_multiple_of(7) {
                    // Dropped as an owner, as one who waits, or when it was done.
                    let _ = poll_once(call.as_mut());
                    continue;
                }
                match call.await {
                    Ok(value) => assert_eq!(value, n),
                    Err(error) => assert!(matches!(error, OnceError::OutcomeUnknown), "{error}"),
                }
            }
        });
    };
    std::thread::scope(|scope| {
        scope.spawn(|| work(0));
        scope.spawn(|| work(3));
    });
    assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    let stats = once.stats();
    assert_eq!((stats.running, stats.done + stats.unknown), (0, KEYS));
}
