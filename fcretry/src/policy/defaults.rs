use std::time::Duration;

use super::{
    Backoff, Rule, Step,
    rule::Step::{Constrain, Fallback},
};
use crate::failure::FailureKind;

pub(super) const MAX_ATTEMPTS: u32 = 4;
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);
pub(super) const IDLE: Duration = Duration::from_secs(30);
pub(super) const DEADLINE: Duration = Duration::from_secs(180);
pub(super) const BACKOFF: Backoff = Backoff::exponential();
pub(super) const HISTORY: usize = 1;
pub(super) const MAX_FEEDBACK_CHARS: usize = 2000;

/// How often a bare `retry` or `repair` on a kind that has none by default goes round.
pub(super) const BARE_COUNT: u32 = 2;

/// The default rule of a kind: the one table of what is done about what.
pub(super) fn default_rule(kind: FailureKind) -> Rule {
    use FailureKind as K;
    match kind {
        K::StructuralParse | K::SchemaValidation | K::SemanticValidation | K::UnknownTool => {
            Rule::new().repair(2)
        }
        // Feedback first; then the wire forces the call; then it is the model that cannot.
        K::NoToolCall => Rule::new().repair(1).step(Constrain).step(Fallback),
        K::Truncated | K::Timeout => Rule::new().retry(1).step(Fallback),
        K::RateLimit => Rule::new().retry(3).delay_scale(3.0),
        K::ModelOverload => Rule::new().retry(2).delay_scale(2.0).step(Fallback),
        K::TransientNetwork | K::PartialStream => Rule::new().retry(2),
        // Another model is another breaker and another price.
        K::CircuitOpen | K::BudgetExhausted => Rule::new().step(Fallback),
        // Another endpoint has a key and an account of its own, and some model takes a longer request. Candidates
        // that are not known to be such are passed over.
        K::QuotaExhausted | K::ContextOverflow | K::Auth | K::ModelNotFound => {
            Rule::new().step(Fallback)
        }
        K::Refusal
        | K::ContentFilter
        | K::InvalidRequest
        | K::Application
        | K::DeadlineExceeded
        | K::InvalidPolicy => Rule::fail(),
    }
}

/// The rule with the kind's defaults where it leaves a choice open.
pub(super) fn filled_in(kind: FailureKind, mut rule: Rule) -> Rule {
    let default = default_rule(kind);
    if std::mem::take(&mut rule.keep_steps) {
        rule.steps.clone_from(&default.steps);
    }
    if rule.steps.is_empty() {
        rule.steps.push(Step::Fail);
    }
    let count_of = |repair: bool| {
        let found = default.steps.iter().find_map(|step| match step {
            Step::Retry(count) if !repair => *count,
            Step::Repair(count) if repair => *count,
            _ => None,
        });
        found.or(Some(BARE_COUNT))
    };
    for step in &mut rule.steps {
        match step {
            Step::Retry(count) | Step::Resume(count) if count.is_none() => *count = count_of(false),
            Step::Repair(count) if count.is_none() => *count = count_of(true),
            _ => {}
        }
    }
    // A rate limit stays a rate limit however often it is retried: the scale is the kind's.
    rule.delay_scale = rule.delay_scale.or(default.delay_scale);
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_default_resends_what_cannot_succeed_or_repairs_what_was_no_answer() {
        for &kind in FailureKind::ALL {
            for step in &default_rule(kind).steps {
                match step {
                    Step::Retry(_) => assert!(kind.is_resendable(), "{kind}"),
                    Step::Repair(_) | Step::Constrain => assert!(kind.is_repairable(), "{kind}"),
                    _ => {}
                }
            }
        }
    }
}
