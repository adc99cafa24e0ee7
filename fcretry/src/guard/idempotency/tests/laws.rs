//! The store against a naive model of it, under any sequence of what can happen.

use std::collections::HashMap;

use proptest::prelude::*;
use tokio::time::{Instant, advance};

use super::*;
use crate::guard::idempotency::{Fingerprint, KeptError, Settled, Stored};

#[derive(Clone, Debug)]
enum Step {
    Claim {
        key: u128,
        fingerprint: Option<u128>,
        again: bool,
    },
    /// By the n-th owner so far.
    Keep(usize),
    Free(usize),
    Abandon(usize),
    Renew(usize),
    Forget(u128),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let claim = (0..3_u128, proptest::option::of(0..2_u128), any::<bool>());
    let step = prop_oneof![
        4 => claim.prop_map(|(key, fingerprint, again)| Step::Claim { key, fingerprint, again }),
        2 => (0..8_usize).prop_map(Step::Keep),
        1 => (0..8_usize).prop_map(Step::Free),
        1 => (0..8_usize).prop_map(Step::Abandon),
        1 => (0..8_usize).prop_map(Step::Renew),
        1 => (0..3_u128).prop_map(Step::Forget),
        3 => (1..40_u64).prop_map(Step::Advance),
    ];
    proptest::collection::vec(step, 0..60)
}

const LEASE: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(50);

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Running(Instant),
    /// What the n-th owner stored.
    Done(usize, Instant),
    Unknown(Instant),
}

#[derive(Clone, Copy, Debug)]
struct Known {
    owner: usize,
    fingerprint: Option<u128>,
    state: State,
}

#[derive(Default)]
struct Model(HashMap<u128, Known>);

impl Model {
    /// What the key is now.
    fn get(&mut self, key: u128) -> Option<&mut Known> {
        let now = Instant::now();
        let known = self.0.get_mut(&key)?;
        if let State::Running(until) = known.state
            && until <= now
        {
            known.state = State::Unknown(until + TTL);
        }
        if let State::Done(_, until) | State::Unknown(until) = known.state
            && until <= now
        {
            self.0.remove(&key);
        }
        self.0.get_mut(&key)
    }
}

fn value(owner: usize) -> Stored {
    Stored::Value(owner.to_string().into_bytes().into())
}

async fn play(steps: Vec<Step>) {
    let (store, mut model) = (MemoryStore::new(), Model::default());
    let mut owners: Vec<(Claim, Token)> = Vec::new();
    let mut waiting = Vec::new();
    for step in steps {
        let now = Instant::now();
        match step {
            Step::Claim { key: n, fingerprint, again } => {
                let claim = Claim {
                    fingerprint: fingerprint.map(Fingerprint::from_bits),
                    lease: LEASE,
                    ttl: TTL,
                    again,
                    ..Claim::new(key(n))
                };
                let got = store.claim(claim).await.unwrap();
                let known = model.get(n).copied();
                let other = known.and_then(|known| known.fingerprint).zip(fingerprint);
                match (known, got) {
                    (Some(_), Claimed::Reused) => assert!(other.is_some_and(|(a, b)| a != b)),
                    (_, Claimed::Reused) => panic!("nothing was known"),
                    _ if other.is_some_and(|(a, b)| a != b) => panic!("not refused"),
                    (None, Claimed::Owner(token)) => {
                        let state = State::Running(now + LEASE);
                        model.0.insert(n, Known { owner: owners.len(), fingerprint, state });
                        owners.push((claim, token));
                    }
                    (Some(known), Claimed::Owner(token)) => {
                        assert!(again && matches!(known.state, State::Unknown(_)));
                        let fingerprint = fingerprint.or(known.fingerprint);
                        let state = State::Running(now + LEASE);
                        model.0.insert(n, Known { owner: owners.len(), fingerprint, state });
                        owners.push((claim, token));
                    }
                    (
                        Some(Known { owner, state: State::Running(_), .. }),
                        Claimed::InFlight(landing),
                    ) => {
                        waiting.push((owner, landing));
                    }
                    (Some(Known { state: State::Done(owner, _), .. }), Claimed::Done(stored)) => {
                        assert_eq!(stored, value(owner));
                    }
                    (Some(Known { state: State::Unknown(_), .. }), Claimed::Unknown) => {
                        assert!(!again);
                    }
                    (known, got) => panic!("{known:?}: {got:?}"),
                }
            }
            Step::Keep(n) | Step::Free(n) | Step::Abandon(n) | Step::Renew(n) => {
                if let Some(&(claim, token)) = owners.get(n) {
                    own(&store, &mut model, n, claim, token, &step).await;
                }
            }
            Step::Forget(n) => {
                let ended =
                    model.get(n).is_some_and(|known| !matches!(known.state, State::Running(_)));
                assert_eq!(store.forget(key(n)).await.unwrap(), ended);
                if ended {
                    model.0.remove(&n);
                }
            }
            Step::Advance(seconds) => advance(Duration::from_secs(seconds)).await,
        }
    }
    // Whoever waits is told, by what its own owner did or by the end of the lease.
    for (owner, landing) in waiting {
        if let Settled::Done(stored) = landing.await.unwrap() {
            assert_eq!(stored, value(owner));
        }
    }
    assert_eq!(store.stats().started, owners.len() as u64);
}

/// What the n-th owner does.
async fn own(
    store: &MemoryStore,
    model: &mut Model,
    n: usize,
    claim: Claim,
    token: Token,
    step: &Step,
) {
    let now = Instant::now();
    let owned = model.get(claim.key.to_bits()).filter(|known| known.owner == n);
    match step {
        Step::Keep(_) => {
            store.finish(claim, token, Ending::Keep(value(n))).await.unwrap();
            if let Some(known) = owned
                && !matches!(known.state, State::Done(..))
            {
                known.state = State::Done(n, now + TTL);
            }
        }
        Step::Free(_) => {
            let error = KeptError::new(FailureKind::RateLimit, "later");
            store.finish(claim, token, Ending::Free(error)).await.unwrap();
            if owned.is_some_and(|known| !matches!(known.state, State::Done(..))) {
                model.0.remove(&claim.key.to_bits());
            }
        }
        Step::Abandon(_) => {
            store.abandon(claim, token);
            if let Some(known) = owned
                && matches!(known.state, State::Running(_))
            {
                known.state = State::Unknown(now + TTL);
            }
        }
        _ => {
            let renewed = store.renew(claim, token).await.unwrap();
            let running = owned.filter(|known| matches!(known.state, State::Running(_)));
            assert_eq!(renewed, running.is_some());
            if let Some(known) = running {
                known.state = State::Running(now + LEASE);
            }
        }
    }
}

/// What was stored, oldest first.
fn sizes() -> impl Strategy<Value = Vec<(u128, usize)>> {
    proptest::collection::vec((0..30_u128, 1..50_usize), 0..100)
}

proptest! {
    #[test]
    fn the_store_is_what_a_naive_one_is(steps in steps()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(steps));
    }

    #[test]
    fn what_is_kept_is_the_newest_that_finds_room(
        sizes in sizes(),
        max_entries in 0..20_usize,
        max_bytes in 0..200_usize,
    ) {
        let store = MemoryStore::new().max_entries(max_entries).max_bytes(max_bytes);
        let mut model: Vec<(u128, usize)> = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for (n, size) in sizes {
            let claim = Claim { lease: Duration::MAX, ..Claim::new(key(n)) };
            let claimed = runtime.block_on(store.claim(claim)).unwrap();
            let kept = model.iter().position(|&(known, _)| known == n);
            match claimed {
                Claimed::Owner(token) => {
                    prop_assert!(kept.is_none());
                    let stored = Stored::Value(vec![b'1'; size].into());
                    runtime.block_on(store.finish(claim, token, Ending::Keep(stored))).unwrap();
                    // The key itself takes a place while its action runs.
                    model.truncate_front(max_entries.saturating_sub(1));
                    if max_entries > 0 {
                        model.push((n, if size > max_bytes { 0 } else { size }));
                    }
                    let mut oldest = model.iter_mut();
                    while oldest.as_slice().iter().map(|(_, size)| size).sum::<usize>() > max_bytes {
                        oldest.next().unwrap().1 = 0;
                    }
                }
                Claimed::Done(stored) => prop_assert_eq!(Some(stored.size()), kept.map(|at| model[at].1)),
                Claimed::Unknown => prop_assert_eq!(kept.map(|at| model[at].1), Some(0)),
                other => prop_assert!(false, "{:?}", other),
            }
            let stats = store.stats();
            prop_assert_eq!(stats.done, model.len());
            prop_assert_eq!(stats.bytes, model.iter().map(|(_, size)| size).sum::<usize>());
        }
    }
}

trait TruncateFront {
    fn truncate_front(&mut self, len: usize);
}

impl<T> TruncateFront for Vec<T> {
    fn truncate_front(&mut self, len: usize) {
        self.drain(..self.len().saturating_sub(len));
    }
}
