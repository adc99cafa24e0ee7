//! Leave to send one request.

use std::{fmt, mem, time::Duration};

use tokio::time::Instant;

use super::{Limiter, ServerLimits};
use crate::{failure::FailureKind, guard::Key};

/// Leave to send one request, and a place among the calls in flight. What was reserved is given back when it is dropped:
///
/// - not [sent](Self::sent): all of it;
/// - sent and dropped: nothing, for the server may have done the work;
/// - [settled](Self::settle): what was not used.
///
/// What is told about the answer is learned from when the permit ends.
#[must_use = "a permit that is dropped is given back"]
pub struct Permit<'a> {
    limiter: &'a dyn Limiter,
    key: Key,
    ended: Ended,
}

/// What became of a permit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ended {
    /// When it was granted.
    pub granted: Instant,
    /// When it ended; `None` is now.
    pub at: Option<Instant>,
    /// The tokens that were reserved.
    pub reserved: u64,
    /// The tokens that were used.
    pub used: Used,
    /// The time from sending to the first token.
    pub first_token: Option<Duration>,
    /// What came of the request.
    pub outcome: Outcome,
    /// How long the server wants nothing to be sent.
    pub retry_after: Option<Duration>,
    /// The words of a throttle in this process: the number in its line, and the place of the key.
    pub(crate) number: u64,
    pub(crate) place: usize,
}

/// What a request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It was not sent.
    Unsent,
    /// It was sent; the estimate stands.
    Unknown,
    /// It was sent, and used so many tokens.
    Tokens(u64),
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was told.
    Unknown,
    /// An answer.
    Answered,
    /// A failure.
    Failed(FailureKind),
}

impl Ended {
    pub(crate) const fn unsent(reserved: u64, granted: Instant) -> Self {
        Self {
            granted,
            at: None,
            reserved,
            used: Used::Unsent,
            first_token: None,
            outcome: Outcome::Unknown,
            retry_after: None,
            number: 0,
            place: 0,
        }
    }

    pub(crate) const fn numbered(self, number: u64, place: usize) -> Self {
        Self { number, place, ..self }
    }
}

impl<'a> Permit<'a> {
    /// A permit of `tokens` that was granted at `now`, for those who implement a [`Limiter`].
    pub const fn new(limiter: &'a dyn Limiter, key: Key, tokens: u64, now: Instant) -> Self {
        Self { limiter, key, ended: Ended::unsent(tokens, now) }
    }

    pub(super) const fn numbered(
        limiter: &'a dyn Limiter,
        key: Key,
        tokens: u64,
        now: Instant,
        (number, place): (u64, usize),
    ) -> Self {
        Self { limiter, key, ended: Ended::unsent(tokens, now).numbered(number, place) }
    }

    /// What a limiter is told at its end, for whoever keeps it beside a handle of the limiter, and must tell it:
    /// [`Limiter::ended`].
    pub const fn into_ended(self) -> (Key, Ended) {
        let parts = (self.key, self.ended);
        mem::forget(self);
        parts
    }

    /// The tokens that are reserved.
    pub const fn tokens(&self) -> u64 {
        self.ended.reserved
    }

    /// The request goes out now: from here on the estimate stands until it is settled.
    pub const fn sent(&mut self) {
        if matches!(self.ended.used, Used::Unsent) {
            self.ended.used = Used::Unknown;
        }
    }

    /// The first token came, so long after the request was sent.
    pub const fn first_token(&mut self, after: Duration) {
        self.ended.first_token = Some(after);
    }

    /// What came of the request: `None` is an answer. [`FailureKind::RateLimit`] lowers the rate, that and an overload or a
    /// timeout the calls in flight; a bad answer is an answer.
    pub const fn outcome(&mut self, failure: Option<FailureKind>) {
        self.ended.outcome = match failure {
            None => Outcome::Answered,
            Some(kind) => Outcome::Failed(kind),
        };
    }

    /// What the server says that it allows. Heeded at once.
    pub fn limits(&self, limits: &ServerLimits) {
        self.limiter.limits(self.key, limits);
    }

    /// The time at which the permit ends, if it is known: spares a look at the clock.
    pub const fn at(&mut self, now: Instant) {
        self.ended.at = Some(now);
    }

    /// The request used so many tokens: the rest of the estimate is given back, what is over it is taken.
    pub fn settle(mut self, tokens: u64) {
        self.ended.used = Used::Tokens(tokens);
    }

    /// The request was not sent after all: everything is given back, as by dropping a permit that was not sent.
    pub fn refund(mut self) {
        self.ended.used = Used::Unsent;
    }

    /// The server did not take the request, and wants nothing to be sent for so long: nothing is. It counts as a request of
    /// no tokens. A [`FailureKind::RateLimit`], unless another [outcome](Self::outcome) was told.
    pub fn pushed_back(mut self, retry_after: Option<Duration>) {
        self.ended.used = Used::Tokens(0);
        self.ended.retry_after = retry_after;
        if !matches!(self.ended.outcome, Outcome::Failed(_)) {
            self.ended.outcome = Outcome::Failed(FailureKind::RateLimit);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter.ended(self.key, &self.ended);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("key", &self.key).field("ended", &self.ended).finish()
    }
}
