//! What the keys say together. Each conflict is pointed at the key that cannot stand.

use std::time::Duration;

use proc_macro2::Ident;

use super::function::Function;
use super::kinds::{ActionKind, Kind};
use super::model::{Backoff, Policy, Rule, Strategy, Then};
use crate::diag::{Diag, Slot};
use crate::value::Written;

/// The runtime's defaults, for a comparison with a key that is not given.
const DEFAULT_BASE: (Duration, &str) = (Duration::from_secs(1), "\"1s\"");
const DEFAULT_MAX: (Duration, &str) = (Duration::from_secs(30), "\"30s\"");

/// Checks the policy, and that `function` can carry it out; `None` if there is no function to ask.
pub(crate) fn check(policy: &Policy, function: Option<&Function>, diag: &mut Diag) {
    // Without `..`, so that a new key is not forgotten here.
    let Policy {
        max_attempts,
        timeout,
        deadline,
        backoff,
        rules,
        fallback,
        recovery: _,
        history: _,
        max_feedback_chars: _,
        base,
        krate: _,
        is_partial,
    } = policy;

    within_deadline(timeout, deadline, diag);
    if let Some(backoff) = backoff.value() {
        check_backoff(backoff, diag);
    }
    // A function whose attempt parameter is there but wrong is not told to add one.
    let lacks_attempt = function.filter(|function| function.attempts.is_empty());
    if let (Some(function), Some(key)) = (lacks_attempt, fallback.key()) {
        needs_attempt(key, "says which model to ask", function, diag);
    }

    // What could not be read may have been the `fallback`; a policy made at run time may bring its own.
    let no_models = !fallback.is_given() && !base.is_given() && !is_partial;
    let once = max_attempts.value().filter(|max| max.value == 1);
    let mut kinds: Vec<&str> = Vec::new();
    for rule in rules {
        if let Some((ident, kind)) = &rule.kind {
            if kinds.contains(&kind.name) {
                diag.error(
                    ident,
                    format!("`on({ident}, ..)` is given twice; put the rule in one `on`"),
                );
            }
            kinds.push(kind.name);
        }
        check_rule(rule, no_models, diag);
        for action in rule.actions.iter().filter(|action| action.what.asks_again()) {
            let key = &action.key;
            if once.is_some() {
                let message = format!(
                    "`{key}` can never happen with `max_attempts = 1`; \
                     write `max_attempts = 2` or more"
                );
                diag.error(key, message);
            }
            if let (ActionKind::Repair, Some(function)) = (action.what, lacks_attempt) {
                needs_attempt(key, "carries what was wrong to the model", function, diag);
            }
        }
    }
}

fn needs_attempt(key: &Ident, what: &str, function: &Function, diag: &mut Diag) {
    let name = &function.sig.ident;
    diag.error(
        key,
        format!("`{key}` needs the attempt, which {what}; add `attempt: &Attempt` to `{name}`"),
    );
}

fn within_deadline(
    timeout: &Slot<Written<Duration>>,
    deadline: &Slot<Written<Duration>>,
    diag: &mut Diag,
) {
    // With only one of them given, the runtime ends an attempt at the deadline at the latest.
    if let (Some((key, timeout)), Some(deadline)) = (timeout.both(), deadline.value())
        && timeout.value > deadline.value
    {
        let (timeout, deadline) = (timeout.text(), deadline.text());
        diag.error(
            key,
            format!(
                "`timeout = {timeout}` of one attempt is longer than `deadline = {deadline}` \
                 of all; write `timeout = {deadline}` or less"
            ),
        );
    }
}

fn check_backoff(backoff: &Backoff, diag: &mut Diag) {
    let Backoff { strategy: _, base, max, factor, jitter: _ } = backoff;
    let Some(strategy) = backoff.strategy() else { return };
    if let Some(key) = factor.key()
        && strategy != Strategy::Exponential
    {
        let name = backoff.strategy.key().map(ToString::to_string).unwrap_or_default();
        diag.error(
            key,
            format!(
                "`factor` has no effect on `{name}`; \
                 remove it, or write `backoff(exponential, factor = ..)`"
            ),
        );
    }
    if strategy == Strategy::Constant {
        if let Some(key) = max.key() {
            let message =
                "`max` has no effect on `constant`, whose delay is always `base`; remove it";
            diag.error(key, message);
        }
        return;
    }
    let written = |slot: &Slot<Written<Duration>>, default: (Duration, &str)| match slot {
        Slot::Set(_, written) => Some((written.value, written.text())),
        Slot::Empty => Some((default.0, default.1.to_owned())),
        Slot::Bad => None,
    };
    let (Some(low), Some(high)) = (written(base, DEFAULT_BASE), written(max, DEFAULT_MAX)) else {
        return;
    };
    if high.0 >= low.0 {
        return;
    }
    match (base.key(), max.key()) {
        (_, Some(key)) => {
            let (default, beside) = match base.key() {
                Some(_) => ("", ""),
                None => ("the default ", ", or give a smaller `base`"),
            };
            let message = format!(
                "`max = {}` is below {default}`base = {}`; write `max = {}` or more{beside}",
                high.1, low.1, low.1
            );
            diag.error(key, message);
        }
        (Some(key), None) => {
            let message = format!(
                "`base = {}` is above the default `max = {}`; write `max = {}` or more beside it",
                low.1, high.1, low.1
            );
            diag.error(key, message);
        }
        // The defaults agree with each other.
        (None, None) => {}
    }
}

fn check_rule(rule: &Rule, no_models: bool, diag: &mut Diag) {
    let Rule { key: _, kind, actions, delay_scale, max_tokens, backoff, then, is_partial } = rule;
    if let Some(backoff) = backoff.value() {
        check_backoff(backoff, diag);
    }
    // What an action that ends the call makes of the rest is said once, not key by key.
    if ends_alone(rule, diag) {
        return;
    }
    let kind = kind.as_ref().map(|(_, kind)| *kind);
    for action in actions {
        if let Some((why, line)) = kind.and_then(|kind| kind.refuses(action.what)) {
            let (key, name) = (&action.key, kind.map_or("", |kind| kind.name));
            diag.error(key, format!("`{key}` cannot help `{name}`: {why}; write `{line}`"));
        }
        if action.what == ActionKind::Fallback && no_models {
            no_model(&action.key, diag);
        }
    }
    if let (Some((key, Then::Fallback)), true) = (then.both(), no_models) {
        no_model(key, diag);
    }
    if let (Some(key), Some(kind)) = (max_tokens.key(), kind)
        && !kind.takes_max_tokens()
    {
        let name = kind.name;
        diag.error(
            key,
            format!(
                "`max_tokens` has no effect on `{name}`; \
                 write it in the rule that raises the limit, `on(truncated, max_tokens = ..)`"
            ),
        );
    }
    let modifiers =
        [delay_scale.key(), max_tokens.key(), backoff.key(), then.key()].into_iter().flatten();
    if actions.is_empty() {
        modified_defaults(rule, kind, modifiers, *is_partial, diag);
        return;
    }
    if actions.iter().any(|action| action.what.asks_again()) {
        let fallback = actions.iter().any(|action| action.what == ActionKind::Fallback);
        if let (Some(key), true) = (then.key(), fallback) {
            let message = "`then` stands beside the action `fallback`, and both say what follows; \
                           keep one of them";
            diag.error(key, message);
        }
        return;
    }
    // What could not be read may have been the `retry`.
    for key in modifiers.filter(|_| !is_partial) {
        diag.error(
            key,
            format!("`{key}` has nothing to act on; write `retry` before it, or remove it"),
        );
    }
}

fn no_model(key: &Ident, diag: &mut Diag) {
    diag.error(
        key,
        "`fallback` has no model to go to; \
         add `fallback(\"gpt-4o-mini\")` beside the `on(..)`",
    );
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
fn modified_defaults<'k>(
    rule: &Rule,
    kind: Option<&'static Kind>,
    modifiers: impl Iterator<Item = &'k Ident>,
    is_partial: bool,
    diag: &mut Diag,
) {
    let mut modifiers = modifiers.peekable();
    if modifiers.peek().is_none() {
        if !is_partial {
            let key = &rule.key;
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
    let Some(kind) = kind.filter(|kind| kind.fails_by_default()) else { return };
    let name = kind.name;
    for key in modifiers {
        let line = match kind.refuses(ActionKind::Retry) {
            None => format!("write `on({name}, retry = 2, ..)`"),
            Some(_) => format!("remove it, or write `on({name}, fallback)`"),
        };
        diag.error(key, format!("`{key}` has nothing to act on: `{name}` fails; {line}"));
    }
}
