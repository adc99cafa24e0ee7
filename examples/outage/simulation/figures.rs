//! What is counted, and what it must come to.

use std::{
    fmt,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    COOLDOWN, SECONDS, Scenario,
    provider::{LIMIT, Provider},
};

/// What the callers see, by the second.
pub(super) struct Tally {
    start: Instant,
    counts: Mutex<Counts>,
}

struct Counts {
    offered: Vec<u32>,
    succeeded: Vec<u32>,
}

impl Tally {
    pub(super) fn new(start: Instant, seconds: usize) -> Self {
        let nothing = || vec![0; seconds];
        let counts = Counts { offered: nothing(), succeeded: nothing() };
        Self { start, counts: Mutex::new(counts) }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn second(&self) -> usize {
        usize::try_from(self.start.elapsed().as_secs()).unwrap_or(usize::MAX)
    }

    /// A call begins.
    pub(super) fn offered(&self) {
        if let Some(count) = self.counts().offered.get_mut(self.second()) {
            *count += 1;
        }
    }

    /// A call ends well.
    pub(super) fn succeeded(&self) {
        if let Some(count) = self.counts().succeeded.get_mut(self.second()) {
            *count += 1;
        }
    }
}

/// Over so many seconds goodput is looked at: a shorter time has too few calls to say so.
const LOOK: usize = 5;

/// The start is left out of what is said of the steady state.
const WARM: usize = 10;

/// What came of a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) scenario: Scenario,
    /// Calls, those of them that ended well, requests, and those of them that were answered with 429.
    pub(crate) offered: u32,
    pub(crate) succeeded: u32,
    pub(crate) sent: u32,
    pub(crate) turned_away: u32,
    /// Calls that ended well a second, after the start.
    pub(crate) goodput: f64,
    pub(crate) outage: Option<OutageFigures>,
}

/// What came of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutageFigures {
    /// Requests while it lasted, and in as long a time before it.
    pub(crate) sent: u32,
    pub(crate) sent_before: u32,
    /// How long after its end goodput is over 95 % of what is offered again; `None` if it never is.
    pub(crate) recovered_in: Option<Duration>,
}

fn sum(counts: &[u32], seconds: Range<usize>) -> u32 {
    counts.iter().take(seconds.end).skip(seconds.start).sum()
}

impl Figures {
    pub(super) fn of(scenario: Scenario, tally: &Tally, provider: &Provider) -> Self {
        let counts = tally.counts();
        let Counts { offered, succeeded } = &*counts;
        let outage = scenario.outage().map(|outage| {
            let length = outage.len();
            // The first time at which it is back and from when on it stays so, as a whole.
            let is_back = |from: usize, to: usize| {
                let (good, all) = (sum(succeeded, from..to), sum(offered, from..to));
                f64::from(good) >= 0.95 * f64::from(all)
            };
            let back = (outage.end..SECONDS - LOOK)
                .find(|&at| is_back(at, at + LOOK) && is_back(at, SECONDS));
            OutageFigures {
                sent: provider.came(outage.clone()),
                sent_before: provider.came(outage.start - length..outage.start),
                recovered_in: back.map(|at| Duration::from_secs((at - outage.end) as u64)),
            }
        });
        #[allow(clippy::cast_precision_loss, reason = "seconds of minutes")]
        let steady = (SECONDS - WARM) as f64;
        Self {
            scenario,
            offered: sum(offered, 0..SECONDS),
            succeeded: sum(succeeded, 0..SECONDS),
            sent: provider.came(0..SECONDS),
            turned_away: provider.turned_away(),
            goodput: f64::from(sum(succeeded, WARM..SECONDS)) / steady,
            outage,
        }
    }

    /// The share of requests that were answered with 429.
    pub(crate) fn turned_away_share(&self) -> f64 {
        f64::from(self.turned_away) / f64::from(self.sent.max(1))
    }

    /// The bounds that it does not keep; without guards there are none.
    pub(crate) fn missed(&self) -> Vec<Missed> {
        let mut missed = Vec::new();
        if !self.scenario.is_guarded() {
            return missed;
        }
        if let Some(outage) = &self.outage {
            if outage.share() >= 0.15 {
                missed.push(Missed::SentInOutage(outage.share()));
            }
            if outage.recovered_in.is_none_or(|time| time > 2 * COOLDOWN) {
                missed.push(Missed::Recovery(outage.recovered_in));
            }
        }
        if self.scenario.load > 1.0 {
            if self.turned_away_share() >= 0.03 {
                missed.push(Missed::TurnedAway(self.turned_away_share()));
            }
            if self.goodput <= 0.9 * LIMIT {
                missed.push(Missed::Goodput(self.goodput / LIMIT));
            }
        }
        missed
    }
}

impl OutageFigures {
    /// The requests while it lasted, as a part of those before it.
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.sent) / f64::from(self.sent_before.max(1))
    }
}

/// A bound that is not kept, and what there is in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Missed {
    SentInOutage(f64),
    Recovery(Option<Duration>),
    TurnedAway(f64),
    Goodput(f64),
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| 100.0 * share;
        match self {
            Self::SentInOutage(share) => write!(
                f,
                "{:.0} % of the usual requests while it was down; less than 15 % may be",
                percent(share)
            ),
            Self::Recovery(Some(time)) => write!(
                f,
                "goodput was back after {} s; it may take two cooldowns, {} s",
                time.as_secs(),
                (2 * COOLDOWN).as_secs()
            ),
            Self::Recovery(None) => f.write_str("goodput never came back"),
            Self::TurnedAway(share) => write!(
                f,
                "{:.1} % of the requests were answered with 429; less than 3 % may be",
                percent(share)
            ),
            Self::Goodput(share) => {
                write!(f, "goodput was {:.0} % of the limit; it must be over 90 %", percent(share))
            }
        }
    }
}
