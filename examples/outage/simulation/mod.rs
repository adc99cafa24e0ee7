//! Calls that share their guards, and a provider that has a bad minute: two or three minutes on a paused clock, the same for
//! the same seed.

mod callers;
mod figures;
mod provider;

use std::{ops::Range, sync::Arc, time::Duration};

use callers::Guards;
pub(crate) use figures::Figures;
#[allow(unused_imports, reason = "the table names it, the tests do not")]
pub(crate) use figures::OutageFigures;
use figures::Tally;
use provider::{Down, LIMIT, Provider};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// An annotated function with all guards, asking by hand.
    ByHand,
    /// The same with 5 s for an attempt, and not the 60 s of the default.
    InTime,
    /// The first through the client and its transport.
    ByChat,
    /// The loop that is usual without guards.
    Usual,
}

/// What is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) callers: Callers,
    /// The calls offered, as a part of what the provider takes.
    pub(crate) load: f64,
    down: Option<Down>,
}

const fn scenario(name: &'static str, callers: Callers, load: f64, down: Option<Down>) -> Scenario {
    Scenario { name, callers, load, down }
}

/// All of them, those with bounds first.
pub(crate) const SCENARIOS: [Scenario; 8] = [
    scenario("503 for 30 s", Callers::ByHand, 0.8, Some(Down::Unavailable)),
    scenario("503 for 30 s, transport", Callers::ByChat, 0.8, Some(Down::Unavailable)),
    scenario("hangs for 30 s", Callers::ByHand, 0.8, Some(Down::Hangs)),
    scenario("hangs for good", Callers::InTime, 0.8, Some(Down::HangsForGood)),
    scenario("twice the limit", Callers::ByHand, 2.0, None),
    scenario("503 for 30 s, usual loop", Callers::Usual, 0.8, Some(Down::Unavailable)),
    scenario("hangs for 30 s, usual loop", Callers::Usual, 0.8, Some(Down::Hangs)),
    scenario("twice the limit, usual loop", Callers::Usual, 2.0, None),
];

/// When it goes wrong, in seconds; before that the guards have seen a whole window of answers.
const OUTAGE: Range<usize> = 60..90;

/// How long calls come.
const SECONDS: usize = 150;

/// The first cooldown of a breaker by default.
const COOLDOWN: Duration = Duration::from_secs(15);

impl Scenario {
    /// Plays it.
    pub(crate) fn play(&self, seed: u64) -> std::io::Result<Figures> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        // Jitter and spread are drawn from the thread's numbers.
        fastrand::seed(seed);
        Ok(runtime.block_on(self.run(seed)))
    }

    #[allow(clippy::cast_precision_loss, reason = "seconds of minutes")]
    async fn run(&self, seed: u64) -> Figures {
        let start = Instant::now();
        let down = self.down.map(|down| (down, OUTAGE.start as f64..OUTAGE.end as f64));
        let provider = Provider::new(seed, down);
        let client = provider.model().client();
        let guards = Guards::default();
        let tally = Arc::new(Tally::new(start, SECONDS));
        let mut calls = JoinSet::new();
        let mut arrivals = fastrand::Rng::with_seed(seed);
        let mut arrives = 0.0;
        loop {
            // Calls come as they come, and not because others ended.
            arrives -= (1.0 - arrivals.f64()).ln() / (LIMIT * self.load);
            if arrives >= SECONDS as f64 {
                break;
            }
            sleep_until(start + Duration::from_secs_f64(arrives)).await;
            tally.offered();
            let (callers, provider, client) = (self.callers, provider.clone(), client.clone());
            let (guards, tally) = (guards.clone(), Arc::clone(&tally));
            calls.spawn(async move {
                let is_good = match callers {
                    Callers::ByHand => callers::by_hand(&guards, &provider).await.is_ok(),
                    Callers::InTime => callers::in_time(&guards, &provider).await.is_ok(),
                    Callers::ByChat => callers::by_chat(&guards, &client).await.is_ok(),
                    Callers::Usual => callers::usual(&provider).await.is_ok(),
                };
                if is_good {
                    tally.succeeded();
                }
            });
            // Who has ended is not kept.
            while calls.try_join_next().is_some() {}
        }
        sleep_until(start + Duration::from_secs(SECONDS as u64)).await;
        calls.shutdown().await;
        Figures::of(*self, &tally, &provider)
    }

    /// When the provider is down, if it is.
    fn outage(&self) -> Option<Range<usize>> {
        self.down.map(|_| OUTAGE)
    }

    /// Whether the bounds are for it.
    pub(crate) fn is_guarded(&self) -> bool {
        self.callers != Callers::Usual
    }
}
