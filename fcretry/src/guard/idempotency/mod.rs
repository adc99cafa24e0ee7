//! A side effect is run once for its key, however often it is asked for.
//!
//! ```
//! use fcretry::{FailureKind, guard::{Fingerprint, Idempotency, IdempotencyKey, idempotency}};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize)]
//! struct Payment<'a> { customer: &'a str, order: u64, cents: u64 }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Receipt { id: u64, cents: u64 }
//!
//! # #[derive(Debug)] struct Declined;
//! # impl std::fmt::Display for Declined {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("declined") }
//! # }
//! # impl std::error::Error for Declined {}
//! # impl fcretry::Classify for Declined { fn kind(&self) -> FailureKind { FailureKind::Application } }
//! # static CHARGED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
//! async fn charge(payment: &Payment<'_>) -> Result<Receipt, Declined> {
//!     // The request to the provider of payments.
//! #   let id = CHARGED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
//! #   Ok(Receipt { id, cents: payment.cents })
//! }
//!
//! // Receipts and reasons for declining are kept in it, for a day.
//! static PAYMENTS: Idempotency = Idempotency::new();
//!
//! async fn pay(payment: &Payment<'_>) -> Result<Receipt, Box<dyn std::error::Error>> {
//!     let key = IdempotencyKey::derived(&payment.order, "shop::pay")?;
//!     let receipt = PAYMENTS
//!         .options()
//!         .fingerprint(Fingerprint::of(payment)?) // another amount for the same order is an error
//!         .once(key, idempotency::TTL, || charge(payment))
//!         .await?;
//!     Ok(receipt)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let payment = Payment { customer: "ada", order: 17, cents: 4_200 };
//! // A model that calls the tool twice, or a user who clicks twice, pays once.
//! assert_eq!(pay(&payment).await.unwrap(), pay(&payment).await.unwrap());
//! assert!(pay(&Payment { cents: 9_900, ..payment }).await.is_err());
//! # assert_eq!(CHARGED.load(std::sync::atomic::Ordering::Relaxed), 1);
//! # });
//! ```
//!
//! Concurrent callers wait for the one who runs the action, later ones get its result. What cannot be known is never
//! guessed: an action that was begun and dropped (a timeout around it, a task that was aborted, a panic) leaves its key
//! *unknown*, and later callers get [`OutcomeUnknown`](OnceError::OutcomeUnknown) until the time to live has passed or
//! somebody who has looked calls [`forget`](Idempotency::forget).

mod after;
mod canonical;
mod digest;
mod error;
mod flight;
mod key;
mod memory;
mod once;
mod store;
mod sync;

#[cfg(test)]
#[cfg(loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;

use std::{fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    after::After,
    error::OnceError,
    key::{Fingerprint, IdempotencyKey, InvalidKey, NotDerivable},
    memory::{MemoryStore, OnceStats},
    once::Once,
    store::{Claim, Claimed, Ending, KeptError, OnceStore, Settled, StoreError, Stored, Token},
};
use crate::failure::Classify;

/// How long results are kept where nobody has a reason for another time: a day.
pub const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an owner may be silent, by default: a minute.
pub const LEASE: Duration = Duration::from_secs(60);

/// Runs actions at most once for each key. A handle on a [`OnceStore`]: in this process ([`new`](Self::new)) or one that
/// is shared ([`with_store`](Self::with_store)).
#[derive(Clone, Debug, Default)]
pub struct Idempotency<S = MemoryStore> {
    store: S,
}

impl Idempotency {
    /// With a [`MemoryStore`] of its own.
    #[cfg(not(all(test, loom)))]
    pub const fn new() -> Self {
        Self { store: MemoryStore::new() }
    }

    /// With a [`MemoryStore`] of its own.
    #[cfg(all(test, loom))]
    pub fn new() -> Self {
        Self { store: MemoryStore::new() }
    }
}

impl<S: OnceStore> Idempotency<S> {
    /// With this store: a `MemoryStore` with other limits, an `Arc<dyn OnceStore>`.
    pub const fn with_store(store: S) -> Self {
        Self { store }
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// What can be chosen before [`Once::once`]: a fingerprint, at least once, the lease, what an error means.
    pub const fn options(&self) -> Once<'_, S> {
        Once::new(&self.store)
    }

    /// [`options`](Self::options) that run an action again of which nobody knows what came.
    pub const fn at_least_once(&self) -> Once<'_, S> {
        self.options().at_least_once()
    }

    /// Runs `action` and keeps its result for `ttl` ([`TTL`] if in doubt); whoever asks again with `key` meanwhile gets
    /// that result, and whoever asks while it runs waits for it. The value is kept **as JSON in the store**.
    ///
    /// - An error is kept if it is permanent, as its kind and message; if nothing was done the key is free again; if the
    ///   request went out and its answer was lost, nobody knows ([`After`]).
    /// - Once `action` was called, whatever keeps its end from being stored leaves the key unknown: this future is
    ///   dropped, the action panics, the store cannot be told, the value has no JSON. The caller that has a value gets it
    ///   in the last two cases. A future that is dropped earlier leaves nothing.
    /// - Those who wait are woken when the owner ends or is dropped.
    ///
    /// # Errors
    ///
    /// The action's own and those of [`OnceError`].
    pub async fn once<T, E, A, F>(
        &self,
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
        self.options().once(key, ttl, action).await
    }

    /// Makes a key free whose action was run or is unknown, for people who have looked what came of it and know. `false`
    /// if there was no such key; one whose action runs stays.
    ///
    /// # Errors
    ///
    /// If the store cannot be asked.
    pub async fn forget(&self, key: IdempotencyKey) -> Result<bool, StoreError> {
        self.store.forget(key).await
    }
}

impl Idempotency {
    /// The figures of the store.
    pub fn stats(&self) -> OnceStats {
        self.store.stats()
    }
}
