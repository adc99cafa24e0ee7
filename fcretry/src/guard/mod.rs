//! Guards: what calls share so that a bad minute stays a bad minute. Each is a trait with an implementation in this
//! process, and works by itself.

mod budget;
mod soon;

pub use budget::{Estimate, OverBudget, Reservation, TokenBudget};
pub use soon::Soon;
