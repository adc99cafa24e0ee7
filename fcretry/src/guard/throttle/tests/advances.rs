//! What threads have in advance. Times are given, and so are the threads: nothing here waits.

mod laws;
mod learned;
mod play;

use std::thread;

use play::{Out, Play};

use super::*;
use crate::guard::{
    keyed::{Cell as _, SHARDS},
    throttle::{advances::shard_of, settings::Settings, state::Turn},
};

const MILLI: Duration = Duration::from_millis(1);
const BURST: u32 = 2_048;

/// Plenty, of which nothing comes again, or nearly nothing.
fn plenty() -> Settings {
    Settings {
        burst: BURST,
        in_flight: Some(1_000_000),
        burst_tokens: 1e6,
        concurrency: Concurrency::Fixed,
        ..Settings::new(0.0, 0)
    }
}

#[test]
fn who_comes_when_there_is_little_has_what_others_had_in_advance() {
    let requests = Play::new(plenty());
    (0..3).for_each(|thread| _ = requests.ahead(thread, 0));
    assert_eq!(requests.burst(3, 0), BURST - 3);

    let tokens = Play::new(plenty());
    (0..3).for_each(|thread| _ = tokens.ahead(thread, 600));
    assert_eq!(tokens.burst(3, 1_000), 998);

    let places = Play::new(Settings { burst: 1_000_000, in_flight: Some(BURST), ..plenty() });
    let held = [0, 1, 2].map(|thread| places.ahead(thread, 0));
    assert_eq!(places.burst(3, 0), BURST - 3);
    places.end(held[1], Used::Tokens(0));
    assert_eq!(places.burst(0, 0), 1);
    assert_eq!(places.stats().in_flight, u64::from(BURST));
}

#[test]
fn what_needs_all_there_is_and_what_is_refused_call_everything_back() {
    let play = Play::new(plenty());
    play.end(play.ahead(0, 10), Used::Unsent);
    // More than there can ever be goes when the bucket is full.
    assert!(play.ask(1, 5_000_000).is_some());
    assert!(play.ask(0, 0).is_none(), "nothing goes until the debt is paid");

    let play = Play::new(plenty());
    let held = play.ahead(0, 10);
    play.end_with(play.ask(1, 10).unwrap(), Used::Tokens(5_000_000), |_| {});
    assert!(play.ask(0, 10).is_none(), "a debt is everybody's");
    play.end(held, Used::Tokens(10));

    let play = Play::new(plenty());
    let held = play.ahead(0, 10);
    let refused = play.asked(1, 2_000_000, Duration::ZERO);
    assert!(matches!(refused, Some(Turn::Refused(_))), "{refused:?}");
    assert_ne!(play.ask(0, 10).unwrap().number, held.number);
}

#[test]
fn after_a_push_back_nobody_is_granted_from_an_old_advance() {
    let pushed_back = |ended: &mut Ended| {
        ended.retry_after = Some(60 * SECOND);
        ended.outcome = Outcome::Failed(FailureKind::RateLimit);
    };
    let mut play = Play::new(plenty());
    let held = [0, 1].map(|thread| play.ahead(thread, 10));
    play.end_with(held[0], Used::Tokens(0), pushed_back);
    assert!((0..SHARDS).all(|thread| play.ask(thread, 10).is_none()));
    // One that was under way ends at the lane.
    play.end(held[1], Used::Tokens(4));
    let stats = play.stats();
    assert_eq!((stats.in_flight, stats.pushed_back, stats.tokens_settled), (0, 1, 4));
    play.pass(70 * SECOND);
    assert!(play.ask(0, 10).is_none(), "the store is gone");
}

#[test]
fn a_failure_a_server_that_speaks_and_a_lower_limit_call_everything_back() {
    let play = || Play::new(Settings { in_flight: Some(BURST), ..plenty() });
    let is_over = |play: &Play, before: Out| {
        let after = play.ask(0, 1).unwrap();
        assert_ne!(after.number, before.number);
        shard_of(after.number).is_none()
    };

    let failed = play();
    let held = [0, 1].map(|thread| failed.ahead(thread, 1));
    failed.fail(held[1], FailureKind::TransientNetwork);
    assert!(is_over(&failed, held[0]));

    let told = play();
    let held = told.ahead(0, 1);
    let limits = ServerLimits::read([("x-ratelimit-remaining-requests", "100")]);
    told.lane.server(&told.settings, &limits, told.now);
    assert!(is_over(&told, held));
    assert_eq!(told.burst(0, 0), 99);

    let mut slow = Play::new(Settings {
        concurrency: Concurrency::ByFirstToken,
        in_flight: Some(BURST),
        ..plenty()
    });
    for seconds in [1, 1, 9] {
        slow.pass(20 * SECOND);
        let (other, held) = (slow.ask(1, 1).unwrap(), slow.ahead(0, 1));
        slow.end_with(other, Used::Tokens(1), |ended| {
            ended.outcome = Outcome::Answered;
            ended.first_token = Some(Duration::from_secs(seconds));
        });
        if seconds == 1 {
            assert_eq!(slow.ask(0, 1).unwrap().number, held.number, "it is still out");
        } else {
            assert!(is_over(&slow, held), "the limit is lower");
        }
    }
}

#[test]
fn figures_are_exact_while_advances_are_out() {
    let mut play = Play::new(plenty());
    let outs: Vec<_> = (0..90).map(|n| play.ask(n % 3, 10).unwrap()).collect();
    assert!(outs.iter().filter(|out| shard_of(out.number).is_some()).count() > 60);
    play.pass(7 * MILLI);
    for (n, out) in outs.iter().enumerate() {
        match n % 9 {
            0..3 => play.end(*out, Used::Tokens(4)),
            3..5 => play.end(*out, Used::Unsent),
            5 => play.end_with(*out, Used::Unknown, |ended| ended.outcome = Outcome::Answered),
            6 => play.end(*out, Used::Tokens(12)),
            7 => play.end(*out, Used::Unknown),
            _ => {}
        }
    }
    let stats = play.stats();
    assert_eq!((stats.admitted, stats.in_flight, stats.waiting), (90, 10, 0));
    assert_eq!((stats.results, stats.mean_latency), (50, Some(7 * MILLI)));
    assert_eq!(
        (stats.tokens_reserved, stats.tokens_settled, stats.tokens_refunded),
        (900 + 10 * 2, 30 * 4 + 10 * 10 + 10 * 12 + 10 * 10, 30 * 6 + 20 * 10)
    );
    assert_eq!(play.stats(), stats);
    // 20 of 90 requests were not sent.
    assert_eq!(play.burst(5, 0), BURST - 70);
}

#[test]
fn what_was_not_used_is_there_for_the_same_thread_and_after_the_return_for_all() {
    let play = Play::new(Settings { burst_tokens: 64.0 * 160.0 * 2.0, ..plenty() });
    let first = play.ahead(0, 10);
    play.end(first, Used::Tokens(0));
    // Each takes half of the tokens that the advance has, and gives them back.
    for _ in 1..16 {
        let out = play.ask(0, 160).unwrap();
        assert_eq!(out.number, first.number);
        play.end(out, Used::Tokens(0));
    }
    for _ in 0..1_000 {
        let out = play.ask(0, 100).unwrap();
        assert_eq!(out.number, first.number);
        play.end(out, Used::Unsent);
    }

    // The bucket was full all the while. That of those under way is not lost: it fell by theirs only when it was returned.
    let outs: Vec<_> = (0..10).map(|_| play.ask(0, 10).unwrap()).collect();
    assert_eq!(play.stats().in_flight, 10);
    for out in outs {
        play.end(out, Used::Tokens(0));
    }
    let [first, second, streamed] = [(); 3].map(|()| play.ask(0, 10).unwrap());
    assert!(shard_of(streamed.number).is_some());
    play.end(first, Used::Tokens(0));
    play.end(second, Used::Tokens(0));
    play.end_with(streamed, Used::Tokens(0), |ended| ended.first_token = Some(MILLI));
    assert_eq!(play.burst(1, 160), 128);
}

#[test]
fn what_comes_while_an_advance_is_out_is_not_more_than_there_is_room_for_when_it_is_returned() {
    let mut play = Play::new(Settings { requests: 100_000.0, tokens: 1e8, ..plenty() });
    play.ahead(0, 500);
    // The bucket is full again, but for the one that was granted in advance.
    play.pass(15 * MILLI);
    assert_eq!(play.burst(1, 0), BURST - 1);
    play.pass(100 * MILLI);
    let held = play.ahead(0, 500);
    play.pass(15 * MILLI);
    assert_eq!(play.ask(1, 1_000_000).map(|out| out.tokens), None, "500 are in use");
    assert_eq!(play.burst(1, 1_000), 999);
    play.end(held, Used::Unsent);
}

#[test]
fn an_advance_ends_where_it_was_granted_whatever_thread_it_ends_on() {
    let throttle = Throttle::new(1.0, u64::MAX).burst(BURST);
    let now = Instant::now();
    let ask = || {
        throttle.reserve_at(key(), 10, now + SECOND, now).at_once().unwrap().unwrap().into_ended().1
    };
    let first = [(); 3].map(|()| ask())[2].number;
    assert!(shard_of(first).is_some());
    for _ in 0..100 {
        let ended = ask();
        assert_eq!(ended.number, first, "each was returned to it");
        thread::scope(|scope| scope.spawn(|| throttle.ended(key(), &ended)).join().unwrap());
    }
    let stats = throttle.stats();
    assert_eq!((stats.in_flight, stats.admitted, stats.tokens_refunded), (3, 103, 1_000));
}

#[test]
fn threads_together_have_no_more_than_there_is_and_all_of_it() {
    const ALL: u32 = 20_000;
    let throttle = Throttle::new(0.0, 1_000_000).burst(ALL).burst_tokens(1_000_000);
    let now = Instant::now();
    let work = |thread: u64| {
        let mut granted = 0;
        // Each looks now and then, and fails once: the others go on.
        while let Some(Ok(mut permit)) = throttle.reserve_at(key(), 7, now, now).at_once() {
            permit.sent();
            permit.at(now);
            granted += 1;
            match granted {
                100 => permit.outcome(Some(FailureKind::TransientNetwork)),
                n if n % 500 == thread => assert!(throttle.stats().in_flight >= 1),
                _ => {}
            }
            permit.settle(granted % 8);
        }
        granted
    };
    let granted: u64 = thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|thread| scope.spawn(move || work(thread)));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    let stats = throttle.stats();
    assert_eq!((granted, stats.admitted), (u64::from(ALL), u64::from(ALL)));
    assert_eq!((stats.in_flight, stats.tokens_reserved), (0, u64::from(ALL) * 7));
    assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
}

#[test]
fn an_advance_lasts_twenty_milliseconds_and_is_for_those_who_ask_often() {
    let mut play = Play::new(plenty());
    let first = play.ahead(0, 0);
    play.pass(20 * MILLI);
    assert_eq!(play.ask(0, 0).unwrap().number, first.number);
    play.pass(MILLI);
    let next = play.ask(0, 0).unwrap();
    assert_ne!(next.number, first.number);
    for _ in 0..50 {
        play.pass(2 * MILLI);
        assert_eq!(shard_of(play.ask(0, 0).unwrap().number), None);
    }
    // It ends as any other now.
    play.end(first, Used::Unsent);
    assert_eq!((play.stats().in_flight, play.burst(1, 0)), (52, BURST - 52));
}

#[test]
fn where_there_is_not_plenty_nothing_is_given_in_advance() {
    let latency = SECOND;
    let by_share = Concurrency::ByErrorShare { latency };
    for settings in [
        Settings::new(1e9, u64::MAX),
        Settings { burst: 1_000, ..plenty() },
        Settings { in_flight: Some(1_000), ..plenty() },
        Settings { burst_tokens: 1_000.0, ..plenty() },
        Settings { concurrency: by_share, ..plenty() },
    ] {
        let play = Play::new(settings);
        for n in 0..50 {
            assert_eq!(shard_of(play.ask(n % 2, 10).unwrap().number), None, "{settings:?}");
        }
    }
    // Nor is it of a store that is less than half.
    let play = Play::new(Settings { burst: 4 * BURST, ..plenty() });
    let outs: Vec<_> = (0..4 * BURST).map(|_| play.ask(0, 0).unwrap()).collect();
    assert!(shard_of(outs[4_000].number).is_some());
    assert!(outs[4_200..].iter().all(|out| shard_of(out.number).is_none()));
}

#[test]
fn a_place_that_is_given_to_another_key_has_nothing_of_the_one_before() {
    let lane = Play::new(plenty());
    let held = lane.ahead(0, 7);
    lane.lane.renew();
    assert_eq!(lane.stats().admitted, 3, "it is in use");
    lane.end(held, Used::Unsent);
    lane.end(lane.ahead(0, 7), Used::Unsent);
    lane.lane.renew();
    assert_eq!(lane.stats().admitted, 0, "it is not, for what nobody used of an advance");
    lane.end(lane.ahead(0, 7), Used::Unsent);
    assert_eq!(lane.lane.worth(), Some(1));
    lane.ahead(0, 7);
    assert_eq!(lane.lane.worth(), None);
    assert_eq!(lane.stats().in_flight, 1);

    let throttle = Throttle::new(1.0, u64::MAX).burst(BURST);
    let start = Instant::now();
    let ask = |key, now| {
        let (key, ended) =
            throttle.reserve_at(key, 7, now + SECOND, now).at_once().unwrap().unwrap().into_ended();
        throttle.ended(key, &ended);
        ended.number
    };
    let numbers = [(); 3].map(|()| ask(key(), start));
    assert!(shard_of(numbers[2]).is_some());
    for n in 0..10_000_u64 {
        ask(Key::of(n), start + Duration::from_secs(10 + n));
    }
    assert_eq!(throttle.stats_of(key()).admitted, 0, "it was forgotten, though an advance was out");
    assert_eq!(shard_of(ask(key(), start + Duration::from_secs(20_000))), None);
    assert_eq!(throttle.stats_of(key()).admitted, 1);
}
