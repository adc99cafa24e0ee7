//! What to do about a failure: data and pure functions, with no clock, no I/O and no randomness of their own.

mod backoff;
mod builder;
mod chance;
mod check;
mod config;
mod data;
mod decide;
mod defaults;
mod invalid;
mod keys;
mod retry_policy;
mod rule;

pub use backoff::{Backoff, Jitter, Strategy};
pub use builder::RetryPolicyBuilder;
pub(crate) use chance::{Chance, Middle};
pub use decide::{Action, StoppedBy};
pub(crate) use decide::{
    Alternative, Candidate, Decision, InOrder, Now, Preference, Situation, Track, decide,
    is_refused_by_a_guard, kills_the_endpoint,
};
pub use invalid::InvalidPolicy;
pub use retry_policy::RetryPolicy;
pub(crate) use rule::Step;
pub use rule::{Rule, Then};
