//! Means, summed over every state that a call can reach.

use std::{collections::HashMap, time::Duration};

use super::{
    plan::Means,
    walk::{State, Walk},
};
use crate::{
    failure::FailureKind,
    policy::{Middle, is_refused_by_a_guard},
};

/// More states than this are left to the simulation.
const MOST_STATES: usize = 100_000;

/// More steps than this in one call are left to the simulation: each is a call on the stack.
const MOST_STEPS: u32 = 200;

/// The means of a call that no deadline ends; `None` if it has too many states.
pub(super) fn means(walk: &Walk<'_>) -> Option<Means> {
    Chain { walk, known: HashMap::new() }.from(walk.start(), 0)
}

struct Chain<'a> {
    walk: &'a Walk<'a>,
    known: HashMap<State, Means>,
}

impl Chain<'_> {
    /// The means of what is still to come.
    fn from(&mut self, state: State, step: u32) -> Option<Means> {
        if let Some(means) = self.known.get(&state) {
            return Some(*means);
        }
        if self.known.len() >= MOST_STATES || step >= MOST_STEPS {
            return None;
        }
        let means = if self.walk.fits(&state) {
            self.attempt(&state, step)?
        } else {
            self.failed(&state, FailureKind::BudgetExhausted, step)?
        };
        self.known.insert(state, means);
        Some(means)
    }

    fn attempt(&mut self, state: &State, step: u32) -> Option<Means> {
        let failures = self.walk.chances(state).iter().map(|(kind, share)| (Some(*kind), *share));
        let failed: f64 = self.walk.chances(state).iter().map(|(_, share)| share).sum();
        let ends = failures.chain([(None, (1.0 - failed).max(0.0))]);
        let ends: Vec<_> = ends.filter(|(_, share)| *share > 0.0).collect();
        let timeout = self.walk.policy().timeout();
        let mut means = Means::default();
        let mut late = 0.0;
        for (kind, share) in ends {
            let latency = self.walk.latency(state, kind);
            let (beyond, seconds) =
                latency.map_or((1.0, timeout.as_secs_f64()), |latency| latency.cut_at(timeout));
            late += share * beyond;
            means.seconds += share * seconds;
            if beyond < 1.0 {
                means.add(share * (1.0 - beyond), &self.end(state, kind, step)?);
            }
        }
        if late > 0.0 {
            means.add(late, &self.end(state, Some(FailureKind::Timeout), step)?);
        }
        Some(means)
    }

    /// An attempt that ended so, and what follows.
    fn end(&mut self, state: &State, kind: Option<FailureKind>, step: u32) -> Option<Means> {
        let price = self.walk.model(state).and_then(|model| model.price);
        let sent = !kind.is_some_and(is_refused_by_a_guard);
        let own = Means::of_request(sent, self.walk.usage(state, kind), price);
        let mut means = match kind {
            None => Means { success: 1.0, ..Means::default() },
            Some(kind) => self.failed(state, kind, step)?,
        };
        means.add(1.0, &own);
        Some(means)
    }

    /// What follows a failure.
    fn failed(&mut self, state: &State, kind: FailureKind, step: u32) -> Option<Means> {
        let mut next = state.clone();
        let decision = self.walk.fail(&mut next, kind, Duration::MAX, &mut Middle);
        if decision.stopped_by.is_some() {
            return Some(Means::default());
        }
        next.forget_delay();
        let mut means = self.from(next, step + 1)?;
        means.seconds += decision.delay.as_secs_f64();
        Some(means)
    }
}
