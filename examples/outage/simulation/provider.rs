//! The provider: how fast it answers, what it turns away, and when it is down.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    future::pending,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fcretry::{
    Failure, FailureKind,
    testing::{MockModel, Reply},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// Requests per second that it takes, and how many at once after a rest.
pub(crate) const LIMIT: f64 = 40.0;
const STORE: f64 = 40.0;

/// So many at a time are answered in the usual time; of more, each takes longer.
const KNEE: usize = 60;

/// An answer takes this long, and up to several times as long again, for this long in the mean.
const LEAST: f64 = 0.4;
const MORE: f64 = 0.4;

/// What it does while it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    /// It says 503, of what was under way, too.
    Unavailable,
    /// It says nothing, to what was under way neither; when it is back, it breaks those connections off.
    Hangs,
    /// It says nothing, and never will.
    HangsForGood,
}

/// A provider on the clock of tokio, the same for the same seed. Clones are one.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Mutex<State>>);

struct State {
    random: fastrand::Rng,
    start: Instant,
    down: Option<(Down, Range<f64>)>,
    /// How many it would take at once, and when that was so. Both in seconds and requests.
    store: f64,
    at: f64,
    /// When those under way will be answered.
    under_way: BinaryHeap<Reverse<Instant>>,
    /// Requests that came in each second, and those that were turned away.
    came: Vec<u32>,
    turned_away: u32,
}

/// What it says.
enum Answer {
    Fine,
    TooMany { retry_after: Duration },
    Unavailable,
    BrokenOff,
    Nothing,
}

impl Provider {
    pub(crate) fn new(seed: u64, down: Option<(Down, Range<f64>)>) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: fastrand::Rng::with_seed(seed),
            start: Instant::now(),
            down,
            store: STORE,
            at: 0.0,
            under_way: BinaryHeap::new(),
            came: Vec::new(),
            turned_away: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request, as a client of its own would make it.
    pub(crate) async fn request(&self) -> fcretry::Result<&'static str> {
        // In a statement of its own: the lock is not held while it waits.
        let (answer, after) = self.state().answer();
        sleep(after).await;
        match answer {
            Answer::Fine => Ok(r#"{"text": "fine"}"#),
            Answer::TooMany { retry_after } => Err(Failure::new(FailureKind::RateLimit)
                .with_status(429)
                .with_retry_after(retry_after)
                .into()),
            Answer::Unavailable => {
                Err(Failure::new(FailureKind::ModelOverload).with_status(503).into())
            }
            Answer::BrokenOff => Err(Failure::new(FailureKind::TransientNetwork).into()),
            Answer::Nothing => pending().await,
        }
    }

    /// The same behind a client of `async-openai`.
    pub(crate) fn model(&self) -> MockModel {
        let provider = self.clone();
        MockModel::with(move |_| {
            let (answer, after) = provider.state().answer();
            let reply = match answer {
                Answer::Fine => Reply::tool_call("note", json!({"text": "fine"})),
                Answer::TooMany { retry_after } => Reply::status(429).retry_after(retry_after),
                Answer::Unavailable => Reply::status(503),
                Answer::BrokenOff => Reply::drop_connection(),
                Answer::Nothing => Reply::hang(),
            };
            reply.delay(after)
        })
    }

    /// Requests that came in these seconds.
    pub(crate) fn came(&self, seconds: Range<usize>) -> u32 {
        let state = self.state();
        state.came.iter().take(seconds.end).skip(seconds.start).sum()
    }

    /// Requests that were answered with 429.
    pub(crate) fn turned_away(&self) -> u32 {
        self.state().turned_away
    }
}

impl State {
    /// What a request that comes now will be told, and when.
    fn answer(&mut self) -> (Answer, Duration) {
        let at = Instant::now();
        let now = (at - self.start).as_secs_f64();
        self.count(now);
        while self.under_way.peek().is_some_and(|Reverse(ends)| *ends <= at) {
            self.under_way.pop();
        }
        // Who says no says it fast.
        let soon = Duration::from_secs_f64(0.02 + 0.06 * self.random.f64());
        if let Some(said) = self.is_down(now..now, soon) {
            return said;
        }
        self.store = (self.store + (now - self.at) * LIMIT).min(STORE);
        self.at = now;
        if self.store < 1.0 {
            self.turned_away += 1;
            // In whole seconds, as the header has it.
            let retry_after = Duration::from_secs_f64(((1.0 - self.store) / LIMIT).ceil());
            return (Answer::TooMany { retry_after }, soon);
        }
        self.store -= 1.0;
        let ends = now + self.takes();
        self.under_way.push(Reverse(at + Duration::from_secs_f64(ends - now)));
        let fine = (Answer::Fine, Duration::from_secs_f64(ends - now));
        self.is_down(now..ends, soon).unwrap_or(fine)
    }

    /// What is said to a request that came at its start and would be answered at its end, if it is down at either or
    /// between.
    fn is_down(&self, asked: Range<f64>, soon: Duration) -> Option<(Answer, Duration)> {
        let (down, when) = self.down.as_ref()?;
        if asked.end < when.start || asked.start >= when.end {
            return None;
        }
        let until = |time: f64| Duration::from_secs_f64((time - asked.start).max(0.0));
        Some(match down {
            Down::Unavailable => (Answer::Unavailable, until(when.start) + soon),
            Down::Hangs => (Answer::BrokenOff, until(when.end)),
            Down::HangsForGood => (Answer::Nothing, Duration::ZERO),
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    fn takes(&mut self) -> f64 {
        let alone = LEAST - MORE * (1.0 - self.random.f64()).ln();
        let crowd = (self.under_way.len() as f64 / KNEE as f64).max(1.0);
        alone * crowd * crowd
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "minutes in seconds"
    )]
    fn count(&mut self, now: f64) {
        let second = now as usize;
        if self.came.len() <= second {
            self.came.resize(second + 1, 0);
        }
        if let Some(came) = self.came.get_mut(second) {
            *came += 1;
        }
    }
}
