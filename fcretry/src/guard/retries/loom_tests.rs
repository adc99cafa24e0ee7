//! Every order of two threads: `RUSTFLAGS="--cfg loom" cargo test -p fcretry --lib --release loom_tests`.

use std::sync::Arc;

use loom::thread;

use super::{
    Came,
    pool::{Pool, Settings, Try},
};
use crate::guard::{
    Key,
    keyed::{Cell as _, Share},
};

const ONE: Settings = Settings { share: Share::of(0.0), floor: 1, refill: 0, ..Settings::DEFAULT };

#[test]
fn retries_under_way_are_never_over_the_bound_and_no_token_is_lost_or_made() {
    loom::model(|| {
        let pool = Arc::new(Pool::fresh());
        let under_way = Arc::new(loom::sync::atomic::AtomicU32::new(0));
        let threads = [Came::Answer, Came::Nothing].map(|came| {
            let (pool, under_way) = (Arc::clone(&pool), Arc::clone(&under_way));
            thread::spawn(move || {
                use loom::sync::atomic::Ordering;
                let Ok(shard) = pool.ask(&ONE, Try::Again(14), 0) else {
                    return 0;
                };
                assert_eq!(under_way.fetch_add(1, Ordering::AcqRel), 0);
                under_way.fetch_sub(1, Ordering::AcqRel);
                pool.settle(&ONE, Try::Again(14), shard, came, 0);
                if came == Came::Nothing { 14 } else { 0 }
            })
        });
        let spent: u32 = threads.map(|thread| thread.join().unwrap()).iter().sum();
        let ended = pool.stats(Key::of(0), &ONE, 0);
        assert_eq!((ended.tokens, ended.active, ended.retrying), (500 - spent, 0, 0));
    });
}

#[test]
fn an_answer_beside_a_retry_adds_at_most_its_token() {
    loom::model(|| {
        let pool = Arc::new(Pool::fresh());
        let first = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let shard = pool.ask(&ONE, Try::First, 0).unwrap();
                pool.settle(&ONE, Try::First, shard, Came::Answer, 0);
            })
        };
        let shard = pool.ask(&ONE, Try::Again(14), 0).unwrap();
        pool.settle(&ONE, Try::Again(14), shard, Came::Nothing, 0);
        first.join().unwrap();
        let ended = pool.stats(Key::of(0), &ONE, 0);
        assert!(ended.tokens == 486 || ended.tokens == 487, "{}", ended.tokens);
        assert_eq!(ended.active, 0);
    });
}
