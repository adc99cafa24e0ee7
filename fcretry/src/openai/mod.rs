//! The adapter for OpenAI-compatible servers, over `async-openai`.
//!
//! [`client`] makes an `async-openai` client that sends each request once: the client's own transport would
//! ask up to four times under every attempt of ours. It also keeps what that one loses: the status, `Retry-After`
//! and request id of every error, and answers of servers that stray from the specification.
//!
//! A client made elsewhere works too. Then the client's retries multiply with the policy's, `Retry-After` and
//! request ids are not seen, an error with an HTML body or an integer code has lost its status and is an
//! [`InvalidRequest`](crate::FailureKind::InvalidRequest), and an answer that strays from the specification is an
//! error.
//!
//! No TLS backend is chosen here: enable `rustls` or `native-tls` of `async-openai` or `reqwest` in the program.
//! Never enable `byot` of `async-openai`: it changes what the client sends for every crate of the build.

mod by_hand;
mod chat;
mod classify;
mod client;
mod completion;
mod continuation;
mod convert;
mod endpoint;
mod estimate;
mod exchange;
mod quirks;
mod send;
mod stream;
mod transport;
mod wire;

pub use chat::Chat;
pub use client::{client, client_over, client_with};
pub use continuation::Continuation;
pub use endpoint::endpoint;
pub use transport::SendOnce;
