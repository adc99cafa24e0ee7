//! State by key in bounded memory: found without a lock and without a write, so that threads do not wait for each other.

mod clock;
mod shards;
mod share;
pub(super) mod sync;

use std::{
    array,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub(super) use clock::{Ticks, nanos, ticks, ticks_at};
pub(crate) use shards::{SHARDS, Shard, mine};
pub(super) use share::Share;
use tokio::time::Instant;

use super::Key;

/// How many keys are kept at most.
pub(super) const CAPACITY: usize = 256;
/// How many places a key may be at.
const RUN: usize = 16;
/// The key of a place that holds none, or none just now.
const NONE: u64 = 0;

/// The state of one key.
pub(super) trait Cell {
    /// The state of a key that was never seen.
    fn fresh() -> Self;
    /// Becomes that again, for another key.
    fn renew(&self);
    /// Whether it can be forgotten, and how much would be lost: what is worth least goes first.
    fn worth(&self) -> Option<u8>;
}

/// Up to [`CAPACITY`] keys with a state each. A key that comes when its places are taken has the one that was idle longest.
pub(super) struct Table<C> {
    room: OnceLock<Room<C>>,
    /// Held while a key gets its place.
    placing: Mutex<()>,
}

struct Room<C> {
    slots: Box<[Slot<C>; CAPACITY]>,
}

struct Slot<C> {
    key: AtomicU64,
    /// When it was last looked for, in 2²⁰ ticks: about a second.
    used: AtomicU64,
    cell: OnceLock<Box<C>>,
}

/// Where a key's state is.
pub(super) struct Place<'a, C> {
    pub(super) number: usize,
    pub(super) cell: &'a C,
    pub(super) now: Ticks,
    key: &'a AtomicU64,
}

impl<C> Place<'_, C> {
    /// Whether the place was the key's all the while: what was read of the state since it was found is of that key.
    #[inline]
    pub(super) fn is_still(&self, key: Key) -> bool {
        self.key.load(Ordering::Acquire) == id(key)
    }
}

const fn id(key: Key) -> u64 {
    if key.bits() == NONE { 1 } else { key.bits() }
}

impl<C: Cell> Table<C> {
    pub(super) const fn new() -> Self {
        Self { room: OnceLock::new(), placing: Mutex::new(()) }
    }

    /// The place of a key, its own from now on.
    #[inline]
    pub(super) fn place(&self, key: Key, now: Instant) -> Place<'_, C> {
        let room = self.room.get_or_init(Room::new);
        let (number, slot) = match room.home(key) {
            home if home.1.is_of(key) => home,
            _ => room.find(key).unwrap_or_else(|| self.make(room, key)),
        };
        let place = slot.place(number, slot.cell(), now);
        let used = place.now >> 20;
        if slot.used.load(Ordering::Relaxed) != used {
            slot.used.store(used, Ordering::Relaxed);
        }
        place
    }

    /// The place of a key that has one.
    pub(super) fn known(&self, key: Key, now: Instant) -> Option<Place<'_, C>> {
        let (number, slot) = self.room.get()?.find(key)?;
        Some(slot.place(number, slot.cell(), now))
    }

    /// The place with this number.
    #[inline]
    pub(super) fn numbered(&self, number: usize, now: Instant) -> Option<Place<'_, C>> {
        let slot = self.room.get()?.slots.get(number)?;
        let cell: &C = slot.cell.get()?;
        Some(slot.place(number, cell, now))
    }

    /// Every key that has a place.
    pub(super) fn all(&self, now: Instant) -> impl Iterator<Item = (Key, Place<'_, C>)> {
        self.room.get().into_iter().flat_map(move |room| {
            room.slots.iter().enumerate().filter_map(move |(number, slot)| {
                let key = slot.key.load(Ordering::Acquire);
                let place = slot.place(number, slot.cell.get()?, now);
                (key != NONE).then_some((Key::from_bits(key), place))
            })
        })
    }

    #[cold]
    fn make<'a>(&'a self, room: &'a Room<C>, key: Key) -> (usize, &'a Slot<C>) {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = room.find(key) {
            return found;
        }
        let free = room.run(key).find(|(_, slot)| slot.key.load(Ordering::Relaxed) == NONE);
        let idle = || {
            room.run(key)
                .filter_map(|(number, slot)| Some((slot.cell().worth()?, number, slot)))
                .min_by_key(|(worth, _, slot)| (*worth, slot.used.load(Ordering::Relaxed)))
                .map(|(_, number, slot)| (number, slot))
        };
        let Some((number, slot)) = free.or_else(idle) else {
            // All are in use: the key shares the state of the one at home.
            return room.home(key);
        };
        // Whoever found the old key here and reads what is renewed sees that the place is no longer that key's.
        slot.key.store(NONE, Ordering::Release);
        if let Some(cell) = slot.cell.get() {
            cell.renew();
        }
        slot.key.store(id(key), Ordering::Release);
        (number, slot)
    }
}

impl<C: Cell> Slot<C> {
    fn empty() -> Self {
        Self { key: AtomicU64::new(NONE), used: AtomicU64::new(0), cell: OnceLock::new() }
    }

    #[inline]
    fn is_of(&self, key: Key) -> bool {
        self.key.load(Ordering::Acquire) == id(key)
    }

    #[inline]
    fn cell(&self) -> &C {
        self.cell.get_or_init(|| Box::new(C::fresh()))
    }

    #[inline]
    fn place<'a>(&'a self, number: usize, cell: &'a C, now: Instant) -> Place<'a, C> {
        Place { number, cell, now: ticks_at(now), key: &self.key }
    }
}

impl<C: Cell> Room<C> {
    #[cold]
    fn new() -> Self {
        Self { slots: Box::new(array::from_fn(|_| Slot::empty())) }
    }

    #[inline]
    fn home(&self, key: Key) -> (usize, &Slot<C>) {
        let [first, ..] = &*self.slots;
        let home = Self::at(key, 0);
        (home, self.slots.get(home).unwrap_or(first))
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a remainder of the capacity")]
    fn at(key: Key, step: usize) -> usize {
        (id(key) as usize).wrapping_add(step) % CAPACITY
    }

    fn run(&self, key: Key) -> impl Iterator<Item = (usize, &Slot<C>)> {
        (0..RUN).filter_map(move |step| {
            let number = Self::at(key, step);
            Some((number, self.slots.get(number)?))
        })
    }

    fn find(&self, key: Key) -> Option<(usize, &Slot<C>)> {
        self.run(key).find(|(_, slot)| slot.is_of(key))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Seen(AtomicU64);

    impl Cell for Seen {
        fn fresh() -> Self {
            Self(AtomicU64::new(0))
        }

        fn renew(&self) {
            self.0.store(0, Ordering::Relaxed);
        }

        fn worth(&self) -> Option<u8> {
            (self.0.load(Ordering::Relaxed) != u64::MAX).then_some(0)
        }
    }

    #[test]
    fn every_key_has_a_state_of_its_own() {
        let (table, now) = (Table::<Seen>::new(), Instant::now());
        for n in 0..40_u64 {
            table.place(Key::of(n), now).cell.0.store(n, Ordering::Relaxed);
        }
        for n in 0..40_u64 {
            assert_eq!(table.place(Key::of(n), now).cell.0.load(Ordering::Relaxed), n);
        }
    }

    #[test]
    fn the_number_of_keys_is_bounded_and_the_one_idle_longest_is_forgotten() {
        let (table, start) = (Table::<Seen>::new(), Instant::now());
        let old = Key::of("used all the time");
        for n in 0..100_000_u64 {
            let now = start + Duration::from_secs(n);
            table.place(Key::of(n), now).cell.0.store(1, Ordering::Relaxed);
            table.place(old, now).cell.0.store(7, Ordering::Relaxed);
        }
        assert!(table.all(start).count() <= CAPACITY);
        assert_eq!(table.place(old, start).cell.0.load(Ordering::Relaxed), 7);
        // Each of the others came to a state that was made new.
        assert_eq!(table.place(Key::of("new"), start).cell.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_state_in_use_is_never_forgotten() {
        let (table, start) = (Table::<Seen>::new(), Instant::now());
        let busy = Key::of("busy");
        table.place(busy, start).cell.0.store(u64::MAX, Ordering::Relaxed);
        for n in 0..10_000_u64 {
            table.place(Key::of(n), start + Duration::from_secs(n));
        }
        let place = table.known(busy, start).expect("it is kept");
        assert_eq!(place.cell.0.load(Ordering::Relaxed), u64::MAX);
    }

    #[test]
    fn who_holds_a_place_sees_that_it_was_given_away() {
        let (table, start) = (Table::<Seen>::new(), Instant::now());
        let key = Key::of("first");
        let place = table.place(key, start);
        assert!(place.is_still(key));
        for n in 0..10_000_u64 {
            table.place(Key::of(n), start + Duration::from_secs(10 + n));
        }
        assert!(!place.is_still(key));
    }
}
