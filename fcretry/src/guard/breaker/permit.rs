use std::{fmt, mem};

use tokio::time::Instant;

use super::{Breaker, Counts, Verdict, counts};
use crate::{FailureKind, guard::Ticket};

/// The permission to ask an endpoint once. Say how it went; a permit that is dropped counts as nothing, and gives back the
/// probe that it may be. A time limit that drops an ask must say [`failure`](Self::failure) first, or the breaker never learns
/// that the endpoint hangs (or see [`CircuitBreaker::cut_after`](super::CircuitBreaker::cut_after)).
#[must_use = "a permit that is dropped counts as nothing"]
pub struct Permit<'a> {
    breaker: &'a dyn Breaker,
    ticket: Ticket,
}

impl<'a> Permit<'a> {
    /// A permit that this breaker gives; it is settled there once.
    #[inline]
    pub const fn new(breaker: &'a dyn Breaker, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    /// The ticket, for whoever keeps it beside a handle of the breaker: [`new`](Self::new) makes a permit of it again, which must
    /// be settled.
    #[inline]
    pub fn into_ticket(self) -> Ticket {
        let ticket = self.ticket.again();
        mem::forget(self);
        ticket
    }

    /// The endpoint answered.
    #[inline]
    pub fn success(self) {
        self.give_back(Verdict::Success, Instant::now());
    }

    /// The endpoint failed, or took too long.
    #[inline]
    pub fn failure(self) {
        self.give_back(Verdict::Failure, Instant::now());
    }

    /// What came says nothing about the endpoint's health: a refusal, a rate limit, a bad answer. The receipt is for
    /// [`Breaker::exhausted`].
    pub fn ignore(self) -> Receipt {
        let receipt = Receipt(self.ticket.again());
        self.give_back(Verdict::Ignored, Instant::now());
        receipt
    }

    /// Says how it went by the kind of failure, if any, as [`counts`] has it. Of a bad answer the receipt is returned: should the
    /// call use up its repairs, hand it to [`Breaker::exhausted`].
    #[inline]
    pub fn settle(self, failed: Option<FailureKind>, now: Instant) -> Option<Receipt> {
        match failed.map(counts) {
            None => self.give_back(Verdict::Success, now),
            Some(Counts::Each) => self.give_back(Verdict::Failure, now),
            Some(Counts::Never) => self.give_back(Verdict::Ignored, now),
            Some(Counts::Exhausted) => {
                let receipt = Receipt(self.ticket.again());
                self.give_back(Verdict::Ignored, now);
                return Some(receipt);
            }
        }
        None
    }

    #[inline]
    fn give_back(self, verdict: Verdict, now: Instant) {
        self.breaker.settle(&self.ticket, verdict, now);
        // Nothing of it is left to drop. A flag instead would make each move of a permit cost as much as the rest of it.
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.settle(&self.ticket, Verdict::Dropped, Instant::now());
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// What is left of a permit that was ignored: by it a call that uses up its repairs is counted, if the breaker's state is still
/// the one that admitted it.
#[derive(Debug)]
pub struct Receipt(Ticket);

impl Receipt {
    pub(super) const fn ticket(&self) -> &Ticket {
        &self.0
    }
}
