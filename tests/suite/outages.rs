//! What the guards make of an outage and of an overload: the simulation of `examples/outage`, and the bounds that it must keep.

use std::time::Duration;

#[path = "../../examples/outage/simulation/mod.rs"]
mod simulation;

use simulation::{Callers, Figures, SCENARIOS, Scenario};

fn play(scenario: &Scenario, seed: u64) -> Figures {
    scenario.play(seed).unwrap()
}

/// Plays what such callers do at this load, and holds it to its bounds.
fn keep_their_bounds(callers: Callers, load: f64) {
    let chosen =
        |scenario: &&Scenario| scenario.callers == callers && (scenario.load - load).abs() < 1e-9;
    let mut played = 0;
    for scenario in SCENARIOS.iter().filter(chosen) {
        for seed in 1..=3 {
            let figures = play(scenario, seed);
            let missed = figures.missed();
            assert!(missed.is_empty(), "{} ({seed}): {missed:?}, {figures:?}", scenario.name);
            played += 1;
        }
    }
    assert!(played > 0);
}

#[test]
fn an_outage_costs_few_requests_and_goodput_is_back_within_two_cooldowns_of_its_end() {
    keep_their_bounds(Callers::ByHand, 0.8);
}

#[test]
fn so_does_one_in_which_nothing_ever_ends_if_the_calls_say_what_they_may_take() {
    keep_their_bounds(Callers::InTime, 0.8);
}

#[test]
fn at_twice_the_limit_few_requests_are_turned_away_and_goodput_is_near_the_limit() {
    keep_their_bounds(Callers::ByHand, 2.0);
}

#[test]
fn the_transport_makes_no_difference_to_any_of_it() {
    let [by_hand, by_chat, ..] = &SCENARIOS;
    assert_eq!((by_hand.callers, by_chat.callers), (Callers::ByHand, Callers::ByChat));
    let of = |scenario| {
        let Figures { offered, succeeded, sent, turned_away, outage, .. } = play(scenario, 7);
        (offered, succeeded, sent, turned_away, outage)
    };
    assert_eq!(of(by_hand), of(by_chat));
}

#[test]
fn the_usual_loop_multiplies_what_the_guards_hold_down() {
    let usual: Vec<_> = SCENARIOS.iter().filter(|scenario| !scenario.is_guarded()).collect();
    let outage = play(usual[0], 7).outage.unwrap();
    assert!(outage.share() > 2.0, "{outage:?}");
    assert_eq!(outage.recovered_in, Some(Duration::ZERO));
    let overload = play(usual[2], 7);
    assert!(overload.turned_away_share() > 0.5, "{overload:?}");
}
