mod entries;

use std::{fmt, future::poll_fn, pin::pin, task::Poll};

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use self::entries::{Entries, Found, Over};
use super::{
    IdempotencyKey,
    flight::Flight,
    store::{Claim, Claimed, Ending, OnceStore, Settled, StoreError, Token},
    sync::{Arc, Mutex, lock},
};
use crate::guard::Soon;

/// A [`OnceStore`] in the memory of this process. It is lost with the process: what must be done once even so needs a
/// store that outlives it.
///
/// Bounded: when there are more than `max_entries` keys (100 000) the oldest finished ones go, then the oldest unknown
/// ones; when the results take more than `max_bytes` (64 MiB) the oldest are dropped but their keys stay, and answer that
/// their outcome is unknown. Running keys never go; each is held by a future of yours. A key takes about 200 bytes
/// besides its result. **An action can be run again once its key is gone**, so give it room for as many keys as come in
/// their time to live.
pub struct MemoryStore {
    entries: Mutex<Entries>,
}

/// The figures of a [`MemoryStore`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OnceStats {
    /// Keys whose action runs.
    pub running: usize,
    /// Keys whose action was run, those whose result was dropped for want of room among them.
    pub done: usize,
    /// Keys of which nobody knows what came.
    pub unknown: usize,
    /// Bytes of the results that are kept.
    pub bytes: usize,
    /// The most keys that are kept, running ones apart.
    pub max_entries: usize,
    /// The most bytes of results that are kept.
    pub max_bytes: usize,
    /// Actions that were begun so far.
    pub started: u64,
    /// Claims so far that got what an earlier action gave.
    pub answered_done: u64,
    /// Claims so far that were told the outcome is unknown.
    pub answered_unknown: u64,
    /// Claims so far that waited for another's action.
    pub waited: u64,
    /// Claims so far whose key was used for something else.
    pub reused: u64,
    /// Keys so far that went before their time, for want of room.
    pub evicted: u64,
}

impl MemoryStore {
    /// An empty store.
    #[cfg(not(all(test, loom)))]
    pub const fn new() -> Self {
        Self { entries: Mutex::new(Entries::new(MAX_ENTRIES, MAX_BYTES)) }
    }

    /// An empty store.
    #[cfg(all(test, loom))]
    pub fn new() -> Self {
        Self { entries: Mutex::new(Entries::new(MAX_ENTRIES, MAX_BYTES)) }
    }

    /// How many keys are kept at most, running ones apart; 100 000 by default.
    #[must_use]
    pub fn max_entries(self, max_entries: usize) -> Self {
        let max_bytes = self.stats().max_bytes;
        lock(&self.entries).limit(max_entries, max_bytes);
        self
    }

    /// How many bytes of results are kept at most; 64 MiB by default.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        let max_entries = self.stats().max_entries;
        lock(&self.entries).limit(max_entries, max_bytes);
        self
    }

    /// The figures as they are now.
    pub fn stats(&self) -> OnceStats {
        lock(&self.entries).stats()
    }

    /// Looks at the key as it is now: who has been silent too long is not its owner any more, what is too old is gone.
    fn at<R>(&self, key: IdempotencyKey, look: impl FnOnce(&mut Entries, Instant) -> R) -> R {
        let now = Instant::now();
        let (lapsed, seen) = {
            let mut entries = lock(&self.entries);
            let lapsed = entries.lapse(key, now);
            entries.expire(key, now);
            (lapsed, look(&mut entries, now))
        };
        land(lapsed);
        seen
    }

    /// Waits for the owner, and notices when its lease is over.
    async fn landing(
        &self,
        flight: Arc<Flight>,
        key: IdempotencyKey,
        token: Token,
        mut lease_until: Option<Instant>,
    ) -> Settled {
        let mut landing = pin!(Flight::wait(flight));
        loop {
            let Some(until) = lease_until else { return landing.await };
            let mut lease = pin!(sleep_until(until));
            let settled = poll_fn(|context| {
                if let Poll::Ready(settled) = landing.as_mut().poll(context) {
                    return Poll::Ready(Some(settled));
                }
                lease.as_mut().poll(context).map(|()| None)
            });
            if let Some(settled) = settled.await {
                return settled;
            }
            lease_until = self.at(key, |entries, _| entries.lease_of(key, token));
        }
    }
}

const MAX_ENTRIES: usize = 100_000;
const MAX_BYTES: usize = 64 << 20;

fn land(over: Over) {
    if let Some((flight, settled)) = over {
        flight.land(settled);
    }
}

impl OnceStore for MemoryStore {
    fn claim(&self, claim: Claim) -> Soon<'_, Result<Claimed<'_>, StoreError>> {
        let found = self.at(claim.key, |entries, now| entries.claim(&claim, now));
        Soon::now(Ok(match found {
            Found::Vacant(token) => Claimed::Owner(token),
            Found::Running { flight, token, lease_until } => {
                Claimed::InFlight(Soon::later(async move {
                    Ok(self.landing(flight, claim.key, token, lease_until).await)
                }))
            }
            Found::Done(stored) => Claimed::Done(stored),
            Found::Unknown => Claimed::Unknown,
            Found::Reused => Claimed::Reused,
        }))
    }

    fn renew(&self, claim: Claim, token: Token) -> Soon<'_, Result<bool, StoreError>> {
        Soon::now(Ok(self.at(claim.key, |entries, now| entries.renew(&claim, token, now))))
    }

    fn finish(
        &self,
        claim: Claim,
        token: Token,
        ending: Ending,
    ) -> Soon<'_, Result<(), StoreError>> {
        land(self.at(claim.key, |entries, now| entries.finish(&claim, token, ending, now)));
        Soon::now(Ok(()))
    }

    fn abandon(&self, claim: Claim, token: Token) {
        land(self.at(claim.key, |entries, now| entries.abandon(&claim, token, now)));
    }

    fn forget(&self, key: IdempotencyKey) -> Soon<'_, Result<bool, StoreError>> {
        Soon::now(Ok(self.at(key, |entries, _| entries.forget(key))))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore").field(&self.stats()).finish()
    }
}
