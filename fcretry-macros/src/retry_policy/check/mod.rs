//! What the keys say together. Each conflict is pointed at the key that cannot stand.

mod backoff;
mod rule;
mod waits;

use std::time::Duration;

use proc_macro2::Ident;

use self::backoff::check_backoff;
use self::rule::check_rule;
use self::waits::Deadline;
use super::function::Function;
use super::model::{Backoff, Policy};
use crate::diag::{Diag, Slot};
use crate::value::Written;

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
        budget: _,
        prices: _,
        capture_content: _,
        adapt,
        degrade: _,
        observer: _,
        breaker,
        throttle,
        retry_budget,
        idempotency,
        base,
        krate: _,
        is_partial,
    } = policy;

    let (all, attempt) = ((deadline, "all"), (timeout, "one attempt"));
    within(attempt, all, diag);
    for part in [(first_token, "one stream"), (idle, "one silence")] {
        // Told once: a timeout that fits is the tighter of the two.
        within(part, if timeout.is_given() { attempt } else { all }, diag);
    }
    let deadline = Deadline::of(policy);
    if let Some(backoff) = backoff.value() {
        check_backoff(backoff, deadline.as_ref(), diag);
    }
    let whole = Whole {
        // What could not be read may have been the `fallback` or the `route`; a policy made at run time may
        // bring models of its own.
        has_no_models: !fallback.is_given() && !route.is_given() && !base.is_given() && !is_partial,
        has_no_route: !route.is_given() && !is_partial,
        names_models: fallback.is_given() || route.is_given(),
        max_attempts: max_attempts.value().map(|max| max.value),
        // A policy made at run time may bring its own.
        backoff: backoff.value(),
        deadline,
        // One whose attempt parameter is there but wrong is not told to add one.
        without_attempt: function.filter(|function| function.attempts.is_empty()),
    };
    if let Some(function) = whole.without_attempt {
        needs_attempt(fallback.key(), NEXT_MODEL, function, diag);
        needs_attempt(route.key(), NEXT_MODEL, function, diag);
        for guard in [breaker, throttle, retry_budget] {
            needs_attempt(guard.key(), GUARD, function, diag);
        }
        needs_attempt(idempotency.key(), KEY, function, diag);
        needs_attempt(adapt.key(), LEARNS, function, diag);
        needs_attempt(first_token.key(), STREAM, function, diag);
        needs_attempt(idle.key(), STREAM, function, diag);
        needs_attempt(history.key(), FEEDBACK, function, diag);
        needs_attempt(max_feedback_chars.key(), FEEDBACK, function, diag);
        never_with_one_attempt(&whole, [backoff.key()], diag);
    } else {
        let keys =
            [backoff.key(), fallback.key(), route.key(), history.key(), max_feedback_chars.key()];
        never_with_one_attempt(&whole, keys, diag);
    }
    if let (Some((key, history)), Some(max)) = (history.both(), whole.max_attempts)
        && whole.without_attempt.is_none()
        && max > 1
        && history.value >= max
    {
        let (history, most) = (history.text(), max - 1);
        diag.error(
            key,
            format!(
                "`{key} = {history}` is more bad answers than `max_attempts = {max}` can have before the last; \
                 write `{key} = {most}` or less"
            ),
        );
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
    /// The key `backoff`.
    backoff: Option<&'p Backoff>,
    /// When the call ends, if that is known.
    deadline: Option<Deadline>,
    /// The function, if it takes no attempt.
    without_attempt: Option<&'p Function>,
}

const NEXT_MODEL: &str = "says which model to ask";
const FEEDBACK: &str = "carries what was wrong to the model";
const GUARD: &str = "makes the requests that it guards";
const LEARNS: &str = "is what is learned of";
const KEY: &str = "hands out the key";
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

/// Reports the keys of what follows a first attempt, if there is only one.
fn never_with_one_attempt<'k>(
    whole: &Whole<'_>,
    keys: impl IntoIterator<Item = Option<&'k Ident>>,
    diag: &mut Diag,
) {
    if whole.max_attempts == Some(1) {
        keys.into_iter().flatten().for_each(|key| never_happens(key, diag));
    }
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
