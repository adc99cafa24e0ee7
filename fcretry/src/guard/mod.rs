//! Guards: what calls share so that a bad minute stays a bad minute. Each is a trait with an implementation in this
//! process, and works by itself.

mod breaker;
mod budget;
pub mod idempotency;
mod key;
mod keyed;
mod retries;
mod soon;
pub mod throttle;
mod ticket;

pub use breaker::{
    Breaker, Change, CircuitBreaker, Counts, Open, Permit, Receipt, Snapshot, State, Verdict,
    counts,
};
pub use budget::{Amount, Budget, CostBudget, Estimate, OverBudget, Reservation, TokenBudget};
pub use idempotency::{
    After, Fingerprint, Idempotency, IdempotencyKey, MemoryStore, NotDerivable, OnceError,
    OnceStore,
};
pub use key::Key;
pub(crate) use keyed::{SHARDS, Shard, mine};
pub use retries::{Asking, Came, Retries, RetryBudget, RetryStats, Spent};
pub(crate) use soon::Later;
pub use soon::Soon;
#[doc(inline)]
pub use throttle::{Limiter, Throttle};
pub use ticket::Ticket;
