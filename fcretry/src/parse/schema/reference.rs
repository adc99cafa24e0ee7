//! References, which are addresses: `#/$defs/two%20words`.

use std::borrow::Cow;

use serde_json::Value;

/// Where in `root` a reference leads, and what is there.
pub(super) fn target<'v, 'r>(root: &'v Value, name: &'r str) -> Option<(Cow<'r, str>, &'v Value)> {
    let fragment = name.strip_prefix('#')?;
    let written = || Some(Cow::Borrowed(fragment));
    // What is no part of an address is written as it is by those who do not know.
    [decoded(fragment).map(Cow::Owned), written()].into_iter().flatten().find_map(|pointer| {
        let found = root.pointer(&pointer)?;
        Some((pointer, found))
    })
}

/// The text behind `%` and two digits each.
fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = fragment.bytes();
    let mut decoded = Vec::with_capacity(fragment.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}
