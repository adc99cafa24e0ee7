use std::{convert::Infallible, fmt, future::poll_fn, pin::pin, task::Poll, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::sleep;

use super::{
    After, Fingerprint, IdempotencyKey, LEASE,
    error::OnceError,
    store::{Claim, Claimed, Ending, KeptError, OnceStore, Settled, Stored, Token},
};
use crate::failure::{Classify, FailureKind};

/// How an action is run once: made by [`Idempotency`](super::Idempotency)'s methods.
#[must_use = "nothing is run before `once`"]
pub struct Once<'s, S: ?Sized> {
    store: &'s S,
    fingerprint: Option<Fingerprint>,
    lease: Duration,
    again: bool,
    after: fn(FailureKind) -> After,
}

impl<'s, S: OnceStore + ?Sized> Once<'s, S> {
    pub(super) const fn new(store: &'s S) -> Self {
        Self { store, fingerprint: None, lease: LEASE, again: false, after: After::default_for }
    }

    /// Refuses the key with [`KeyReused`](OnceError::KeyReused) where it was used with another fingerprint. Without this
    /// nothing is compared.
    pub const fn fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// Runs the action again where nobody knows what came of it, instead of
    /// [`OutcomeUnknown`](OnceError::OutcomeUnknown). For what may be done twice.
    pub const fn at_least_once(self) -> Self {
        Self { again: true, ..self }
    }

    /// How long the owner may be silent before its action counts as lost; a minute by default. It tells the store three
    /// times in a lease that it is there, as long as the future is polled. At least 30 ms.
    pub const fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// What becomes of the key after an error, by its kind; [`After::default_for`] by default.
    ///
    /// ```
    /// use fcretry::{FailureKind, guard::{After, Idempotency}};
    ///
    /// static PAYMENTS: Idempotency = Idempotency::new();
    ///
    /// // This provider says so itself when it has seen a request twice.
    /// let payments = PAYMENTS.options().after(|kind| match kind {
    ///     FailureKind::Timeout | FailureKind::TransientNetwork => After::Free,
    ///     other => After::default_for(other),
    /// });
    /// # let _ = payments;
    /// ```
    pub const fn after(self, after: fn(FailureKind) -> After) -> Self {
        Self { after, ..self }
    }

    /// Runs `action` unless it was run under this key: see [`Idempotency::once`](super::Idempotency::once).
    ///
    /// # Errors
    ///
    /// The action's own and those of [`OnceError`].
    pub async fn once<T, E, A, F>(
        self,
        key: IdempotencyKey,
        ttl: Duration,
        action: A,
    ) -> Result<T, OnceError<E>>
    where
        T: Serialize + DeserializeOwned,
        E: Classify + fmt::Display,
        A: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        let lease = self.lease.max(Duration::from_millis(30));
        let Self { fingerprint, again, .. } = self;
        let claim = Claim { key, fingerprint, lease, ttl, again };
        loop {
            return match self.store.claim(claim).await.map_err(OnceError::Store)? {
                Claimed::Owner(token) => self.run(claim, token, action).await,
                Claimed::Done(stored) => read(stored),
                Claimed::InFlight(landing) => match landing.await.map_err(OnceError::Store)? {
                    Settled::Done(stored) => read(stored),
                    Settled::Freed(error) => Err(OnceError::Earlier(error)),
                    Settled::Unknown if again => continue,
                    Settled::Unknown => Err(OnceError::OutcomeUnknown),
                },
                Claimed::Unknown => Err(OnceError::OutcomeUnknown),
                Claimed::Reused => Err(OnceError::KeyReused),
            };
        }
    }

    /// Runs the action as the owner of its key. From here on, whatever does not end with `finish` leaves it unknown.
    async fn run<T, E, A, F>(
        &self,
        claim: Claim,
        token: Token,
        action: A,
    ) -> Result<T, OnceError<E>>
    where
        T: Serialize,
        E: Classify + fmt::Display,
        A: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        let mut owned = Owned { store: self.store, claim, token, ended: false };
        let result = owned.renewed(action()).await;
        let ending = match &result {
            // A value that has no JSON is the caller's all the same, and the action was run: nobody runs it again.
            Ok(value) => {
                serde_json::to_vec(value).ok().map(|json| Ending::Keep(Stored::Value(json.into())))
            }
            Err(error) => {
                let kept = || KeptError::new(error.kind(), error.to_string());
                match (self.after)(error.kind()) {
                    After::Keep => Some(Ending::Keep(Stored::Error(kept()))),
                    After::Doubt if !self.again => None,
                    After::Free | After::Doubt => Some(Ending::Free(kept())),
                }
            }
        };
        if let Some(ending) = ending {
            owned.finish(ending).await;
        }
        result.map_err(OnceError::Failed)
    }
}

impl<S: ?Sized> Clone for Once<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ?Sized> Copy for Once<'_, S> {}

impl<S: ?Sized> fmt::Debug for Once<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once")
            .field("fingerprint", &self.fingerprint)
            .field("lease", &self.lease)
            .field("at_least_once", &self.again)
            .finish_non_exhaustive()
    }
}

/// The ownership of a key whose action was begun. Dropped before its end is stored, it leaves the key unknown.
struct Owned<'s, S: OnceStore + ?Sized> {
    store: &'s S,
    claim: Claim,
    token: Token,
    ended: bool,
}

impl<S: OnceStore + ?Sized> Owned<'_, S> {
    /// Awaits `action`, and keeps the lease while it takes time. A renewal that fails is tried again with the next.
    async fn renewed<F: Future>(&self, action: F) -> F::Output {
        let mut action = pin!(action);
        let mut renewals = pin!(async {
            loop {
                sleep(self.claim.lease / 3).await;
                let _ = self.store.renew(self.claim, self.token).await;
            }
        });
        poll_fn(|context| {
            if let Poll::Ready(output) = action.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            let renewals: Poll<Infallible> = renewals.as_mut().poll(context);
            match renewals {
                Poll::Pending => Poll::Pending,
                Poll::Ready(never) => match never {},
            }
        })
        .await
    }

    /// A store that cannot be told leaves the key unknown; the result is this caller's all the same.
    async fn finish(&mut self, ending: Ending) {
        self.ended = self.store.finish(self.claim, self.token, ending).await.is_ok();
    }
}

impl<S: OnceStore + ?Sized> Drop for Owned<'_, S> {
    fn drop(&mut self) {
        if !self.ended {
            self.store.abandon(self.claim, self.token);
        }
    }
}

fn read<T: DeserializeOwned, E>(stored: Stored) -> Result<T, OnceError<E>> {
    match stored {
        Stored::Value(json) => {
            serde_json::from_slice(&json).map_err(|error| OnceError::Unreadable(error.to_string()))
        }
        Stored::Error(error) => Err(OnceError::Earlier(error)),
    }
}
