use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Concurrency, Ended, Limiter, Permit, Refused, Reserve, ServerLimits, ThrottleStats,
    lanes::Lanes, line::Wakes, settings::Settings,
};
use crate::guard::{Key, Soon};

/// A [`Limiter`] in this process, to be kept in a `static` or an `Arc`. Each key has limits of its own.
///
/// It remembers 1024 keys; of more, those that are idle with nothing owed are forgotten first, then the one that was not
/// asked for the longest time.
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
pub struct Throttle {
    settings: Settings,
    lanes: Mutex<Lanes>,
}

impl Throttle {
    /// Limits to requests per second (1 in a day to 10⁹; what is outside is brought inside) and to tokens per minute (0 is
    /// one in a day).
    pub const fn new(requests_per_second: f64, tokens_per_minute: u64) -> Self {
        Self {
            settings: Settings::new(requests_per_second, tokens_per_minute),
            lanes: Mutex::new(Lanes::none()),
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
        let lanes = self.lock();
        lanes
            .iter()
            .map(|lane| lane.stats(now))
            .reduce(ThrottleStats::and)
            .unwrap_or_else(|| ThrottleStats::unused(&self.settings))
    }

    /// The figures of one key.
    pub fn stats_of(&self, key: Key) -> ThrottleStats {
        let now = Instant::now();
        let mut lanes = self.lock();
        lanes.get(key).map_or_else(|| ThrottleStats::unused(&self.settings), |lane| lane.stats(now))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The states. Nothing in them can be left half done, so one who panicked while he held them left them whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(100.0, 1_000_000)
    }
}

impl Limiter for Throttle {
    fn reserve_at(
        &self,
        key: Key,
        tokens: u64,
        deadline: Instant,
        now: Instant,
    ) -> Soon<'_, Result<Permit<'_>, Refused>> {
        let mut wakes = Wakes::none();
        let turn = {
            let mut lanes = self.lock();
            let lane = lanes.of(key, &self.settings, now);
            if lane.at_once(tokens, deadline, now, &mut wakes) {
                None
            } else {
                Some(lane.admit(tokens, deadline, now))
            }
        };
        wakes.wake();
        match turn {
            None => Soon::now(Ok(Permit::new(self, key, tokens, now))),
            Some(Err(wait)) => Soon::now(Err(Refused { wait })),
            Some(Ok(_)) => Soon::later(self.reserve(key, tokens, deadline)),
        }
    }

    fn ended(&self, key: Key, ended: &Ended) {
        let now = ended.at.unwrap_or_else(Instant::now);
        let mut wakes = Wakes::none();
        if let Some(lane) = self.lock().get(key) {
            lane.ended(ended, now, &mut wakes);
        }
        wakes.wake();
    }

    fn limits(&self, key: Key, limits: &ServerLimits) {
        let now = Instant::now();
        let mut wakes = Wakes::none();
        if let Some(lane) = self.lock().get(key) {
            lane.server(limits, now, &mut wakes);
        }
        wakes.wake();
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
