use crate::FailureKind;

/// How a failure counts with a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Each ask that ends so is a failure of the endpoint's health.
    Each,
    /// One bad answer says nothing; a call whose repairs are used up by them counts once.
    Exhausted,
    /// It says nothing about the endpoint's health.
    Never,
}

/// How a kind of failure counts with a breaker: health failures each time, bad answers once for a call that exhausts its
/// repairs; refusals, rate limits, what is wrong with the request or the account, and what is ours never.
///
/// ```
/// use fcretry::{FailureKind, guard::{Counts, counts}};
///
/// assert_eq!(counts(FailureKind::Timeout), Counts::Each);
/// assert_eq!(counts(FailureKind::SchemaValidation), Counts::Exhausted);
/// assert_eq!(counts(FailureKind::RateLimit), Counts::Never);
/// ```
#[inline]
pub const fn counts(kind: FailureKind) -> Counts {
    match kind {
        FailureKind::Timeout
        | FailureKind::ModelOverload
        | FailureKind::TransientNetwork
        | FailureKind::PartialStream => Counts::Each,
        FailureKind::StructuralParse
        | FailureKind::SchemaValidation
        | FailureKind::SemanticValidation
        | FailureKind::UnknownTool
        | FailureKind::NoToolCall => Counts::Exhausted,
        FailureKind::Truncated
        | FailureKind::Refusal
        | FailureKind::ContentFilter
        | FailureKind::RateLimit
        | FailureKind::QuotaExhausted
        | FailureKind::ContextOverflow
        | FailureKind::Auth
        | FailureKind::ModelNotFound
        | FailureKind::InvalidRequest
        | FailureKind::Application
        | FailureKind::CircuitOpen
        | FailureKind::BudgetExhausted
        | FailureKind::DeadlineExceeded
        | FailureKind::InvalidPolicy => Counts::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_repaired_counts_once_a_call_and_nothing_else_does() {
        for &kind in FailureKind::ALL {
            assert_eq!(counts(kind) == Counts::Exhausted, kind.is_repairable(), "{kind}");
        }
    }

    #[test]
    fn what_counts_each_time_could_be_resent() {
        for &kind in FailureKind::ALL {
            assert!(counts(kind) != Counts::Each || kind.is_resendable(), "{kind}");
        }
    }
}
