use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Visitor};

/// More keys than this are put in order, and not compared each with each.
const FEW: usize = 12;

/// Whether a key is among them twice.
pub(super) fn has_twice(keys: &mut [Cow<'_, str>]) -> bool {
    if keys.len() > FEW {
        keys.sort_unstable();
        return keys.windows(2).any(|pair| matches!(pair, [one, next] if one == next));
    }
    keys.iter().enumerate().any(|(i, key)| keys.iter().skip(i + 1).any(|other| other == key))
}

/// Reads a key, from the text itself where it stands there as it is, and makes something of it.
pub(super) struct Key<F>(pub(super) F);

impl<'de, F: FnOnce(Cow<'de, str>) -> R, R> DeserializeSeed<'de> for Key<F> {
    type Value = R;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, F: FnOnce(Cow<'de, str>) -> R, R> Visitor<'de> for Key<F> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<R, E> {
        Ok((self.0)(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<R, E> {
        Ok((self.0)(Cow::Owned(key.to_owned())))
    }
}
