//! What a call tells of its attempts to what learns from them.

use std::time::Duration;

use super::{Attempt, Call};
use crate::{
    adaptive::{Adaptive, Followed, Took, Trial},
    failure::FailureKind,
    handle::{Attach, Handle},
};

/// What learns from a call.
#[derive(Debug)]
pub(super) struct Learning {
    pub(super) adaptive: Handle<Adaptive>,
    /// What the attempt came after.
    followed: Option<Followed>,
    /// Whether it is for learning.
    trial: Trial,
    /// The wait before it.
    waited: Duration,
}

impl Learning {
    pub(super) fn new(adaptive: Handle<Adaptive>) -> Self {
        Self { adaptive, followed: None, trial: Trial::No, waited: Duration::ZERO }
    }

    /// The next attempt comes after a failure by this way, and after this wait.
    pub(super) fn follows(&mut self, followed: Option<Followed>, waited: Duration) {
        if followed.is_some_and(|followed| followed.is_trial) {
            self.trial = Trial::Begins;
        }
        (self.followed, self.waited) = (followed, waited);
    }
}

impl Call {
    /// Has decisions follow what `adaptive` learned, and it learn from them.
    pub fn adapt<By>(&mut self, adaptive: impl Attach<Adaptive, By>) {
        self.learning = Some(Box::new(Learning::new(adaptive.handle())));
    }

    /// Tells what the attempt took, and what came of it.
    pub(super) fn learn(&mut self, failed: Option<FailureKind>) {
        if self.learning.is_none() {
            return;
        }
        let has_sent = self.has_sent();
        let Some(learning) = &mut self.learning else { return };
        let (followed, waited) = (learning.followed.take(), std::mem::take(&mut learning.waited));
        let trial = learning.trial;
        if trial == Trial::Begins {
            learning.trial = Trial::Follows;
        }
        let elapsed = self.attempt.began.elapsed();
        let (means, state) = self.attempt.parts();
        if failed.is_some() && !has_sent {
            if trial == Trial::Begins {
                learning.adaptive.give_up_trial();
            }
            return;
        }
        let cost = state.out.iter().map(|out| out.cost(means.prices())).sum();
        let tokens = state.out.iter().map(|out| out.usage.total()).sum();
        let is_known = state.spent.accounted >= state.spent.requests;
        let took = is_known.then(|| Took::of(cost, tokens, elapsed.saturating_add(waited)));
        learning.adaptive.observe(followed, trial, succeeded(failed), took);
    }
}

impl Attempt {
    /// What the model at the place of an ask is called.
    pub(super) fn place_of(&mut self, index: Option<usize>) -> String {
        let state = self.state_mut();
        let out = index.and_then(|index| state.out.get(index));
        let model = out.map(|out| out.model.as_str()).filter(|model| !model.is_empty());
        let model = model.unwrap_or("-");
        match out.and_then(|out| out.endpoint.as_ref()) {
            None => model.to_owned(),
            Some(endpoint) => format!("{model} at {endpoint}"),
        }
    }
}

/// Whether the way to an attempt led to a value; `None` if it did not, for a reason of which it knows nothing.
const fn succeeded(failed: Option<FailureKind>) -> Option<bool> {
    use FailureKind as K;
    match failed {
        None => Some(true),
        Some(
            K::Application
            | K::BudgetExhausted
            | K::CircuitOpen
            | K::DeadlineExceeded
            | K::InvalidPolicy,
        ) => None,
        Some(_) => Some(false),
    }
}
