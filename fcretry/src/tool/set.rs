use super::{How, SpecError, ToolCall, ToolSpec, read, target, validated};
use crate::{
    failure::Failure,
    parse::{self, Reading, Recovery, RecoveryKind, Target, folded},
};

/// The tools that a model may call in one request, and a value that says which it called. Every [`ToolCall`] is a set
/// of one; `#[derive(ToolCall)]` on an enum whose variants each hold a tool makes one of several.
///
/// ```
/// use fcretry::{ToolSet, prelude::*};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, ToolCall)]
/// struct PlaceOrder { customer: String }
///
/// #[derive(Deserialize, JsonSchema, ToolCall)]
/// struct CancelOrder { number: u32 }
///
/// #[derive(ToolCall)]
/// enum Desk {
///     Place(PlaceOrder),
///     Cancel(CancelOrder),
/// }
///
/// let names: Vec<_> = Desk::specs()?.iter().map(|spec| spec.name()).collect();
/// assert_eq!(names, ["place_order", "cancel_order"]);
/// # Ok::<(), fcretry::SpecError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither the arguments of a tool nor an enum of tools",
    label = "this type has no `ToolCall`",
    note = "put `#[derive(serde::Deserialize, schemars::JsonSchema, fcretry::ToolCall)]` on a struct, or `#[derive(fcretry::ToolCall)]` on an enum of such structs"
)]
pub trait ToolSet: Sized + 'static {
    /// The names that are known at compile time.
    #[doc(hidden)]
    const NAMES: &'static [Option<&'static str>] = &[];

    /// What a provider is told, in the order of the variants.
    ///
    /// # Errors
    ///
    /// A name or a schema is none that a provider takes.
    fn specs() -> Result<Vec<&'static ToolSpec>, SpecError>;

    /// Reads a call; `None` if it is of none of these tools.
    #[doc(hidden)]
    fn read_call(call: &RawCall<'_>) -> Option<Result<Reading<Self>, Failure>>;
}

/// A call before it is read.
#[derive(Clone, Copy, Debug)]
pub struct RawCall<'a> {
    pub(super) source: Source<'a>,
    pub(super) how: How,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// Where calls stand.
    Call { name: &'a str, arguments: &'a str },
    /// In the content. Arguments without a tool's name count only if there is one tool they can be of.
    Content { text: &'a str, alone: bool },
    /// Among others in one text, which is the content, or the arguments of a call that is made up.
    Among { call: &'a parse::CallInText, in_content: bool },
}

impl<T: ToolCall> ToolSet for T {
    const NAMES: &'static [Option<&'static str>] = &[T::NAME];

    fn specs() -> Result<Vec<&'static ToolSpec>, SpecError> {
        Ok(vec![T::spec()?])
    }

    fn read_call(call: &RawCall<'_>) -> Option<Result<Reading<Self>, Failure>> {
        let RawCall { source, how } = *call;
        let recovery = T::recovery().unwrap_or(how.recovery);
        match source {
            Source::Call { name, arguments } => {
                let is_spelled = name != T::name();
                if is_spelled && (recovery == Recovery::Off || !is_spelling(name, &T::name())) {
                    return None;
                }
                let mut reading = read::<T>(arguments, how);
                if let (Ok(reading), true) = (&mut reading, is_spelled) {
                    reading.log.value(RecoveryKind::ToolSpelling, "");
                }
                Some(reading)
            }
            Source::Content { .. } | Source::Among { .. } if recovery == Recovery::Off => None,
            Source::Content { text, alone } => {
                let read = |target| parse::read_call_in_content(text, target, alone);
                written(how, read)
            }
            Source::Among { call, in_content } => {
                let read = |target| parse::read_written(call, target, in_content);
                written(how, read)
            }
        }
    }
}

/// Reads a call that is written out, if it is one of `T`.
fn written<T: ToolCall>(
    how: How,
    read: impl FnOnce(Target<'static>) -> Option<Result<Reading<T>, Failure>>,
) -> Option<Result<Reading<T>, Failure>> {
    match target::<T>(how) {
        Ok(target) => read(target).map(|read| read.and_then(validated)),
        Err(failure) => Some(Err(failure)),
    }
}

/// Models prefix the name of a tool and change its case; what is left must be the same.
pub(super) fn is_spelling(called: &str, name: &str) -> bool {
    let bare = called.strip_prefix("functions.").unwrap_or(called);
    folded(bare) == folded(name)
}

/// The specs of a set, each name once: a call must say which tool it is of.
pub(crate) fn distinct_specs<S: ToolSet>() -> Result<Vec<&'static ToolSpec>, SpecError> {
    let specs = S::specs()?;
    for (i, spec) in specs.iter().enumerate() {
        let is_same = |other: &&&ToolSpec| folded(other.name()) == folded(spec.name());
        if specs.iter().take(i).any(|other| is_same(&other)) {
            return Err(
                spec.fault(format!("another tool of the set has the name `{}`", spec.name()))
            );
        }
    }
    Ok(specs)
}

/// Fails to compile where two of the names are the same; those that are not known yet are checked at first use.
///
/// # Panics
///
/// At compile time, if two of the names are the same.
pub const fn assert_distinct(sets: &[&[Option<&str>]]) {
    let mut left = sets;
    while let Some((set, rest)) = left.split_first() {
        let mut names = *set;
        while let Some((name, others)) = names.split_first() {
            if let Some(name) = name {
                assert!(!is_in(name, others), "two tools of this enum have one name");
                let mut sets = rest;
                while let Some((set, rest)) = sets.split_first() {
                    assert!(!is_in(name, set), "two tools of this enum have one name");
                    sets = rest;
                }
            }
            names = others;
        }
        left = rest;
    }
}

const fn is_in(name: &str, names: &[Option<&str>]) -> bool {
    let mut left = names;
    while let Some((other, rest)) = left.split_first() {
        if let Some(other) = other
            && is_same(name.as_bytes(), other.as_bytes())
        {
            return true;
        }
        left = rest;
    }
    false
}

const fn is_same(mut a: &[u8], mut b: &[u8]) -> bool {
    loop {
        match (a.split_first(), b.split_first()) {
            (None, None) => return true,
            (Some((x, rest_a)), Some((y, rest_b))) if *x == *y => (a, b) = (rest_a, rest_b),
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        assert_distinct(&[&[Some("a"), Some("ab")], &[Some("b"), None], &[None]]);
    }

    #[test]
    #[should_panic = "one name"]
    fn a_name_in_two_sets_is_found() {
        assert_distinct(&[&[Some("a"), Some("ab")], &[Some("b"), Some("ab")]]);
    }
}
