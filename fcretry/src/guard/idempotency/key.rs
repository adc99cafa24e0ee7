use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{canonical::canonical, digest::digest};

/// The name of one side effect: 128 bits. Whoever asks for the same thing again asks with the same key.
///
/// Its text, in `Display`, [`FromStr`] and serde, is 32 lowercase hexadecimal digits, which is a valid value of the
/// header `Idempotency-Key`.
///
/// ```
/// use fcretry::guard::IdempotencyKey;
///
/// let key = IdempotencyKey::derived(&("ada@example.com", 17), "orders::place")?;
/// assert_eq!(key.to_string(), "a3dbfc42456a2a1a4fc86c58743819b2");
/// assert_eq!(key.to_string().parse(), Ok(key));
/// assert_ne!(key, IdempotencyKey::derived(&("ada@example.com", 18), "orders::place")?);
/// assert_ne!(IdempotencyKey::random(), IdempotencyKey::random());
/// # Ok::<(), fcretry::guard::NotDerivable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(u128);

impl IdempotencyKey {
    /// A key that nobody else has.
    ///
    /// From the randomness that the system gave the thread, not from `fastrand`, whose 64 bits of state are too few for
    /// keys that all processes at one provider share.
    pub fn random() -> Self {
        let system = RandomState::new();
        Self(u128::from(system.hash_one(0_u8)) << 64 | u128::from(system.hash_one(1_u8)))
    }

    /// The key of `parts` in `scope`: the same in every process, on every machine and in every release. `scope` says what
    /// is done with the parts, by convention `module::path::function`.
    ///
    /// Hashed is the JSON of `parts` (SHA-256, the first 128 bits) with the members of its objects sorted, so that the order
    /// of a map or of a struct's fields makes no difference.
    ///
    /// # Errors
    ///
    /// If `parts` has no JSON: a map whose keys are no strings or numbers, or a `Serialize` that fails.
    pub fn derived(parts: &(impl Serialize + ?Sized), scope: &str) -> Result<Self, NotDerivable> {
        Ok(Self(digest(&[b"key", scope.as_bytes(), &canonical(parts)?])))
    }

    /// The key of the same call after its `n`-th repair, which asks for something else. 0 is the key itself.
    #[must_use]
    pub fn repaired(self, n: u32) -> Self {
        match n {
            0 => self,
            n => Self(digest(&[b"repair", &self.0.to_be_bytes(), &n.to_be_bytes()])),
        }
    }
}

/// What is asked for under a key: 128 bits of the request. A key that comes again with another fingerprint was used for
/// two things, and is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of `request`, by the rules of [`IdempotencyKey::derived`].
    ///
    /// # Errors
    ///
    /// If `request` has no JSON.
    pub fn of(request: &(impl Serialize + ?Sized)) -> Result<Self, NotDerivable> {
        Ok(Self(digest(&[b"fingerprint", &canonical(request)?])))
    }
}

/// What a key or a fingerprint should be derived from has no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDerivable(String);

impl From<serde_json::Error> for NotDerivable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for NotDerivable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no idempotency key can be derived from what has no JSON: {}", self.0)
    }
}

impl std::error::Error for NotDerivable {}

/// A text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 32 hexadecimal digits")
    }
}

impl std::error::Error for InvalidKey {}

/// Both are 128 bits with the same text.
macro_rules! hexadecimal {
    ($name:ident) => {
        impl $name {
            /// The bits, for a store that keeps them.
            pub const fn to_bits(self) -> u128 {
                self.0
            }

            /// What [`to_bits`](Self::to_bits) gave.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidKey;

            fn from_str(text: &str) -> Result<Self, InvalidKey> {
                // `from_str_radix` alone would take a sign and fewer digits.
                if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(InvalidKey);
                }
                u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidKey)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

hexadecimal!(IdempotencyKey);
hexadecimal!(Fingerprint);
