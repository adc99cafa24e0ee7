//! What holds for every sequence of events. Times are given: nothing here waits.

use std::{
    collections::VecDeque, pin::Pin, task::Context, task::Poll, task::Waker, time::Duration,
};

use proptest::{collection::vec, prelude::*, sample::Index};
use tokio::{runtime, time::Instant};

use super::*;
use crate::{failure::FailureKind, guard::Key};

fn key() -> Key {
    Key::of("endpoint")
}

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// One asks for so many tokens, and may wait.
    Ask(u64),
    /// A waiter goes.
    Go(Index),
    /// A call that was sent ends with this share of its estimate used, in percent.
    Settle(Index, u64),
    /// A call that was not sent ends.
    Refund(Index),
    /// The server pushes back.
    PushBack(Index, Option<u64>),
    /// The server says how many requests there may be in a minute, and are left.
    Say(u64, u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..2_000).prop_map(Step::Pass),
        6 => (0_u64..400).prop_map(Step::Ask),
        1 => any::<Index>().prop_map(Step::Go),
        4 => (any::<Index>(), 0_u64..=100).prop_map(|(which, share)| Step::Settle(which, share)),
        1 => any::<Index>().prop_map(Step::Refund),
    ]
}

fn rough_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_step(),
        1 => (any::<Index>(), proptest::option::of(0_u64..5)).prop_map(|(which, wait)| Step::PushBack(which, wait)),
        1 => (1_u64..2_000, 0_u64..50).prop_map(|(limit, left)| Step::Say(limit, left)),
    ]
}

/// A grant: when, and what is kept of its request and of its tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) at: f64,
    pub(super) requests: f64,
    pub(super) tokens: f64,
}

/// What there may be at once, and comes in a second.
pub(super) struct Limit {
    pub(super) capacity: f64,
    pub(super) rate: f64,
}

/// In every window from one grant to another there is no more than the capacity and what came in its time, of which so much is
/// forgiven.
pub(super) fn assert_windows(kept: &[Kept], requests: &Limit, tokens: &Limit, forgiven: f64) {
    let assert_within = |sum: f64, limit: &Limit, time: f64| {
        assert!(sum <= limit.capacity + limit.rate * time, "{sum} in {time} s");
    };
    for (index, first) in kept.iter().enumerate() {
        let mut sums = (0.0, 0.0);
        for last in &kept[index..] {
            sums = (sums.0 + last.requests, sums.1 + last.tokens);
            let time = last.at - first.at + forgiven;
            assert_within(sums.0, requests, time);
            assert_within(sums.1, tokens, time);
        }
    }
}

/// Plays steps on a clock that is moved by hand.
struct Game<'a> {
    throttle: &'a Throttle,
    start: Instant,
    waiting: VecDeque<(u64, Pin<Box<Reserve<'a>>>)>,
    out: Vec<(usize, Permit<'a>)>,
    kept: Vec<Kept>,
    asked: u64,
    /// The number of the last who was served.
    last: Option<u64>,
}

impl<'a> Game<'a> {
    fn new(throttle: &'a Throttle) -> Self {
        Self {
            throttle,
            start: Instant::now(),
            waiting: VecDeque::new(),
            out: Vec::new(),
            kept: Vec::new(),
            asked: 0,
            last: None,
        }
    }

    /// Polls all who wait, the last first: their order must not come from who is polled.
    fn poll(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut served = Vec::new();
        let mut still = VecDeque::new();
        while let Some((number, mut future)) = self.waiting.pop_back() {
            match future.as_mut().poll(&mut context) {
                Poll::Pending => still.push_front((number, future)),
                Poll::Ready(Ok(permit)) => served.push((number, permit)),
                Poll::Ready(Err(refused)) => panic!("the deadline is far: {refused}"),
            }
        }
        self.waiting = still;
        for (number, permit) in served.into_iter().rev() {
            assert!(self.last < Some(number), "{number} is served after {:?}", self.last);
            assert!(self.waiting.front().is_none_or(|(first, _)| *first > number));
            self.last = Some(number);
            self.kept.push(Kept {
                at: self.start.elapsed().as_secs_f64(),
                requests: 1.0,
                tokens: count(permit.tokens()),
            });
            self.out.push((self.kept.len() - 1, permit));
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Pass(millis) => tokio::time::advance(Duration::from_millis(*millis)).await,
            Step::Ask(tokens) => {
                let deadline = Instant::now() + Duration::from_secs(1_000_000_000);
                let future = Box::pin(self.throttle.reserve(key(), *tokens, deadline));
                self.waiting.push_back((self.asked, future));
                self.asked += 1;
                // It joins at once: this is its place.
                let mut context = Context::from_waker(Waker::noop());
                if let Some((number, mut future)) = self.waiting.pop_back() {
                    match future.as_mut().poll(&mut context) {
                        Poll::Pending => self.waiting.push_back((number, future)),
                        // All who are before it were served, and come first.
                        Poll::Ready(permit) => {
                            self.poll();
                            assert!(self.waiting.is_empty());
                            let permit = permit.unwrap();
                            self.last = Some(number);
                            self.kept.push(Kept {
                                at: self.start.elapsed().as_secs_f64(),
                                requests: 1.0,
                                tokens: count(permit.tokens()),
                            });
                            self.out.push((self.kept.len() - 1, permit));
                        }
                    }
                }
            }
            Step::Go(which) if !self.waiting.is_empty() => {
                drop(self.waiting.remove(which.index(self.waiting.len())));
            }
            Step::Settle(which, share) if !self.out.is_empty() => {
                let (index, mut permit) = self.out.swap_remove(which.index(self.out.len()));
                let used = permit.tokens() * share / 100;
                self.kept[index].tokens = count(used);
                permit.sent();
                permit.first_token(Duration::from_millis(share * 10));
                permit.settle(used);
            }
            Step::Refund(which) if !self.out.is_empty() => {
                let (index, permit) = self.out.swap_remove(which.index(self.out.len()));
                (self.kept[index].requests, self.kept[index].tokens) = (0.0, 0.0);
                drop(permit);
            }
            Step::PushBack(which, wait) if !self.out.is_empty() => {
                let (index, mut permit) = self.out.swap_remove(which.index(self.out.len()));
                self.kept[index].tokens = 0.0;
                permit.sent();
                permit.outcome(Some(FailureKind::RateLimit));
                permit.pushed_back(wait.map(Duration::from_secs));
            }
            Step::Say(limit, left) => {
                let (limit, left) = (limit.to_string(), left.to_string());
                let limits = ServerLimits::read([
                    ("x-ratelimit-limit-requests", limit.as_str()),
                    ("x-ratelimit-remaining-requests", left.as_str()),
                ]);
                self.throttle.limits(key(), &limits);
            }
            Step::Go(_) | Step::Settle(..) | Step::Refund(_) | Step::PushBack(..) => {}
        }
        self.poll();
        let stats = self.throttle.stats_of(key());
        assert!((1..=BURST).contains(&stats.concurrency));
        assert_eq!(stats.in_flight, self.out.len() as u64);
        assert_eq!(stats.waiting, self.waiting.len() as u64);
        let out: u64 = self.out.iter().map(|(_, permit)| permit.tokens()).sum();
        assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded + out);
        assert!(stats.requests_per_second <= RATE + 1e-9);
        assert!(stats.tokens_per_minute <= TOKENS * 60.0 + 1e-6);
    }

    fn assert_windows(&self) {
        let requests = Limit { capacity: f64::from(BURST), rate: RATE };
        let tokens = Limit { capacity: CAPACITY, rate: TOKENS };
        assert_windows(&self.kept, &requests, &tokens, 1e-3);
    }

    /// All who wait are served, if those before them end.
    async fn drain(&mut self) {
        for _ in 0..10_000 {
            if self.waiting.is_empty() {
                return;
            }
            for (_, mut permit) in self.out.drain(..) {
                permit.sent();
            }
            // Whoever was let in by that has its place from now on, not from the next step.
            self.poll();
            self.step(&Step::Pass(500)).await;
        }
        panic!("{} starve", self.waiting.len());
    }
}

#[allow(clippy::cast_precision_loss, reason = "few")]
fn count(tokens: u64) -> f64 {
    tokens as f64
}

const BURST: u32 = 5;
const RATE: f64 = 2.0;
/// Tokens a second, and at once.
const TOKENS: f64 = 100.0;
const CAPACITY: f64 = 500.0;

fn throttle(concurrency: Concurrency) -> Throttle {
    Throttle::new(RATE, 6_000).burst(BURST).burst_tokens(500).concurrency(concurrency)
}

fn play(throttle: &Throttle, steps: &[Step]) {
    let runtime =
        runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut game = Game::new(throttle);
        for step in steps {
            game.step(step).await;
        }
        game.assert_windows();
        game.drain().await;
        game.assert_windows();
        game.out.clear();
        let stats = throttle.stats();
        assert_eq!((stats.in_flight, stats.waiting), (0, 0));
        assert_eq!(stats.tokens_reserved, stats.tokens_settled + stats.tokens_refunded);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_window_has_more_than_its_capacity_and_rate_and_nobody_is_overtaken_or_starves(
        steps in vec(any_step(), 1..150),
    ) {
        play(&throttle(Concurrency::Fixed), &steps);
    }

    #[test]
    fn the_same_when_the_server_pushes_back_and_says_what_it_allows(
        steps in vec(rough_step(), 1..150),
        by_share in any::<bool>(),
    ) {
        let latency = Duration::from_secs(1);
        let by_share = by_share.then_some(Concurrency::ByErrorShare { latency });
        play(&throttle(by_share.unwrap_or(Concurrency::ByFirstToken)), &steps);
    }
}
