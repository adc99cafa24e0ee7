//! The circuit breaker: an endpoint that fails is left alone for a while, and then tried by a few.

mod circuit;
mod circuit_breaker;
mod counts;
#[cfg(test)]
mod laws;
#[cfg(loom)]
#[cfg(test)]
mod loom_tests;
mod permit;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;
mod window;

use std::{fmt, time::Duration};

pub use circuit_breaker::CircuitBreaker;
pub use counts::{Counts, counts};
pub use permit::{Permit, Receipt};
pub use snapshot::{Change, Snapshot, State};
use tokio::time::Instant;

use super::{Key, Soon, Ticket};

/// A circuit breaker: says whether an endpoint may be asked, and is told how it went. [`CircuitBreaker`] is one in this
/// process.
///
/// ```
/// use fcretry::guard::{Breaker, CircuitBreaker, Key};
///
/// static OPENAI: CircuitBreaker = CircuitBreaker::new();
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let key = Key::of("https://api.openai.com/v1");
/// match OPENAI.admit(key).await {
///     Ok(permit) => {
///         // ask the endpoint, then say how it went
///         permit.success();
///     }
///     Err(open) => println!("not before {:?}", open.retry_in),
/// }
/// # });
/// ```
pub trait Breaker: Send + Sync {
    /// Whether this endpoint may be asked at this time. The permit is given back when the ask has ended; one that is dropped
    /// gives back the probe that it is, and counts as nothing.
    fn admit_at(&self, key: Key, now: Instant) -> Soon<'_, Result<Permit<'_>, Open>>;

    /// Whether this endpoint may be asked now.
    fn admit(&self, key: Key) -> Soon<'_, Result<Permit<'_>, Open>> {
        self.admit_at(key, Instant::now())
    }

    /// How what was admitted went. For permits, which call it once each; a guard that is not in this process sends it on in
    /// its own time.
    fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Instant);

    /// The call that got this receipt used up its repairs: counts as one failure, unless the state has changed since.
    fn exhausted(&self, receipt: Receipt, now: Instant) {
        self.settle(receipt.ticket(), Verdict::Exhausted, now);
    }
}

/// How an ask that was admitted went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint is well.
    Success,
    /// The endpoint is not well.
    Failure,
    /// It says nothing about the endpoint. A probe is given back.
    Ignored,
    /// The permit was dropped: nobody waited for the answer. A probe is given back.
    Dropped,
    /// After [`Ignored`](Self::Ignored): the call's repairs were used up, which counts as a failure. There is no probe to give
    /// back.
    Exhausted,
}

/// The breaker is open: the endpoint is not to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Open {
    /// The time until the next probe may be let through. While probes are under way nobody knows when they end; then it is a
    /// guess of at most 1 s.
    pub retry_in: Duration,
}

impl Open {
    /// Open for this long.
    pub const fn new(retry_in: Duration) -> Self {
        Self { retry_in }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit breaker is open; the next probe is in {:?}", self.retry_in)
    }
}

impl std::error::Error for Open {}
