//! What holds for every sequence of events on many threads.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    super::{Concurrency, FailureKind, Outcome, ServerLimits, Used},
    play::{Out, Play},
};
use crate::guard::throttle::{
    laws::{Kept, Limit, assert_windows},
    settings::Settings,
};

const THREADS: usize = 3;
const BURST: u32 = 2_048;
const RATE: f64 = 20_000.0;
const PLACES: u32 = 2_500;
/// Tokens a second, and at once.
const TOKENS: f64 = 400_000.0;
const CAPACITY: f64 = 50_000.0;

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in microseconds.
    Pass(u64),
    /// A thread asks so many times for so many tokens.
    Ask(usize, usize, u64),
    /// So many end, from here on in the order in which they were granted.
    End(Index, usize, Way),
    /// Somebody wants to know.
    Look,
    /// The server says how many requests there may be in a minute, and are left.
    Say(u64, u64),
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// With this share of its estimate used, in percent.
    Settled(u64),
    Unsent,
    Dropped,
    /// With the time to the first token known.
    Streamed,
    Failed,
    PushedBack(Option<u64>),
}

fn any_step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![4 => 1_u64..900, 2 => 900_u64..5_000, 1 => 5_000_u64..60_000];
    let way = prop_oneof![
        6 => (0_u64..=100).prop_map(Way::Settled),
        3 => Just(Way::Unsent),
        1 => Just(Way::Dropped),
        1 => Just(Way::Streamed),
        1 => Just(Way::Failed),
    ];
    prop_oneof![
        4 => time.prop_map(Step::Pass),
        8 => (0..THREADS, prop_oneof![4 => 1_usize..120, 1 => 1_usize..2_500], 0_u64..40)
            .prop_map(|(thread, times, tokens)| Step::Ask(thread, times, tokens)),
        6 => (any::<Index>(), 1_usize..300, way)
            .prop_map(|(which, times, way)| Step::End(which, times, way)),
        1 => Just(Step::Look),
    ]
}

fn rough_step() -> impl Strategy<Value = Step> {
    let pushed_back = (any::<Index>(), proptest::option::of(0_u64..20));
    prop_oneof![
        20 => any_step(),
        2 => (1_u64..2_000).prop_map(|seconds| Step::Pass(seconds * 10_000)),
        1 => pushed_back.prop_map(|(which, wait)| Step::End(which, 1, Way::PushedBack(wait))),
        1 => (1_u64..2_000_000, 0_u64..3_000).prop_map(|(limit, left)| Step::Say(limit, left)),
    ]
}

struct Game {
    play: Play,
    time: f64,
    out: Vec<(usize, Out)>,
    kept: Vec<Kept>,
}

impl Game {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Pass(micros) => {
                self.play.pass(Duration::from_micros(micros));
                self.time += Duration::from_micros(micros).as_secs_f64();
            }
            Step::Ask(thread, times, tokens) => {
                let outs: Vec<_> =
                    (0..times).map_while(|_| self.play.ask(thread, tokens)).collect();
                self.kept.push(Kept {
                    at: self.time,
                    requests: count(outs.len() as u64),
                    tokens: count(tokens * outs.len() as u64),
                });
                let kept = self.kept.len() - 1;
                self.out.extend(outs.into_iter().map(|out| (kept, out)));
                assert!(self.out.len() <= PLACES as usize);
            }
            Step::End(which, times, way) if !self.out.is_empty() => {
                let from = which.index(self.out.len());
                let to = self.out.len().min(from + times);
                for (kept, out) in self.out.drain(from..to).collect::<Vec<_>>() {
                    self.end(kept, out, way);
                }
            }
            Step::End(..) => {}
            Step::Look => self.look(),
            Step::Say(limit, left) => {
                let (limit, left) = (limit.to_string(), left.to_string());
                let limits = ServerLimits::read([
                    ("x-ratelimit-limit-requests", limit.as_str()),
                    ("x-ratelimit-remaining-requests", left.as_str()),
                ]);
                self.play.lane.server(&self.play.settings, &limits, self.play.now);
            }
        }
    }

    fn end(&mut self, kept: usize, out: Out, way: Way) {
        let kept = &mut self.kept[kept];
        match way {
            Way::Settled(share) => {
                let used = out.tokens * share / 100;
                kept.tokens -= count(out.tokens - used);
                self.play.end(out, Used::Tokens(used));
            }
            Way::Unsent => {
                kept.requests -= 1.0;
                kept.tokens -= count(out.tokens);
                self.play.end(out, Used::Unsent);
            }
            Way::Dropped => self.play.end(out, Used::Unknown),
            Way::Streamed => self.play.end_with(out, Used::Tokens(out.tokens), |ended| {
                ended.first_token = Some(Duration::from_millis(3));
            }),
            Way::Failed => self.play.fail(out, FailureKind::PartialStream),
            Way::PushedBack(wait) => {
                kept.tokens -= count(out.tokens);
                self.play.end_with(out, Used::Tokens(0), |ended| {
                    ended.outcome = Outcome::Failed(FailureKind::RateLimit);
                    ended.retry_after = wait.map(Duration::from_millis);
                });
            }
        }
    }

    fn look(&self) {
        let stats = self.play.stats();
        assert_eq!(stats.in_flight, self.out.len() as u64);
        let out: u64 = self.out.iter().map(|(_, out)| out.tokens).sum();
        assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded + out);
    }

    fn assert_windows(&self) {
        let requests = Limit { capacity: f64::from(BURST), rate: RATE };
        let tokens = Limit { capacity: CAPACITY, rate: TOKENS };
        // Two microseconds: what a bucket forgives, and that of an advance's last use.
        assert_windows(&self.kept, &requests, &tokens, 2e-6);
    }
}

#[allow(clippy::cast_precision_loss, reason = "few")]
fn count(tokens: u64) -> f64 {
    tokens as f64
}

fn play(concurrency: Concurrency, steps: &[Step]) -> Game {
    let settings = Settings {
        burst: BURST,
        in_flight: Some(PLACES),
        burst_tokens: CAPACITY,
        concurrency,
        ..Settings::new(RATE, 24_000_000)
    };
    let play = Play::new(settings);
    let mut game = Game { play, time: 0.0, out: Vec::new(), kept: Vec::new() };
    for step in steps {
        game.step(step);
    }
    game.assert_windows();
    for (kept, out) in std::mem::take(&mut game.out) {
        game.end(kept, out, Way::Settled(50));
    }
    game.look();
    game.step(&Step::Pass(1_000_000));
    game
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_window_has_more_than_its_capacity_and_rate_and_nothing_is_lost_on_any_thread(
        steps in vec(any_step(), 1..80),
    ) {
        let mut game = play(Concurrency::Fixed, &steps);
        // A whole burst comes with the time, whatever others have in advance.
        assert_eq!(game.play.burst(0, 1), BURST);
        game.step(&Step::Pass(1_000_000));
        assert_eq!(game.play.burst(1, 200), 250);
    }

    #[test]
    fn the_same_windows_when_the_server_pushes_back_and_says_what_it_allows(
        steps in vec(rough_step(), 1..80),
    ) {
        play(Concurrency::ByFirstToken, &steps);
    }
}
