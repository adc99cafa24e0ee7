//! The states of all keys.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use tokio::time::Instant;

use super::{lane::Lane, settings::Settings};
use crate::guard::Key;

/// How many keys are remembered.
pub(super) const KEYS: usize = 1024;

/// A [`Key`] is a hash already.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Debug)]
pub(super) struct Lanes(HashMap<Key, Box<Lane>, BuildHasherDefault<Hashed>>);

impl Lanes {
    pub(super) const fn none() -> Self {
        Self(HashMap::with_hasher(BuildHasherDefault::new()))
    }

    /// The one of a key, if it was asked before.
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Lane> {
        self.0.get_mut(&key).map(|lane| &mut **lane)
    }

    /// The one of a key; a new one if it was not asked before, or too long ago.
    pub(super) fn of(&mut self, key: Key, settings: &Settings, now: Instant) -> &mut Lane {
        if self.0.len() >= KEYS && !self.0.contains_key(&key) {
            self.forget(now);
        }
        self.0.entry(key).or_insert_with(|| Box::new(Lane::new(settings, now)))
    }

    /// Forgets those that would be the same if they were new; if there are none, the one not asked for the longest time. One
    /// with calls in flight or waiting is never forgotten.
    #[cold]
    fn forget(&mut self, now: Instant) {
        self.0.retain(|_, lane| !lane.is_rested(now));
        if self.0.len() < KEYS {
            return;
        }
        let idle = self.0.iter().filter(|(_, lane)| lane.is_idle());
        if let Some(key) = idle.min_by_key(|(_, lane)| lane.asked).map(|(key, _)| *key) {
            self.0.remove(&key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.0.values().map(|lane| &**lane)
    }
}
