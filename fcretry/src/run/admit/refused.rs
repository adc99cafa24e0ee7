//! Why a request is not sent.

use super::ByGuard;
use crate::{
    failure::{Failure, FailureKind},
    guard::{Open, throttle},
    purse::Over,
};

/// Why a request was not sent.
pub(super) enum Refused {
    Open(Open),
    /// This is what it is not to be asked again after.
    NotAgain(Failure),
    OverBudget(Over),
    Throttled(throttle::Refused),
}

impl From<Open> for Refused {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

impl From<throttle::Refused> for Refused {
    fn from(refused: throttle::Refused) -> Self {
        Self::Throttled(refused)
    }
}

impl Refused {
    pub(super) fn by(&self) -> ByGuard {
        match self {
            Self::NotAgain(_) => ByGuard::RetryBudget,
            Self::Open(_) | Self::OverBudget(_) | Self::Throttled(_) => ByGuard::Other,
        }
    }

    #[cold]
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Open(open) => Failure::new(FailureKind::CircuitOpen)
                .with_note(open.to_string())
                .with_retry_after(open.retry_in)
                .with_source(open),
            Self::NotAgain(failure) => failure,
            Self::OverBudget(over) => {
                let failure = Failure::new(FailureKind::BudgetExhausted);
                match over {
                    Over::Tokens(over) => failure.with_note(over.to_string()).with_source(over),
                    Over::Cost(over) => failure.with_note(over.to_string()).with_source(over),
                    Over::NoPrice(none) => failure.with_note(none.to_string()).with_source(none),
                }
            }
            // As if the server had said so: it is the same wait, without the request.
            Self::Throttled(refused) => Failure::new(FailureKind::RateLimit)
                .with_note(refused.to_string())
                .with_retry_after(refused.wait)
                .with_source(refused),
        }
    }
}
