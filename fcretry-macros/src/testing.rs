//! What the tests of both macros share: half-typed attributes, and expansions as a person reads them.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::{Item, LitStr};

pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every state of `tokens` while they are typed: cut after each token at each depth, with and
/// without what stands after the list that is being typed in.
pub(crate) fn half_typed(tokens: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut states = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let (before, after) = (&trees[..at], &trees[at + 1..]);
        states.push(before.iter().cloned().collect());
        inside(tree, half_typed, |group| {
            let typed = before.iter().cloned().chain([group]);
            states.push(typed.clone().collect());
            states.push(typed.chain(after.iter().cloned()).collect());
        });
    }
    states.push(tokens.clone());
    states
}

/// `tokens` without each one of them, at each depth.
pub(crate) fn one_removed(tokens: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut states = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let (before, after) = (&trees[..at], &trees[at + 1..]);
        states.push(before.iter().chain(after).cloned().collect());
        inside(tree, one_removed, |group| {
            let whole = before.iter().cloned().chain([group]).chain(after.iter().cloned());
            states.push(whole.collect());
        });
    }
    states
}

/// Calls `each` with the group `tree`, if it is one, for each of the states of its content.
fn inside(
    tree: &TokenTree,
    states: impl Fn(&TokenStream) -> Vec<TokenStream>,
    mut each: impl FnMut(TokenTree),
) {
    if let TokenTree::Group(group) = tree {
        for content in states(&group.stream()) {
            each(TokenTree::Group(Group::new(group.delimiter(), content)));
        }
    }
}

/// The expansion as items; it must be nothing else.
pub(crate) fn items(expansion: TokenStream) -> Vec<Item> {
    let text = expansion.to_string();
    match syn::parse2::<syn::File>(expansion) {
        Ok(file) => file.items,
        Err(error) => panic!("{error}: {text}"),
    }
}

/// The messages of the `compile_error!`s among the items.
pub(crate) fn mistakes(expansion: TokenStream) -> Vec<String> {
    items(expansion)
        .into_iter()
        .filter_map(|item| match item {
            Item::Macro(item) => Some(item.mac),
            _ => None,
        })
        .filter(|mac| mac.path.segments.last().is_some_and(|it| it.ident == "compile_error"))
        .map(|mac| mac.parse_body::<LitStr>().expect("a message").value())
        .collect()
}

/// Compares the expansion with `snapshots/NAME.rs`, or rewrites that if `UPDATE_SNAPSHOTS` is set.
pub(crate) fn assert_snapshot(name: &str, expansion: TokenStream) {
    let items = items(expansion);
    let now = prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items,
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/snapshots/{name}.rs"));
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &now).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        now,
        kept,
        "{} differs; if it should, run the tests with UPDATE_SNAPSHOTS=1 and review the change",
        file.display()
    );
}

#[test]
fn half_typed_states_are_cut_at_every_depth() {
    let show = |states: Vec<TokenStream>| -> Vec<String> {
        states.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        show(half_typed(&tokens("a (b = 1) c"))),
        [
            "",
            "a",
            "a ()",
            "a () c",
            "a (b)",
            "a (b) c",
            "a (b =)",
            "a (b =) c",
            "a (b = 1)",
            "a (b = 1) c",
            "a (b = 1)",
            "a (b = 1) c",
        ]
    );
    assert_eq!(
        show(one_removed(&tokens("a (b =) c"))),
        ["(b =) c", "a c", "a (=) c", "a (b) c", "a (b =)"]
    );
}
