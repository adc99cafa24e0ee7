use std::{error, fmt, time::Duration};

use tokio::time::Instant;

use super::{Ended, Permit, ServerLimits, ThrottleStats};
use crate::guard::{Key, Soon};

/// What limits how fast, and how much at once, an endpoint is asked. [`Throttle`](super::Throttle) does it in this process.
pub trait Limiter: Send + Sync {
    /// Reserves a request and `tokens` at `now`: waits for its turn, and refuses at once what cannot be served before the
    /// deadline. Dropping what waits gives everything back.
    fn reserve_at(
        &self,
        key: Key,
        tokens: u64,
        deadline: Instant,
        now: Instant,
    ) -> Soon<'_, Result<Permit<'_>, Refused>>;

    /// A permit is over: called once for each, by its drop.
    fn ended(&self, key: Key, ended: &Ended);

    /// What the server says that it allows.
    fn limits(&self, key: Key, limits: &ServerLimits);

    /// The figures of one key.
    fn stats_of(&self, key: Key) -> ThrottleStats;
}

/// The deadline comes before the turn. Nothing was sent, and nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// How long until it could be served, as far as is known.
    pub wait: Duration,
}

impl Refused {
    /// A refusal of what could be served after `wait`, for those who implement a [`Limiter`].
    pub const fn new(wait: Duration) -> Self {
        Self { wait }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the throttle's turn comes in {:?}, after the deadline", self.wait)
    }
}

impl error::Error for Refused {}
