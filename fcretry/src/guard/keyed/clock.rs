//! Times as numbers: what the guards count in, atomically and without the cost of a subtraction of instants each time.

use std::{cell::Cell, sync::OnceLock, time::Duration};

use tokio::time::Instant;

/// Microseconds since the [origin](nanos).
pub(in crate::guard) type Ticks = u64;

/// A wait in [`Ticks`].
pub(in crate::guard) const fn ticks(wait: Duration) -> Ticks {
    wait.as_secs().saturating_mul(1_000_000).saturating_add(wait.subsec_micros() as u64)
}

/// Nanoseconds since one origin in the past, the same for all guards of the process, for some 580 years; 0 for what was before.
///
/// The last time that a thread looked at is remembered: one and the same is given to every guard that a call has.
#[inline]
pub(in crate::guard) fn nanos(at: Instant) -> u64 {
    thread_local! {
        static LAST: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
    }
    // While a thread ends, its own values may be gone.
    LAST.try_with(|last| match last.get() {
        Some((known, nanos)) if known == at => nanos,
        _ => {
            let nanos = since_origin(at);
            last.set(Some((at, nanos)));
            nanos
        }
    })
    .unwrap_or_else(|_| since_origin(at))
}

/// The same in [`Ticks`].
#[inline]
pub(in crate::guard) fn ticks_at(at: Instant) -> Ticks {
    nanos(at) / 1_000
}

#[inline(never)]
fn since_origin(at: Instant) -> u64 {
    /// Before what is given where the clock was looked at first, be it later than now: in tests it may stand still.
    const BEFORE: [Duration; 2] = [Duration::from_secs(3600), Duration::from_secs(60)];
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    let origin = *ORIGIN.get_or_init(|| {
        // Not the clock of tokio, which a test may have moved far ahead.
        let now = std::time::Instant::now();
        BEFORE.iter().find_map(|before| now.checked_sub(*before)).unwrap_or(now)
    });
    let passed = at.into_std().saturating_duration_since(origin);
    passed.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(passed.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_distance_in_either_order_and_before_the_first_that_was_seen() {
        let now = Instant::now();
        let [first, later, before] = [
            nanos(now),
            nanos(now + Duration::from_nanos(1_500_000_007)),
            nanos(now - Duration::from_secs(1)),
        ];
        assert_eq!((later - first, first - before), (1_500_000_007, 1_000_000_000));
        assert_eq!(nanos(now), first);
    }

    #[test]
    fn a_clock_that_a_test_moved_ahead_does_not_make_the_times_of_others_one() {
        let ahead = Instant::now() + Duration::from_secs(1_000_000);
        let (ahead, now) = (nanos(ahead), nanos(Instant::now()));
        assert!(now > 0 && ahead - now > 999_999 * 1_000_000_000);
    }
}
