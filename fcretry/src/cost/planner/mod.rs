//! What a policy costs: one call under it, played through by the decision that the loop itself takes.

mod closed_form;
mod invalid;
mod latency;
mod plan;
mod rates;
mod simulation;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

pub use self::{
    invalid::InvalidPlan,
    latency::Latency,
    plan::{Figure, Method, Plan, Spend},
    rates::{Asked, FailureRates},
};
use self::{
    simulation::Simulated,
    walk::{Model, Walk},
};
use super::Prices;
use crate::policy::RetryPolicy;

/// What a [`RetryPolicy`] costs in requests, tokens, money and time, for given rates of failure, prices and latencies.
///
/// ```
/// use std::time::Duration;
/// use fcretry::{
///     FailureKind::{SchemaValidation, StructuralParse},
///     Prices, RetryPolicy,
///     cost::{Asked, FailureRates, Latency, Planner},
/// };
///
/// let rates = FailureRates::new()
///     .given("gpt-4.1", [(StructuralParse, 0.06), (SchemaValidation, 0.04)])
///     // Of the answers that were bad, five of seven are good once what was wrong is fed back.
///     .given_after(Asked::Repair, "gpt-4.1", [(SchemaValidation, 2.0 / 7.0)]);
/// let plan = Planner::new(&RetryPolicy::default(), "gpt-4.1")
///     .rates(rates)
///     .prices(Prices::builtin())
///     .tokens(1200, 300)
///     .latency(Latency::new(Duration::from_secs(3), Duration::from_secs(1)))
///     .plan()?;
/// // Two repairs of a schema violation; one more, if it was a structural error first.
/// let bad = 2.0_f64 / 7.0;
/// assert!((plan.success - (1.0 - 0.06 * bad.powi(3) - 0.04 * bad.powi(2))).abs() < 1e-9);
/// let cost = plan.per_success.unwrap().cost.unwrap();
/// assert_eq!(format!("{:.4}, up to {:.4} in 95 of 100", cost.mean, cost.p95), "$0.0055, up to $0.0102 in 95 of 100");
/// # Ok::<(), fcretry::cost::InvalidPlan>(())
/// ```
///
/// # What is planned
///
/// A call whose body asks once, at one endpoint, without a guard around it but the policy's own `budget(tokens)`; its models are the one
/// it asks and the policy's fallbacks. What is done about a failure is decided by the very function that decides in a call, with the same
/// counts, limits and waits.
///
/// - An attempt fails in a way that depends on the model and on how it came to be asked ([`Asked`]), and on nothing else.
/// - It takes the [`Latency`] of its model. One that takes longer than the policy's `timeout` is a `Timeout` then, in addition to those
///   that the rates name; the limits of a stream, `first_token` and `idle`, are left out, and so is `Retry-After`.
/// - An answer that is there, good, bad or cut, is paid for. A request that timed out or broke off midway is counted
///   as if it was, because providers go on with it; one that was turned down (a rate limit, an overload, a refused connection, a wrong
///   key) is free.
/// - No two bad answers are equal: that a model repeats itself is part of its rates after a repair.
///
/// # How it is computed
///
/// Means and the chance of success are computed in closed form: the call is a Markov chain over what the decision looks at, and its
/// expectation is summed over every state that can be reached, `E(s) = own(s) + Σ P(failure | s) · E(next(s, failure))`. Waits go in with their mean,
/// which with full and equal jitter is that of the middle of their range.
///
/// There is no closed form where the deadline or decorrelated jitter makes a decision or a wait depend on all waits and latencies
/// before. Then, and for the 95th percentiles always, calls are simulated, from a fixed seed ([`Method`] says which). Both ways agree within two
/// percent wherever both can be taken.
#[derive(Clone, Debug)]
pub struct Planner {
    policy: RetryPolicy,
    model: String,
    rates: FailureRates,
    prices: Prices,
    load: Load,
    latency: Latency,
    latencies: BTreeMap<String, Latency>,
    turned_down: Option<Latency>,
    takes_attempt: bool,
    runs: u32,
    seed: u64,
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    prompt: u64,
    completion: u64,
    /// What a bad answer and what was wrong with it add to the request.
    feedback: Option<u64>,
    /// The request's own `max_completion_tokens`.
    limit: Option<u32>,
}

impl Planner {
    /// Calls under `policy` that ask `model`, and then the policy's fallbacks.
    pub fn new(policy: &RetryPolicy, model: impl Into<String>) -> Self {
        Self {
            policy: policy.clone(),
            model: model.into(),
            rates: FailureRates::new(),
            prices: Prices::new(),
            load: Load::default(),
            latency: Latency::ZERO,
            latencies: BTreeMap::new(),
            turned_down: None,
            takes_attempt: true,
            runs: 20_000,
            seed: 0,
        }
    }

    /// How often each model fails, and in what ways. Every model of the call must be among them.
    pub fn rates(mut self, rates: FailureRates) -> Self {
        self.rates = rates;
        self
    }

    /// What the models take. Where one that answers has no price, no cost is planned.
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// Tokens of a request and of an answer, in the mean. Default none.
    pub fn tokens(mut self, prompt: u64, completion: u64) -> Self {
        self.load.prompt = prompt;
        self.load.completion = completion;
        self
    }

    /// Tokens that feeding back a bad answer adds to the request: the answer itself and what was wrong with it. As many
    /// bad answers are carried as the policy's `history` says. Default: as many as an answer has.
    pub fn feedback(mut self, tokens: u64) -> Self {
        self.load.feedback = Some(tokens);
        self
    }

    /// The `max_completion_tokens` of the request: what a cut answer has, and what the policy raises then. Default none.
    pub fn limit(mut self, max_completion_tokens: u32) -> Self {
        self.load.limit = Some(max_completion_tokens);
        self
    }

    /// How long an answer takes, of whatever model has no latency of its own. Default: no time, so that only waits are planned.
    pub fn latency(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    /// How long an answer of `model` takes.
    pub fn latency_of(mut self, model: impl Into<String>, latency: Latency) -> Self {
        self.latencies.insert(model.into(), latency);
        self
    }

    /// How long a server takes to turn a request down: a rate limit, an overload. Default: as long as to answer.
    pub fn turned_down_latency(mut self, latency: Latency) -> Self {
        self.turned_down = Some(latency);
        self
    }

    /// For a function that takes no attempt: it can be run again, but neither repair nor fall back.
    pub fn without_attempt(mut self) -> Self {
        self.takes_attempt = false;
        self
    }

    /// How many calls are simulated, 1 or more. Default 20 000, whose means are within about one percent.
    pub fn runs(mut self, runs: u32) -> Self {
        self.runs = runs;
        self
    }

    /// The seed of the simulation. The same seed gives the same plan. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The plan: means in closed form where there is one, else simulated.
    ///
    /// # Errors
    ///
    /// If a model has no rates, or they are none: below 0, together above 1, or of a kind that follows from the policy.
    pub fn plan(&self) -> Result<Plan, InvalidPlan> {
        let walk = self.walk()?;
        let simulated = Simulated::new(&walk, self.runs, self.seed);
        let means = if simulated.met_the_deadline() || self.policy.waits_remember() {
            None
        } else {
            closed_form::means(&walk)
        };
        Ok(match means {
            Some(means) => simulated.plan(&means, Method::ClosedForm),
            None => simulated.plan(&simulated.means(), Method::Simulated),
        })
    }

    /// The plan with its means from the simulation, whether or not there is a closed form.
    ///
    /// # Errors
    ///
    /// As those of [`plan`](Self::plan).
    pub fn simulate(&self) -> Result<Plan, InvalidPlan> {
        let walk = self.walk()?;
        let simulated = Simulated::new(&walk, self.runs, self.seed);
        Ok(simulated.plan(&simulated.means(), Method::Simulated))
    }

    fn walk(&self) -> Result<Walk<'_>, InvalidPlan> {
        let mut faults = self.rates.faults();
        if self.runs == 0 {
            faults.push("`runs` is 1 or more".to_owned());
        }
        // What needs a route is not planned.
        if let Some(fault) = self.policy.fault_without_a_route() {
            faults.extend_from_slice(fault.faults());
        }
        let names = [&self.model].into_iter().chain(self.policy.fallback());
        let mut models = Vec::new();
        for name in names {
            match self.rates.of(name) {
                Some(chances) => models.push(Model {
                    chances,
                    price: self.prices.price_of(name),
                    latency: self.latencies.get(name).copied().unwrap_or(self.latency),
                }),
                None => faults.push(format!("there are no failure rates for `{name}`")),
            }
        }
        if !faults.is_empty() {
            return Err(InvalidPlan::new(faults));
        }
        Ok(Walk::new(&self.policy, models, self.load, self.turned_down, self.takes_attempt))
    }
}
