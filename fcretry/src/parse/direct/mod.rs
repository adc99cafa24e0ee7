//! Reading right arguments straight into their type, without a value in between. Whatever is not right, or not
//! certainly so, is left to the way through a value, which says what is wrong with it.
//!
//! A type whose schema says no more than the type does ([`shape`]) is read in one pass ([`straight`]). Any other is
//! read in two: one in which the text is held against the schema ([`verify`]), and nothing is built.

mod fill;
mod keys;
mod probe;
mod shape;
mod straight;
mod verify;

use serde::de::DeserializeOwned;

pub(super) use self::shape::says_no_more;
use super::{Target, strict::NUMBERS_ARE_MAPS};

/// What the text is, another way must tell.
#[derive(Debug)]
pub(crate) struct Uncertain;

/// The value of `text`, if it is JSON, all that the schema demands, and holds no key twice.
#[inline]
pub(crate) fn read<T: DeserializeOwned>(text: &str, target: Target<'_>) -> Result<T, Uncertain> {
    if target.is_plain {
        let value = straight::read(text);
        if value.is_ok() {
            return value;
        }
    }
    verified(text, target)
}

fn verified<T: DeserializeOwned>(text: &str, target: Target<'_>) -> Result<T, Uncertain> {
    if *NUMBERS_ARE_MAPS || !verify::fits(text, target) {
        return Err(Uncertain);
    }
    serde_json::from_str(text).map_err(|_| Uncertain)
}

#[cfg(test)]
mod tests;
