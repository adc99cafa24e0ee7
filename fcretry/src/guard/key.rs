use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::FixedState;

/// What a guard counts apart: an endpoint, by a hash of whatever tells it from others.
///
/// ```
/// use fcretry::guard::Key;
///
/// assert_eq!(Key::of("https://api.openai.com/v1"), Key::of("https://api.openai.com/v1"));
/// assert_ne!(Key::of("https://api.openai.com/v1"), Key::of("http://localhost:8080/v1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Key(u64);

impl Key {
    /// The key of what this is; the same in every process of one build.
    pub fn of(what: impl Hash) -> Self {
        Self(FixedState::default().hash_one(what))
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The hash.
    pub const fn bits(self) -> u64 {
        self.0
    }
}
