use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::{
    Concurrency, Ended, Limiter, Permit, Refused, Reserve, ServerLimits, ThrottleStats,
    lane::Lane,
    settings::Settings,
    state::{Asked, Turn},
};
use crate::guard::{
    Key, Soon,
    keyed::{Table, Ticks, mine},
};

/// A [`Limiter`] in this process, to be kept in a `static` or an `Arc`. Each key has limits of its own.
///
/// It remembers up to 256 keys. Of more, one that is idle is forgotten, with its counts: one with nothing owed first, then the
/// one that was not asked for the longest time.
///
/// | setting | default |
/// |---|---|
/// | requests | 100 per second |
/// | tokens | 1 000 000 per minute |
/// | [`burst`](Self::burst) | 50 |
/// | [`in_flight`](Self::in_flight) | the burst |
/// | [`burst_tokens`](Self::burst_tokens) | a tenth of a minute's tokens |
/// | [`concurrency`](Self::concurrency) | [`Concurrency::ByFirstToken`] |
/// | [`cooldown`](Self::cooldown) | 60 s |
///
/// After a 429 the rate is 0.7 of what was sent, once for what was sent since the last time and at most once a second, and
/// comes back as 0.4·(t − K)³ + w, K = ∛(0.3·w/0.4), where w is the rate at the 429 and t the seconds since; never to more
/// than twice what is sent, nor more than the limit. Source: CUBIC, as in the adaptive mode of AWS's SDKs.
///
/// What was used beyond an estimate, and what is larger than may be taken at once, is a debt: nothing goes until it is paid. It is
/// paid at the latest when it would be by the rate at which it was made, so that a rate that falls does not make hours of seconds;
/// a rate that rises pays it sooner.
///
/// A thread that asks often, where there is plenty, is given some of it in advance, so that threads do not wait for each other: never
/// more than the limits allow, and whoever finds too little has what others were given and did not use.
pub struct Throttle {
    settings: Settings,
    lanes: Table<Lane>,
}

impl Throttle {
    /// Limits to requests per second (1 in a day to 10⁹; what is outside is brought inside) and to tokens per minute (0 is
    /// one in a day).
    pub const fn new(requests_per_second: f64, tokens_per_minute: u64) -> Self {
        Self {
            settings: Settings::new(requests_per_second, tokens_per_minute),
            lanes: Table::new(),
        }
    }

    /// How many requests may come at once after a rest, and the most that are ever in flight unless [`in_flight`](Self::in_flight)
    /// says another number. At least 1. Default 50. While the rate is lower, what may come at once is fewer in proportion.
    #[must_use]
    pub const fn burst(mut self, requests: u32) -> Self {
        self.settings.burst = if requests == 0 { 1 } else { requests };
        self
    }

    /// The most calls that are ever in flight, at least 1. Default: the burst. Answers that take long need more than may come at
    /// once: five a second of 30 s each are 150.
    #[must_use]
    pub const fn in_flight(mut self, calls: u32) -> Self {
        self.settings.in_flight = Some(if calls == 0 { 1 } else { calls });
        self
    }

    /// How many tokens may be taken at once after a rest. At least 1. Default a tenth of a minute's. A request of more is
    /// admitted when there are so many, and leaves a debt.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a limit, not a count")]
    pub const fn burst_tokens(mut self, tokens: u64) -> Self {
        self.settings.burst_tokens = if tokens == 0 { 1.0 } else { tokens as f64 };
        self
    }

    /// How the number of calls in flight adapts.
    #[must_use]
    pub const fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// How long [`Concurrency::ByErrorShare`] gives nothing after it has halved the limit. Default 60 s.
    #[must_use]
    pub const fn cooldown(mut self, cooldown: Duration) -> Self {
        self.settings.cooldown = cooldown;
        self
    }

    /// Reserves a request and `tokens`, an estimate of what it will use, both or neither. Waits for its turn: who comes first
    /// is served first. Refuses at once what cannot be served before the deadline by the rates as they are, and at the
    /// deadline what waits for another call to end. Dropping the future gives everything back.
    pub fn reserve(&self, key: Key, tokens: u64, deadline: Instant) -> Reserve<'_> {
        Reserve::new(self, key, tokens, deadline)
    }

    /// The figures of all keys together: counts are sums, limits are the lowest.
    pub fn stats(&self) -> ThrottleStats {
        let now = Instant::now();
        self.lanes
            .all(now)
            .filter_map(|(_, place)| place.cell.stats(now))
            .reduce(ThrottleStats::and)
            .unwrap_or_else(|| ThrottleStats::unused(&self.settings))
    }

    /// The figures of one key.
    pub fn stats_of(&self, key: Key) -> ThrottleStats {
        let now = Instant::now();
        self.lanes
            .known(key, now)
            .and_then(|place| place.cell.stats(now))
            .unwrap_or_else(|| ThrottleStats::unused(&self.settings))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn lanes(&self) -> &Table<Lane> {
        &self.lanes
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(100.0, 1_000_000)
    }
}

/// How many bits of a permit's last word are the place of its key; those above are when it was granted.
const PLACE: u32 = 8;

pub(super) const fn spot(place: usize, granted: Ticks) -> u64 {
    granted << PLACE | place as u64
}

fn place_of(spot: u64) -> usize {
    usize::from(spot.to_le_bytes()[0])
}

impl Limiter for Throttle {
    #[inline]
    fn reserve_at(
        &self,
        key: Key,
        tokens: u64,
        deadline: Instant,
        now: Instant,
    ) -> Soon<'_, Result<Permit<'_>, Refused>> {
        let place = self.lanes.place(key, now);
        let asked = Asked { tokens, deadline, at: now, ticks: place.now, shard: mine() };
        match place.cell.at_once(&self.settings, &asked) {
            Some(Turn::Granted(number)) => {
                let spot = spot(place.number, place.now);
                Soon::now(Ok(Permit::numbered(self, key, tokens, now, (number, spot))))
            }
            Some(Turn::Refused(wait)) => Soon::now(Err(Refused { wait })),
            Some(Turn::Waiting(..)) | None => Soon::later(self.reserve(key, tokens, deadline)),
        }
    }

    #[inline]
    fn ended(&self, _: Key, ended: &Ended) {
        let now = ended.at.unwrap_or_else(Instant::now);
        let (number, granted) = (place_of(ended.place), ended.place >> PLACE);
        if let Some(place) = self.lanes.numbered(number, now) {
            let after = place.now.saturating_sub(granted);
            place.cell.ended(&self.settings, ended, after, now);
        }
    }

    fn limits(&self, key: Key, limits: &ServerLimits) {
        let now = Instant::now();
        if let Some(place) = self.lanes.known(key, now) {
            place.cell.server(&self.settings, limits, now);
        }
    }

    fn stats_of(&self, key: Key) -> ThrottleStats {
        self.stats_of(key)
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("settings", &self.settings).finish_non_exhaustive()
    }
}
