//! Those who wait, in the order in which they came.

use std::{
    collections::{BTreeMap, btree_map::OccupiedEntry},
    task::Waker,
};

/// Wakers to be called once the lock is let go.
#[derive(Debug, Default)]
pub(super) struct Wakes(Vec<Waker>);

impl Wakes {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, waker: Waker) {
        self.0.push(waker);
    }

    pub(super) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) tokens: u64,
    /// When it wakes by itself, in seconds since the lane's start.
    pub(super) alarm: f64,
    pub(super) waker: Waker,
}

/// A waiter's place is a ticket. Tickets grow, and are served in their order: one below `served` that did not leave was served.
#[derive(Debug)]
pub(super) struct Line {
    waiters: BTreeMap<u64, Waiter>,
    next: u64,
    served: u64,
    tokens: u64,
}

impl Line {
    pub(super) const fn empty() -> Self {
        Self { waiters: BTreeMap::new(), next: 0, served: 0, tokens: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// The tokens of all who wait.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(super) fn join(&mut self, waiter: Waiter) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.tokens = self.tokens.saturating_add(waiter.tokens);
        self.waiters.insert(ticket, waiter);
        ticket
    }

    pub(super) fn first(&self) -> Option<&Waiter> {
        self.waiters.first_key_value().map(|(_, waiter)| waiter)
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Waiter> {
        self.waiters.first_entry().map(OccupiedEntry::into_mut)
    }

    pub(super) fn serve_first(&mut self) -> Option<Waiter> {
        let (ticket, waiter) = self.waiters.pop_first()?;
        self.served = ticket + 1;
        self.tokens = self.tokens.saturating_sub(waiter.tokens);
        Some(waiter)
    }

    pub(super) fn was_served(&self, ticket: u64) -> bool {
        ticket < self.served
    }

    pub(super) fn leave(&mut self, ticket: u64) {
        if let Some(waiter) = self.waiters.remove(&ticket) {
            self.tokens = self.tokens.saturating_sub(waiter.tokens);
        }
    }

    pub(super) fn get_mut(&mut self, ticket: u64) -> Option<&mut Waiter> {
        self.waiters.get_mut(&ticket)
    }

    /// The tokens of each, from the first on.
    pub(super) fn each(&self) -> impl Iterator<Item = u64> {
        self.waiters.values().map(|waiter| waiter.tokens)
    }

    /// The same of those before a ticket.
    pub(super) fn before(&self, ticket: u64) -> impl Iterator<Item = u64> {
        self.waiters.range(..ticket).map(|(_, waiter)| waiter.tokens)
    }
}
