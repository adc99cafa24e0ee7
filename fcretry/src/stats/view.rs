use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::{
    rings::Gathered,
    spikes::are_spikes,
    tally::{Sums, Tally},
};
use crate::{
    cost::Cost,
    failure::FailureKind,
    guard::{Snapshot, throttle::ThrottleStats},
    millis::millis,
    policy::Action,
    usage::Usage,
};

/// How many failures are kept.
pub(super) const MAX_FAILURES: usize = 50;
/// How many places that guards count apart have a name.
pub(super) const MAX_PLACES: usize = 64;
/// How many models without a price are named.
pub(super) const MAX_UNPRICED: usize = 16;

/// The figures of [`Stats`](super::Stats) at a moment. Serializes with times as whole milliseconds (`taken_at_ms` since 1970).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StatsSnapshot {
    /// When it was taken, by the clock on the wall.
    #[serde(rename = "taken_at_ms", serialize_with = "unix_millis")]
    pub taken_at: SystemTime,
    /// How long it is since calls were first counted.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// Calls that ended in the last minute: 60 s that slide by seconds.
    pub minute: Window,
    /// Calls that ended in the last hour: 60 minutes, the one that is not over among them.
    pub hour: Window,
    /// All calls.
    pub all: Window,
    /// The last minutes, at most 60, one by one; the one that is not over last.
    pub minutes: Vec<Minute>,
    /// What each breaker does, in the order of their registration.
    pub breakers: Vec<BreakerFigures>,
    /// What each throttle allows and did, in the order of their registration.
    pub throttles: Vec<ThrottleFigures>,
    /// The last attempts that failed, at most 50, the latest first. Not those that an open breaker sent on to another model.
    pub failures: Vec<LastFailure>,
    /// Models that were asked and have no price, at most 16, by name.
    pub unpriced: Vec<String>,
}

/// What came of the calls of a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Window {
    /// Calls that ended by themselves, or were dropped.
    pub calls: u64,
    /// Those that gave a value.
    pub succeeded: u64,
    /// Those that failed, and gave what `degrade` makes of the error.
    pub degraded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were dropped before they ended.
    pub cancelled: u64,
    /// The share of those that gave a value, 0 to 1, of those that were not dropped; `None` if there were none.
    pub success_rate: Option<f64>,
    /// How many attempts a call had in the mean, of those that were not dropped.
    pub mean_attempts: Option<f64>,
    /// How many attempts 95 % of the calls had at most: exact up to 100, which is the most that a policy allows.
    pub p95_attempts: Option<u32>,
    /// The failures of all attempts by kind, also those that another attempt made good: the most common first.
    pub errors: Vec<KindCount>,
    /// Requests that went to a server.
    pub wire_requests: u64,
    /// Tokens of all answers, of failed attempts too.
    pub usage: Usage,
    /// Whether there was a request whose tokens are unknown: it failed, or the provider gave no usage.
    pub partial: bool,
    /// What the tokens cost, as far as it is known; `None` where tokens were taken and no price of them is known.
    pub cost: Option<Cost>,
    /// Whether there were tokens without a known price, or a request whose tokens are unknown.
    pub cost_partial: bool,
    /// What was not asked for, or not waited for.
    pub saved: Saved,
}

/// How many attempts failed in a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KindCount {
    /// The way.
    pub kind: FailureKind,
    /// How many.
    pub count: u64,
}

/// What was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Saved {
    /// Answers that were put right without asking again.
    pub recovered: u64,
    /// The tokens that asking again would have taken: for each as many as the attempt took. An estimate.
    pub recovered_tokens: u64,
    /// Streams that were left because nothing good could come of them any more.
    pub left_early: u64,
    /// The tokens that did not come for that: as if each had been as long as the mean of the answers that came whole. An
    /// estimate; 0 where none did.
    pub left_early_tokens: u64,
}

/// A minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Minute {
    /// When it began.
    #[serde(rename = "began_at_ms", serialize_with = "unix_millis")]
    pub began_at: SystemTime,
    /// Calls that ended by themselves, or were dropped.
    pub calls: u64,
    /// Those that gave a value.
    pub succeeded: u64,
    /// Those that did not, and were not dropped.
    pub without_value: u64,
    /// The failures of all attempts by kind, the most common first.
    pub errors: Vec<KindCount>,
    /// Tokens of all answers.
    pub tokens: u64,
    /// What they cost, as [`Window::cost`].
    pub cost: Option<Cost>,
    /// Whether that is not all of it.
    pub cost_partial: bool,
    /// Whether it cost more than three times the median of the other minutes that cost something, if there are 5 of them.
    pub spike: bool,
}

/// What a breaker does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BreakerFigures {
    /// The name that it was registered with.
    pub name: String,
    /// What it does for each place, those that are open first.
    pub places: Vec<BreakerPlace>,
}

/// What a breaker does for a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BreakerPlace {
    /// The model, and the endpoint if it is another than the call's own; the key of the place if no call went there.
    pub place: String,
    /// What it does there.
    #[serde(flatten)]
    pub figures: Snapshot,
}

/// What a throttle allows, and what it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ThrottleFigures {
    /// The name that it was registered with.
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: ThrottleStats,
}

/// An attempt that failed. Nothing of the request, the answer or the provider's message is in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// When it was counted, which is when its call ended.
    #[serde(rename = "at_ms", serialize_with = "unix_millis")]
    pub at: SystemTime,
    /// Why it failed.
    pub kind: FailureKind,
    /// The function, as `module::name`.
    pub function: &'static str,
    /// The model that it asked last, cut to 96 bytes.
    pub model: Option<String>,
    /// The endpoint, if it is another than the call's own, cut to 96 bytes.
    pub endpoint: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The number of the attempt in its call; 1 for the first.
    pub attempt: u32,
    /// What was decided.
    pub action: Option<Action>,
}

impl Window {
    pub(super) fn of(tally: &Tally) -> Self {
        let sums = &tally.sums;
        let ended = sums.ended();
        Self {
            calls: ended + sums.cancelled,
            succeeded: sums.succeeded,
            degraded: sums.degraded,
            failed: sums.failed,
            cancelled: sums.cancelled,
            success_rate: ratio(sums.succeeded, ended),
            mean_attempts: ratio(sums.attempts, ended),
            p95_attempts: tally.p95_attempts(),
            errors: errors(sums),
            wire_requests: sums.wire_requests,
            usage: sums.usage,
            partial: sums.unaccounted > 0,
            cost: cost(sums),
            cost_partial: is_cost_partial(sums),
            saved: Saved::of(sums),
        }
    }
}

impl Saved {
    fn of(sums: &Sums) -> Self {
        let ((left, came), (whole, tokens)) = (sums.left, sums.whole);
        let as_long = u128::from(left) * u128::from(tokens) / u128::from(whole.max(1));
        let as_long = u64::try_from(as_long).unwrap_or(u64::MAX);
        Self {
            recovered: sums.recovered.0,
            recovered_tokens: sums.recovered.1,
            left_early: left,
            left_early_tokens: as_long.saturating_sub(came),
        }
    }
}

impl Minute {
    /// The minutes of what was gathered `into` the one that is not over, at `now`.
    pub(super) fn all_of(gathered: &Gathered, into: Duration, now: SystemTime) -> Vec<Self> {
        let costs: Vec<_> = gathered.minutes.iter().map(|sums| sums.cost).collect();
        let ago = (0..u32::try_from(costs.len()).unwrap_or_default()).rev();
        let minutes = gathered.minutes.iter().zip(are_spikes(&costs)).zip(ago);
        let minutes = minutes.map(|((sums, spike), ago)| {
            let since = Duration::from_secs(60).saturating_mul(ago).saturating_add(into);
            Self {
                began_at: now.checked_sub(since).unwrap_or(UNIX_EPOCH),
                calls: sums.ended() + sums.cancelled,
                succeeded: sums.succeeded,
                without_value: sums.failed + sums.degraded,
                errors: errors(sums),
                tokens: sums.usage.total(),
                cost: cost(sums),
                cost_partial: is_cost_partial(sums),
                spike,
            }
        });
        minutes.collect()
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls")]
fn ratio(some: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

fn errors(sums: &Sums) -> Vec<KindCount> {
    let kinds = FailureKind::ALL.iter().zip(sums.kinds);
    let kinds = kinds.filter(|(_, count)| *count > 0);
    let mut errors: Vec<_> = kinds.map(|(&kind, count)| KindCount { kind, count }).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

fn cost(sums: &Sums) -> Option<Cost> {
    (sums.priced > 0 || sums.unpriced == 0).then_some(sums.cost)
}

const fn is_cost_partial(sums: &Sums) -> bool {
    sums.unpriced > 0 || sums.unaccounted > 0
}

fn unix_millis<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    millis(&at.duration_since(UNIX_EPOCH).unwrap_or_default(), serializer)
}
