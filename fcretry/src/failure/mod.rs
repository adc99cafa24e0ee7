//! Failures: what went wrong, sorted by what can be done about it.

mod classify;
mod detail;
mod kind;
mod retry_after;
mod violation;

pub use classify::Classify;
pub use detail::Failure;
pub use kind::{FailureKind, UnknownKind};
pub use retry_after::retry_after;
pub use violation::{Violation, Violations};
