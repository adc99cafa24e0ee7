use std::{fmt, sync::Arc, time::Duration};

use super::{Fingerprint, IdempotencyKey};
use crate::{failure::FailureKind, guard::Soon};

/// Where it is kept which actions were run and what came of them. [`MemoryStore`](super::MemoryStore) is that of one
/// process.
///
/// A store holds **results**: the JSON of every value that a [`once`](super::Idempotency::once) gave, and the messages of
/// its permanent errors.
///
/// A key is *vacant*, *running* (somebody owns it), *done* or *unknown* (somebody owned it, and what came of it was not
/// stored). What a store promises:
///
/// - a claim of a vacant key makes the caller its only owner;
/// - no key is ever given to a second owner while it is running, done or unknown, but unknown ones to claims with
///   [`again`](Claim::again); done and unknown keys are vacant once their [`ttl`](Claim::ttl) has passed;
/// - a running key whose [`lease`](Claim::lease) passed without [`renew`](Self::renew) is unknown;
/// - a key with another fingerprint is [`Reused`](Claimed::Reused), whatever its state;
/// - a [`Token`] that no longer owns its key changes nothing, except that a late result makes an unknown key done;
/// - who waits is woken when the owner ends.
pub trait OnceStore: Send + Sync {
    /// Asks for the key. A future that is dropped before it is ready has claimed nothing; where a store cannot say that,
    /// the key becomes unknown with the lease.
    fn claim(&self, claim: Claim) -> Soon<'_, Result<Claimed<'_>, StoreError>>;

    /// The action still runs: the lease begins anew. `false` if the key is not the token's any more.
    fn renew(&self, claim: Claim, token: Token) -> Soon<'_, Result<bool, StoreError>>;

    /// The action ended.
    fn finish(
        &self,
        claim: Claim,
        token: Token,
        ending: Ending,
    ) -> Soon<'_, Result<(), StoreError>>;

    /// The owner is gone, and what came of the action is unknown. Called from `drop`, so it cannot wait: a store that
    /// cannot do it at once leaves it to the lease.
    fn abandon(&self, claim: Claim, token: Token);

    /// Makes a done or unknown key vacant. `false` if it was not one of these; a running key stays.
    fn forget(&self, key: IdempotencyKey) -> Soon<'_, Result<bool, StoreError>>;
}

impl<S: OnceStore + ?Sized> OnceStore for Arc<S> {
    fn claim(&self, claim: Claim) -> Soon<'_, Result<Claimed<'_>, StoreError>> {
        (**self).claim(claim)
    }

    fn renew(&self, claim: Claim, token: Token) -> Soon<'_, Result<bool, StoreError>> {
        (**self).renew(claim, token)
    }

    fn finish(
        &self,
        claim: Claim,
        token: Token,
        ending: Ending,
    ) -> Soon<'_, Result<(), StoreError>> {
        (**self).finish(claim, token, ending)
    }

    fn abandon(&self, claim: Claim, token: Token) {
        (**self).abandon(claim, token);
    }

    fn forget(&self, key: IdempotencyKey) -> Soon<'_, Result<bool, StoreError>> {
        (**self).forget(key)
    }
}

/// What is asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The key.
    pub key: IdempotencyKey,
    /// What is asked for under it; `None` is not compared.
    pub fingerprint: Option<Fingerprint>,
    /// How long the owner may be silent.
    pub lease: Duration,
    /// How long a result is kept from when it is there, and an unknown outcome from when it is unknown.
    pub ttl: Duration,
    /// Whether an unknown key is given to a new owner.
    pub again: bool,
}

impl Claim {
    /// A claim without a fingerprint, at most once, with a lease of a minute, for a day.
    pub const fn new(key: IdempotencyKey) -> Self {
        Self { key, fingerprint: None, lease: super::LEASE, ttl: super::TTL, again: false }
    }
}

/// What a store says to a [`Claim`].
#[derive(Debug)]
pub enum Claimed<'a> {
    /// Run the action: nobody else does.
    Owner(Token),
    /// Somebody runs it; here is what comes of it, once it is there.
    InFlight(Soon<'a, Result<Settled, StoreError>>),
    /// It was run.
    Done(Stored),
    /// It was begun, and what came of it is not known.
    Unknown,
    /// The key was used for something else.
    Reused,
}

/// Proof that a claim was granted. Of one store, no two are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u128);

impl Token {
    /// A token with these bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits, for a store that keeps them.
    pub const fn to_bits(self) -> u128 {
        self.0
    }
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With what every later caller gets.
    Keep(Stored),
    /// With an error that another try may not meet: the key is vacant, and those who wait get the error.
    Free(KeptError),
}

/// What comes to somebody who waits for another's action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was run.
    Done(Stored),
    /// It failed, and may be tried again.
    Freed(KeptError),
    /// Its owner is gone.
    Unknown,
}

/// What is kept of an action.
#[derive(Clone, PartialEq, Eq)]
pub enum Stored {
    /// The JSON of its value.
    Value(Arc<[u8]>),
    /// Its permanent error.
    Error(KeptError),
}

impl Stored {
    /// How many bytes there are to keep.
    pub fn size(&self) -> usize {
        match self {
            Stored::Value(json) => json.len(),
            Stored::Error(error) => error.message.len(),
        }
    }
}

impl fmt::Debug for Stored {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stored::Value(json) => write!(f, "Value({} bytes)", json.len()),
            Stored::Error(error) => f.debug_tuple("Error").field(error).finish(),
        }
    }
}

/// An error of an action that another caller ran, as far as it can be kept: its kind and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptError {
    kind: FailureKind,
    message: Arc<str>,
}

impl KeptError {
    /// An error of this kind with this message.
    pub fn new(kind: FailureKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The kind that the error said it is.
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What its `Display` said.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for KeptError {}

/// A store could not be asked. One in this process always can.
#[derive(Clone, Debug)]
pub struct StoreError(Arc<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// The store's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of results cannot be asked: {}", self.0)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
