//! What the keys say together. Each conflict is pointed at the key that cannot stand.

use std::time::Duration;

use proc_macro2::Ident;

use super::function::Function;
use super::kinds::{ActionKind, Kind};
use super::model::{Action, Backoff, Policy, Rule, Strategy, Then};
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
        first_token,
        idle,
        deadline,
        backoff,
        rules,
        fallback,
        route,
        recovery: _,
        history,
        max_feedback_chars,
        degrade: _,
        observer: _,
        base,
        krate: _,
        is_partial,
    } = policy;

    let (all, attempt) = ((deadline, "all"), (timeout, "one attempt"));
    within(attempt, all, diag);
    for part in [(first_token, "the wait for the first token"), (idle, "one silence")] {
        // Told once: a timeout that fits is the tighter of the two.
        within(part, if timeout.is_given() { attempt } else { all }, diag);
    }
    if let Some(backoff) = backoff.value() {
        check_backoff(backoff, diag);
    }
    let whole = Whole {
        // What could not be read may have been the `fallback` or the `route`; a policy made at run time may
        // bring models of its own.
        has_no_models: !fallback.is_given() && !route.is_given() && !base.is_given() && !is_partial,
        has_no_route: !route.is_given() && !is_partial,
        names_models: fallback.is_given() || route.is_given(),
        max_attempts: max_attempts.value().map(|max| max.value),
        // One whose attempt parameter is there but wrong is not told to add one.
        without_attempt: function.filter(|function| function.attempts.is_empty()),
    };
    if let Some(function) = whole.without_attempt {
        needs_attempt(fallback.key(), NEXT_MODEL, function, diag);
        needs_attempt(route.key(), NEXT_MODEL, function, diag);
        needs_attempt(first_token.key(), STREAM, function, diag);
        needs_attempt(idle.key(), STREAM, function, diag);
        needs_attempt(history.key(), FEEDBACK, function, diag);
        needs_attempt(max_feedback_chars.key(), FEEDBACK, function, diag);
    } else if whole.max_attempts == Some(1) {
        for key in [fallback.key(), route.key()].into_iter().flatten() {
            never_happens(key, diag);
        }
    }

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
        check_rule(rule, &whole, diag);
    }
}

/// What a rule has to know of the rest.
struct Whole<'p> {
    /// There is no model that a fallback could go to.
    has_no_models: bool,
    /// There is no other endpoint that a fallback could go to.
    has_no_route: bool,
    /// The key `fallback` or `route` is given.
    names_models: bool,
    max_attempts: Option<u32>,
    /// The function, if it takes no attempt.
    without_attempt: Option<&'p Function>,
}

const NEXT_MODEL: &str = "says which model to ask";
const FEEDBACK: &str = "carries what was wrong to the model";
const STREAM: &str = "streams the answer";
const LIMIT: &str = "says how long the answer may be";

fn never_happens(key: &Ident, diag: &mut Diag) {
    diag.error(
        key,
        format!(
            "`{key}` can never happen with `max_attempts = 1`; write `max_attempts = 2` or more"
        ),
    );
}

fn needs_attempt(key: Option<&Ident>, what: &str, function: &Function, diag: &mut Diag) {
    let Some(key) = key else { return };
    let name = &function.sig.ident;
    diag.error(
        key,
        format!("`{key}` needs the attempt, which {what}; add `attempt: &Attempt` to `{name}`"),
    );
}

/// Checks that a time is not longer than one that contains it, where both are given. With only one of them given, the
/// runtime ends the shorter with the longer.
fn within(
    (time, of): (&Slot<Written<Duration>>, &str),
    (whole, of_whole): (&Slot<Written<Duration>>, &str),
    diag: &mut Diag,
) {
    if let (Some((key, time)), Some((whole_key, whole))) = (time.both(), whole.both())
        && time.value > whole.value
    {
        let (time, whole) = (time.text(), whole.text());
        diag.error(
            key,
            format!(
                "`{key} = {time}` of {of} is longer than `{whole_key} = {whole}` of {of_whole}; \
                 write `{key} = {whole}` or less"
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

fn check_rule(rule: &Rule, whole: &Whole<'_>, diag: &mut Diag) {
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
        check_action(action, kind, whole, diag);
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
        modified_defaults(rule, diag);
        return;
    }
    let retries = |action: &&Action| action.what == ActionKind::Retry;
    let resumes = |action: &&Action| action.what == ActionKind::Resume;
    if let (Some(action), true) =
        (actions.iter().find(resumes), actions.iter().any(|a| retries(&a)))
    {
        let key = &action.key;
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

fn check_action(action: &Action, kind: Option<&'static Kind>, whole: &Whole<'_>, diag: &mut Diag) {
    let Action { key, what, count } = action;
    if let Some((kind, (why, line))) = kind.and_then(|kind| Some((kind, kind.refuses(*what)?))) {
        let name = kind.name;
        diag.error(key, format!("`{key}` cannot help `{name}`: {why}; write `{line}`"));
        return;
    }
    match what {
        ActionKind::Fallback => check_fallback(key, kind, whole, diag),
        ActionKind::Retry | ActionKind::Resume | ActionKind::Repair => {
            if let (ActionKind::Repair, Some(function)) = (what, whole.without_attempt) {
                needs_attempt(Some(key), FEEDBACK, function, diag);
            }
            let Some(max) = whole.max_attempts else { return };
            if max == 1 {
                never_happens(key, diag);
            } else if let Some(count) = count
                && count.value >= max
            {
                let (count, most) = (count.text(), max - 1);
                diag.error(
                    key,
                    format!(
                        "`{key} = {count}` is more than can follow the first of \
                         `max_attempts = {max}`; write `{key} = {most}` or less"
                    ),
                );
            }
        }
        ActionKind::Fail | ActionKind::Escalate => {}
    }
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
fn modified_defaults(rule: &Rule, diag: &mut Diag) {
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
