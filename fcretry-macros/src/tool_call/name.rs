//! The name a tool is offered under.

use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::diag::Diag;

/// The longest name that the APIs take.
const LONGEST: usize = 64;

/// The name given in the attribute, checked at its literal.
pub(crate) fn given(name: &LitStr, diag: &mut Diag) -> String {
    let value = name.value();
    if let Some(fault) = fault(&value) {
        let mut right: String = snake_case(&value)
            .chars()
            .map(|c| if is_allowed(c) { c } else { '_' })
            .take(LONGEST)
            .collect();
        if right.is_empty() {
            "place_order".clone_into(&mut right);
        }
        diag.error(name, format!("`name = {value:?}` {fault}; write e.g. `name = {right:?}`"));
    }
    value
}

/// The name out of the type's, checked at the type's. A generic tool's arguments are added at run
/// time, where it is checked again.
pub(crate) fn derived(ident: &Ident, diag: &mut Diag) -> String {
    let name = snake_case(&ident.unraw().to_string());
    if let Some(fault) = fault(&name) {
        diag.error(
            ident,
            format!("the tool's name `{name}` {fault}; give one with `#[tool(name = \"..\")]`"),
        );
    }
    name
}

/// What is wrong with a name, if anything is: the APIs take `[a-zA-Z0-9_-]{1,64}`.
fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("is empty".to_owned());
    }
    if let Some(c) = name.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("has {c:?}, and only `a-z`, `A-Z`, `0-9`, `_` and `-` are allowed"));
    }
    let length = name.len();
    (length > LONGEST).then(|| format!("has {length} characters, and {LONGEST} are allowed"))
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// `HTTPGet` becomes `http_get`: a word starts at an upper-case letter after another letter or a
/// digit, or before a lower-case one.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before: Option<char> = None;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && letters.peek().is_some_and(|c| c.is_lowercase()))
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        before = Some(letter);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_a_type_name() {
        for (name, snake) in [
            ("PlaceOrder", "place_order"),
            ("HTTPGet", "http_get"),
            ("GetHTTP", "get_http"),
            ("GetURLOf", "get_url_of"),
            ("Place2Order", "place2_order"),
            ("V2", "v2"),
            ("A", "a"),
            ("ABTest", "ab_test"),
            ("Already_Snake", "already_snake"),
            ("already_snake", "already_snake"),
            ("_Hidden", "_hidden"),
            ("X1Y2", "x1_y2"),
            ("Überfall", "überfall"),
        ] {
            assert_eq!(snake_case(name), snake, "{name}");
        }
    }

    #[test]
    fn a_raw_identifier_loses_its_mark() {
        let mut diag = Diag::default();
        assert_eq!(derived(&quote::format_ident!("r#Match"), &mut diag), "match");
        assert!(diag.is_clean());
    }

    #[test]
    fn names_are_what_the_apis_take() {
        for good in ["a", "place_order", "Place-Order-2", &"x".repeat(64)] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", "a b", "a.b", "größe", "a/b", &"x".repeat(65)] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_bad_name_is_answered_with_a_good_one() {
        let mut diag = Diag::default();
        given(&syn::parse_quote!("place order!"), &mut diag);
        assert_eq!(
            diag.messages(),
            ["`name = \"place order!\"` has ' ', and only `a-z`, `A-Z`, `0-9`, `_` and `-` are \
              allowed; write e.g. `name = \"place_order_\"`"]
        );
    }
}
