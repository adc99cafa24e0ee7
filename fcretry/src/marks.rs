//! What is noted at an attempt in a report for those who count, and shown to nobody.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::guard::Key;

/// Notes at an attempt. They are no part of what happened: with other notes an attempt is the same.
#[derive(Default)]
pub(crate) struct Marks {
    /// It is of a call inside the one whose report this is.
    pub(crate) is_inside: bool,
    /// What guards know the last ask by, if it met one.
    pub(crate) place: Option<Key>,
    counted: Mutex<Counted>,
}

/// Whoever counts attempts: another one each.
#[derive(Debug)]
pub(crate) struct Who(OnceLock<NonZeroU64>);

impl Who {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What attempts know it by.
    pub(crate) fn id(&self) -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        *self.0.get_or_init(|| {
            NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU64::MAX)
        })
    }
}

/// By whom it was counted. The first needs no memory of its own; more are rare.
#[derive(Clone, Default)]
struct Counted {
    first: Option<NonZeroU64>,
    more: Vec<NonZeroU64>,
}

impl Marks {
    pub(crate) fn at(place: Option<Key>) -> Self {
        Self { place, ..Self::default() }
    }

    /// Notes that `who` counts it; `false` if that was noted before. A call inside a call is told of with its own report and with
    /// the other's.
    pub(crate) fn is_new_to(&self, who: NonZeroU64) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Counted { first, more } = &mut *counted;
        match first {
            None => *first = Some(who),
            Some(first) if *first == who => return false,
            Some(_) if more.contains(&who) => return false,
            Some(_) => more.push(who),
        }
        true
    }
}

impl Marks {
    /// Whether `who` counts it.
    pub(crate) fn is_counted_by(&self, who: NonZeroU64) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.first == Some(who) || counted.more.contains(&who)
    }
}

impl Clone for Marks {
    fn clone(&self) -> Self {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { is_inside: self.is_inside, place: self.place, counted: Mutex::new(counted) }
    }
}

impl PartialEq for Marks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_an_attempt_once_and_its_copies_too() {
        let who = |n| NonZeroU64::new(n).unwrap();
        let marks = Marks::default();
        for n in [1, 2, 3] {
            assert!(marks.is_new_to(who(n)));
        }
        let copy = marks.clone();
        for n in [1, 2, 3] {
            assert!(!marks.is_new_to(who(n)) && !copy.is_new_to(who(n)));
        }
        assert!(copy.is_new_to(who(4)) && marks.is_new_to(who(4)));
    }
}
