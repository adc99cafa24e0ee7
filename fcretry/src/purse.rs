//! What a call may spend, and what models cost in it.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    cost::{Cost, Price, Prices},
    guard::{Amount, Budget, CostBudget, Estimate, OverBudget, TokenBudget},
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
    /// That of a call with these limits.
    pub(crate) fn new(limits: Limits, around: Option<&Self>) -> Self {
        let Limits { tokens, cost, prices } = limits;
        Self {
            tokens: budget(tokens, around.and_then(|around| around.tokens.as_ref())),
            cost: budget(cost, around.and_then(|around| around.cost.as_ref())),
            prices: prices.or_else(|| around.and_then(|around| around.prices.clone())),
        }
    }

    /// Whether nobody else has its budgets, it is within no other, and no prices of a user's are kept with it.
    pub(crate) fn is_own(&self) -> bool {
        self.prices.is_none() && is_own(self.tokens.as_ref()) && is_own(self.cost.as_ref())
    }

    /// Becomes that of a call with these limits which is inside no other, if it has room for just those. For one that
    /// [is its call's own](Self::is_own).
    pub(crate) fn renew(&self, limits: &Limits) -> bool {
        let Limits { tokens, cost, prices } = limits;
        self.prices.is_none()
            && prices.is_none()
            && renew(self.tokens.as_deref(), *tokens)
            && renew(self.cost.as_deref(), *cost)
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
        let tokens = self.tokens.as_ref().map(|budget| budget.hold(estimate)).transpose();
        let tokens = tokens.map_err(Over::Tokens)?;
        let mut spending = Spending { tokens, cost: None };
        if let (Some(budget), Some(Priced(price))) = (&self.cost, priced) {
            let most = Usage::new(estimate.prompt_tokens, estimate.completion_tokens);
            let held = price.clone().map_err(Over::NoPrice).and_then(|price| {
                let held = budget.hold(price.cost_of(most)).map_err(Over::Cost)?;
                Ok(Box::new((held, price)))
            });
            match held {
                Ok(held) => spending.cost = Some(held),
                Err(over) => {
                    spending.give_back(self);
                    return Err(over);
                }
            }
        }
        Ok(spending)
    }
}

/// What models cost in a call with this purse.
pub(crate) fn prices(purse: Option<&Purse>) -> &Prices {
    purse.and_then(|purse| purse.prices.as_deref()).unwrap_or_else(|| &BUILTIN)
}

fn budget<A: Amount>(limit: Option<A>, around: Option<&Arc<Budget<A>>>) -> Option<Arc<Budget<A>>> {
    match (limit, around) {
        (None, around) => around.cloned(),
        (Some(limit), None) => Some(Arc::new(Budget::new(limit))),
        (Some(limit), Some(around)) => Some(Arc::new(Budget::within(limit, Arc::clone(around)))),
    }
}

fn is_own<A: Amount>(budget: Option<&Arc<Budget<A>>>) -> bool {
    budget.is_none_or(|budget| Arc::strong_count(budget) == 1 && !budget.is_within())
}

fn renew<A: Amount>(budget: Option<&Budget<A>>, limit: Option<A>) -> bool {
    match (budget, limit) {
        (None, None) => true,
        (Some(budget), Some(limit)) => budget.renew(limit),
        _ => false,
    }
}

/// What a model costs, if that is known.
#[derive(Debug)]
pub(crate) struct Priced(Result<Price, NoPrice>);

/// What a request has of the budgets of the purse that it was reserved in: to be settled there.
#[derive(Debug, Default)]
pub(crate) struct Spending {
    tokens: Option<u64>,
    /// On the heap: of many calls that wait, few have a limit in money.
    cost: Option<Box<(Cost, Price)>>,
}

impl Spending {
    pub(crate) const fn is_held(&self) -> bool {
        self.tokens.is_some() || self.cost.is_some()
    }

    /// Spends what the request took.
    pub(crate) fn settle(&mut self, purse: &Purse, usage: Usage) {
        self.end(purse, usage.total(), |price| price.cost_of(usage));
    }

    /// Spends the estimate: what the request took is not known.
    pub(crate) fn keep(&mut self) {
        // It is taken already.
        *self = Self::default();
    }

    /// Gives it back: the request cost nothing.
    pub(crate) fn give_back(&mut self, purse: &Purse) {
        self.end(purse, 0, |_| Cost::ZERO);
    }

    fn end(&mut self, purse: &Purse, tokens: u64, cost: impl FnOnce(&Price) -> Cost) {
        if let (Some(held), Some(budget)) = (self.tokens.take(), &purse.tokens) {
            budget.settle(held, tokens);
        }
        if let (Some(held), Some(budget)) = (self.cost.take(), &purse.cost) {
            budget.settle(held.0, cost(&held.1));
        }
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
