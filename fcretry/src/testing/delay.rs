//! Durations as they are written in a script.

use std::time::Duration;

use super::misuse;
use crate::duration::{self, Fault};

/// A duration in a script: a [`Duration`], or text such as `"2s"`, `"1500ms"`, `"1.5s"`, `"1m30s"`.
///
/// The units are `h`, `m`, `s` and `ms`, the larger first; the longest is `"720h"`.
///
/// ```
/// use fcretry::testing::Delay;
/// use std::time::Duration;
///
/// assert_eq!(Delay::from("1m30s").duration(), Duration::from_secs(90));
/// assert_eq!(Delay::from(Duration::from_millis(5)), Delay::from("5ms"));
/// ```
///
/// # Panics
///
/// Converting text that is not such a duration panics, at the line of the script that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay(Duration);

impl Delay {
    /// The duration that was written.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Delay {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<&str> for Delay {
    #[track_caller]
    fn from(text: &str) -> Self {
        parse(text).map_or_else(
            || misuse(format_args!("`{text}` is not a duration: write `\"2s\"` or `\"1500ms\"`")),
            Self,
        )
    }
}

impl From<String> for Delay {
    #[track_caller]
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Unlike in a policy, a delay may be none, and stand among spaces.
fn parse(text: &str) -> Option<Duration> {
    match duration::parse(text.trim()) {
        Ok(duration) => Some(duration),
        Err(Fault::Zero) => Some(Duration::ZERO),
        Err(_) => None,
    }
}
