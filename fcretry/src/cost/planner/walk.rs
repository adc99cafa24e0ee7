//! One call, step by step: what an attempt takes, and where its failure leads.

use std::time::Duration;

use super::{
    Latency, Load,
    rates::{Asked, Chances},
};
use crate::{
    cost::{Cost, Price},
    failure::FailureKind,
    policy::{
        Action, Candidate, Chance, Decision, InOrder, Now, RetryPolicy, Situation, Track, decide,
        is_refused_by_a_guard,
    },
    usage::Usage,
};

/// What is planned: the policy, and what its models do.
pub(super) struct Walk<'a> {
    policy: &'a RetryPolicy,
    /// In the order of trying; as many as there are candidates.
    models: Vec<Model>,
    candidates: Vec<Candidate>,
    load: Load,
    turned_down: Option<Latency>,
    takes_attempt: bool,
}

/// What a model does.
pub(super) struct Model {
    /// By how it is asked.
    pub(super) chances: [Chances; 3],
    pub(super) price: Option<Price>,
    pub(super) latency: Latency,
}

/// Where a call stands before its next attempt: all that decides what comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    track: Track,
    /// Attempts made.
    attempts: u32,
    /// Bad answers that are carried.
    carried: usize,
    asked: Asked,
    /// Tokens, where there is a budget of them.
    spent: u64,
    /// Money, where there is a budget of it.
    spent_cost: Cost,
}

impl Walk<'_> {
    pub(super) fn new(
        policy: &RetryPolicy,
        models: Vec<Model>,
        load: Load,
        turned_down: Option<Latency>,
        takes_attempt: bool,
    ) -> Walk<'_> {
        // One endpoint, whose contexts nobody told.
        let candidates = vec![Candidate::default(); models.len()];
        Walk { policy, models, candidates, load, turned_down, takes_attempt }
    }

    pub(super) fn policy(&self) -> &RetryPolicy {
        self.policy
    }

    /// Before the first attempt.
    pub(super) fn start(&self) -> State {
        let mut track = Track::default();
        track.first_limit = self.load.limit;
        State {
            track,
            attempts: 0,
            carried: 0,
            asked: Asked::First,
            spent: 0,
            spent_cost: Cost::ZERO,
        }
    }

    pub(super) fn model(&self, state: &State) -> Option<&Model> {
        self.models.get(state.track.candidate)
    }

    /// What can go wrong with the next attempt.
    pub(super) fn chances(&self, state: &State) -> &[(FailureKind, f64)] {
        let chances = self.model(state).and_then(|model| model.chances.get(state.asked.index()));
        chances.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the budget has what the next request may take.
    pub(super) fn fits(&self, state: &State) -> bool {
        let limit = self.limit(state).unwrap_or_default();
        let most = Usage::new(self.prompt(state), limit.into());
        let whole = state.spent.checked_add(most.total());
        let tokens = |budget| whole.is_some_and(|sum| sum <= budget);
        // What has no price fits no budget of money.
        let price = || self.model(state).and_then(|model| model.price);
        let cost =
            |budget| price().is_some_and(|price| state.spent_cost + price.cost_of(most) <= budget);
        self.policy.budget_tokens().is_none_or(tokens) && self.policy.budget_usd().is_none_or(cost)
    }

    /// How long the next attempt takes, if it ends with `kind`; `None` if it takes all the time that it has.
    pub(super) fn latency(&self, state: &State, kind: Option<FailureKind>) -> Option<Latency> {
        let answers = self.model(state).map_or(Latency::ZERO, |model| model.latency);
        match kind {
            Some(FailureKind::Timeout) => None,
            Some(kind) if is_refused_by_a_guard(kind) => Some(Latency::ZERO),
            Some(kind) if !is_paid(kind) => Some(self.turned_down.unwrap_or(answers)),
            _ => Some(answers),
        }
    }

    /// Tokens that the next attempt takes, if it ends with `kind`.
    pub(super) fn usage(&self, state: &State, kind: Option<FailureKind>) -> Usage {
        let completion = match kind {
            Some(kind) if !is_paid(kind) => return Usage::default(),
            Some(FailureKind::Truncated) => {
                self.limit(state).map_or(self.load.completion, u64::from)
            }
            _ => self.load.completion,
        };
        Usage::new(self.prompt(state), completion)
    }

    /// Decides about a failure, and goes where that leads.
    pub(super) fn fail(
        &self,
        state: &mut State,
        kind: FailureKind,
        time_left: Duration,
        chance: &mut impl Chance,
    ) -> Decision {
        let usage = self.usage(state, Some(kind));
        if self.policy.budget_tokens().is_some() {
            state.spent = state.spent.saturating_add(usage.total());
        }
        if self.policy.budget_usd().is_some()
            && let Some(price) = self.model(state).and_then(|model| model.price)
        {
            state.spent_cost += price.cost_of(usage);
        }
        // What a guard refuses is no attempt.
        state.attempts += u32::from(!is_refused_by_a_guard(kind));
        let seen = Situation {
            kind,
            retry_after: None,
            repeated: false,
            completion_tokens: Some(usage.completion_tokens),
            may_resend: true,
            turned_down: false,
        };
        let now = Now {
            candidates: &self.candidates,
            attempts: state.attempts,
            time_left,
            steerable: self.takes_attempt,
        };
        let decision = decide(seen, now, self.policy, &mut state.track, &mut InOrder, chance);
        if decision.forget {
            state.carried = 0;
        }
        state.asked = state.asked.after(kind, decision.action);
        if decision.action == Action::Repair {
            let carried = state.carried + usize::from(!decision.forget);
            state.carried = carried.min(self.policy.history());
        }
        // Each model is sent the request's own limit at first.
        state.track.first_limit = state.track.first_limit.or(self.load.limit);
        decision
    }

    fn prompt(&self, state: &State) -> u64 {
        let feedback = self.load.feedback.unwrap_or(self.load.completion);
        let carried = u64::try_from(state.carried).unwrap_or(u64::MAX);
        self.load.prompt.saturating_add(feedback.saturating_mul(carried))
    }

    fn limit(&self, state: &State) -> Option<u32> {
        state.track.raised_limit.or(self.load.limit)
    }
}

impl State {
    /// Forgets what no decision looks at any more where waits are not remembered.
    pub(super) fn forget_delay(&mut self) {
        self.track.forget_delay();
    }
}

/// Whether a provider charges for a request that ended so.
const fn is_paid(kind: FailureKind) -> bool {
    use FailureKind as K;
    match kind {
        K::StructuralParse
        | K::SchemaValidation
        | K::SemanticValidation
        | K::UnknownTool
        | K::NoToolCall
        | K::Truncated
        | K::Refusal
        | K::ContentFilter
        | K::Application
        // Dropped midway: what was begun is finished, and charged for.
        | K::Timeout
        | K::PartialStream
        | K::DeadlineExceeded => true,
        K::RateLimit
        | K::ModelOverload
        | K::TransientNetwork
        | K::QuotaExhausted
        | K::ContextOverflow
        | K::Auth
        | K::ModelNotFound
        | K::InvalidRequest
        | K::CircuitOpen
        | K::BudgetExhausted
        | K::InvalidPolicy => false,
    }
}
