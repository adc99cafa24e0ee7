//! Which of the alternatives that a rule leaves open is taken.

use super::Track;
use crate::{failure::FailureKind, policy::Step};

/// How an ask goes on after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// The same model is sent the same request.
    Resend,
    /// The same model is asked again, with what was wrong.
    Repair,
    /// Another model is asked.
    Fallback,
}

/// One way that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alternative {
    pub(crate) way: Way,
    /// Whether it is the first time for this kind of failure and model, the second, ..
    pub(crate) nth: u32,
}

/// Takes one of what is open, by its place.
pub(crate) trait Preference {
    /// `open` is in the order of the rule, and not empty.
    fn choose(&mut self, open: &[Alternative]) -> usize;
}

/// The order of the rule.
pub(crate) struct InOrder;

impl Preference for InOrder {
    fn choose(&mut self, _: &[Alternative]) -> usize {
        0
    }
}

impl Track {
    /// What `step` would be; `None` if it ends the call.
    pub(super) fn alternative(&self, step: Step, kind: FailureKind) -> Option<Alternative> {
        let (way, before) = match step {
            Step::Retry(_) | Step::Resume(_) => (Way::Resend, Self::count(&self.retries, kind)),
            Step::Repair(_) | Step::Constrain => (Way::Repair, Self::count(&self.repairs, kind)),
            Step::Fallback => (Way::Fallback, 0),
            Step::Fail | Step::Escalate => return None,
        };
        Some(Alternative { way, nth: before + 1 })
    }
}
