//! The loop: drives one call. The only place that waits.

mod admit;
mod ask;
mod attempt;
mod books;
mod by_closure;
mod by_hand;
mod call;
mod failed;
mod guarded;
mod guards;
mod learning;
mod lent;
mod memory;
mod observer;
mod outcome;
mod pass;
mod route;
mod sending;
mod settle;
mod spans;
mod state;
#[cfg(feature = "openai")]
mod streamed;
mod waits;
mod watch;

pub(crate) use ask::Ask;
pub use attempt::Attempt;
pub use by_closure::{NoDegrade, OrElse, Run, Substitute};
pub use call::{Call, StaticPolicy, Wait, part, stub_attempt};
pub use guarded::Guarded;
pub use lent::Lent;
#[cfg(feature = "openai")]
pub(crate) use memory::Part;
pub use observer::{AttemptEvent, DecisionEvent, FinishEvent, Observer};
pub use outcome::{Drive, Driven, Outcome, Round};
#[cfg(feature = "openai")]
pub(crate) use route::number_of;
pub use route::{AsRoute, Endpoint, Route};
#[cfg(feature = "openai")]
pub(crate) use sending::Sending;
pub use settle::{settle, settle_or};
