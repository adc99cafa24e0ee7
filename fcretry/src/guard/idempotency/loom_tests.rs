//! Every order of two threads at one key.

use std::time::Duration;

use loom::{
    future::block_on,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    Claim, Claimed, Ending, IdempotencyKey, KeptError, MemoryStore, OnceStore, Settled, Stored,
};
use crate::failure::FailureKind;

/// A claim whose lease never ends: there is no clock here.
fn claim() -> Claim {
    Claim { lease: Duration::MAX, ..Claim::new(IdempotencyKey::from_bits(7)) }
}

fn value() -> Stored {
    Stored::Value((*b"7").into())
}

/// Claims, and as the owner runs and ends; else waits. What came of it for this thread.
fn take_part(store: &MemoryStore, runs: &AtomicUsize, end: impl FnOnce(super::Token)) -> Settled {
    match block_on(store.claim(claim())).unwrap() {
        Claimed::Owner(token) => {
            runs.fetch_add(1, Ordering::Relaxed);
            end(token);
            Settled::Done(value())
        }
        Claimed::InFlight(landing) => block_on(landing).unwrap(),
        Claimed::Done(stored) => Settled::Done(stored),
        Claimed::Unknown => Settled::Unknown,
        Claimed::Reused => panic!("there is one fingerprint"),
    }
}

#[test]
fn once_runs_once_and_every_thread_gets_its_value() {
    loom::model(|| {
        let store = Arc::new(MemoryStore::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let part = {
            let (store, runs) = (Arc::clone(&store), Arc::clone(&runs));
            move || {
                let finish = |token| {
                    block_on(store.finish(claim(), token, Ending::Keep(value()))).unwrap();
                };
                take_part(&store, &runs, finish)
            }
        };
        let other = thread::spawn(part.clone());
        assert_eq!(part(), Settled::Done(value()));
        assert_eq!(other.join().unwrap(), Settled::Done(value()));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_owner_that_goes_leaves_every_other_thread_with_an_unknown_key() {
    loom::model(|| {
        let store = Arc::new(MemoryStore::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let part = {
            let (store, runs) = (Arc::clone(&store), Arc::clone(&runs));
            move || take_part(&store, &runs, |token| store.abandon(claim(), token))
        };
        let other = thread::spawn(part.clone());
        let ends = [part(), other.join().unwrap()];
        assert_eq!(ends.iter().filter(|end| **end == Settled::Unknown).count(), 1);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_freed_key_has_one_owner_at_a_time_and_wakes_who_waits() {
    loom::model(|| {
        let store = Arc::new(MemoryStore::new());
        let (runs, owners) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let part = {
            let (store, runs) = (Arc::clone(&store), Arc::clone(&runs));
            move || {
                let free = |token| {
                    assert_eq!(owners.fetch_add(1, Ordering::AcqRel), 0);
                    thread::yield_now();
                    owners.fetch_sub(1, Ordering::AcqRel);
                    let error = KeptError::new(FailureKind::RateLimit, "later");
                    block_on(store.finish(claim(), token, Ending::Free(error))).unwrap();
                };
                take_part(&store, &runs, free)
            }
        };
        let other = thread::spawn(part.clone());
        part();
        other.join().unwrap();
        assert_eq!(store.stats().running, 0);
        assert_eq!(store.stats().waited as usize + runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_wait_that_is_dropped_keeps_nobody_else_waiting() {
    loom::model(|| {
        let store = Arc::new(MemoryStore::new());
        let Claimed::Owner(token) = block_on(store.claim(claim())).unwrap() else {
            panic!("vacant")
        };
        let other = {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                // Taken while the owner is in flight, or after it has landed.
                if let Claimed::InFlight(landing) = block_on(store.claim(claim())).unwrap() {
                    let mut landing = std::pin::pin!(landing);
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    let _ = landing.as_mut().poll(&mut context);
                }
                take_part(&store, &AtomicUsize::new(0), |_| panic!("it is owned"))
            })
        };
        block_on(store.finish(claim(), token, Ending::Keep(value()))).unwrap();
        assert_eq!(other.join().unwrap(), Settled::Done(value()));
    });
}
