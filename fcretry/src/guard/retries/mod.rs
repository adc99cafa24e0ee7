//! The retry budget: retries stay a small share of the traffic when a provider is down.

mod asking;
#[cfg(loom)]
#[cfg(test)]
mod loom_tests;
mod pool;
mod retry_budget;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

pub use asking::Asking;
pub use retry_budget::{RetryBudget, RetryStats};
use tokio::time::Instant;

use super::{Key, Soon, Ticket};
use crate::FailureKind;

/// A budget of retries that calls share: says whether an endpoint may be asked *again*, and is told what came of each ask.
/// [`RetryBudget`] is one in this process.
///
/// ```
/// use fcretry::{FailureKind, guard::{Key, Retries, RetryBudget}};
///
/// static RETRIES: RetryBudget = RetryBudget::new();
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let key = Key::of("https://api.openai.com/v1");
/// let mut first = RETRIES.ask(key, None).await.unwrap();
/// first.sent();
/// first.failure(); // the server was overloaded
/// match RETRIES.ask(key, Some(FailureKind::ModelOverload)).await {
///     Ok(mut again) => {
///         again.sent();
///         again.success();
///     }
///     Err(spent) => println!("{spent}: fail with what was there"),
/// }
/// # });
/// ```
pub trait Retries: Send + Sync {
    /// Whether this endpoint may be asked at this time. `after` is the kind of the failure of the same call's ask before, at the
    /// same endpoint; the first ask there has none and is never refused, nor is a repair.
    fn ask_at(
        &self,
        key: Key,
        after: Option<FailureKind>,
        now: Instant,
    ) -> Soon<'_, Result<Asking<'_>, Spent>>;

    /// Whether this endpoint may be asked now.
    fn ask(&self, key: Key, after: Option<FailureKind>) -> Soon<'_, Result<Asking<'_>, Spent>> {
        self.ask_at(key, after, Instant::now())
    }

    /// What came of an ask. For [`Asking`], which calls it once.
    fn settle(&self, ticket: &Ticket, came: Came, now: Instant);
}

/// What came of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was answered.
    Answer,
    /// It failed, or nobody waited for its end.
    Nothing,
    /// It never went out: what it cost is given back.
    Unsent,
}

/// There are too many retries: the endpoint is not to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spent {
    /// The budget is used up; time alone makes it enough for this retry in so long, answers make it sooner.
    Budget {
        /// How long; the longest there is if time gives nothing.
        refilled_in: Duration,
    },
    /// So many retries are under way, and that is the share they may have of all asks.
    Share {
        /// How many.
        retrying: u32,
    },
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { .. } => f.write_str("the retry budget is used up"),
            Self::Share { retrying } => {
                write!(f, "{retrying} retries are under way, which is their share of all asks")
            }
        }
    }
}

impl std::error::Error for Spent {}
