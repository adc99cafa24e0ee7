//! Entries become the model. A rule that concerns one key is checked here, at its value.

mod backoff;
mod budget;
mod rule;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, Lit, LitStr, Token};

use super::kinds::Kind;
use super::model::{Policy, Strategy};
use crate::diag::{self, Diag};
use crate::meta::{self, Entry, Item};
use crate::value;

#[cfg(test)]
pub(super) use self::{
    backoff::KEYS as BACKOFF_KEYS, budget::KEYS as BUDGET_KEYS, rule::KEYS as RULE_KEYS,
};

pub(super) const KEYS: &[&str] = &[
    "max_attempts",
    "timeout",
    "first_token",
    "idle",
    "deadline",
    "backoff",
    "on",
    "fallback",
    "route",
    "recovery",
    "history",
    "max_feedback_chars",
    "budget",
    "prices",
    "capture_content",
    "adapt",
    "breaker",
    "throttle",
    "retry_budget",
    "idempotency",
    "degrade",
    "observer",
    "policy",
    "crate",
];

const DEGRADE_EXAMPLE: &str = "degrade(cached_order)";
const OBSERVER_EXAMPLE: &str = "observer(PAGER)";
const PRICES_EXAMPLE: &str = "prices(PRICES)";
const ADAPT_EXAMPLE: &str = "adapt(LEARNED)";
const BREAKER_EXAMPLE: &str = "breaker(OPENAI)";
const THROTTLE_EXAMPLE: &str = "throttle(LIMITS)";
const RETRIES_EXAMPLE: &str = "retry_budget(RETRIES)";
const IDEMPOTENCY_EXAMPLE: &str = "idempotency(email, order_id)";
const POLICY_EXAMPLE: &str = "policy(self.policy)";
const ROUTE_EXAMPLE: &str = "route(BACKUPS)";
const FALLBACK_EXAMPLE: &str = r#"fallback("gpt-4o-mini")"#;

/// Reads the whole attribute.
pub(crate) fn read(tokens: TokenStream, diag: &mut Diag) -> Policy {
    let mut policy = Policy::default();
    let entries = meta::entries(tokens, diag);
    policy.is_partial = !diag.is_clean();
    for entry in entries {
        match entry {
            Entry::Keyed(item) => policy_item(&mut policy, &item, diag),
            Entry::Bare(lit) => {
                let text = lit.to_token_stream();
                let keys = diag::list(KEYS);
                diag.error(&lit, format!("`{text}` stands without a key; the keys are {keys}"));
                policy.is_partial = true;
            }
        }
    }
    policy
}

fn policy_item(policy: &mut Policy, item: &Item, diag: &mut Diag) {
    let key = &item.key;
    match key.to_string().as_str() {
        "max_attempts" => {
            let value =
                value::integer(item, &(1..=100), "never asks the model", "max_attempts = 6", diag);
            policy.max_attempts.fill(key, value, diag);
        }
        "timeout" => {
            let value = value::duration(item, r#"timeout = "30s""#, diag);
            policy.timeout.fill(key, value, diag);
        }
        "first_token" => {
            let value = value::duration(item, r#"first_token = "5s""#, diag);
            policy.first_token.fill(key, value, diag);
        }
        "idle" => {
            let value = value::duration(item, r#"idle = "10s""#, diag);
            policy.idle.fill(key, value, diag);
        }
        "deadline" => {
            let value = value::duration(item, r#"deadline = "90s""#, diag);
            policy.deadline.fill(key, value, diag);
        }
        "backoff" => policy.backoff.fill(key, backoff::read(item, diag), diag),
        "on" => policy.rules.extend(rule::read(item, diag)),
        "fallback" => policy.fallback.fill(key, fallback(item, diag), diag),
        "recovery" => {
            policy.recovery.fill(key, value::recovery(item, diag), diag);
        }
        "history" => {
            let value = value::integer(item, &(1..=20), "feeds nothing back", "history = 3", diag);
            policy.history.fill(key, value, diag);
        }
        "max_feedback_chars" => {
            let value = value::integer(
                item,
                &(100..=100_000),
                "feeds nothing back",
                "max_feedback_chars = 2000",
                diag,
            );
            policy.max_feedback_chars.fill(key, value, diag);
        }
        "budget" => policy.budget.fill(key, budget::read(item, diag), diag),
        "prices" => policy.prices.fill(key, expression(item, PRICES_EXAMPLE, diag), diag),
        "adapt" => policy.adapt.fill(key, expression(item, ADAPT_EXAMPLE, diag), diag),
        "capture_content" => {
            policy.capture_content.fill(key, value::bare(item, diag).then_some(()), diag);
        }
        "degrade" => policy.degrade.fill(key, function(item, diag), diag),
        "observer" => {
            policy.observer.fill(key, expression(item, OBSERVER_EXAMPLE, diag), diag);
        }
        "breaker" => policy.breaker.fill(key, expression(item, BREAKER_EXAMPLE, diag), diag),
        "throttle" => policy.throttle.fill(key, expression(item, THROTTLE_EXAMPLE, diag), diag),
        "retry_budget" => {
            policy.retry_budget.fill(key, expression(item, RETRIES_EXAMPLE, diag), diag);
        }
        "idempotency" => policy.idempotency.fill(key, parts(item, diag), diag),
        "route" => policy.route.fill(key, expression(item, ROUTE_EXAMPLE, diag), diag),
        "policy" => policy.base.fill(key, expression(item, POLICY_EXAMPLE, diag), diag),
        "crate" => {
            let value = value::path(item, r#"crate = "::fcretry""#, diag);
            policy.krate.fill(key, value, diag);
        }
        name => {
            diag.error(key, unknown_key(name));
            policy.is_partial = true;
        }
    }
}

/// A key that belongs in a list inside is told where; others get the usual suggestion.
fn unknown_key(name: &str) -> String {
    if backoff::KEYS.contains(&name) || find(Strategy::NAMES, name).is_some() {
        return format!("`{name}` belongs in the backoff; write `{}`", backoff::EXAMPLE);
    }
    if budget::KEYS.contains(&name) {
        return format!("`{name}` belongs in the budget; write `{}`", budget::EXAMPLE);
    }
    if rule::KEYS.contains(&name) {
        return format!("`{name}` belongs in the rule of a kind; write e.g. `{}`", rule::EXAMPLE);
    }
    if Kind::find(name).is_some() {
        return format!("`{name}` is a kind of failure; write `on({name}, ..)`");
    }
    diag::unknown("key", "keys", name, KEYS)
}

fn fallback(item: &Item, diag: &mut Diag) -> Option<Vec<LitStr>> {
    let group = value::list(item, FALLBACK_EXAMPLE, diag)?;
    let before = diag.count();
    let mut models: Vec<LitStr> = Vec::new();
    for segment in meta::segments(group.stream(), diag) {
        match segment.as_slice() {
            [TokenTree::Literal(_), ..] => match meta::entry(&segment, diag) {
                Some(Entry::Bare(Lit::Str(model))) if !model.value().trim().is_empty() => {
                    let name = model.value();
                    if models.iter().any(|other| other.value() == name) {
                        diag.error(&model, format!("`{name:?}` is named twice; keep one of them"));
                    } else {
                        models.push(model);
                    }
                }
                _ => no_model(&segment, diag),
            },
            // A key, a constant, an expression.
            _ => no_model(&segment, diag),
        }
    }
    if diag.count() > before {
        return None;
    }
    if models.is_empty() {
        diag.error(
            &item.key,
            format!("`fallback()` names no model; write `{FALLBACK_EXAMPLE}`, or leave it out"),
        );
        return None;
    }
    Some(models)
}

fn expression(item: &Item, example: &str, diag: &mut Diag) -> Option<TokenStream> {
    let tokens = value::list(item, example, diag)?.stream();
    // Only to know that it is one: what is emitted are the tokens as they stand.
    if syn::parse2::<Expr>(tokens.clone()).is_err() {
        let key = &item.key;
        let message = format!("`{key}(..)` holds no expression; write e.g. `{example}`");
        diag.error(key, message);
        return None;
    }
    Some(tokens)
}

/// What a key is made of: 1 to 16 expressions, which is as long as a tuple can be that is serialized.
fn parts(item: &Item, diag: &mut Diag) -> Option<Vec<Expr>> {
    const MOST: usize = 16;
    let key = &item.key;
    let tokens = value::list(item, IDEMPOTENCY_EXAMPLE, diag)?.stream();
    let parts = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens);
    let message = match parts {
        Ok(parts) if parts.is_empty() => format!(
            "`{key}()` names nothing; write `{IDEMPOTENCY_EXAMPLE}`, or leave it out for a key of the \
             call's own"
        ),
        Ok(parts) if parts.len() > MOST => {
            let count = parts.len();
            format!(
                "`{key}(..)` names {count} things; the most are {MOST}, so put some into a tuple"
            )
        }
        Ok(parts) => return Some(parts.into_iter().collect()),
        Err(_) => {
            format!("`{key}(..)` holds no list of expressions; write e.g. `{IDEMPOTENCY_EXAMPLE}`")
        }
    };
    diag.error(key, message);
    None
}

fn function(item: &Item, diag: &mut Diag) -> Option<ExprPath> {
    let tokens = value::list(item, DEGRADE_EXAMPLE, diag)?.stream();
    let path = syn::parse2::<ExprPath>(tokens.clone());
    if path.is_err() {
        let given: Vec<TokenTree> = tokens.into_iter().collect();
        let (key, text) = (&item.key, diag::text(&given));
        let message = format!(
            "`{key}({text})` does not name a function; write e.g. `{DEGRADE_EXAMPLE}`, which takes \
             `&Error` and gives the value"
        );
        diag.error(key, message);
    }
    path.ok()
}

fn no_model(given: &[TokenTree], diag: &mut Diag) {
    let text = diag::text(given);
    let message = format!("`{text}` is not the name of a model; write `{FALLBACK_EXAMPLE}`");
    diag.error(given.iter().cloned().collect::<TokenStream>(), message);
}

fn find<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
