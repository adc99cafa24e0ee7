//! `on(kind, ..)`: what the policy does about one kind of failure.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Lit;

use super::{backoff, find};
use crate::diag::{self, Diag, Slot};
use crate::meta::{self, Entry, Form, Item, Value};
use crate::retry_policy::kinds::{ActionKind, Kind};
use crate::retry_policy::model::{Action, Rule, Strategy, Then};
use crate::value;

pub(in crate::retry_policy) const KEYS: &[&str] = &[
    "retry",
    "repair",
    "fallback",
    "fail",
    "escalate",
    "delay_scale",
    "max_tokens",
    "backoff",
    "then",
];

pub(super) const EXAMPLE: &str = "on(rate_limit, retry = 4)";

/// Reads one rule; `None` if it is none at all.
pub(crate) fn read(item: &Item, diag: &mut Diag) -> Option<Rule> {
    let group = value::list(item, EXAMPLE, diag)?;
    let before = diag.count();
    let mut rule = Rule {
        key: item.key.clone(),
        kind: None,
        actions: Vec::new(),
        delay_scale: Slot::Empty,
        max_tokens: Slot::Empty,
        backoff: Slot::Empty,
        then: Slot::Empty,
        is_partial: false,
    };
    let segments = meta::segments(group.stream(), diag);
    let (is_misnamed, segments) = match segments.split_first() {
        Some((first, rest)) if misnamed(first, diag) => (true, rest),
        _ => (false, segments.as_slice()),
    };
    let entries: Vec<Entry> = segments.iter().filter_map(|it| meta::entry(it, diag)).collect();
    let mut entries = entries.into_iter().peekable();
    if is_misnamed {
        // Reported already.
    } else if let Some(first) = entries.next_if(is_kind) {
        rule.kind = kind(&first, diag);
    } else if diag.count() == before {
        // Otherwise what stands in the kind's place was reported while it was read.
        no_kind(&item.key, group, diag);
    }
    for entry in entries {
        match entry {
            Entry::Keyed(item) => read_item(&mut rule, &item, diag),
            Entry::Bare(lit) => {
                let text = lit.to_token_stream();
                let keys = diag::list(KEYS);
                diag.error(&lit, format!("`{text}` stands without a key; a rule takes {keys}"));
            }
        }
    }
    rule.is_partial = diag.count() > before;
    Some(rule)
}

/// Reports what is meant as a kind, and is more than its name; whether it is.
fn misnamed(tokens: &[TokenTree], diag: &mut Diag) -> bool {
    let is = |token: &TokenTree, sign: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign);
    let text = diag::text(tokens);
    let unknown = |name: &Ident| diag::unknown("kind", "kinds", &name.to_string(), &Kind::names());
    let message = match tokens {
        [TokenTree::Ident(key), ..] if KEYS.contains(&key.to_string().as_str()) => return false,
        // `FailureKind::Timeout`
        [.., first, second, TokenTree::Ident(last)] if is(first, ':') && is(second, ':') => {
            match Kind::meant(&last.to_string()) {
                Some(kind) => {
                    let name = kind.name;
                    format!("`{text}` is called `{name}` here; write `on({name}, ..)`")
                }
                None => unknown(last),
            }
        }
        // `timeout: retry`
        [TokenTree::Ident(key), colon, rest @ ..]
            if is(colon, ':') && rest.first().is_none_or(|next| !is(next, ':')) =>
        {
            let actions = if rest.is_empty() { "..".to_owned() } else { diag::text(rest) };
            match Kind::find(&key.to_string()) {
                Some(kind) => {
                    let name = kind.name;
                    format!("`{name}:` is not how a kind is given; write `on({name}, {actions})`")
                }
                None => unknown(key),
            }
        }
        // `(timeout, rate_limit)`, `timeout | rate_limit`
        _ if matches!(tokens, [TokenTree::Group(_)]) || tokens.iter().any(|it| is(it, '|')) => {
            let name = first_kind(tokens).map_or("rate_limit", |kind| kind.name);
            format!("`{text}` is not one kind; write an `on(..)` for each, e.g. `on({name}, ..)`")
        }
        _ => return false,
    };
    diag.error(tokens.iter().cloned().collect::<TokenStream>(), message);
    true
}

/// The first kind that is named among the tokens or in a group of them.
fn first_kind(tokens: &[TokenTree]) -> Option<&'static Kind> {
    tokens.iter().find_map(|token| match token {
        TokenTree::Ident(ident) => Kind::meant(&ident.to_string()),
        TokenTree::Group(group) => first_kind(&group.stream().into_iter().collect::<Vec<_>>()),
        _ => None,
    })
}

/// Whether the entry stands for a kind, right or wrong, and is not already a part of the rule.
fn is_kind(entry: &Entry) -> bool {
    match entry {
        Entry::Keyed(Item { key, .. }) => !KEYS.contains(&key.to_string().as_str()),
        Entry::Bare(_) => true,
    }
}

fn no_kind(key: &Ident, group: &Group, diag: &mut Diag) {
    let given = group.stream();
    let line = if given.is_empty() {
        EXAMPLE.to_owned()
    } else {
        format!("on(rate_limit, {})", group.stream())
    };
    diag.error(key, format!("`on({given})` names no kind of failure; write e.g. `{line}`"));
}

fn kind(entry: &Entry, diag: &mut Diag) -> Option<(Ident, &'static Kind)> {
    let item = match entry {
        Entry::Keyed(item) => item,
        Entry::Bare(lit) => {
            let text = lit.to_token_stream();
            let line = match lit {
                Lit::Str(string) if Kind::find(&string.value()).is_some() => {
                    format!("on({}, ..)", string.value())
                }
                _ => EXAMPLE.to_owned(),
            };
            diag.error(lit, format!("`{text}` is not a kind of failure; write `{line}`"));
            return None;
        }
    };
    let key = &item.key;
    let name = key.to_string();
    let Some(kind) = Kind::find(&name) else {
        diag.error(key, diag::unknown("kind", "kinds", &name, &Kind::names()));
        return None;
    };
    if !matches!(item.form, Form::Word) {
        let line = format!("on({name}, retry = 4)");
        diag.error(key, format!("`{name}` stands alone, its actions follow; write `{line}`"));
        return None;
    }
    if let Some(why) = kind.ends_the_call() {
        let message = format!("`{name}` always ends the call: {why}; remove this rule");
        diag.error(key, message);
        return None;
    }
    Some((key.clone(), kind))
}

fn read_item(rule: &mut Rule, item: &Item, diag: &mut Diag) {
    let key = &item.key;
    let name = key.to_string();
    if let Some(what) = ActionKind::find(&name) {
        action(rule, what, item, diag);
        return;
    }
    match name.as_str() {
        "delay_scale" => {
            let value = value::number(item, &(0.0..=100.0), "delay_scale = 3.0", diag);
            rule.delay_scale.fill(key, value, diag);
        }
        "max_tokens" => {
            let value = value::integer(
                item,
                &(1..=10_000_000),
                "leaves no room for an answer",
                "max_tokens = 4096",
                diag,
            );
            rule.max_tokens.fill(key, value, diag);
        }
        "backoff" => rule.backoff.fill(key, backoff::read(item, diag), diag),
        "then" => {
            let value = value::one_of(item, Then::NAMES, r#"then = "fallback""#, diag);
            rule.then.fill(key, value, diag);
        }
        _ if Kind::find(&name).is_some() => {
            diag.error(
                key,
                format!("`{name}` is another kind; give it a rule of its own, `on({name}, ..)`"),
            );
        }
        _ => diag.error(key, unknown_key(&name, item)),
    }
}

/// A key that belongs beside the rule, or in its backoff, is told where.
fn unknown_key(name: &str, item: &Item) -> String {
    if find(Strategy::NAMES, name).is_some() {
        return format!("`{name}` belongs in the backoff; write `backoff({name}, base = \"1s\")`");
    }
    if backoff::KEYS.contains(&name) {
        return format!("`{name}` belongs in the backoff; write `{}`", backoff::EXAMPLE);
    }
    if name == "max_attempts" {
        let count = match &item.form {
            Form::Value(Value::Literal(Lit::Int(count))) => count.base10_digits(),
            _ => "3",
        };
        return format!("`{name}` is of all kinds together; write `retry = {count}`");
    }
    if super::KEYS.contains(&name) {
        return format!("`{name}` is of the whole policy; write it beside the `on(..)`");
    }
    diag::unknown("key", "keys", name, KEYS)
}

fn action(rule: &mut Rule, what: ActionKind, item: &Item, diag: &mut Diag) {
    let key = &item.key;
    if rule.actions.iter().any(|action| action.what == what) {
        diag.error(key, format!("`{what}` is given twice; keep one of them"));
        return;
    }
    let count = match item.form {
        Form::Word => None,
        _ if !what.asks_again() => {
            value::bare(item, diag);
            None
        }
        _ => {
            let example = format!("{what} = 3");
            value::integer(item, &(1..=50), "does nothing", &example, diag)
        }
    };
    // Kept even with a bad count: the rule does have this action.
    rule.actions.push(Action { key: key.clone(), what, count });
}
