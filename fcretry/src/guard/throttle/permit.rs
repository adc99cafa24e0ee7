//! Leave to send one request.

use std::{
    fmt,
    mem::{self, ManuallyDrop},
    time::Duration,
};

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
#[repr(C)]
pub struct Permit<'a> {
    limiter: &'a dyn Limiter,
    key: Key,
    reserved: u64,
    number: u64,
    place: u64,
    first_token: Option<Duration>,
    at: Option<Instant>,
    outcome: Outcome,
    is_sent: bool,
    /// The last: what a permit is in (a `Result`, a `Soon`) leaves its mark here, and what is before is moved by whole words. A
    /// processor that has just written it by others waits.
    granted: Instant,
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
    /// The words of a throttle in this process: the number in its line, and where and when that was.
    pub(crate) number: u64,
    pub(crate) place: u64,
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
    #[inline]
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

    #[inline]
    pub(crate) const fn numbered(self, number: u64, place: u64) -> Self {
        Self { number, place, ..self }
    }
}

impl<'a> Permit<'a> {
    /// A permit of `tokens` that was granted at `now`, for those who implement a [`Limiter`].
    #[inline]
    pub const fn new(limiter: &'a dyn Limiter, key: Key, tokens: u64, now: Instant) -> Self {
        Self::numbered(limiter, key, tokens, now, (0, 0))
    }

    #[inline]
    pub(super) const fn numbered(
        limiter: &'a dyn Limiter,
        key: Key,
        tokens: u64,
        now: Instant,
        (number, place): (u64, u64),
    ) -> Self {
        Self {
            limiter,
            key,
            reserved: tokens,
            number,
            place,
            first_token: None,
            at: None,
            outcome: Outcome::Unknown,
            is_sent: false,
            granted: now,
        }
    }

    /// What a limiter is told at its end, for whoever keeps it beside a handle of the limiter, and must tell it:
    /// [`Limiter::ended`].
    #[inline]
    pub const fn into_ended(self) -> (Key, Ended) {
        let parts = (self.key, self.told());
        mem::forget(self);
        parts
    }

    /// What is told at the end, if nothing more is.
    #[inline]
    const fn told(&self) -> Ended {
        Ended {
            granted: self.granted,
            at: self.at,
            reserved: self.reserved,
            used: if self.is_sent { Used::Unknown } else { Used::Unsent },
            first_token: self.first_token,
            outcome: self.outcome,
            retry_after: None,
            number: self.number,
            place: self.place,
        }
    }

    /// It ends, with this said.
    #[inline]
    fn end(self, say: impl FnOnce(&mut Ended)) {
        let this = ManuallyDrop::new(self);
        let mut ended = this.told();
        say(&mut ended);
        this.limiter.ended(this.key, &ended);
    }

    /// The tokens that are reserved.
    #[inline]
    pub const fn tokens(&self) -> u64 {
        self.reserved
    }

    /// The request goes out now: from here on the estimate stands until it is settled.
    #[inline]
    pub const fn sent(&mut self) {
        self.is_sent = true;
    }

    /// The first token came, so long after the request was sent.
    #[inline]
    pub const fn first_token(&mut self, after: Duration) {
        self.first_token = Some(after);
    }

    /// What came of the request: `None` is an answer. [`FailureKind::RateLimit`] lowers the rate and, as an overload and a
    /// timeout do, the calls in flight; a bad answer is an answer.
    #[inline]
    pub const fn outcome(&mut self, failure: Option<FailureKind>) {
        self.outcome = match failure {
            None => Outcome::Answered,
            Some(kind) => Outcome::Failed(kind),
        };
    }

    /// What the server says that it allows. Heeded at once.
    pub fn limits(&self, limits: &ServerLimits) {
        self.limiter.limits(self.key, limits);
    }

    /// The time at which the permit ends, if it is known: spares a look at the clock.
    #[inline]
    pub const fn at(&mut self, now: Instant) {
        self.at = Some(now);
    }

    /// The request used so many tokens: the rest of the estimate is given back, what is over it is taken.
    #[inline]
    pub fn settle(self, tokens: u64) {
        self.end(|ended| ended.used = Used::Tokens(tokens));
    }

    /// The request was not sent after all: everything is given back, as by dropping a permit that was not sent.
    pub fn refund(self) {
        self.end(|ended| ended.used = Used::Unsent);
    }

    /// The server did not take the request, and wants nothing to be sent for so long: nothing is. It counts as a request of
    /// no tokens. A [`FailureKind::RateLimit`], unless another [outcome](Self::outcome) was told.
    pub fn pushed_back(self, retry_after: Option<Duration>) {
        self.end(|ended| {
            (ended.used, ended.retry_after) = (Used::Tokens(0), retry_after);
            if !matches!(ended.outcome, Outcome::Failed(_)) {
                ended.outcome = Outcome::Failed(FailureKind::RateLimit);
            }
        });
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter.ended(self.key, &self.told());
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("key", &self.key).field("ended", &self.told()).finish()
    }
}
