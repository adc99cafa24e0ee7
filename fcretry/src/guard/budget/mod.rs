//! What may be spent: tokens, or money.

mod amount;
mod estimate;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

pub use amount::Amount;
pub use estimate::Estimate;

use crate::{cost::Cost, usage::Usage};

/// Tokens that may be spent: the key `budget(tokens = 20_000)`, per call. Also by itself, for whatever is to share it.
///
/// A request is reserved for *before* it is sent, with an [`Estimate`], and settled with its usage. The sum can pass the limit
/// by what a request took beyond its estimate, and by no more than those under way at once. Cheap to share, and never waits.
///
/// ```
/// use std::sync::Arc;
/// use fcretry::{Usage, guard::{Estimate, TokenBudget}};
///
/// let budget = Arc::new(TokenBudget::new(1000));
/// let request = budget.reserve(Estimate::new(300, 400)).unwrap();
/// // 700 are spoken for.
/// assert!(budget.reserve(400.into()).is_err());
/// request.settle(Usage::new(280, 120));
/// assert_eq!(budget.spent(), 400);
/// assert!(budget.reserve(600.into()).is_ok());
/// ```
pub type TokenBudget = Budget<u64>;

/// Dollars that may be spent: the key `budget(usd = 0.05)`, per call. As [`TokenBudget`], in exact amounts.
///
/// ```
/// use std::sync::Arc;
/// use fcretry::{Cost, guard::CostBudget};
///
/// let budget = Arc::new(CostBudget::new(Cost::from_usd(0.05)?));
/// let request = budget.reserve(Cost::from_usd(0.04)?).unwrap();
/// assert!(budget.reserve(Cost::from_usd(0.02)?).is_err());
/// request.settle(Cost::from_usd(0.0123)?);
/// assert_eq!(budget.left(), Cost::from_usd(0.0377)?);
/// # Ok::<(), fcretry::cost::InvalidCost>(())
/// ```
pub type CostBudget = Budget<Cost>;

/// What may be spent of something that is counted: see [`TokenBudget`] and [`CostBudget`].
#[derive(Debug)]
pub struct Budget<A> {
    limit: A,
    /// Spent and reserved, in the unit that the amount is counted by.
    taken: AtomicU64,
    /// What is taken here is taken there, too.
    parent: Option<Arc<Budget<A>>>,
}

impl<A: Copy> Budget<A> {
    /// A budget of so much.
    pub const fn new(limit: A) -> Self {
        Self { limit, taken: AtomicU64::new(0), parent: None }
    }

    /// A budget of so much, which is also of that of `parent`.
    pub const fn within(limit: A, parent: Arc<Self>) -> Self {
        Self { limit, taken: AtomicU64::new(0), parent: Some(parent) }
    }

    /// How much there is.
    pub const fn limit(&self) -> A {
        self.limit
    }
}

impl<A: Amount> Budget<A> {
    /// How much is spent or reserved.
    pub fn spent(&self) -> A {
        A::of_units(self.taken.load(Ordering::Relaxed))
    }

    /// How much may still be reserved, here and in the budgets that this one is within.
    pub fn left(&self) -> A {
        let left = |level: &Self| level.limit.units().saturating_sub(level.spent().units());
        A::of_units(self.levels().map(left).min().unwrap_or(0))
    }

    /// Reserves what a request will take: an [`Estimate`] of tokens, or a [`Cost`].
    ///
    /// # Errors
    ///
    /// [`OverBudget`] if the sum would pass the limit, here or in a budget that this one is within; nothing is reserved then.
    pub fn reserve(
        self: &Arc<Self>,
        estimate: A::Estimate,
    ) -> Result<Reservation<A>, OverBudget<A>> {
        let reserved = self.hold(estimate)?;
        Ok(Reservation { budget: Some(Arc::clone(self)), reserved })
    }

    /// Reserves, for who has the budget at the end of the request, too: what is held is to be [settled](Self::settle).
    pub(crate) fn hold(&self, estimate: A::Estimate) -> Result<A, OverBudget<A>> {
        let asked = A::estimated(estimate).units();
        for level in self.levels() {
            if let Err(spent) = level.try_take(asked) {
                for below in self.levels().take_while(|below| !std::ptr::eq(*below, level)) {
                    below.replace(asked, 0);
                }
                let (spent, asked) = (A::of_units(spent), A::of_units(asked));
                return Err(OverBudget { limit: level.limit, spent, asked });
            }
        }
        Ok(A::of_units(asked))
    }

    /// Spends `came` in place of what was held: nothing, if that is given back.
    pub(crate) fn settle(&self, held: A, came: A) {
        self.levels().for_each(|level| level.replace(held.units(), came.units()));
    }

    /// Whether it is also of another.
    pub(crate) const fn is_within(&self) -> bool {
        self.parent.is_some()
    }

    /// As new, if it is of this limit and within no other.
    pub(crate) fn renew(&self, limit: A) -> bool {
        let is_same = !self.is_within() && self.limit.units() == limit.units();
        if is_same {
            self.taken.store(0, Ordering::Relaxed);
        }
        is_same
    }

    /// Spends what was taken without being reserved, here and in the budgets that this one is within, whatever their limits.
    pub fn spend(&self, came: A) {
        self.levels().for_each(|level| level.replace(0, came.units()));
    }

    /// This budget, and those that it is within.
    fn levels(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |level| level.parent.as_deref())
    }

    fn try_take(&self, units: u64) -> Result<u64, u64> {
        let limit = self.limit.units();
        let fits = |taken: u64| taken.checked_add(units).filter(|sum| *sum <= limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
    }

    /// Takes `came` for what was `reserved`, whatever the limit: it is spent.
    fn replace(&self, reserved: u64, came: u64) {
        let sum = |taken: u64| Some(taken.saturating_sub(reserved).saturating_add(came));
        let _ = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }
}

/// `limit` and `spent`.
impl<A: Amount + Serialize> Serialize for Budget<A> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct State<A> {
            limit: A,
            spent: A,
        }
        State { limit: self.limit, spent: self.spent() }.serialize(serializer)
    }
}

/// What is reserved of a [`Budget`] for a request. Dropped, it is given back: nothing was sent.
#[derive(Debug)]
#[must_use = "what is dropped is given back"]
pub struct Reservation<A: Amount = u64> {
    /// `None` once it is settled.
    budget: Option<Arc<Budget<A>>>,
    reserved: A,
}

impl<A: Amount> Reservation<A> {
    /// How much was reserved.
    pub fn reserved(&self) -> A {
        self.reserved
    }

    /// Spends the estimate: what the request took is not known.
    pub fn keep(self) {
        let reserved = self.reserved;
        self.spend(reserved);
    }

    fn spend(mut self, came: A) {
        if let Some(budget) = self.budget.take() {
            budget.settle(self.reserved, came);
        }
    }
}

impl Reservation<u64> {
    /// Spends what the request took, in place of the estimate.
    pub fn settle(self, usage: Usage) {
        self.spend(usage.total());
    }
}

impl Reservation<Cost> {
    /// Spends what the request cost, in place of the estimate.
    pub fn settle(self, cost: Cost) {
        self.spend(cost);
    }
}

impl<A: Amount> Drop for Reservation<A> {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.take() {
            budget.settle(self.reserved, A::of_units(0));
        }
    }
}

/// A request would pass a budget; it is not to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverBudget<A = u64> {
    /// How much the budget has.
    pub limit: A,
    /// How much of it is spent or reserved.
    pub spent: A,
    /// How much the request would take.
    pub asked: A,
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, spent, asked } = self;
        write!(f, "about {asked} tokens more than {spent} are over the {limit} of the budget")
    }
}

impl fmt::Display for OverBudget<Cost> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, spent, asked } = self;
        write!(f, "up to {asked} more than {spent} is over the {limit} of the budget")
    }
}

impl std::error::Error for OverBudget {}
impl std::error::Error for OverBudget<Cost> {}
