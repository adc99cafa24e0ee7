//! `on(kind, ..)`: what a rule says, and whether it can happen.

use proc_macro2::Ident;

use super::backoff::check_backoff;
use super::{
    FEEDBACK, LIMIT, NEXT_MODEL, Whole, needs_attempt, never_happens, never_with_one_attempt, waits,
};
use crate::diag::Diag;
use crate::retry_policy::kinds::{ActionKind, Kind};
use crate::retry_policy::model::{Action, Rule, Then};

/// Checks the rule of one kind.
pub(super) fn check_rule(rule: &Rule, whole: &Whole<'_>, diag: &mut Diag) {
    let Rule { key: _, kind, actions, delay_scale, max_tokens, backoff, then, is_partial } = rule;
    if let Some(backoff) = backoff.value() {
        check_backoff(backoff, whole.deadline.as_ref(), diag);
    }
    // What an action that ends the call makes of the rest is said once, not key by key.
    if ends_alone(rule, diag) {
        return;
    }
    let kind = kind.as_ref().map(|(_, kind)| *kind);
    // The attempts that the counts before an action take after the first.
    let mut used = 0;
    for action in actions {
        check_action(action, rule, used, whole, diag);
        used += action.count.as_ref().map_or(0, |count| count.value);
    }
    if let Some((key, Then::Fallback)) = then.both() {
        check_fallback(key, kind, whole, diag);
    }
    let max_tokens = max_tokens.key();
    match (max_tokens, kind) {
        (Some(key), Some(kind)) if !kind.takes_max_tokens() => {
            let name = kind.name;
            diag.error(
                key,
                format!(
                    "`max_tokens` has no effect on `{name}`; \
                     write it in the rule that raises the limit, `on(truncated, max_tokens = ..)`"
                ),
            );
        }
        (key, _) => {
            if let Some(function) = whole.without_attempt {
                needs_attempt(key, LIMIT, function, diag);
            }
        }
    }
    if actions.is_empty() {
        modified_defaults(rule, whole, diag);
        return;
    }
    let has = |what| actions.iter().any(|action| action.what == what);
    let resume = actions.iter().find(|action| action.what == ActionKind::Resume);
    if let Some(Action { key, .. }) = resume.filter(|_| has(ActionKind::Retry)) {
        diag.error(key, "`resume` is a `retry` for the rest of the answer; keep one of them");
    }
    let falls_back = actions.iter().any(|action| action.what == ActionKind::Fallback);
    if let (Some((key, Then::Fallback)), true) = (then.both(), falls_back) {
        let message = "`then = \"fallback\"` stands beside the action `fallback`, and both say the \
                       same; keep one of them";
        diag.error(key, message);
    }
    // What could not be read may have been the `retry`.
    if *is_partial || actions.iter().any(|action| action.what.asks_again()) {
        return;
    }
    let max_tokens = max_tokens.filter(|_| kind.is_none_or(Kind::takes_max_tokens));
    for key in [delay_scale.key(), max_tokens, backoff.key()].into_iter().flatten() {
        let line = match kind.and_then(|kind| kind.refuses(ActionKind::Retry)) {
            None => "write `retry` before it, or remove it",
            Some(_) => "remove it",
        };
        diag.error(key, format!("`{key}` has nothing to act on beside `fallback`; {line}"));
    }
}

fn check_action(action: &Action, rule: &Rule, used: u32, whole: &Whole<'_>, diag: &mut Diag) {
    let Action { key, what, count: _ } = action;
    let kind = rule.kind.as_ref().map(|(_, kind)| *kind);
    if let Some((kind, (why, line))) = kind.and_then(|kind| Some((kind, kind.refuses(*what)?))) {
        let name = kind.name;
        diag.error(key, format!("`{key}` cannot help `{name}`: {why}; write `{line}`"));
        return;
    }
    match what {
        ActionKind::Fallback => {
            check_fallback(key, kind, whole, diag);
            is_cut_off(key, rule, used, whole, diag);
        }
        ActionKind::Retry | ActionKind::Resume | ActionKind::Repair => {
            if let (ActionKind::Repair, Some(function)) = (what, whole.without_attempt) {
                needs_attempt(Some(key), FEEDBACK, function, diag);
            }
            is_reached(action, used, whole, diag);
            waits::within_deadline(action, rule, whole, diag);
        }
        ActionKind::Fail | ActionKind::Escalate => {}
    }
}

/// Checks that there are attempts enough for a `retry` or `repair` after the first and `used` more.
fn is_reached(action: &Action, used: u32, whole: &Whole<'_>, diag: &mut Diag) {
    let Action { key, what: _, count } = action;
    let Some(max) = whole.max_attempts else { return };
    let left = max.saturating_sub(1).saturating_sub(used);
    if max == 1 {
        never_happens(key, diag);
    } else if left == 0 {
        never_reached(key, max, diag);
    } else if let Some(count) = count
        && count.value > left
    {
        let count = count.text();
        let message = if used == 0 {
            format!("`{key} = {count}` is more than can follow the first of `max_attempts = {max}`")
        } else {
            format!(
                "`{key} = {count}` is more than the counts before it leave of `max_attempts = {max}`"
            )
        };
        diag.error(key, format!("{message}; write `{key} = {left}` or less"));
    }
}

/// Reports a fallback that the attempts end before. The last of them goes to another model by itself where one follows anyway.
fn is_cut_off(key: &Ident, rule: &Rule, used: u32, whole: &Whole<'_>, diag: &mut Diag) {
    let stays = match rule.then.value() {
        Some(then) => *then != Then::Fallback,
        None => rule.kind.as_ref().is_some_and(|(_, kind)| kind.stays_by_default()),
    };
    if let Some(max) = whole.max_attempts
        && stays
        && used > 0
        && used + 1 >= max
    {
        never_reached(key, max, diag);
    }
}

fn never_reached(key: &Ident, max: u32, diag: &mut Diag) {
    let more = max.saturating_add(1);
    diag.error(
        key,
        format!(
            "`{key}` is never reached: the counts before it use up `max_attempts = {max}`; \
             write `max_attempts = {more}` or more"
        ),
    );
}

/// Checks `fallback` or `then = "fallback"`: a body can be told of a model, and there is one.
fn check_fallback(key: &Ident, kind: Option<&'static Kind>, whole: &Whole<'_>, diag: &mut Diag) {
    if let Some(function) = whole.without_attempt {
        needs_attempt(Some(key), NEXT_MODEL, function, diag);
    } else if let Some(kind) = kind.filter(|kind| kind.is_of_the_endpoint())
        && whole.has_no_route
    {
        let name = kind.name;
        diag.error(
            key,
            format!(
                "`{key}` cannot help `{name}` with another model of the same endpoint; \
                 add `route(BACKUPS)` beside the `on(..)`, with another endpoint in it"
            ),
        );
    } else if whole.has_no_models {
        diag.error(
            key,
            "`fallback` has no model to go to; \
             add `fallback(\"gpt-4o-mini\")` or `route(BACKUPS)` beside the `on(..)`",
        );
    } else if whole.max_attempts == Some(1) && !whole.names_models {
        // Where one of these keys is, it is told of that one.
        never_happens(key, diag);
    }
}

/// Reports what stands beside `fail` or `escalate`; whether anything does.
fn ends_alone(rule: &Rule, diag: &mut Diag) -> bool {
    let Rule { key: _, kind, actions, delay_scale, max_tokens, backoff, then, is_partial: _ } =
        rule;
    let Some(end) = actions.iter().find(|action| action.what.ends_the_call()) else {
        return false;
    };
    let name = kind.as_ref().map_or("..".to_owned(), |(ident, _)| ident.to_string());
    let others = actions.iter().filter(|action| action.what != end.what).map(|action| &action.key);
    let modifiers = [delay_scale.key(), max_tokens.key(), backoff.key(), then.key()];
    let mut found = false;
    for key in others.chain(modifiers.into_iter().flatten()) {
        found = true;
        let end = end.what;
        diag.error(
            key,
            format!("`{key}` cannot stand beside `{end}`; remove it, or write `on({name}, {end})`"),
        );
    }
    found
}

/// Checks a rule that has no action and so keeps the kind's own.
fn modified_defaults(rule: &Rule, whole: &Whole<'_>, diag: &mut Diag) {
    let Rule { key, kind, actions: _, delay_scale, max_tokens, backoff, then, is_partial } = rule;
    let kind = kind.as_ref().map(|(_, kind)| *kind);
    let modifiers = [delay_scale.key(), max_tokens.key(), backoff.key()];
    if then.key().is_none() && modifiers.iter().all(Option::is_none) {
        if !is_partial {
            let name = kind.map_or("rate_limit", |kind| kind.name);
            let action = match kind {
                Some(kind) if kind.refuses(ActionKind::Retry).is_some() => "escalate",
                _ => "retry = 4",
            };
            diag.error(
                key,
                format!("`on({name})` says nothing to do; write e.g. `on({name}, {action})`"),
            );
        }
        return;
    }
    let Some((kind, acts)) = kind.and_then(|kind| Some((kind, kind.acts_at_once()?))) else {
        repairs_by_default(rule, whole, diag);
        return;
    };
    let name = kind.name;
    let is_final = kind.refuses(ActionKind::Retry).is_some();
    // On a kind that does not take it, `max_tokens` is told where it belongs.
    for key in [delay_scale.key(), backoff.key()].into_iter().flatten() {
        let line = match kind.fails_by_default() {
            _ if !is_final => format!("write `on({name}, retry = 2, ..)`"),
            true => format!("remove it, or write `on({name}, fallback)`"),
            false => "remove it".to_owned(),
        };
        diag.error(key, format!("`{key}` has nothing to act on: `{name}` {acts}; {line}"));
    }
    if let Some((key, then)) = then.both()
        && kind.fails_by_default()
    {
        let line = if is_final {
            let action = Then::NAMES.iter().find(|(_, it)| it == then).map_or("fail", |(it, _)| it);
            format!("on({name}, {action})")
        } else {
            format!("on({name}, retry = 2, ..)")
        };
        diag.error(key, format!("`{key}` has nothing to follow: `{name}` {acts}; write `{line}`"));
    }
}

/// Checks what modifies default actions that ask again: that there are attempts for them, and that the function can carry them
/// out.
fn repairs_by_default(rule: &Rule, whole: &Whole<'_>, diag: &mut Diag) {
    let max_tokens = rule
        .max_tokens
        .key()
        .filter(|_| rule.kind.as_ref().is_some_and(|(_, kind)| kind.takes_max_tokens()));
    let keys = [rule.delay_scale.key(), max_tokens, rule.backoff.key()];
    if let (Some(function), Some((_, kind))) = (whole.without_attempt, &rule.kind)
        && kind.is_repaired_by_default()
    {
        let (name, of) = (kind.name, &function.sig.ident);
        for key in keys.into_iter().flatten() {
            diag.error(
                key,
                format!(
                    "`{key}` has nothing to act on: `{name}` is repaired, which needs the attempt; \
                     write `on({name}, retry = 2, ..)`, or add `attempt: &Attempt` to `{of}`"
                ),
            );
        }
        return;
    }
    never_with_one_attempt(whole, keys, diag);
}
