use std::{fmt, mem};

use tokio::time::Instant;

use super::{Came, Retries};
use crate::guard::Ticket;

/// One ask under way. Dropped before it was [`sent`](Self::sent) it gives back all that it took; after that its place alone, as
/// the request cost the provider what it costs.
#[must_use = "an ask that is dropped is over"]
pub struct Asking<'a> {
    retries: &'a dyn Retries,
    ticket: Ticket,
    dropped: Came,
}

impl<'a> Asking<'a> {
    /// An ask that this budget let through; it is settled there once.
    #[inline]
    pub const fn new(retries: &'a dyn Retries, ticket: Ticket) -> Self {
        Self { retries, ticket, dropped: Came::Unsent }
    }

    /// The ticket, for whoever keeps it beside a handle of the budget: [`new`](Self::new) makes an ask of it again, which must be
    /// settled.
    #[inline]
    pub fn into_ticket(self) -> Ticket {
        let ticket = self.ticket.again();
        mem::forget(self);
        ticket
    }

    /// The request goes out now.
    #[inline]
    pub const fn sent(&mut self) {
        self.dropped = Came::Nothing;
    }

    /// It was answered. At the first try that adds to the budget; at a retry it gives back what the retry cost.
    #[inline]
    pub fn success(self) {
        self.settle(Came::Answer, Instant::now());
    }

    /// It failed.
    #[inline]
    pub fn failure(self) {
        self.settle(Came::Nothing, Instant::now());
    }

    /// Says what came of it at this time.
    #[inline]
    pub fn settle(self, came: Came, now: Instant) {
        self.retries.settle(&self.ticket, came, now);
        // Nothing of it is left to drop.
        mem::forget(self);
    }
}

impl Drop for Asking<'_> {
    #[inline]
    fn drop(&mut self) {
        self.retries.settle(&self.ticket, self.dropped, Instant::now());
    }
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
