//! The rule of one kind.

use super::{check_backoff, never_happens, waits::Deadline, within};
use crate::{
    failure::FailureKind,
    policy::{
        Backoff, Rule, Step, Then,
        defaults::{BACKOFF, default_rule},
        keys,
    },
};

/// What a rule has to know of the rest.
pub(super) struct Whole {
    pub(super) names_models: bool,
    /// Something was given that could not be read.
    pub(super) is_partial: bool,
    pub(super) max_attempts: Option<u32>,
    pub(super) backoff: Option<Backoff>,
    pub(super) deadline: Option<Deadline>,
}

pub(super) fn check(kind: FailureKind, rule: &Rule, whole: &Whole, faults: &mut Vec<String>) {
    let mut found = Vec::new();
    Case { kind, rule, whole, faults: &mut found }.check();
    faults.extend(found.into_iter().map(|fault| format!("`on({kind})`: {fault}")));
}

struct Case<'a> {
    kind: FailureKind,
    rule: &'a Rule,
    whole: &'a Whole,
    faults: &'a mut Vec<String>,
}

impl Case<'_> {
    fn say(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    fn check(&mut self) {
        // Without `..`, so that a new key is not forgotten here.
        let Rule { steps, then, delay_scale, max_tokens, backoff, keep_steps } = self.rule;
        if matches!(self.kind, FailureKind::DeadlineExceeded | FailureKind::InvalidPolicy) {
            return self.say("this kind always ends the call; remove this rule");
        }
        within("delay_scale", *delay_scale, &keys::DELAY_SCALE, self.faults);
        within("max_tokens", *max_tokens, &keys::MAX_TOKENS, self.faults);
        if let Some(backoff) = backoff {
            check_backoff(backoff, self.faults);
            if let Some(deadline) = self.whole.deadline {
                deadline.ends_after_base(backoff, self.faults);
            }
        }
        if *keep_steps && !steps.is_empty() {
            return self
                .say("it keeps the default actions, and has others; start from `Rule::new()`");
        }
        if self.ends_alone() {
            return;
        }
        self.actions();
        if *then == Some(Then::Fallback) {
            self.has_an_attempt("then");
            if steps.contains(&Step::Fallback) {
                self.say(
                    "`then = \"fallback\"` stands beside the action `fallback`, and both say the same; \
                     keep one of them",
                );
            }
        }
        if max_tokens.is_some() && self.kind != FailureKind::Truncated {
            self.say("`max_tokens` has no effect here; write it in the rule for `truncated`");
        }
        self.modifiers();
    }

    /// The names of the modifiers that were given, but for `then`.
    fn modifying(&self) -> impl Iterator<Item = &'static str> + use<> {
        let Rule { delay_scale, max_tokens, backoff, .. } = self.rule;
        let takes_tokens = self.kind == FailureKind::Truncated;
        [
            delay_scale.is_some().then_some("delay_scale"),
            (max_tokens.is_some() && takes_tokens).then_some("max_tokens"),
            backoff.is_some().then_some("backoff"),
        ]
        .into_iter()
        .flatten()
    }

    /// Reports what stands beside `fail` or `escalate`; whether anything does.
    fn ends_alone(&mut self) -> bool {
        let rule = self.rule;
        let Some(end) = rule.steps.iter().find(|step| step.ends_the_call()) else { return false };
        let others = rule.steps.iter().filter(|step| *step != end).map(|step| step.as_str());
        let then = rule.then.map(|_| "then");
        let beside: Vec<_> = others.chain(self.modifying()).chain(then).collect();
        for key in &beside {
            self.say(format!("`{key}` cannot stand beside `{end}`; remove one of them"));
        }
        let twice = rule.steps.iter().filter(|step| *step == end).count() > 1;
        if twice {
            self.say(format!("`{end}` is given twice; keep one of them"));
        }
        twice || !beside.is_empty()
    }

    fn actions(&mut self) {
        let rule = self.rule;
        let kind = self.kind;
        // The attempts that the counts before an action take after the first.
        let mut used = 0_u32;
        for (i, step) in rule.steps.iter().enumerate() {
            let same = |other: &Step| std::mem::discriminant(other) == std::mem::discriminant(step);
            if rule.steps.iter().take(i).any(same) {
                self.say(format!("`{step}` is given twice; keep one of them"));
                continue;
            }
            match step {
                Step::Retry(_) if !kind.is_resendable() => self.say(format!(
                    "`retry` cannot help `{kind}`: the same request would only fail again; \
                     write `fallback` or `escalate`"
                )),
                Step::Repair(_) if !kind.is_repairable() => self.say(format!(
                    "`repair` cannot help `{kind}`: there is no answer that could be corrected"
                )),
                Step::Resume(_) if kind != FailureKind::PartialStream => self.say(format!(
                    "`resume` cannot help `{kind}`: there is no stream to go on with; \
                     write `on(partial_stream, resume)`"
                )),
                Step::Resume(_) if rule.steps.iter().any(|s| matches!(s, Step::Retry(_))) => {
                    self.say(
                        "`resume` is a `retry` for the rest of the answer; keep one of them"
                            .to_owned(),
                    );
                }
                Step::Retry(count) | Step::Resume(count) | Step::Repair(count) => {
                    within(step.as_str(), *count, &keys::COUNT, self.faults);
                    self.is_reached(*step, count.filter(|n| keys::COUNT.contains(n)), &mut used);
                }
                Step::Fallback => {
                    self.has_an_attempt("fallback");
                    if self.is_cut_off(used) {
                        self.say(self.never_reached("fallback"));
                    }
                }
                Step::Constrain | Step::Fail | Step::Escalate => {}
            }
        }
    }

    /// Whether the attempts end before a fallback after so many others. The last attempt goes to another model by itself where one
    /// follows anyway.
    fn is_cut_off(&self, used: u32) -> bool {
        let stays = match self.rule.then {
            Some(then) => then != Then::Fallback,
            None => self.kind == FailureKind::Application,
        };
        used > 0 && stays && self.whole.max_attempts.is_some_and(|max| used + 1 >= max)
    }

    fn never_reached(&self, key: &str) -> String {
        let max = self.whole.max_attempts.unwrap_or_default();
        format!(
            "`{key}` is never reached: the counts before it use up `max_attempts = {max}`; \
             write `max_attempts = {}` or more",
            max.saturating_add(1)
        )
    }

    /// Checks that there are attempts and time enough for an action.
    fn is_reached(&mut self, step: Step, count: Option<u32>, used: &mut u32) {
        if let Some(max) = self.whole.max_attempts {
            let left = max.saturating_sub(1).saturating_sub(*used);
            if max == 1 {
                self.say(never_happens(step.as_str()));
            } else if left == 0 {
                self.say(self.never_reached(step.as_str()));
            } else if let Some(count) = count
                && count > left
            {
                let max = format!("`max_attempts = {max}`");
                let fault = if *used == 0 {
                    format!("`{step} = {count}` is more than can follow the first of {max}")
                } else {
                    format!("`{step} = {count}` is more than the counts before it leave of {max}")
                };
                self.say(format!("{fault}; write `{step} = {left}` or less"));
            }
        }
        let Some(count) = count else { return };
        *used = used.saturating_add(count);
        let rule = self.rule;
        let own_wait = rule.delay_scale.is_some() || rule.backoff.is_some();
        let waits = match step {
            Step::Retry(_) | Step::Resume(_) => self.kind != FailureKind::Truncated || own_wait,
            _ => own_wait,
        };
        if let Some(deadline) = self.whole.deadline.filter(|_| waits) {
            let backoff = rule.backoff.or(self.whole.backoff).unwrap_or(BACKOFF);
            let scale = rule.delay_scale.or(default_rule(self.kind).delay_scale).unwrap_or(1.0);
            deadline.ends_after_waits(&backoff, scale, (step.as_str(), count), self.faults);
        }
    }

    /// Checks that there is an attempt for `fallback` or `then = "fallback"`. Whether it leads anywhere shows when it is known
    /// whether the call has a route.
    fn has_an_attempt(&mut self, key: &str) {
        if self.whole.max_attempts == Some(1) && !self.whole.names_models {
            self.say(never_happens(key));
        }
    }

    /// Checks that what modifies has something to modify.
    fn modifiers(&mut self) {
        if self.whole.is_partial {
            return;
        }
        let Rule { steps, then, keep_steps, .. } = self.rule;
        let modifying: Vec<_> = self.modifying().collect();
        let default = default_rule(self.kind);
        let acting = if *keep_steps { &default.steps } else { steps };
        let asks_again = acting.iter().any(|step| step.asks_again());
        if !asks_again {
            for key in &modifying {
                self.say(format!("`{key}` has nothing to act on: there is no `retry` or `repair`"));
            }
        } else if *keep_steps && self.whole.max_attempts == Some(1) {
            for key in &modifying {
                self.say(never_happens(key));
            }
        }
        if then.is_some() && !asks_again && !acting.contains(&Step::Fallback) {
            self.say("`then` has nothing to follow: there is no `retry`, `repair` or `fallback`");
        }
    }
}
