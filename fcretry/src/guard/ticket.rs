use super::Key;

/// What stands for one admission where a guard is settled with: made by the guard, held by the permit that it gave, and taken
/// back once. `number` and `place` are the guard's own words.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    key: Key,
    number: u64,
    place: u64,
}

impl Ticket {
    /// A ticket of an admission for this key.
    pub const fn new(key: Key, number: u64, place: u64) -> Self {
        Self { key, number, place }
    }

    /// What was asked.
    #[inline]
    pub const fn key(&self) -> Key {
        self.key
    }

    /// The first of the guard's own words: a generation, say.
    #[inline]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The second.
    #[inline]
    pub const fn place(&self) -> u64 {
        self.place
    }

    pub(super) const fn again(&self) -> Self {
        Self::new(self.key, self.number, self.place)
    }
}
