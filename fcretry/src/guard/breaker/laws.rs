//! What holds under any sequence of events.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use tokio::time::Instant;

use super::{
    circuit::{Circuit, Told},
    settings::Settings,
    *,
};
use crate::FailureKind;

const SECOND: Duration = Duration::from_secs(1);

fn key() -> Key {
    Key::of("endpoint")
}

fn state(breaker: &CircuitBreaker) -> State {
    breaker.state(key()).state
}

/// What a window knows, told by everything that ever happened.
#[derive(Default)]
struct Naive(Vec<(u64, bool)>);

impl Naive {
    fn counted(&self, bucket: u64, now: u64) -> (u64, u64) {
        let last = now / bucket;
        let inside = self.0.iter().filter(|(at, _)| at / bucket + 10 > last);
        (inside.clone().count() as u64, inside.filter(|(_, good)| !good).count() as u64)
    }
}

proptest! {
    #[test]
    fn the_window_equals_a_naive_model(
        window_ms in 10_u64..100_000,
        steps in vec((0_u64..60_000, 0_u8..4), 1..300),
        scale in 1_u64..2000,
    ) {
        let mut settings = Settings { min_calls: u64::MAX, in_a_row: 0, ..Settings::DEFAULT };
        settings.window(Duration::from_millis(window_ms));
        let bucket = 100 * window_ms;
        let circuit = <Circuit as crate::guard::keyed::Cell>::fresh();
        let (mut naive, mut now) = (Naive::default(), 0);
        for (step, what) in steps {
            // Several at a time, small steps and jumps.
            now += if what == 3 { step * scale } else { step * scale / 1000 };
            let era = circuit.admit(&settings, now).0.unwrap();
            let verdict = match what {
                0 | 3 => Verdict::Success,
                1 => Verdict::Failure,
                _ => Verdict::Ignored,
            };
            if verdict != Verdict::Ignored {
                naive.0.push((now, verdict == Verdict::Success));
            }
            if verdict == Verdict::Success {
                prop_assert!(circuit.succeeded(&settings, era, now));
            } else {
                let told = Told { verdict, held: 0 };
                prop_assert!(circuit.settle(&settings, era, told, now, || 0.5).is_none());
            }
            let seen = circuit.snapshot(key(), &settings, now);
            prop_assert_eq!((seen.calls, seen.failures), naive.counted(bucket, now));
            // Nothing younger than nine tenths of the window is left out, nothing older than the whole is in.
            let young = naive.0.iter().filter(|(at, _)| now - at <= 9 * bucket).count();
            let whole = naive.0.iter().filter(|(at, _)| now - at < 10 * bucket).count();
            prop_assert!((young as u64..=whole as u64).contains(&seen.calls));
        }
    }

    #[test]
    fn it_opens_exactly_when_the_share_is_reached(
        percent in 1_u64..=100,
        min_calls in 1_u32..30,
        outcomes in vec(any::<bool>(), 1..200),
    ) {
        #[allow(clippy::cast_precision_loss)]
        let breaker = CircuitBreaker::new()
            .failure_share(percent as f64 / 100.0)
            .min_calls(min_calls);
        let now = Instant::now();
        let (mut calls, mut failures) = (0, 0);
        for good in outcomes {
            let permit = breaker.try_admit(key(), now).unwrap();
            calls += 1;
            if good {
                permit.settle(None, now);
                continue;
            }
            failures += 1;
            permit.settle(Some(FailureKind::Timeout), now);
            let due = calls >= u64::from(min_calls) && failures * 100 >= percent * calls;
            prop_assert_eq!(state(&breaker) == State::Open, due);
            if due {
                break;
            }
        }
    }

    #[test]
    fn a_cooldown_grows_and_is_bounded_with_its_jitter(
        first in 1_u64..100_000,
        more in 0_u64..10_000_000,
        times in 1_u32..=u32::MAX,
        spread in 0.0_f64..1.0,
    ) {
        let max = Duration::from_millis(first + more);
        let settings = Settings {
            cooldown: Duration::from_millis(first),
            max_cooldown: max,
            ..Settings::DEFAULT
        };
        let at = |times, spread| Duration::from_micros(settings.cooldown(times, spread));
        let wait = at(times, spread);
        prop_assert!(wait <= max);
        prop_assert!(wait >= Duration::from_millis(first).mul_f64(0.799));
        prop_assert!(at(times.saturating_add(1), spread) >= wait, "it never shrinks");
        prop_assert!(at(times, 0.0) >= at(times, 0.999_999).mul_f64(0.66), "by 20 % either way");
    }

    #[test]
    fn probes_under_way_are_never_over_the_bound_and_none_is_lost(
        probes in 1_u32..5,
        steps in vec((0_u8..6, any::<prop::sample::Index>()), 1..200),
    ) {
        let breaker = CircuitBreaker::new().in_a_row(1).probes(probes).close_after(3);
        let mut now = Instant::now();
        let mut held = Vec::new();
        for (step, which) in steps {
            match step {
                0 | 1 => {
                    if let Ok(permit) = breaker.try_admit(key(), now) {
                        held.push((permit, breaker.state(key())));
                    }
                }
                2 => now += 20 * SECOND,
                _ if held.is_empty() => {}
                outcome => {
                    let (permit, _) = held.swap_remove(which.index(held.len()));
                    match outcome {
                        3 => drop(permit),
                        4 => drop(permit.settle(None, now)),
                        _ => drop(permit.settle(Some(FailureKind::Timeout), now)),
                    }
                }
            }
            let seen = breaker.state(key());
            let under_way = held
                .iter()
                .filter(|(_, at)| seen.state == State::HalfOpen && at.generation == seen.generation)
                .count();
            prop_assert_eq!(seen.probes as usize, under_way);
            prop_assert!(seen.probes <= probes);
        }
    }
}
