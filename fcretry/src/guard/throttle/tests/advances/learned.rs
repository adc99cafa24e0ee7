//! What is had in advance after a rest, in debt, and where something is learned from it.

use super::{
    super::{Concurrency, Duration, FailureKind, Outcome, SECOND, Used},
    BURST, MILLI,
    play::Play,
    plenty,
};
use crate::guard::{
    keyed::ticks_at,
    throttle::{
        advances::shard_of,
        settings::Settings,
        state::{Asked, Turn},
    },
};

#[test]
fn the_whole_burst_is_there_after_a_rest_whatever_was_used_in_advance() {
    let mut play = Play::new(Settings { requests: 1.0, ..plenty() });
    for thread in 0..7 {
        let outs: Vec<_> = (0..20).map(|_| play.ask(thread, 0).unwrap()).collect();
        assert!(outs.iter().any(|out| shard_of(out.number).is_some()));
        for out in outs {
            play.end(out, Used::Tokens(0));
        }
    }
    play.pass(24 * 3600 * SECOND);
    assert_eq!(play.burst(7, 0), BURST);
}

#[test]
fn what_was_used_in_advance_a_day_ago_leaves_no_debt() {
    let mut play = Play::new(Settings { burst_tokens: 100_000.0, tokens: 10.0, ..plenty() });
    for _ in 0..18 {
        let out = play.ask(0, 90).unwrap();
        play.end(out, Used::Tokens(90));
    }
    play.pass(24 * 3600 * SECOND);
    let turn = play.asked(1, 100_000, SECOND);
    assert!(matches!(turn, Some(Turn::Granted(_))), "{turn:?}");
}

#[test]
fn nothing_goes_in_advance_until_a_debt_is_paid_be_it_of_no_tokens() {
    let play = Play::new(plenty());
    play.end(play.ahead(0, 0), Used::Unsent);
    assert!(play.ask(1, 5_000_000).is_some());
    assert!(play.ask(0, 0).is_none(), "nothing goes until the debt is paid: in advance");
}

#[test]
fn nothing_goes_in_advance_until_a_debt_is_paid_be_the_rate_so_high() {
    let play = Play::new(Settings { burst_tokens: 1e12, tokens: 1e11, ..plenty() });
    play.end(play.ahead(0, 10), Used::Unsent);
    assert!(play.ask(1, 5_000_000_000_000).is_some());
    assert!(play.ask(0, 10).is_none(), "nothing goes until the debt is paid: in advance");
}

#[test]
fn after_one_slow_first_token_there_are_advances_again() {
    let concurrency = Concurrency::ByFirstToken;
    let settings = Settings { in_flight: Some(BURST), concurrency, ..Settings::new(1e5, u64::MAX) };
    let mut play = Play::new(Settings { burst: BURST, ..settings });
    let mut given = [0, 0];
    for second in 0..60_u64 {
        play.pass(SECOND);
        let outs: Vec<_> = (0..20).map(|_| play.ask(0, 0).unwrap()).collect();
        let ahead = outs.iter().filter(|out| shard_of(out.number).is_some()).count();
        given[usize::from(second >= 10)] += ahead;
        for out in outs {
            // One second has slow answers, no other.
            let millis = if second == 9 { 900 } else { 300 };
            play.end_with(out, Used::Tokens(0), |ended| {
                ended.outcome = Outcome::Answered;
                ended.first_token = Some(Duration::from_millis(millis));
            });
        }
    }
    assert!(play.stats().concurrency < BURST);
    assert!(given.iter().all(|ahead| *ahead > 0), "{given:?}");
}

#[test]
fn a_push_back_leaves_seven_tenths_of_what_went_out_in_advance() {
    let settings = Settings { burst: 100_000, ..Settings::new(1e5, u64::MAX) };
    let concurrency = Concurrency::Fixed;
    let mut play = Play::new(Settings { in_flight: Some(1_000_000), concurrency, ..settings });
    for n in 1..=2_000 {
        play.pass(MILLI);
        for thread in 0..2 {
            let outs: Vec<_> = (0..10).filter_map(|_| play.ask(thread, 0)).collect();
            for out in outs {
                if n == 2_000 && thread == 1 {
                    play.fail(out, FailureKind::RateLimit);
                } else {
                    play.end(out, Used::Tokens(0));
                }
            }
        }
    }
    let rate = play.stats().requests_per_second;
    assert!((13_000.0..16_000.0).contains(&rate), "{rate}");
}

#[test]
fn after_its_deadline_nobody_is_granted_in_advance() {
    let play = Play::new(plenty());
    play.ahead(0, 0);
    let (at, ticks) = (play.now, ticks_at(play.now));
    let asked = Asked { tokens: 0, deadline: at - MILLI, at, ticks, shard: 0 };
    assert!(matches!(play.lane.at_once(&play.settings, &asked), Some(Turn::Refused(_))));
}

#[test]
fn the_time_to_the_first_token_of_who_was_granted_in_advance_is_learned() {
    let concurrency = Concurrency::ByFirstToken;
    let mut play = Play::new(Settings { in_flight: Some(BURST), concurrency, ..plenty() });
    for seconds in [1, 1, 9] {
        play.pass(20 * SECOND);
        let out = play.ahead(0, 1);
        play.end_with(out, Used::Tokens(1), |ended| {
            ended.outcome = Outcome::Answered;
            ended.first_token = Some(Duration::from_secs(seconds));
        });
    }
    assert_eq!(play.stats().concurrency, BURST * 9 / 10);
}
