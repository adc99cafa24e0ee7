//! Where an ask may be made, and which of these places can help against what.

use crate::failure::FailureKind;

/// A model at an endpoint, as far as a decision needs to know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The same number for the same endpoint: one address, one account.
    pub(crate) endpoint: u64,
    /// The most tokens that the model takes, if that is known.
    pub(crate) context: Option<u32>,
    /// The endpoint turned this call away: its key is wrong, or its quota used up.
    pub(crate) is_dead: bool,
}

/// Whether a failure of this kind is of the account, so that no model of the endpoint can help.
pub(crate) const fn kills_the_endpoint(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Auth | FailureKind::QuotaExhausted)
}

/// Whether a failure of this kind is a guard's, which let nothing be sent.
pub(crate) const fn is_refused_by_a_guard(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::CircuitOpen | FailureKind::BudgetExhausted)
}

impl Candidate {
    /// Whether going here can help after a failure of `kind` at `failed`. The table's own rules go only where that is
    /// known; a rule that says `fallback` itself, `told`, goes wherever it is not known to be in vain.
    /// `too_small` is the largest context that the request did not fit.
    pub(super) fn can_help(
        self,
        kind: FailureKind,
        failed: Self,
        told: bool,
        too_small: Option<u32>,
    ) -> bool {
        let is_too_small =
            self.context.zip(too_small).is_some_and(|(context, floor)| context <= floor);
        if self.is_dead || is_too_small {
            return false;
        }
        match kind {
            FailureKind::Auth | FailureKind::QuotaExhausted => self.endpoint != failed.endpoint,
            // A wrong name is best noticed; elsewhere it is another name.
            FailureKind::ModelNotFound => told || self.endpoint != failed.endpoint,
            FailureKind::ContextOverflow => match self.context {
                Some(context) => context > failed.context.unwrap_or_default(),
                None => told,
            },
            _ => true,
        }
    }
}
