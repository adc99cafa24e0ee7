//! `backoff(..)`, of the policy or of a rule.

use quote::ToTokens;
use syn::Lit;

use super::find;
use crate::diag::{self, Diag};
use crate::meta::{self, Entry, Form, Item};
use crate::retry_policy::model::{Backoff, Jitter, Strategy};
use crate::value;

pub(in crate::retry_policy) const KEYS: &[&str] = &["base", "max", "factor", "jitter"];

pub(super) const EXAMPLE: &str = r#"backoff(exponential, base = "1s", max = "30s")"#;

/// Reads the list, which may be empty: everything has a default.
pub(crate) fn read(item: &Item, diag: &mut Diag) -> Option<Backoff> {
    let group = value::list(item, EXAMPLE, diag)?;
    let mut backoff = Backoff::default();
    for entry in meta::entries(group.stream(), diag) {
        match entry {
            Entry::Keyed(item) => read_item(&mut backoff, &item, diag),
            Entry::Bare(lit) => {
                let text = lit.to_token_stream();
                let line = match &lit {
                    Lit::Str(string) if find(Strategy::NAMES, &string.value()).is_some() => {
                        format!("backoff({}, ..)", string.value())
                    }
                    _ => EXAMPLE.to_owned(),
                };
                diag.error(&lit, format!("`{text}` stands without a key; write `{line}`"));
            }
        }
    }
    Some(backoff)
}

fn read_item(backoff: &mut Backoff, item: &Item, diag: &mut Diag) {
    let key = &item.key;
    let name = key.to_string();
    if let Some(strategy) = find(Strategy::NAMES, &name) {
        let value = value::bare(item, diag).then_some(strategy);
        if let Some(first) = backoff.strategy.key() {
            let message = format!("`{name}` is a second strategy beside `{first}`; keep one");
            diag.error(key, message);
        } else {
            backoff.strategy.fill(key, value, diag);
        }
        return;
    }
    match name.as_str() {
        "base" => {
            let value = value::duration(item, r#"base = "1s""#, diag);
            backoff.base.fill(key, value, diag);
        }
        "max" => {
            let value = value::duration(item, r#"max = "30s""#, diag);
            backoff.max.fill(key, value, diag);
        }
        "factor" => {
            let value = value::number(item, &(1.0..=10.0), "factor = 2.0", diag);
            backoff.factor.fill(key, value, diag);
        }
        "jitter" => {
            let value = value::one_of(item, Jitter::NAMES, r#"jitter = "full""#, diag);
            backoff.jitter.fill(key, value, diag);
        }
        _ => {
            let strategies: Vec<_> = Strategy::NAMES.iter().map(|(name, _)| *name).collect();
            let message = match item.form {
                Form::Word if diag::closest(&name, KEYS).is_none() => {
                    diag::unknown("strategy", "strategies", &name, &strategies)
                }
                _ => diag::unknown("key", "keys", &name, KEYS),
            };
            diag.error(key, message);
        }
    }
}
