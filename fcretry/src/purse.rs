//! What a call may spend, and what models cost in it.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    cost::{Cost, Price, Prices},
    guard::{Amount, Budget, CostBudget, Estimate, OverBudget, Reservation, TokenBudget},
    handle::{Handle, attach_as_itself},
    usage::Usage,
};

/// The prices of calls that name none.
static BUILTIN: LazyLock<Prices> = LazyLock::new(Prices::builtin);

/// What a call may spend, with the calls inside it, and what models cost in them. What it has none of is that of the call around it.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    tokens: Option<Arc<TokenBudget>>,
    cost: Option<Arc<CostBudget>>,
    prices: Option<Handle<Prices>>,
}

/// What a call says of it.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) tokens: Option<u64>,
    pub(crate) cost: Option<Cost>,
    pub(crate) prices: Option<Handle<Prices>>,
}

impl Limits {
    pub(crate) fn is_none(&self) -> bool {
        let Self { tokens, cost, prices } = self;
        tokens.is_none() && cost.is_none() && prices.is_none()
    }
}

impl Purse {
    /// Makes it that of a call with these limits. What nobody else has any more is used again.
    pub(crate) fn fill(&mut self, limits: Limits, around: Option<&Self>) {
        let Limits { tokens, cost, prices } = limits;
        fill(&mut self.tokens, tokens, around.and_then(|around| around.tokens.as_ref()));
        fill(&mut self.cost, cost, around.and_then(|around| around.cost.as_ref()));
        self.prices = prices.or_else(|| around.and_then(|around| around.prices.clone()));
    }

    /// Keeps nothing of what others have, but for the room that it has.
    pub(crate) fn empty(&mut self) {
        empty(&mut self.tokens);
        empty(&mut self.cost);
        self.prices = None;
    }

    pub(crate) fn prices(&self) -> Option<Handle<Prices>> {
        self.prices.clone()
    }

    /// Whether there is a limit.
    pub(crate) const fn is_limited(&self) -> bool {
        self.tokens.is_some() || self.cost.is_some()
    }

    pub(crate) fn tokens_left(&self) -> Option<u64> {
        self.tokens.as_deref().map(Budget::left)
    }

    pub(crate) fn cost_left(&self) -> Option<Cost> {
        self.cost.as_deref().map(Budget::left)
    }

    /// What `model` costs, if there is a limit to that.
    pub(crate) fn priced(&self, model: &str) -> Option<Box<Priced>> {
        let Some(budget) = &self.cost else { return None };
        let price = prices(Some(self))
            .price_of(model)
            .ok_or_else(|| NoPrice { model: model.to_owned(), limit: budget.limit() });
        Some(Box::new(Priced(price)))
    }

    /// Spends what a request took that nobody asked leave for.
    pub(crate) fn spend(&self, model: &str, usage: Usage) {
        if let Some(tokens) = &self.tokens {
            tokens.spend(usage.total());
        }
        if let Some(budget) = &self.cost
            && let Some(cost) = prices(Some(self)).cost_of(model, usage)
        {
            budget.spend(cost);
        }
    }

    /// Reserves what a request will take.
    pub(crate) fn reserve(
        &self,
        estimate: Estimate,
        priced: Option<&Priced>,
    ) -> Result<Spending, Over> {
        let tokens = self.tokens.as_ref().map(|budget| budget.reserve(estimate)).transpose();
        let tokens = tokens.map_err(Over::Tokens)?;
        let mut cost = None;
        if let (Some(budget), Some(Priced(price))) = (&self.cost, priced) {
            let price = price.clone().map_err(Over::NoPrice)?;
            let most = Usage::new(estimate.prompt_tokens, estimate.completion_tokens);
            let held = budget.reserve(price.cost_of(most)).map_err(Over::Cost)?;
            cost = Some(Box::new((held, price)));
        }
        Ok(Spending { tokens, cost })
    }
}

/// What models cost in a call with this purse.
pub(crate) fn prices(purse: Option<&Purse>) -> &Prices {
    purse.and_then(|purse| purse.prices.as_deref()).unwrap_or_else(|| &BUILTIN)
}

fn fill<A: Amount>(
    slot: &mut Option<Arc<Budget<A>>>,
    limit: Option<A>,
    around: Option<&Arc<Budget<A>>>,
) {
    let fresh = match (limit, around) {
        (None, around) => return *slot = around.cloned(),
        (Some(limit), None) => Budget::new(limit),
        (Some(limit), Some(around)) => Budget::within(limit, Arc::clone(around)),
    };
    match slot.as_mut().and_then(Arc::get_mut) {
        Some(free) => *free = fresh,
        None => *slot = Some(Arc::new(fresh)),
    }
}

fn empty<A: Amount>(slot: &mut Option<Arc<Budget<A>>>) {
    match slot.as_mut().and_then(Arc::get_mut) {
        Some(free) => *free = Budget::new(free.limit()),
        None => *slot = None,
    }
}

/// What a model costs, if that is known.
#[derive(Debug)]
pub(crate) struct Priced(Result<Price, NoPrice>);

/// What a request has of the budgets. Dropped, it is given back: nothing was sent.
#[derive(Debug, Default)]
#[must_use = "what is dropped is given back"]
pub(crate) struct Spending {
    tokens: Option<Reservation>,
    /// On the heap: of many calls that wait, few have a limit in money.
    cost: Option<Box<(Reservation<Cost>, Price)>>,
}

impl Spending {
    pub(crate) const fn is_held(&self) -> bool {
        self.tokens.is_some() || self.cost.is_some()
    }

    /// Spends what the request took.
    pub(crate) fn settle(&mut self, usage: Usage) {
        if let Some(tokens) = self.tokens.take() {
            tokens.settle(usage);
        }
        if let Some(held) = self.cost.take() {
            let (held, price) = *held;
            held.settle(price.cost_of(usage));
        }
    }

    /// Spends the estimate: what the request took is not known.
    pub(crate) fn keep(&mut self) {
        if let Some(tokens) = self.tokens.take() {
            tokens.keep();
        }
        if let Some(held) = self.cost.take() {
            held.0.keep();
        }
    }

    /// Gives it back: the request cost nothing.
    pub(crate) fn give_back(&mut self) {
        *self = Self::default();
    }
}

/// Why a request does not fit a budget.
#[derive(Debug)]
pub(crate) enum Over {
    Tokens(OverBudget),
    Cost(OverBudget<Cost>),
    NoPrice(NoPrice),
}

/// What a model takes is not known, and there is a limit to what it may.
#[derive(Clone, Debug)]
pub(crate) struct NoPrice {
    model: String,
    limit: Cost,
}

impl fmt::Display for NoPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, limit } = self;
        write!(
            f,
            "no price of `{model}` is known, and the budget is {limit}; give one with `prices(..)`"
        )
    }
}

impl std::error::Error for NoPrice {}

attach_as_itself!(Prices);
