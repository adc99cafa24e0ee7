//! `backoff(..)`: what its keys say together.

use std::time::Duration;

use super::waits::Deadline;
use crate::diag::{Diag, Slot};
use crate::retry_policy::model::{Backoff, Strategy};
use crate::value::Written;

/// The runtime's defaults, for a comparison with a key that is not given.
const DEFAULT_BASE: (Duration, &str) = (Duration::from_secs(1), "\"1s\"");
const DEFAULT_MAX: (Duration, &str) = (Duration::from_secs(30), "\"30s\"");

/// Checks a backoff, of the policy or of a rule.
pub(super) fn check_backoff(backoff: &Backoff, deadline: Option<&Deadline>, diag: &mut Diag) {
    if let Some(deadline) = deadline {
        deadline.ends_after_base(backoff, diag);
    }
    let Backoff { strategy: _, base, max, factor, jitter: _ } = backoff;
    let Some(strategy) = backoff.strategy() else { return };
    if let Some(key) = factor.key()
        && strategy != Strategy::Exponential
    {
        let name = backoff.strategy.key().map(ToString::to_string).unwrap_or_default();
        diag.error(
            key,
            format!(
                "`factor` has no effect on `{name}`; \
                 remove it, or write `backoff(exponential, factor = ..)`"
            ),
        );
    }
    if strategy == Strategy::Constant {
        if let Some(key) = max.key() {
            let message =
                "`max` has no effect on `constant`, whose delay is always `base`; remove it";
            diag.error(key, message);
        }
        return;
    }
    let written = |slot: &Slot<Written<Duration>>, default: (Duration, &str)| match slot {
        Slot::Set(_, written) => Some((written.value, written.text())),
        Slot::Empty => Some((default.0, default.1.to_owned())),
        Slot::Bad => None,
    };
    let (Some(low), Some(high)) = (written(base, DEFAULT_BASE), written(max, DEFAULT_MAX)) else {
        return;
    };
    if high.0 >= low.0 {
        return;
    }
    match (base.key(), max.key()) {
        (_, Some(key)) => {
            let (default, beside) = match base.key() {
                Some(_) => ("", ""),
                None => ("the default ", ", or give a smaller `base`"),
            };
            let message = format!(
                "`max = {}` is below {default}`base = {}`; write `max = {}` or more{beside}",
                high.1, low.1, low.1
            );
            diag.error(key, message);
        }
        (Some(key), None) => {
            let message = format!(
                "`base = {}` is above the default `max = {}`; write `max = {}` or more beside it",
                low.1, high.1, low.1
            );
            diag.error(key, message);
        }
        // The defaults agree with each other.
        (None, None) => {}
    }
}
