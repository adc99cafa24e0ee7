//! Waits that pass the deadline, whatever the jitter: what follows them never happens.

use std::time::Duration;

use super::Whole;
use crate::diag::{Diag, Slot};
use crate::retry_policy::kinds::ActionKind;
use crate::retry_policy::model::{Action, Backoff, Jitter, Policy, Rule, Strategy};

/// When the call ends.
pub(super) struct Deadline {
    time: Duration,
    /// As it is told: with "the default " before it, if it is that.
    told: String,
}

impl Deadline {
    /// The one given, else the runtime's default, unless it may come from elsewhere.
    pub(super) fn of(policy: &Policy) -> Option<Self> {
        match &policy.deadline {
            Slot::Set(_, given) => {
                Some(Self { time: given.value, told: format!("`deadline = {}`", given.text()) })
            }
            Slot::Empty if !policy.base.is_given() && !policy.is_partial => Some(Self {
                time: Duration::from_secs(180),
                told: "the default `deadline = \"180s\"`".to_owned(),
            }),
            Slot::Empty | Slot::Bad => None,
        }
    }

    /// Checks that the first wait, before any scale and jitter, ends before the call does.
    pub(super) fn ends_after_base(&self, backoff: &Backoff, diag: &mut Diag) {
        if let Some((key, base)) = backoff.base.both()
            && base.value >= self.time
        {
            let (base, deadline) = (base.text(), &self.told);
            // Enough for a few of them.
            let some = self.time.as_secs_f64() / 10.0;
            diag.error(
                key,
                format!(
                    "`{key} = {base}` is a wait that passes {deadline}; \
                     write e.g. `{key} = \"{some}s\"`, or a longer `deadline`"
                ),
            );
        }
    }
}

/// Checks that the waits of a `retry` or `repair` that has a count end before the call does.
pub(super) fn within_deadline(action: &Action, rule: &Rule, whole: &Whole<'_>, diag: &mut Diag) {
    let Action { key, what, count: Some(count) } = action else { return };
    let (Some(deadline), Some((_, kind))) = (&whole.deadline, &rule.kind) else { return };
    let own_wait = rule.delay_scale.is_given() || rule.backoff.is_given();
    let has_wait =
        matches!(what, ActionKind::Retry | ActionKind::Resume) && !kind.takes_max_tokens();
    let scale = match &rule.delay_scale {
        Slot::Set(_, scale) => scale.value,
        Slot::Empty => kind.delay_scale(),
        Slot::Bad => return,
    };
    let backoff = match &rule.backoff {
        Slot::Empty => whole.backoff,
        slot => slot.value(),
    };
    // Of a base that passes it alone it was said already.
    let is_told = |it: &&Backoff| it.base.value().is_some_and(|base| base.value >= deadline.time);
    let Some(waits) = backoff.filter(|it| !is_told(it)).and_then(Waits::of) else { return };
    if !own_wait && !has_wait {
        return;
    }
    let end = deadline.time.as_secs_f64();
    let (mut sum, mut fit) = (0.0, None);
    for n in 0..count.value {
        sum += waits.least(n, scale);
        if sum >= end {
            fit = fit.or(Some(n));
        }
    }
    let Some(fit) = fit else { return };
    let sum = Duration::try_from_secs_f64(sum).unwrap_or(Duration::MAX);
    let sum = Duration::from_millis(u64::try_from(sum.as_millis()).unwrap_or(u64::MAX));
    let (count, deadline) = (count.text(), &deadline.told);
    let line = match fit {
        0 => "write a smaller `base` or `delay_scale`".to_owned(),
        fit => format!("write `{key} = {fit}` or less"),
    };
    diag.error(
        key,
        format!(
            "the waits of `{key} = {count}` come to at least {sum:?}, which passes {deadline}; {line}"
        ),
    );
}

/// A backoff with the runtime's defaults filled in, in seconds.
struct Waits {
    strategy: Strategy,
    base: f64,
    max: f64,
    factor: f64,
    jitter: Jitter,
}

impl Waits {
    /// `None` if a part of it could not be read.
    fn of(backoff: &Backoff) -> Option<Self> {
        fn value<T, U>(slot: &Slot<T>, read: impl FnOnce(&T) -> U, default: U) -> Option<U> {
            match slot {
                Slot::Set(_, value) => Some(read(value)),
                Slot::Empty => Some(default),
                Slot::Bad => None,
            }
        }
        Some(Self {
            strategy: backoff.strategy()?,
            base: value(&backoff.base, |base| base.value.as_secs_f64(), 1.0)?,
            max: value(&backoff.max, |max| max.value.as_secs_f64(), 30.0)?,
            factor: value(&backoff.factor, |factor| factor.value, 2.0)?,
            jitter: value(&backoff.jitter, |jitter| *jitter, Jitter::Full)?,
        })
    }

    /// The shortest wait before resend `n` that the jitter leaves.
    fn least(&self, n: u32, scale: f64) -> f64 {
        match self.jitter {
            Jitter::None => self.capped(n, scale),
            Jitter::Equal => self.capped(n, scale) * 0.5,
            Jitter::Decorrelated => self.capped(0, scale),
            Jitter::Full => 0.0,
        }
    }

    fn capped(&self, n: u32, scale: f64) -> f64 {
        let base = self.base * scale;
        let cap = match self.strategy {
            Strategy::Constant => self.max.max(base),
            _ => self.max,
        };
        let growth = match self.strategy {
            Strategy::Exponential => self.factor.powi(i32::try_from(n).unwrap_or(i32::MAX)),
            Strategy::Linear => f64::from(n) + 1.0,
            Strategy::Fibonacci => (0..n).fold((1.0, 1.0), |(a, b), _| (b, a + b)).0,
            Strategy::Constant => 1.0,
        };
        (base * growth).min(cap)
    }
}
