//! Which of the alternatives that a rule leaves open is taken.

use super::{Action, Track};
use crate::{failure::FailureKind, policy::Step};

/// One way out of a failure that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alternative {
    /// `Retry`, `Repair` or `Fallback`.
    pub(crate) action: Action,
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
        let (action, before) = match step {
            Step::Retry(_) | Step::Resume(_) => (Action::Retry, Self::count(&self.retries, kind)),
            Step::Repair(_) | Step::Constrain => (Action::Repair, Self::count(&self.repairs, kind)),
            Step::Fallback => (Action::Fallback, 0),
            Step::Fail | Step::Escalate => return None,
        };
        Some(Alternative { action, nth: before + 1 })
    }
}
