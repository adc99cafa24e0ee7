use std::{array, sync::atomic::Ordering};

use super::settings::BUCKETS;
use crate::guard::keyed::{SHARDS, Shard, mine, sync::AtomicU64};

/// How often something happened in the buckets of the window, written by one thread at a time. A bucket is the next one's place
/// ten buckets later, so that what is old goes without anybody clearing it.
#[derive(Debug, Default)]
pub(super) struct Ring([(u64, u64); BUCKETS]);

impl Ring {
    /// Once more, in this bucket.
    pub(super) fn add(&mut self, epoch: u64) {
        if let Some((of, count)) = self.0.get_mut(place(epoch)) {
            if epoch > *of {
                (*of, *count) = (epoch, 0);
            }
            // Told too late, it is no longer in the window.
            if epoch == *of {
                *count += 1;
            }
        }
    }

    /// How often in the window that ends with this bucket.
    pub(super) fn sum(&self, epoch: u64) -> u64 {
        self.0
            .iter()
            .filter(|(of, _)| of.abs_diff(epoch) < BUCKETS as u64)
            .map(|(_, count)| count)
            .sum()
    }
}

/// The same, written by many threads at once: a word for each bucket and shard, the bucket's number above the count.
#[derive(Debug)]
pub(super) struct Window([Shard<[AtomicU64; BUCKETS]>; SHARDS]);

/// The bucket's number is cut to 32 bits: in the shortest window it comes again after seven weeks.
const HALF: u32 = 32;

impl Window {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Shard(array::from_fn(|_| AtomicU64::new(0)))))
    }

    /// Once more, in this bucket.
    #[inline]
    pub(super) fn add(&self, epoch: u64) {
        let Some(word) = self.0.get(mine()).and_then(|shard| shard.0.get(place(epoch))) else {
            return;
        };
        let mut old = word.load(Ordering::Relaxed);
        loop {
            let new = match since(epoch, old) {
                0 if count(old) == u64::from(u32::MAX) => return,
                0 => old + 1,
                // Newer, by another thread's clock: told too late, this one is no longer in the window.
                age if age < 0 => return,
                _ => epoch << HALF | 1,
            };
            match word.compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => old = now,
            }
        }
    }

    /// How often in the window that ends with this bucket.
    pub(super) fn sum(&self, epoch: u64) -> u64 {
        let words = self.0.iter().flat_map(|shard| &shard.0);
        words
            .map(|word| word.load(Ordering::Acquire))
            .filter(|&word| u64::from(since(epoch, word).unsigned_abs()) < BUCKETS as u64)
            .map(count)
            .sum()
    }

    /// As if nothing had happened.
    pub(super) fn clear(&self) {
        for word in self.0.iter().flat_map(|shard| &shard.0) {
            word.store(0, Ordering::Release);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of 10")]
const fn place(epoch: u64) -> usize {
    (epoch % BUCKETS as u64) as usize
}

const fn count(word: u64) -> u64 {
    word & u32::MAX as u64
}

/// How many buckets before this one the word's is.
#[allow(clippy::cast_possible_truncation, reason = "numbers are compared in 32 bits")]
const fn since(epoch: u64, word: u64) -> i32 {
    (epoch as u32).wrapping_sub((word >> HALF) as u32).cast_signed()
}
