use super::{
    Rule,
    rule::Step::{Constrain, Fallback},
};
use crate::failure::FailureKind;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Step;

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
