//! Durations as whole milliseconds: how reports and figures serialize them.

use std::time::Duration;

use serde::Serializer;

/// Whole milliseconds; the most there are, if there are more.
pub(crate) fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// For `serialize_with`.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde passes")]
pub(crate) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole(*duration))
}

/// For `serialize_with`.
#[allow(clippy::ref_option, reason = "what serde passes")]
pub(crate) fn some_millis<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}
