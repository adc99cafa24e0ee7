//! What the keys of a policy say together: the rules that the attribute checks at compile time.

mod rule;
mod waits;

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use self::waits::Deadline;
use super::{Backoff, Strategy, data::Data, decide::kills_the_endpoint, keys};
use crate::{
    cost::Cost,
    duration::{self, LONGEST},
};

/// Adds whatever is wrong with `policy` to `faults`. If it `is_partial`, something was given that could not be read, and
/// nothing is said of what is missing.
pub(super) fn check(policy: &Data, is_partial: bool, faults: &mut Vec<String>) {
    // Without `..`, so that a new key is not forgotten here.
    let Data {
        max_attempts,
        timeout,
        first_token,
        idle,
        deadline,
        backoff,
        fallback,
        recovery: _,
        history,
        max_feedback_chars,
        budget_tokens,
        budget_usd,
        capture_content: _,
        rules: _,
        unrouted: _,
    } = policy;

    within("max_attempts", *max_attempts, &keys::MAX_ATTEMPTS, faults);
    within("history", *history, &keys::HISTORY, faults);
    within("max_feedback_chars", *max_feedback_chars, &keys::MAX_FEEDBACK_CHARS, faults);
    within("tokens", *budget_tokens, &keys::BUDGET_TOKENS, faults);
    let usd = budget_usd.map(|usd| usd.map_or_else(|given| given, Cost::as_usd));
    within("usd", usd, &keys::BUDGET_USD, faults);
    let times = [
        ("timeout", *timeout, "one attempt"),
        ("first_token", *first_token, "one stream"),
        ("idle", *idle, "one silence"),
        ("deadline", *deadline, "all"),
    ];
    for (key, time, _) in times {
        is_a_time(key, time, faults);
    }
    let [attempt, first, silence, all] = times;
    contained(attempt, all, faults);
    for part in [first, silence] {
        // Told once: a timeout that fits is the tighter of the two.
        contained(part, if timeout.is_some() { attempt } else { all }, faults);
    }
    let end = Deadline::of(*deadline, is_partial);
    if let Some(backoff) = backoff {
        check_backoff(backoff, faults);
        if let Some(end) = end {
            end.ends_after_base(backoff, faults);
        }
    }
    models(fallback, faults);

    let once = *max_attempts == Some(1);
    for (key, is_given) in [
        ("backoff", backoff.is_some()),
        ("fallback", !fallback.is_empty()),
        ("history", history.is_some()),
        ("max_feedback_chars", max_feedback_chars.is_some()),
    ] {
        if once && is_given {
            faults.push(never_happens(key));
        }
    }
    if let (Some(answers), Some(attempts)) = (*history, *max_attempts)
        && attempts > 1
        && keys::HISTORY.contains(&answers)
        && u32::try_from(answers).unwrap_or(u32::MAX) >= attempts
    {
        faults.push(format!(
            "`history = {answers}` is more bad answers than `max_attempts = {attempts}` can have before the last; \
             write `history = {}` or less",
            attempts - 1
        ));
    }

    let whole = rule::Whole {
        is_partial,
        names_models: !fallback.is_empty(),
        max_attempts: max_attempts.filter(|max| keys::MAX_ATTEMPTS.contains(max)),
        backoff: *backoff,
        deadline: end,
    };
    for (kind, rule) in policy.given_rules() {
        rule::check(kind, rule, &whole, faults);
    }
}

/// The rules that need a route. Those of a policy that this one was made from are in it too: a fallback they name may be gone.
pub(super) fn without_a_route(policy: &Data) -> Vec<String> {
    let mut faults = Vec::new();
    for (kind, rule) in policy.given_rules() {
        if !rule.names_fallback() {
            continue;
        }
        if policy.fallback.is_empty() {
            faults.push(format!("`on({kind})`: there is no fallback model to go to, and no route"));
        } else if kills_the_endpoint(kind) {
            faults.push(format!(
                "`on({kind})`: only another endpoint can help, and there is no route"
            ));
        }
    }
    faults
}

fn never_happens(key: &str) -> String {
    format!("`{key}` can never happen with `max_attempts = 1`; write `max_attempts = 2` or more")
}

fn within<T: PartialOrd + Display>(
    key: &str,
    value: Option<T>,
    range: &RangeInclusive<T>,
    faults: &mut Vec<String>,
) {
    let Some(value) = value.filter(|value| !range.contains(value)) else { return };
    let (low, high) = (range.start(), range.end());
    let line = if value > *high {
        format!("`{key} = {high}` or less")
    } else {
        format!("`{key} = {low}` or more")
    };
    faults.push(format!("`{key} = {value}` is not in the range {low} to {high}; write {line}"));
}

/// A duration as it is written.
fn quoted(time: Duration) -> String {
    format!("\"{}\"", duration::text(time))
}

fn is_a_time(key: &str, time: Option<Duration>, faults: &mut Vec<String>) {
    let Some(time) = time else { return };
    if time.is_zero() {
        faults.push(format!("`{key} = \"0s\"` is no time at all; write e.g. `{key} = \"30s\"`"));
    } else if time > LONGEST {
        faults.push(format!(
            "`{key}` is longer than 30 days; write `{key} = {}` or less",
            quoted(LONGEST)
        ));
    }
}

type Time<'a> = (&'a str, Option<Duration>, &'a str);

/// Checks that a time is not longer than one that contains it, where both are given.
fn contained(
    (key, time, of): Time<'_>,
    (whole_key, whole, of_whole): Time<'_>,
    faults: &mut Vec<String>,
) {
    if let (Some(time), Some(whole)) = (time, whole)
        && time > whole
        && time <= LONGEST
    {
        let (time, whole) = (quoted(time), quoted(whole));
        faults.push(format!(
            "`{key} = {time}` of {of} is longer than `{whole_key} = {whole}` of {of_whole}; \
             write `{key} = {whole}` or less"
        ));
    }
}

fn check_backoff(backoff: &Backoff, faults: &mut Vec<String>) {
    let Backoff { strategy, base, max, factor, jitter: _ } = *backoff;
    is_a_time("base", base, faults);
    is_a_time("max", max, faults);
    within("factor", factor, &keys::FACTOR, faults);
    if factor.is_some() && strategy != Strategy::Exponential {
        let name = strategy.as_str();
        faults.push(format!(
            "`factor` has no effect on `{name}`; remove it, or make it `exponential`"
        ));
    }
    if strategy == Strategy::Constant {
        if max.is_some() {
            let fault =
                "`max` has no effect on `constant`, whose delay is always `base`; remove it";
            faults.push(fault.to_owned());
        }
        return;
    }
    let (low, high) = backoff.bounds();
    if high >= low
        || base.is_some_and(|base| base > LONGEST)
        || max.is_some_and(|max| max.is_zero())
    {
        return;
    }
    let (low, high) = (quoted(low), quoted(high));
    faults.push(if max.is_some() {
        let default = if base.is_some() { "" } else { "the default " };
        format!("`max = {high}` is below {default}`base = {low}`; write `max = {low}` or more")
    } else {
        format!(
            "`base = {low}` is above the default `max = {high}`; write `max = {low}` or more beside it"
        )
    });
}

fn models(fallback: &[String], faults: &mut Vec<String>) {
    for (i, model) in fallback.iter().enumerate() {
        if model.trim().is_empty() {
            faults.push(format!("`fallback`: `{model:?}` is not the name of a model"));
        } else if fallback.iter().take(i).any(|earlier| earlier == model) {
            faults.push(format!("`fallback`: `{model:?}` is named twice; keep one of them"));
        }
    }
}
