//! Throttling: how fast, and how much at once, an endpoint is asked.
//!
//! A [`Throttle`] holds, for each key, two signed buckets (requests, tokens) and a limit of calls in flight. A call
//! [reserves](Throttle::reserve) one request and its estimate of tokens, both or neither, first come first served; its
//! [`Permit`] is settled with what was really used. All of it adapts to what the server says: see [`Concurrency`] for the
//! calls in flight, [`Permit::pushed_back`] for the rate, [`ServerLimits`] for its headers.
//!
//! ```
//! use std::time::Duration;
//! use fcretry::guard::{Key, Throttle};
//! use tokio::time::Instant;
//!
//! static LIMITS: Throttle = Throttle::new(100.0, 1_000_000).burst(20);
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let key = Key::of("https://api.openai.com/v1 gpt-4o");
//! let deadline = Instant::now() + Duration::from_secs(30);
//! let mut permit = LIMITS.reserve(key, 1_500, deadline).await?;
//! permit.sent(); // from here on the estimate counts, whatever becomes of the request
//! let used = 1_240; // .. the answer is there, and says what it cost
//! permit.settle(used);
//!
//! let stats = LIMITS.stats();
//! assert_eq!((stats.admitted, stats.tokens_settled, stats.tokens_refunded), (1, 1_240, 260));
//! # Ok::<(), fcretry::guard::throttle::Refused>(())
//! # }).unwrap();
//! ```

mod advances;
mod bucket;
mod concurrency;
mod in_process;
mod lane;
mod limiter;
mod line;
mod peaks;
mod permit;
mod rate;
mod recent;
mod reserve;
mod server;
mod settings;
mod state;
mod stats;
mod wakes;

#[cfg(test)]
mod laws;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(test)]
mod tests;

pub use concurrency::Concurrency;
pub use in_process::Throttle;
pub use limiter::{Limiter, Refused};
pub use permit::{Ended, Outcome, Permit, Used};
pub use reserve::Reserve;
pub use server::{ServerLimit, ServerLimits};
pub use stats::ThrottleStats;
