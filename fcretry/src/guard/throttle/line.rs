//! Those who wait, in the order in which they came.

use std::{
    collections::{BTreeMap, btree_map::OccupiedEntry},
    task::Waker,
};

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) tokens: u64,
    /// When it came, in seconds since the start.
    pub(super) since: f64,
    /// When it wakes by itself, in the same.
    pub(super) alarm: f64,
    pub(super) waker: Waker,
}

/// All who come have a number, whether they must wait or not. Numbers grow, and are served in their order: one below `served`
/// that did not leave was served.
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

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// The tokens of all who wait.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Where in the order of numbers the next one is served.
    #[inline]
    pub(super) fn served(&self) -> u64 {
        self.served
    }

    /// The number of one who is served without waiting, as nobody waits.
    #[inline]
    pub(super) fn pass(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.served = self.next;
        number
    }

    pub(super) fn join(&mut self, waiter: Waiter) -> u64 {
        let number = self.next;
        self.next += 1;
        self.tokens = self.tokens.saturating_add(waiter.tokens);
        self.waiters.insert(number, waiter);
        number
    }

    pub(super) fn first(&self) -> Option<(u64, &Waiter)> {
        self.waiters.first_key_value().map(|(number, waiter)| (*number, waiter))
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Waiter> {
        self.waiters.first_entry().map(OccupiedEntry::into_mut)
    }

    pub(super) fn serve_first(&mut self) -> Option<(u64, Waiter)> {
        let (number, waiter) = self.waiters.pop_first()?;
        self.served = number + 1;
        self.tokens = self.tokens.saturating_sub(waiter.tokens);
        Some((number, waiter))
    }

    pub(super) fn was_served(&self, number: u64) -> bool {
        number < self.served
    }

    pub(super) fn leave(&mut self, number: u64) -> Option<Waiter> {
        let waiter = self.waiters.remove(&number)?;
        self.tokens = self.tokens.saturating_sub(waiter.tokens);
        Some(waiter)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Waiter> {
        self.waiters.get_mut(&number)
    }
}
