//! Tokens of an attribute become entries: `key`, `key = literal`, `key(..)`, or a bare literal.
//!
//! A list is split at its commas first. What does not parse is then at most one entry, and the rest
//! is read all the same. Lists inside are left as groups, so that their spans stay whole, and are
//! read by the key they belong to.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Lit;

use crate::diag::Diag;

/// One entry of a list.
pub(crate) enum Entry {
    Keyed(Item),
    /// A literal without a key, as in `fallback("model")`.
    Bare(Lit),
}

/// An entry that starts with a key.
pub(crate) struct Item {
    pub(crate) key: Ident,
    pub(crate) form: Form,
}

/// What follows the key.
pub(crate) enum Form {
    /// Nothing.
    Word,
    /// `= ..`
    Value(Value),
    /// `(..)`
    List(Group),
}

/// What follows the `=`.
pub(crate) enum Value {
    /// Nothing: the attribute is being typed.
    Missing,
    Literal(Lit),
    /// A literal after a minus sign, which no key takes.
    Negative(TokenStream),
    /// Anything else: a constant, an expression.
    Other(TokenStream),
}

/// Reads the entries of a list, reporting and leaving out those that do not parse.
pub(crate) fn entries(tokens: TokenStream, diag: &mut Diag) -> Vec<Entry> {
    segments(tokens, diag).iter().filter_map(|segment| entry(segment, diag)).collect()
}

/// The tokens between the commas; a trailing comma is allowed, an empty segment is reported.
pub(crate) fn segments(tokens: TokenStream, diag: &mut Diag) -> Vec<Vec<TokenTree>> {
    let mut segments = Vec::new();
    let mut current = Vec::new();
    let mut angles = 0_usize;
    // The `>` of `->` and `=>` closes no angle bracket.
    let mut arrow = false;
    for token in flatten(tokens) {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' if angles == 0 => {
                    if current.is_empty() {
                        diag.error(punct, "nothing stands before this `,`; remove it");
                    } else {
                        segments.push(std::mem::take(&mut current));
                    }
                    continue;
                }
                // Only in a path, `a::<B, C>`: a bare `<` does not hide the commas after it.
                '<' if follows_path_separator(&current) || current.is_empty() => angles += 1,
                '<' if angles > 0 => angles += 1,
                '>' if !arrow => angles = angles.saturating_sub(1),
                _ => {}
            }
        }
        arrow = is_arrow_start(&token);
        current.push(token);
    }
    if !current.is_empty() {
        segments.push(current);
    }
    segments
}

fn follows_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [.., TokenTree::Punct(a), TokenTree::Punct(b)]
        if a.as_char() == ':' && a.spacing() == Spacing::Joint && b.as_char() == ':')
}

fn is_arrow_start(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct)
        if matches!(punct.as_char(), '-' | '=') && punct.spacing() == Spacing::Joint)
}

/// The tokens without invisible groups, which `macro_rules!` puts around what it substitutes.
fn flatten(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flat.extend(flatten(group.stream()));
            }
            token => flat.push(token),
        }
    }
    flat
}

/// Reads one segment as an entry; `None` if it was reported as none.
pub(crate) fn entry(tokens: &[TokenTree], diag: &mut Diag) -> Option<Entry> {
    match tokens {
        [TokenTree::Ident(key), rest @ ..] => {
            form(key, rest, diag).map(|form| Entry::Keyed(Item { key: key.clone(), form }))
        }
        [TokenTree::Literal(literal), rest @ ..] => {
            end_of(literal, rest, diag);
            Some(Entry::Bare(Lit::new(literal.clone())))
        }
        [other, ..] => {
            diag.error(other, format!("expected a key, found `{other}`"));
            None
        }
        [] => None,
    }
}

fn form(key: &Ident, rest: &[TokenTree], diag: &mut Diag) -> Option<Form> {
    match rest {
        [] => Some(Form::Word),
        [TokenTree::Punct(equals), value @ ..] if equals.as_char() == '=' => {
            Some(Form::Value(read_value(value, diag)))
        }
        [TokenTree::Group(group), rest @ ..] if group.delimiter() == Delimiter::Parenthesis => {
            end_of(key, rest, diag);
            Some(Form::List(group.clone()))
        }
        [TokenTree::Group(group), ..] => {
            let (open, close) = match group.delimiter() {
                Delimiter::Bracket => ('[', ']'),
                _ => ('{', '}'),
            };
            let message = format!("`{key}{open}..{close}` has other brackets; write `{key}(..)`");
            diag.error(group, message);
            None
        }
        [TokenTree::Punct(colon), ..]
            if colon.as_char() == ':' && colon.spacing() == Spacing::Alone =>
        {
            diag.error(colon, format!("`{key}:` is not how a value is given; write `{key} = ..`"));
            None
        }
        [other, ..] => {
            diag.error(other, format!("expected `,` or `=` after `{key}`, found `{other}`"));
            None
        }
    }
}

fn read_value(tokens: &[TokenTree], diag: &mut Diag) -> Value {
    match tokens {
        [] => Value::Missing,
        [TokenTree::Literal(literal), rest @ ..] => {
            end_of(literal, rest, diag);
            Value::Literal(Lit::new(literal.clone()))
        }
        [minus @ TokenTree::Punct(punct), literal @ TokenTree::Literal(_), rest @ ..]
            if punct.as_char() == '-' =>
        {
            end_of(literal, rest, diag);
            Value::Negative([minus, literal].into_iter().cloned().collect())
        }
        other => Value::Other(other.iter().cloned().collect()),
    }
}

/// Reports what stands between a complete entry and its comma.
fn end_of(entry: &impl ToTokens, rest: &[TokenTree], diag: &mut Diag) {
    if let [junk, ..] = rest {
        let entry = entry.to_token_stream();
        diag.error(junk, format!("expected `,` after `{entry}`, found `{junk}`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut diag = Diag::default();
        let entries = entries(text.parse().expect("tokens"), &mut diag);
        (entries.iter().map(show).collect(), diag.messages())
    }

    fn show(entry: &Entry) -> String {
        match entry {
            Entry::Bare(lit) => lit.to_token_stream().to_string(),
            Entry::Keyed(Item { key, form }) => match form {
                Form::Word => key.to_string(),
                Form::List(group) => format!("{key}{group}"),
                Form::Value(Value::Missing) => format!("{key}=?"),
                Form::Value(Value::Literal(lit)) => format!("{key}={}", lit.to_token_stream()),
                Form::Value(Value::Negative(tokens)) => format!("{key}={tokens}"),
                Form::Value(Value::Other(tokens)) => format!("{key}:{tokens}"),
            },
        }
    }

    #[test]
    fn every_form_is_read() {
        let (entries, messages) = read(r#"a, b = 1, c = "x", d(e, f = 2), "bare", g = -1, h = N,"#);
        assert_eq!(entries, ["a", "b=1", r#"c="x""#, "d(e , f = 2)", r#""bare""#, "g=- 1", "h:N"]);
        assert!(messages.is_empty(), "{messages:?}");
    }

    #[test]
    fn a_bad_entry_is_skipped_to_its_comma() {
        let (entries, messages) = read(r#"a: 1, + 2 b, b = 1 c = "x", d {}, e"#);
        assert_eq!(entries, ["b=1", "e"]);
        assert_eq!(
            messages,
            [
                "`a:` is not how a value is given; write `a = ..`",
                "expected a key, found `+`",
                "expected `,` after `1`, found `c`",
                "`d{..}` has other brackets; write `d(..)`",
            ]
        );
    }

    #[test]
    fn a_stray_comma_is_one_mistake() {
        let (entries, messages) = read("a,, b");
        assert_eq!(entries, ["a", "b"]);
        assert_eq!(messages, ["nothing stands before this `,`; remove it"]);
    }

    #[test]
    fn a_value_that_is_still_to_be_typed_is_told_from_none() {
        assert_eq!(read("a =").0, ["a=?"]);
        assert_eq!(read("a = , b").0, ["a=?", "b"]);
    }

    #[test]
    fn a_bare_less_than_hides_no_comma() {
        assert_eq!(read("a = b < c, d").0, ["a:b < c", "d"]);
    }

    #[test]
    fn invisible_groups_are_looked_through() {
        let literal = TokenTree::Group(Group::new(
            Delimiter::None,
            TokenTree::Literal(proc_macro2::Literal::u32_unsuffixed(6)).into(),
        ));
        let mut tokens: TokenStream = "a =".parse().expect("tokens");
        tokens.extend([literal]);
        let mut diag = Diag::default();
        let entries = entries(tokens, &mut diag);
        assert_eq!(entries.iter().map(show).collect::<Vec<_>>(), ["a=6"]);
    }

    #[test]
    fn paths_keep_the_commas_of_their_arguments() {
        let mut diag = Diag::default();
        let tokens = "a::<B, C>::d, <E<F, G> as H>::i, fn_of::<fn(u8) -> u8, J>".parse();
        let segments = segments(tokens.expect("tokens"), &mut diag);
        assert_eq!(segments.len(), 3);
    }
}
