//! Calls played one after the other, from a seed.

use std::time::Duration;

use super::{
    plan::{Figure, Means, Method, Plan, Spend, duration},
    walk::{State, Walk},
};
use crate::{
    cost::Cost,
    failure::FailureKind,
    policy::{Decision, is_refused_by_a_guard},
};

/// What calls took.
pub(super) struct Simulated {
    calls: Vec<Taken>,
    /// What it took until one succeeded, of calls made over and over.
    successes: Vec<Taken>,
    met_the_deadline: bool,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    requests: u64,
    tokens: u64,
    cost: Cost,
    /// There was a request whose price is not known.
    is_unpriced: bool,
    time: Duration,
    success: bool,
}

impl Taken {
    fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.cost += other.cost;
        self.is_unpriced |= other.is_unpriced;
        self.time = self.time.saturating_add(other.time);
    }
}

impl Simulated {
    pub(super) fn new(walk: &Walk<'_>, runs: u32, seed: u64) -> Self {
        let mut player =
            Player { walk, rng: fastrand::Rng::with_seed(seed), met_the_deadline: false };
        let calls: Vec<_> = (0..runs).map(|_| player.call()).collect();
        let mut successes = Vec::new();
        let mut since = Taken::default();
        for call in &calls {
            since.add(*call);
            if call.success {
                successes.push(std::mem::take(&mut since));
            }
        }
        Self { calls, successes, met_the_deadline: player.met_the_deadline }
    }

    /// Whether the deadline changed what was done, in any call.
    pub(super) fn met_the_deadline(&self) -> bool {
        self.met_the_deadline
    }

    #[allow(clippy::cast_precision_loss, reason = "a mean of so many is no more exact")]
    pub(super) fn means(&self) -> Means {
        let mut sum = Means::default();
        for call in &self.calls {
            sum.add(
                1.0,
                &Means {
                    success: f64::from(call.success),
                    requests: call.requests as f64,
                    tokens: call.tokens as f64,
                    usd: call.cost.as_usd(),
                    is_unpriced: call.is_unpriced,
                    seconds: call.time.as_secs_f64(),
                },
            );
        }
        sum.times(1.0 / self.calls.len() as f64)
    }

    /// The plan with these means.
    pub(super) fn plan(&self, means: &Means, method: Method) -> Plan {
        let is_unpriced = means.is_unpriced || self.calls.iter().any(|call| call.is_unpriced);
        let success = means.success.clamp(0.0, 1.0);
        let per_success = (success > 0.0 && !self.successes.is_empty())
            .then(|| spend(&means.times(1.0 / means.success), &self.successes, is_unpriced));
        Plan {
            success,
            per_call: spend(means, &self.calls, is_unpriced),
            per_success,
            method,
            runs: u32::try_from(self.calls.len()).unwrap_or(u32::MAX),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of a call are small")]
fn spend(means: &Means, taken: &[Taken], is_unpriced: bool) -> Spend {
    let cost = Cost::from_usd(means.usd).unwrap_or(Cost::MAX);
    Spend {
        requests: Figure { mean: means.requests, p95: p95(taken, |call| call.requests) as f64 },
        tokens: Figure { mean: means.tokens, p95: p95(taken, |call| call.tokens) as f64 },
        cost: (!is_unpriced).then(|| Figure { mean: cost, p95: p95(taken, |call| call.cost) }),
        time: Figure { mean: duration(means.seconds), p95: p95(taken, |call| call.time) },
    }
}

/// The least value that nineteen of twenty do not pass.
fn p95<T: Ord + Default + Copy>(taken: &[Taken], of: impl Fn(&Taken) -> T) -> T {
    let mut values: Vec<T> = taken.iter().map(of).collect();
    let rank = (values.len() * 95).div_ceil(100).saturating_sub(1);
    if rank >= values.len() {
        return T::default();
    }
    *values.select_nth_unstable(rank).1
}

struct Player<'a> {
    walk: &'a Walk<'a>,
    rng: fastrand::Rng,
    met_the_deadline: bool,
}

impl Player<'_> {
    fn call(&mut self) -> Taken {
        let deadline = self.walk.policy().deadline();
        let mut state = self.walk.start();
        let mut call = Taken::default();
        loop {
            let kind = if self.walk.fits(&state) {
                self.attempt(&state, &mut call)
            } else {
                Some(FailureKind::BudgetExhausted)
            };
            let Some(kind) = kind else {
                return Taken { success: true, ..call };
            };
            let decision = self.fail(&mut state, kind, deadline.saturating_sub(call.time));
            if decision.stopped_by.is_some() {
                return call;
            }
            call.time = call.time.saturating_add(decision.delay);
        }
    }

    /// Makes an attempt, and says what it failed with.
    fn attempt(&mut self, state: &State, call: &mut Taken) -> Option<FailureKind> {
        let policy = self.walk.policy();
        let left = policy.deadline().saturating_sub(call.time);
        let end = self.end(self.walk.chances(state));
        let latency = self.walk.latency(state, end);
        let time = latency.map_or(Duration::MAX, |latency| latency.draw(&mut self.rng));
        let (kind, time) = if time <= left.min(policy.timeout()) {
            (end, time)
        } else if left <= policy.timeout() {
            self.met_the_deadline = true;
            (Some(FailureKind::DeadlineExceeded), left)
        } else {
            (Some(FailureKind::Timeout), policy.timeout())
        };
        let usage = self.walk.usage(state, kind);
        let price = self.walk.model(state).and_then(|model| model.price);
        call.add(Taken {
            requests: u64::from(!kind.is_some_and(is_refused_by_a_guard)),
            tokens: usage.total(),
            cost: price.map(|price| price.cost_of(usage)).unwrap_or_default(),
            is_unpriced: price.is_none() && usage.total() > 0,
            time,
            success: false,
        });
        kind
    }

    /// How an attempt ends.
    fn end(&mut self, chances: &[(FailureKind, f64)]) -> Option<FailureKind> {
        let mut at = self.rng.f64();
        chances.iter().find_map(|(kind, share)| {
            at -= share;
            (at < 0.0).then_some(*kind)
        })
    }

    /// What is decided about a failure, and whether the deadline had a part in it.
    fn fail(&mut self, state: &mut State, kind: FailureKind, left: Duration) -> Decision {
        let (before, rng) = (state.clone(), self.rng.clone());
        let free = self.walk.fail(state, kind, Duration::MAX, &mut self.rng);
        if free.delay < left {
            return free;
        }
        *state = before;
        self.rng = rng;
        let held = self.walk.fail(state, kind, left, &mut self.rng);
        self.met_the_deadline |= held != free;
        held
    }
}
