use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

use crate::usage::Usage;

/// About how many tokens a request will take, before it is sent.
///
/// An adapter takes one for every four bytes of messages and tools (of a picture in them, nothing), and for the answer the
/// request's own token limit, if it has one. What was estimated is replaced by the usage, once that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// Of the request.
    pub prompt_tokens: u64,
    /// Of the answer, at most; 0 if that is not known.
    pub completion_tokens: u64,
}

impl Estimate {
    /// So many for the request and its answer.
    pub const fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens }
    }

    /// Request and answer together.
    pub const fn total(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// So many for both together.
impl From<u64> for Estimate {
    fn from(tokens: u64) -> Self {
        Self::new(tokens, 0)
    }
}

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
#[derive(Debug)]
pub struct TokenBudget {
    limit: u64,
    /// Spent and reserved.
    taken: AtomicU64,
    /// What is taken here is taken there, too.
    parent: Option<Arc<TokenBudget>>,
}

impl TokenBudget {
    /// A budget of `limit` tokens.
    pub const fn new(limit: u64) -> Self {
        Self { limit, taken: AtomicU64::new(0), parent: None }
    }

    /// A budget of `limit` tokens, which are also of those of `parent`.
    pub const fn within(limit: u64, parent: Arc<TokenBudget>) -> Self {
        Self { limit, taken: AtomicU64::new(0), parent: Some(parent) }
    }

    /// How many there are.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// How many are spent or reserved.
    pub fn spent(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many may still be reserved, here and in the budgets that this one is within.
    pub fn left(&self) -> u64 {
        self.levels().map(|level| level.limit.saturating_sub(level.spent())).min().unwrap_or(0)
    }

    /// Reserves what a request will take.
    ///
    /// # Errors
    ///
    /// [`OverBudget`] if the sum would pass the limit, here or in a budget that this one is within; nothing is reserved then.
    pub fn reserve(self: &Arc<Self>, estimate: Estimate) -> Result<Reservation, OverBudget> {
        let tokens = estimate.total();
        for level in self.levels() {
            if let Err(spent) = level.try_take(tokens) {
                for below in self.levels().take_while(|below| !std::ptr::eq(*below, level)) {
                    below.put_back(tokens);
                }
                return Err(OverBudget { limit: level.limit, spent, asked: tokens });
            }
        }
        Ok(Reservation { budget: Some(Arc::clone(self)), estimate })
    }

    /// This budget, and those that it is within.
    fn levels(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |level| level.parent.as_deref())
    }

    fn try_take(&self, tokens: u64) -> Result<u64, u64> {
        let fits = |taken: u64| taken.checked_add(tokens).filter(|sum| *sum <= self.limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
    }

    fn put_back(&self, tokens: u64) {
        let less = |taken: u64| Some(taken.saturating_sub(tokens));
        let _ = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Takes `came` for what was `reserved`, whatever the limit: it is spent.
    fn replace(&self, reserved: u64, came: u64) {
        let sum = |taken: u64| Some(taken.saturating_sub(reserved).saturating_add(came));
        let _ = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }
}

/// `limit` and `spent`.
impl Serialize for TokenBudget {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct State {
            limit: u64,
            spent: u64,
        }
        State { limit: self.limit, spent: self.spent() }.serialize(serializer)
    }
}

/// What is reserved of a [`TokenBudget`] for a request. Dropped, it is given back: nothing was sent.
#[derive(Debug)]
#[must_use = "what is dropped is given back"]
pub struct Reservation {
    /// `None` once it is settled.
    budget: Option<Arc<TokenBudget>>,
    estimate: Estimate,
}

impl Reservation {
    /// What was reserved.
    pub const fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// Spends what the request took, in place of the estimate.
    pub fn settle(self, usage: Usage) {
        self.spend(usage.total());
    }

    /// Spends the estimate: what the request took is not known.
    pub fn keep(self) {
        let tokens = self.estimate.total();
        self.spend(tokens);
    }

    fn spend(mut self, tokens: u64) {
        if let Some(budget) = self.budget.take() {
            let reserved = self.estimate.total();
            budget.levels().for_each(|level| level.replace(reserved, tokens));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.take() {
            budget.levels().for_each(|level| level.put_back(self.estimate.total()));
        }
    }
}

/// A request would pass a budget; it is not to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverBudget {
    /// How many tokens the budget has.
    pub limit: u64,
    /// How many of them are spent or reserved.
    pub spent: u64,
    /// How many the request would take.
    pub asked: u64,
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, spent, asked } = self;
        write!(f, "about {asked} tokens more than {spent} are over the {limit} of the budget")
    }
}

impl std::error::Error for OverBudget {}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limit: u64) -> Arc<TokenBudget> {
        Arc::new(TokenBudget::new(limit))
    }

    #[test]
    fn what_is_reserved_is_settled_or_given_back() {
        let budget = budget(100);
        let reserve = || budget.reserve(Estimate::new(40, 20));
        drop(reserve().unwrap());
        assert_eq!(budget.spent(), 0);
        reserve().unwrap().settle(Usage::new(10, 5));
        assert_eq!(budget.spent(), 15);
        reserve().unwrap().keep();
        assert_eq!((budget.spent(), budget.left()), (75, 25));
        let over = reserve().unwrap_err();
        assert_eq!(over, OverBudget { limit: 100, spent: 75, asked: 60 });
        assert_eq!(budget.spent(), 75);
    }

    #[test]
    fn what_fits_to_the_token_fits() {
        let budget = budget(100);
        budget.reserve(100.into()).unwrap().keep();
        assert!(budget.reserve(1.into()).is_err());
        assert!(budget.reserve(0.into()).is_ok());
    }

    #[test]
    fn what_is_spent_is_spent_at_every_level_and_what_is_refused_at_none() {
        let outer = budget(100);
        let inner = Arc::new(TokenBudget::within(80, Arc::clone(&outer)));
        inner.reserve(50.into()).unwrap().settle(Usage::new(30, 30));
        assert_eq!((inner.spent(), outer.spent()), (60, 60));
        outer.reserve(30.into()).unwrap().keep();
        // The inner one has room for it.
        assert_eq!(inner.reserve(15.into()).unwrap_err().limit, 100);
        assert_eq!((inner.spent(), outer.spent(), inner.left()), (60, 90, 10));
    }

    #[test]
    fn a_usage_beyond_all_bounds_does_not_wrap() {
        let budget = budget(100);
        budget.reserve(50.into()).unwrap().settle(Usage::new(u64::MAX, u64::MAX));
        assert_eq!((budget.spent(), budget.left()), (u64::MAX, 0));
        assert!(budget.reserve(1.into()).is_err());
    }

    #[test]
    fn threads_do_not_pass_it_together() {
        let budget = budget(1000);
        let taken: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..1000)
                            .filter(|_| budget.reserve(1.into()).map(Reservation::keep).is_ok())
                            .count() as u64
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((taken, budget.spent()), (1000, 1000));
    }
}
