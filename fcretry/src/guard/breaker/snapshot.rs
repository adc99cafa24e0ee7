use std::time::Duration;

use serde::Serialize;

use crate::{guard::Key, millis::some_millis};

/// What a breaker does for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Lets everything through, and counts.
    Closed,
    /// Lets nothing through until its cooldown has passed.
    Open,
    /// Lets a few probes through at a time, to see.
    HalfOpen,
}

/// What a breaker knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The key.
    pub key: Key,
    /// What it does.
    pub state: State,
    /// Asks in the window that counted.
    pub calls: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Failures in a row; counted where the breaker goes by them.
    pub in_a_row: u32,
    /// While open, the time until a probe may go; 0 once it may.
    #[serde(rename = "retry_in_ms", serialize_with = "some_millis")]
    pub retry_in: Option<Duration>,
    /// Probes under way.
    pub probes: u32,
    /// How often it opened since it was closed last.
    pub opened: u32,
    /// How often the state has changed.
    pub generation: u64,
}

/// A change of a breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Of which key.
    pub key: Key,
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// How often the state has changed, with this time: tells the order of changes that are told at the same time.
    pub generation: u64,
    /// If it is open now, the time until a probe may go.
    #[serde(rename = "retry_in_ms", serialize_with = "some_millis")]
    pub retry_in: Option<Duration>,
}
