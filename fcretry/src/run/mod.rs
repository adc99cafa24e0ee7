//! The loop: drives one call. The only place that waits.

mod ask;
mod attempt;
mod by_hand;
mod call;
mod outcome;

pub(crate) use ask::Ask;
pub use attempt::Attempt;
pub use call::{Call, StaticPolicy, Wait, settle, stub_attempt};
pub use outcome::{Drive, Driven, Outcome};
