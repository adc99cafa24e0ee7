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
    over: bool,
}

impl<'a> Asking<'a> {
    /// An ask that this budget let through; it is settled there once.
    pub const fn new(retries: &'a dyn Retries, ticket: Ticket) -> Self {
        Self { retries, ticket, dropped: Came::Unsent, over: false }
    }

    /// The request goes out now.
    pub const fn sent(&mut self) {
        self.dropped = Came::Nothing;
    }

    /// It was answered. At the first try that adds to the budget; at a retry it gives back what the retry cost.
    pub fn success(self) {
        self.settle(Came::Answer, Instant::now());
    }

    /// It failed.
    pub fn failure(self) {
        self.settle(Came::Nothing, Instant::now());
    }

    /// Says what came of it at this time.
    pub fn settle(mut self, came: Came, now: Instant) {
        self.over = true;
        self.retries.settle(self.ticket.again(), came, now);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !mem::replace(&mut self.over, true) {
            self.retries.settle(self.ticket.again(), self.dropped, Instant::now());
        }
    }
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
