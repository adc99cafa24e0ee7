//! Waits that pass the deadline, whatever the jitter: what follows them never happens.

use std::time::Duration;

use super::quoted;
use crate::{
    duration::LONGEST,
    policy::{Backoff, defaults::DEADLINE},
};

/// When the call ends.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    time: Duration,
    /// What it is told with before it.
    default: &'static str,
}

impl Deadline {
    /// The one given, else the default, unless another was given and could not be read.
    pub(super) fn of(given: Option<Duration>, is_partial: bool) -> Option<Self> {
        match given {
            Some(time) => Some(Self { time, default: "" }),
            None if is_partial => None,
            None => Some(Self { time: DEADLINE, default: "the default " }),
        }
    }

    fn told(self) -> String {
        format!("{}`deadline = {}`", self.default, quoted(self.time))
    }

    /// Checks that the first wait, before any scale and jitter, ends before the call does.
    pub(super) fn ends_after_base(self, backoff: &Backoff, faults: &mut Vec<String>) {
        if let Some(base) = backoff.base.filter(|base| *base >= self.time) {
            faults.push(format!(
                "`base = {}` is a wait that passes {}; write e.g. `base = {}`, or a longer `deadline`",
                quoted(base),
                self.told(),
                // Enough for a few of them.
                quoted(self.time / 10)
            ));
        }
    }

    /// Checks that the waits of an action with this count end before the call does.
    pub(super) fn ends_after_waits(
        self,
        backoff: &Backoff,
        scale: f64,
        (action, count): (&str, u32),
        faults: &mut Vec<String>,
    ) {
        let end = self.time.as_secs_f64();
        // Of a base that passes it alone it was said already.
        if backoff.base.is_some_and(|base| base >= self.time) {
            return;
        }
        let (mut sum, mut fit) = (0.0, None);
        for n in 0..count {
            sum += backoff.least(n, scale);
            if sum >= end {
                fit = fit.or(Some(n));
            }
        }
        let Some(fit) = fit else { return };
        let sum = Duration::try_from_secs_f64(sum).unwrap_or(LONGEST);
        let sum = Duration::from_millis(u64::try_from(sum.as_millis()).unwrap_or(u64::MAX));
        let line = match fit {
            0 => "write a smaller `base` or `delay_scale`".to_owned(),
            fit => format!("write `{action} = {fit}` or less"),
        };
        faults.push(format!(
            "the waits of `{action} = {count}` come to at least {sum:?}, which passes {}; {line}",
            self.told()
        ));
    }
}
