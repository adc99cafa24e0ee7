mod cancelling;
mod laws;
mod leases;
mod memory;
mod rules;
mod threads;

use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    Claim, Claimed, Ending, Idempotency, IdempotencyKey, MemoryStore, OnceError, OnceStore,
    StoreError, Token,
};
use crate::{Classify, FailureKind, guard::Soon};

/// An error of a kind.
#[derive(Debug, PartialEq)]
struct Oops(FailureKind);

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oops: {}", self.0)
    }
}

impl Classify for Oops {
    fn kind(&self) -> FailureKind {
        self.0
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn key(n: u128) -> IdempotencyKey {
    IdempotencyKey::from_bits(n)
}

/// An action that suspends `times` times, counts its runs when it begins, and gives their number.
async fn counted(runs: &Cell<u32>, times: u32) -> Result<u32, Oops> {
    runs.set(runs.get() + 1);
    let run = runs.get();
    suspend(times).await;
    Ok(run)
}

/// Is pending `times` times, and asks to be polled again.
async fn suspend(mut times: u32) {
    poll_fn(|context| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn is_unknown<T>(result: &Result<T, OnceError<Oops>>) -> bool {
    matches!(result, Err(OnceError::OutcomeUnknown))
}

/// A store that is somewhere else: it answers at the second poll, and what is dropped before that was never asked.
#[derive(Default)]
struct Remote(MemoryStore);

impl OnceStore for Remote {
    fn claim(&self, claim: Claim) -> Soon<'_, Result<Claimed<'_>, StoreError>> {
        Soon::later(async move {
            suspend(1).await;
            self.0.claim(claim).await
        })
    }

    fn renew(&self, claim: Claim, token: Token) -> Soon<'_, Result<bool, StoreError>> {
        Soon::later(async move {
            suspend(1).await;
            self.0.renew(claim, token).await
        })
    }

    fn finish(
        &self,
        claim: Claim,
        token: Token,
        ending: Ending,
    ) -> Soon<'_, Result<(), StoreError>> {
        Soon::later(async move {
            suspend(1).await;
            self.0.finish(claim, token, ending).await
        })
    }

    fn abandon(&self, claim: Claim, token: Token) {
        self.0.abandon(claim, token);
    }

    fn forget(&self, key: IdempotencyKey) -> Soon<'_, Result<bool, StoreError>> {
        Soon::later(async move {
            suspend(1).await;
            self.0.forget(key).await
        })
    }
}

fn remote() -> Idempotency<Remote> {
    Idempotency::with_store(Remote::default())
}
