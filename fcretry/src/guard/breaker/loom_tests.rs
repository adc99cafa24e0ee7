//! Every order of two or three threads: `RUSTFLAGS="--cfg loom" cargo test -p fcretry --lib --release loom_tests`.

use std::sync::Arc;

use loom::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use super::{
    State, Verdict,
    circuit::{Circuit, Told},
    settings::Settings,
};
use crate::guard::{Key, keyed::Cell as _};

const SETTINGS: Settings = Settings { in_a_row: 1, row_lasts: 0, ..Settings::DEFAULT };

/// After the cooldown of a circuit that opened at 0.
const LATER: u64 = 60_000_000;

fn settle(circuit: &Circuit, settings: &Settings, era: super::circuit::Era, verdict: Verdict) {
    if verdict != Verdict::Success || !circuit.succeeded(settings, era, LATER) {
        circuit.settle(settings, era, Told { verdict, held: 0 }, LATER, || 0.5);
    }
}

fn opened(settings: &Settings) -> Arc<Circuit> {
    let circuit = Circuit::fresh();
    let era = circuit.admit(settings, 0).0.unwrap();
    circuit.settle(settings, era, Told { verdict: Verdict::Failure, held: 0 }, 0, || 0.5);
    Arc::new(circuit)
}

#[test]
fn probes_under_way_are_never_over_the_bound_and_none_is_lost() {
    loom::model(|| {
        let circuit = opened(&SETTINGS);
        let under_way = Arc::new(AtomicU32::new(0));
        let threads = [Verdict::Dropped, Verdict::Ignored].map(|verdict| {
            let (circuit, under_way) = (Arc::clone(&circuit), Arc::clone(&under_way));
            thread::spawn(move || {
                if let Ok(era) = circuit.admit(&SETTINGS, LATER).0 {
                    assert_eq!(under_way.fetch_add(1, Ordering::AcqRel), 0);
                    under_way.fetch_sub(1, Ordering::AcqRel);
                    settle(&circuit, &SETTINGS, era, verdict);
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        // Whatever happened, the next probe finds its place.
        circuit.admit(&SETTINGS, LATER).0.unwrap();
    });
}

#[test]
fn of_two_probes_one_that_fails_opens_and_the_others_result_is_too_late() {
    const TWO: Settings = Settings { probes: 2, close_after: 1, ..SETTINGS };
    loom::model(|| {
        let circuit = opened(&TWO);
        let eras = [(); 2].map(|()| circuit.admit(&TWO, LATER).0.unwrap());
        let good = {
            let circuit = Arc::clone(&circuit);
            thread::spawn(move || settle(&circuit, &TWO, eras[0], Verdict::Success))
        };
        settle(&circuit, &TWO, eras[1], Verdict::Failure);
        good.join().unwrap();
        // One of them decided, the other changed nothing: no third state came of it.
        let end = circuit.snapshot(Key::of(0), &TWO, LATER);
        assert_eq!((end.generation, end.probes), (3, 0));
        assert_ne!(end.state, State::HalfOpen);
    });
}

#[test]
fn failures_at_the_same_time_are_all_seen() {
    const PAIR: Settings = Settings { in_a_row: 0, min_calls: 2, ..SETTINGS };
    loom::model(|| {
        let circuit = Arc::new(Circuit::fresh());
        let threads = [(); 2].map(|()| {
            let circuit = Arc::clone(&circuit);
            thread::spawn(move || {
                let era = circuit.admit(&PAIR, LATER).0.unwrap();
                settle(&circuit, &PAIR, era, Verdict::Failure);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(circuit.snapshot(Key::of(0), &PAIR, LATER).state, State::Open);
    });
}

#[test]
fn no_success_is_lost_or_made() {
    loom::model(|| {
        let circuit = Arc::new(Circuit::fresh());
        let era = circuit.admit(&SETTINGS, LATER).0.unwrap();
        let threads = [(); 2].map(|()| {
            let circuit = Arc::clone(&circuit);
            thread::spawn(move || settle(&circuit, &SETTINGS, era, Verdict::Success))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(circuit.snapshot(Key::of(0), &SETTINGS, LATER).calls, 2);
    });
}
