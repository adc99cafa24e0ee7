//! Every mistake of one compile, collected and reported together, and the words that messages share.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

/// The mistakes found so far. Reading goes on after each, so that one compile shows them all.
#[derive(Default)]
pub(crate) struct Diag {
    errors: Vec<syn::Error>,
}

impl Diag {
    /// Reports `message`, underlining the tokens of `at`.
    pub(crate) fn error(&mut self, at: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(at, message));
    }

    /// Reports an error that `syn` worded.
    pub(crate) fn syntax(&mut self, error: syn::Error) {
        self.errors.extend(error);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// How many mistakes there are: whether a part had any is whether this grew while it was read.
    pub(crate) fn count(&self) -> usize {
        self.errors.len()
    }

    /// One `compile_error!` per mistake, each at its own span, in the order they were found.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }

    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.errors.iter().map(ToString::to_string).collect()
    }
}

/// The cell of one key. It refuses a second value, and remembers a bad one as given, so that a
/// mistake in a value does not make the key look absent.
#[derive(Default)]
pub(crate) enum Slot<T> {
    #[default]
    Empty,
    Bad,
    Set(Ident, T),
}

impl<T> Slot<T> {
    /// Stores what `key` was given; `None` is a value that was already reported as bad.
    pub(crate) fn fill(&mut self, key: &Ident, value: Option<T>, diag: &mut Diag) {
        if self.is_given() {
            diag.error(key, format!("`{key}` is given twice; keep one of them"));
            return;
        }
        *self = match value {
            Some(value) => Self::Set(key.clone(), value),
            None => Self::Bad,
        };
    }

    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Self::Empty)
    }

    pub(crate) fn key(&self) -> Option<&Ident> {
        match self {
            Self::Set(key, _) => Some(key),
            Self::Empty | Self::Bad => None,
        }
    }

    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Set(_, value) => Some(value),
            Self::Empty | Self::Bad => None,
        }
    }

    pub(crate) fn both(&self) -> Option<(&Ident, &T)> {
        match self {
            Self::Set(key, value) => Some((key, value)),
            Self::Empty | Self::Bad => None,
        }
    }
}

/// What to say of a name that is none of `known`: the one that was meant, else all of them.
/// `noun` and `nouns` are what such a name and all of them are called.
pub(crate) fn unknown(noun: &str, nouns: &str, found: &str, known: &[&str]) -> String {
    match closest(found, known) {
        Some(meant) => format!("unknown {noun} `{found}`; did you mean `{meant}`?"),
        None => format!("unknown {noun} `{found}`; the {nouns} are {}", list(known)),
    }
}

/// The names in backticks, with commas between.
pub(crate) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The tokens as a person writes them: a path without spaces.
pub(crate) fn text(tokens: &[TokenTree]) -> String {
    let tokens: TokenStream = tokens.iter().cloned().collect();
    let text = tokens.to_string();
    text.replace(" :: ", "::").replace(" ::", "::").replace(":: ", "::").replace("& ", "&")
}

/// The one of `known` that `found` was most likely meant to be.
pub(crate) fn closest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = plain(found);
    let near = known
        .iter()
        .map(|name| (distance(&plain, &self::plain(name)), *name))
        .min_by_key(|(distance, _)| *distance)
        // A third of the letters may be wrong; beyond that a suggestion misleads.
        .filter(|(distance, name)| *distance <= plain.len().max(name.len()) / 3);
    if let Some((_, name)) = near {
        return Some(name);
    }
    // A name of which one word was left out (`overload` for `model_overload`), if only one fits.
    let mut holding = known.iter().filter(|name| name.split('_').any(|word| word == found));
    match (holding.next(), holding.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// The letters of a name without case and separators: `RateLimit` is a near miss of `rate_limit`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-').flat_map(char::to_lowercase).collect()
}

/// The Levenshtein distance, one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (deleted, a) in from.chars().enumerate() {
        let mut diagonal = deleted;
        let mut left = deleted + 1;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(a != b)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[&str] = &["max_attempts", "timeout", "deadline", "backoff", "on"];

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("jiter", "jitter"), 1);
    }

    #[test]
    fn a_slip_is_recognised() {
        assert_eq!(closest("max_attempt", KEYS), Some("max_attempts"));
        assert_eq!(closest("timout", KEYS), Some("timeout"));
        assert_eq!(closest("dealdine", KEYS), Some("deadline"));
    }

    #[test]
    fn case_and_separators_do_not_count() {
        assert_eq!(closest("maxAttempts", KEYS), Some("max_attempts"));
        assert_eq!(closest("RateLimit", &["rate_limit", "timeout"]), Some("rate_limit"));
    }

    #[test]
    fn one_word_of_a_name_is_enough_if_only_one_name_has_it() {
        assert_eq!(closest("overload", &["model_overload", "rate_limit"]), Some("model_overload"));
        assert_eq!(closest("validation", &["schema_validation", "semantic_validation"]), None);
    }

    #[test]
    fn a_far_name_lists_what_there_is() {
        assert_eq!(closest("foo", KEYS), None);
        assert_eq!(
            unknown("key", "keys", "foo", &["name", "validate"]),
            "unknown key `foo`; the keys are `name`, `validate`"
        );
        assert_eq!(
            unknown("key", "keys", "max_attempt", KEYS),
            "unknown key `max_attempt`; did you mean `max_attempts`?"
        );
    }

    #[test]
    fn a_second_value_is_refused_and_a_bad_one_counts_as_given() {
        let mut diag = Diag::default();
        let key = quote::format_ident!("timeout");
        let mut slot = Slot::default();
        slot.fill(&key, Some(1), &mut diag);
        slot.fill(&key, Some(2), &mut diag);
        assert_eq!(slot.value(), Some(&1));
        assert_eq!(diag.messages(), ["`timeout` is given twice; keep one of them"]);

        let mut bad = Slot::<u32>::default();
        bad.fill(&key, None, &mut diag);
        assert!(bad.is_given());
        assert_eq!(bad.value(), None);
    }
}
