//! A scripted model to test your own policies with.
//!
//! A [`MockModel`] answers chat completions from a script of [`Reply`]s, keeps every request it got, and
//! plays the same script in two ways:
//!
//! - *In process*, as a [`tower::Service`] without sockets ([`MockModel::service`]). All of its waiting is
//!   `tokio::time::sleep`, so with a paused clock an hour of backoff takes no time and is exact to the
//!   millisecond.
//! - *Over HTTP* on a loopback port ([`MockModel::serve`]), for whatever speaks the protocol. Real sockets
//!   and a paused clock do not mix: the clock jumps while the runtime waits for bytes.
//!
//! # Scripts
//!
//! ```
//! use fcretry::testing::{MockModel, Reply};
//! use serde_json::json;
//!
//! let model = MockModel::new([
//!     Reply::status(429).retry_after("2s"),
//!     Reply::tool_call("place_order", "{'customer': 'Ann'}"), // as sent: not JSON
//!     Reply::truncated("place_order", r#"{"customer": "An"#),
//!     Reply::tool_call("place_order", json!({"customer": "Ann", "items": []})).delay("300ms"),
//! ]);
//! assert_eq!(model.remaining(), 4);
//! ```
//!
//! One script serves all requests in the order in which they arrive; models can have
//! [their own](MockModel::for_model). When a script is used up the answer is a 501 that says so, unless
//! something [follows it](MockModel::then_repeat). Without a script there are one reply
//! [for ever](MockModel::repeat), a [function](MockModel::with) of the request, and a seeded
//! [mix](MockModel::mix) of faults.
//!
//! # Over HTTP
//!
//! ```
//! use fcretry::testing::{MockModel, Reply};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = MockModel::new([Reply::text("four")]).serve().await?;
//!
//! let response = reqwest::Client::new()
//!     .post(format!("{}/chat/completions", server.base_url()))
//!     .body(r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "2 + 2?"}]}"#)
//!     .send()
//!     .await?;
//!
//! assert!(response.text().await?.contains("four"));
//! let requests = server.requests();
//! assert_eq!(requests[0].model(), "gpt-4o");
//! assert_eq!(requests[0].text_of_message(0), "2 + 2?");
//! server.assert_exhausted();
//! # Ok(())
//! # }
//! ```
//!
//! # Mistakes in a script
//!
//! A delay without a unit, a status that is none, token counts on a reply without tokens: such mistakes
//! panic where they are written, because a test that plays something else than it says is worse than
//! one that fails. Nothing that comes from a request panics.

mod body;
mod client;
mod completion;
mod delay;
mod exchange;
mod model;
mod modifiers;
mod reply;
mod request;
mod script;
mod server;
mod service;
mod stream;

#[cfg(test)]
mod tests;

pub use delay::Delay;
pub use model::MockModel;
pub use reply::{Arguments, Reply};
pub use request::RecordedRequest;
pub use server::MockServer;
pub use service::MockService;

/// Ends a test whose own script is wrong.
#[track_caller]
#[allow(
    clippy::panic,
    reason = "only a test's own script gets here, and playing it wrong would hide the mistake"
)]
fn misuse(message: impl std::fmt::Display) -> ! {
    panic!("{message}")
}
