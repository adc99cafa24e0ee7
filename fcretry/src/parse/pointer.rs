//! JSON pointers (RFC 6901).

/// The JSON pointer of where a typed decode failed.
pub(super) fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            // An enum's variant is a key of the object it is written as, if it has data.
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => break,
        }
    }
    pointer
}

/// Adds a key or an index to a JSON pointer.
pub(super) fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// What goes through a value, or a schema, and knows where it is.
pub(super) trait Located {
    fn pointer(&mut self) -> &mut String;
}

impl Located for String {
    fn pointer(&mut self) -> &mut String {
        self
    }
}

/// Does something at `key` below where `walk` is.
pub(super) fn below<W: Located, R>(walk: &mut W, key: &str, act: impl FnOnce(&mut W) -> R) -> R {
    let outer = walk.pointer().len();
    push(walk.pointer(), key);
    let result = act(walk);
    walk.pointer().truncate(outer);
    result
}
