//! The decision: a function of the failure, the policy and what lies behind. It sees no clock and holds
//! no randomness; the loop that calls it is the only place that waits.

mod candidates;
mod preference;
#[cfg(test)]
mod tests;
mod track;

pub(crate) use candidates::{Candidate, is_refused_by_a_guard, kills_the_endpoint};
pub(crate) use preference::{Alternative, InOrder, Preference};
pub(crate) use track::Track;

use std::time::Duration;

use serde::Serialize;

use super::{Chance, RetryPolicy, Rule, Step, Then};
use crate::failure::FailureKind;

/// A `Retry-After` up to this is always waited for, if the deadline allows; a longer one only up to the
/// longest wait of the policy's own backoff. Source: openai-python gives up on longer ones.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that is added to a `Retry-After`, so that callers told the same second do not come in it.
const MOST_SPREAD: Duration = Duration::from_secs(5);

/// What was decided about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Send the same request again, after a wait.
    Retry,
    /// Ask again with what was wrong fed back.
    Repair,
    /// Go on with the next model or endpoint that can help.
    Fallback,
    /// Fail.
    Fail,
    /// Fail, and tell the observer that a person must look.
    Escalate,
}

impl Action {
    /// The name used in attributes and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Repair => "repair",
            Self::Fallback => "fallback",
            Self::Fail => "fail",
            Self::Escalate => "escalate",
        }
    }
}

/// What ended a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoppedBy {
    /// The rule for the failure is to fail.
    Rule,
    /// The rule's count was used up, and nothing follows it.
    Count,
    /// `max_attempts` was reached.
    MaxAttempts,
    /// There are too many retries: the retry budget that calls share had nothing left for another.
    RetryBudget,
    /// The deadline passed, or the next wait would have passed it.
    Deadline,
    /// The server asked for a wait that is longer than the time left, or than anyone waits.
    RetryAfter,
    /// The policy contradicts itself.
    InvalidPolicy,
    /// The future was dropped.
    Cancelled,
}

impl StoppedBy {
    /// The name used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Count => "count",
            Self::MaxAttempts => "max_attempts",
            Self::RetryBudget => "retry_budget",
            Self::Deadline => "deadline",
            Self::RetryAfter => "retry_after",
            Self::InvalidPolicy => "invalid_policy",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What the decision needs to know of a failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) kind: FailureKind,
    pub(crate) retry_after: Option<Duration>,
    /// The answer is the one that was already fed back.
    pub(crate) repeated: bool,
    /// Tokens of the answer, where it was cut; about as many, if the server does not say.
    pub(crate) completion_tokens: Option<u64>,
    /// The server turned the request down: it takes no larger limit.
    pub(crate) turned_down: bool,
    /// The retry budget has something left.
    pub(crate) may_resend: bool,
}

/// Where the call stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now<'a> {
    /// Where the ask may be made, in the order of trying: its own model, the policy's fallbacks, the route.
    pub(crate) candidates: &'a [Candidate],
    /// Attempts made, this one included if it was one.
    pub(crate) attempts: u32,
    pub(crate) time_left: Duration,
    /// The function takes an attempt: it can be told what to do differently.
    pub(crate) steerable: bool,
}

/// What to do, and how long to wait before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    pub(crate) delay: Duration,
    /// The bad answers leave the history: repeating them to the model only brings them back.
    pub(crate) forget: bool,
    /// The answer that broke off is gone on with, where that can be.
    pub(crate) resume: bool,
    /// The next request asks for something else.
    pub(crate) changes: bool,
    pub(crate) stopped_by: Option<StoppedBy>,
}

impl Decision {
    fn go_on(action: Action, delay: Duration) -> Self {
        let changes = action != Action::Retry;
        Self { action, delay, forget: false, resume: false, changes, stopped_by: None }
    }

    fn stop(action: Action, by: StoppedBy) -> Self {
        Self {
            action,
            delay: Duration::ZERO,
            forget: true,
            resume: false,
            changes: true,
            stopped_by: Some(by),
        }
    }
}

/// Decides about a failure, and counts what is decided in `track`. Of what the rule leaves open, `preference` takes one.
pub(crate) fn decide(
    seen: Situation,
    now: Now<'_>,
    policy: &RetryPolicy,
    track: &mut Track,
    preference: &mut impl Preference,
    chance: &mut impl Chance,
) -> Decision {
    let Some(rule) = policy.rule(seen.kind) else {
        return Decision::stop(Action::Fail, StoppedBy::Rule);
    };
    let told = policy.names_fallback(seen.kind);
    let case = Case { seen, now, policy, rule, told };
    if seen.kind == FailureKind::ContextOverflow {
        track.too_small = track.too_small.max(case.here(track).context);
    }
    let step = match case.next_step(track, preference) {
        Ok(step) => step,
        Err(stop) => return stop,
    };
    if now.attempts >= policy.max_attempts() {
        return Decision::stop(case.ending(), StoppedBy::MaxAttempts);
    }
    let last_chance = now.attempts + 1 == policy.max_attempts() && case.falls_back_after();
    let step = if last_chance && case.next(track).is_some() { Step::Fallback } else { step };
    case.take(step, track, chance)
}

struct Case<'a> {
    seen: Situation,
    now: Now<'a>,
    policy: &'a RetryPolicy,
    rule: &'a Rule,
    /// The rule says `fallback` itself.
    told: bool,
}

impl Case<'_> {
    /// A step of the rule that is not used up, or what follows them all.
    fn next_step(&self, track: &Track, preference: &mut impl Preference) -> Result<Step, Decision> {
        let kind = self.seen.kind;
        let steps = self.rule.steps.iter().copied();
        let mut open: Vec<Step> = steps.filter(|step| self.is_open(*step, track)).collect();
        let end = open.iter().position(|step| step.ends_the_call());
        if let Some(end) = end {
            open.truncate(end.max(1));
        } else if self.falls_back_after()
            && !open.contains(&Step::Fallback)
            && self.next(track).is_some()
        {
            open.push(Step::Fallback);
        }
        match open.first() {
            Some(Step::Fail) if kind == FailureKind::DeadlineExceeded => {
                Err(Decision::stop(Action::Fail, StoppedBy::Deadline))
            }
            Some(Step::Fail) => Err(Decision::stop(Action::Fail, StoppedBy::Rule)),
            Some(Step::Escalate) => Err(Decision::stop(Action::Escalate, StoppedBy::Rule)),
            Some(first) => {
                // Where no attempt is left, or one, there is nothing to choose.
                let is_free = self.now.attempts + 1 < self.policy.max_attempts();
                let free = if is_free { open.len() } else { 1 };
                let alternatives =
                    open.iter().take(free).filter_map(|step| track.alternative(*step, kind));
                let chosen = preference.choose(&alternatives.collect::<Vec<_>>());
                Ok(open.get(chosen).copied().unwrap_or(*first))
            }
            None if !self.seen.may_resend => {
                Err(Decision::stop(self.ending(), StoppedBy::RetryBudget))
            }
            None if track.has_counted(self.seen.kind) => {
                Err(Decision::stop(self.ending(), StoppedBy::Count))
            }
            None => Err(Decision::stop(self.ending(), StoppedBy::Rule)),
        }
    }

    /// Whether a step of the rule is not used up.
    fn is_open(&self, step: Step, track: &Track) -> bool {
        let kind = self.seen.kind;
        match step {
            Step::Retry(limit) | Step::Resume(limit) => {
                let can_be_longer = || !self.seen.turned_down && self.larger_limit(track).is_some();
                self.seen.may_resend
                    && Track::count(&track.retries, kind) < limit.unwrap_or_default()
                    && (kind != FailureKind::Truncated || can_be_longer())
            }
            Step::Repair(limit) => {
                self.now.steerable
                    && Track::count(&track.repairs, kind) < limit.unwrap_or_default()
                    && !(self.seen.repeated && track.constrained)
            }
            Step::Constrain => self.now.steerable && !track.constrained,
            Step::Fallback => self.next(track).is_some(),
            Step::Fail | Step::Escalate => true,
        }
    }

    /// Where the ask is.
    fn here(&self, track: &Track) -> Candidate {
        self.now.candidates.get(track.candidate).copied().unwrap_or_default()
    }

    /// The next candidate that can help. What was passed over is not come back to.
    fn next(&self, track: &Track) -> Option<usize> {
        if !self.now.steerable {
            return None;
        }
        let here = self.here(track);
        let later = self.now.candidates.iter().enumerate().skip(track.candidate + 1);
        let helps = |candidate: &Candidate| {
            candidate.can_help(self.seen.kind, here, self.told, track.too_small)
        };
        later.filter(|(_, candidate)| helps(candidate)).map(|(i, _)| i).next()
    }

    /// Whether another model follows when this rule's counts are used up. The body's own failures are no
    /// model's fault.
    fn falls_back_after(&self) -> bool {
        match self.rule.then {
            Some(then) => then == Then::Fallback,
            None => self.rule.has_loop() && self.seen.kind != FailureKind::Application,
        }
    }

    fn ending(&self) -> Action {
        if self.rule.then == Some(Then::Escalate) { Action::Escalate } else { Action::Fail }
    }

    fn larger_limit(&self, track: &Track) -> Option<u32> {
        track.larger_limit(self.seen.completion_tokens, self.rule.max_tokens)
    }

    fn take(&self, step: Step, track: &mut Track, chance: &mut impl Chance) -> Decision {
        let kind = self.seen.kind;
        let delay = match self.delay(step, track, chance) {
            Ok(delay) => delay,
            Err(by) => {
                let is_next = self.falls_back_after() || self.rule.steps.contains(&Step::Fallback);
                let may_go_on = !self.now.time_left.is_zero() && is_next;
                return match self.next(track).filter(|_| may_go_on) {
                    Some(next) => track.go_to(next, Duration::ZERO),
                    None => Decision::stop(self.ending(), by),
                };
            }
        };
        track.previous_delay = Some(delay);
        match step {
            Step::Retry(_) | Step::Resume(_) => {
                if kind == FailureKind::Truncated {
                    track.raised_limit = self.larger_limit(track);
                    track.first_limit = track.first_limit.or(track.raised_limit);
                }
                Track::add(&mut track.retries, kind);
                let resume = matches!(step, Step::Resume(_));
                // One that is gone on with, or has a larger limit, is another.
                let changes = resume || kind == FailureKind::Truncated;
                Decision { resume, changes, ..Decision::go_on(Action::Retry, delay) }
            }
            Step::Repair(_) => {
                Track::add(&mut track.repairs, kind);
                track.constrained |= self.seen.repeated;
                let forget = self.seen.repeated;
                Decision { forget, ..Decision::go_on(Action::Repair, delay) }
            }
            Step::Constrain => {
                track.constrained = true;
                let forget = self.seen.repeated;
                Decision { forget, ..Decision::go_on(Action::Repair, delay) }
            }
            Step::Fallback | Step::Fail | Step::Escalate => match self.next(track) {
                Some(next) => track.go_to(next, delay),
                None => Decision::stop(self.ending(), StoppedBy::Count),
            },
        }
    }

    /// The wait before `step`, or the limit that it would pass.
    fn delay(
        &self,
        step: Step,
        track: &Track,
        chance: &mut impl Chance,
    ) -> Result<Duration, StoppedBy> {
        let left = self.now.time_left;
        if left.is_zero() {
            return Err(StoppedBy::Deadline);
        }
        let own_wait = self.rule.delay_scale.is_some() || self.rule.backoff.is_some();
        let backoff = self.rule.backoff.as_ref().unwrap_or(self.policy.backoff());
        let n = match step {
            // Nobody is overloaded by an answer that was too long for its limit.
            Step::Retry(_) if self.seen.kind == FailureKind::Truncated && !own_wait => None,
            Step::Retry(_) | Step::Resume(_) => Some(Track::count(&track.retries, self.seen.kind)),
            Step::Repair(_) | Step::Constrain if own_wait => {
                Some(Track::count(&track.repairs, self.seen.kind))
            }
            _ => None,
        };
        let scale = self.rule.delay_scale.unwrap_or(1.0);
        let mut delay =
            n.map_or(Duration::ZERO, |n| backoff.drawn(n, scale, track.previous_delay, chance));
        if let (Step::Retry(_) | Step::Resume(_), Some(told)) = (step, self.seen.retry_after) {
            if told >= left || told > PATIENCE.max(backoff.longest()) {
                return Err(StoppedBy::RetryAfter);
            }
            let spread = told
                .mul_f64(0.1)
                .min(MOST_SPREAD)
                .min(left.saturating_sub(told))
                .mul_f64(chance.share());
            delay = delay.max(told + spread);
        }
        if delay >= left { Err(StoppedBy::Deadline) } else { Ok(delay) }
    }
}
