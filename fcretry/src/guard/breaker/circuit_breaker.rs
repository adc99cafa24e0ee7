use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Breaker, Change, Open, Permit, Snapshot, Verdict,
    circuit::{Circuit, Era, Told, Turned},
    settings::Settings,
};
use crate::guard::{
    Key, Soon, Ticket,
    keyed::{Cell as _, Place, Share, Table, Ticks},
};

/// A circuit breaker in this process, with a state for each key (up to 256; the one idle longest is forgotten).
///
/// Closed, it counts what ends in a window of time that slides by tenths. It opens when at least 10 asks counted and half of them
/// failed, or after 10 failures in a row over at least a second: under steady traffic a window of a minute is full of answers,
/// and half of it would be failures only after half a minute of them. Open, it lets nothing through for 15 s, doubled each time it opens
/// again up to 120 s, and spread by 20 % so that many processes do not come back together (never past the longest). Then it lets
/// one probe through at a time: two that succeed close it, one that fails opens it, from when it was let through: while a probe hangs
/// nothing else is sent either. A result counts only in the state that
/// admitted it.
///
/// Source: the breakers of Polly, resilience4j and Hystrix, and their reports of stuck probes and late results.
///
/// ```
/// use std::time::Duration;
/// use fcretry::guard::{CircuitBreaker, Key, State};
/// use tokio::time::Instant;
///
/// static LOCAL: CircuitBreaker = CircuitBreaker::new()
///     .in_a_row(3)
///     .cooldown(Duration::from_secs(5), Duration::from_secs(30))
///     .on_change(|change| eprintln!("{:?} -> {:?}", change.from, change.to));
///
/// let key = Key::of("http://localhost:8080/v1");
/// for _ in 0..3 {
///     LOCAL.try_admit(key, Instant::now()).unwrap().failure();
/// }
/// assert_eq!(LOCAL.state(key).state, State::Open);
/// assert!(LOCAL.try_admit(key, Instant::now()).unwrap_err().retry_in <= Duration::from_secs(6));
/// ```
pub struct CircuitBreaker {
    settings: Settings,
    on_change: Option<fn(&Change)>,
    watcher: Option<Arc<Watcher>>,
    spread: fn() -> f64,
    circuits: Table<Circuit>,
}

type Watcher = dyn Fn(&Change) + Send + Sync;

impl CircuitBreaker {
    /// One with the defaults, closed for every key.
    pub const fn new() -> Self {
        Self {
            settings: Settings::DEFAULT,
            on_change: None,
            watcher: None,
            spread: fastrand::f64,
            circuits: Table::new(),
        }
    }

    /// The time in which asks are counted, at least 10 ms. Default 60 s; twice the time limit of an attempt should fit in.
    pub const fn window(mut self, window: Duration) -> Self {
        self.settings.window(window);
        self
    }

    /// The share of failures that opens it, of 0 to 1, exact to nine decimals. Default 0.5.
    pub const fn failure_share(mut self, share: f64) -> Self {
        self.settings.share = Share::of(share);
        self
    }

    /// How many asks in the window must have counted before their share says anything, at least 1. Default 10.
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.settings.min_calls = if calls == 0 { 1 } else { calls as u64 };
        self
    }

    /// Opens after this many failures in a row, too, whatever their share, and however fast they come; 0: does not. Default 10,
    /// if the first and the last of them are a second apart or more: so many requests may have been under way on one connection
    /// that broke, and that alone says nothing of the next.
    pub const fn in_a_row(mut self, failures: u32) -> Self {
        self.settings.in_a_row = failures;
        self.settings.row_lasts = 0;
        self
    }

    /// How long it stays open at first (at least 1 ms), and how long at most, however often it opens again. Default 15 s and
    /// 120 s. The first is spread by 20 % either way, but nothing is longer than `max`.
    pub const fn cooldown(mut self, first: Duration, max: Duration) -> Self {
        let least = Duration::from_millis(1);
        self.settings.cooldown = if first.as_nanos() < least.as_nanos() { least } else { first };
        self.settings.max_cooldown = max;
        self
    }

    /// How many probes may be under way at a time, at least 1. Default 1.
    pub const fn probes(mut self, probes: u32) -> Self {
        self.settings.probes = if probes == 0 { 1 } else { probes };
        self
    }

    /// How many probes must succeed before it closes, at least 1. Default 2.
    pub const fn close_after(mut self, successes: u32) -> Self {
        self.settings.close_after = if successes == 0 { 1 } else { successes };
        self
    }

    /// A permit that is dropped without a word counts as a failure once it was held this long: for calls that are cut from
    /// outside (`tokio::time::timeout` around them), which nobody reports. Default: never, as what is cancelled says nothing.
    pub const fn cut_after(mut self, held: Duration) -> Self {
        self.settings.cut_after = crate::guard::keyed::ticks(held);
        self
    }

    /// Calls this at each change of a state, without a lock held: it may ask the breaker. For a closure that captures, see
    /// [`watched_by`](Self::watched_by).
    pub const fn on_change(mut self, told: fn(&Change)) -> Self {
        self.on_change = Some(told);
        self
    }

    /// The same, for a closure that captures.
    pub fn watched_by(mut self, told: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(told));
        self
    }

    /// [`Breaker::admit_at`], which in this process needs no waiting.
    #[inline]
    pub fn try_admit(&self, key: Key, now: Instant) -> Result<Permit<'_>, Open> {
        match self.admit_closed(key, now) {
            Some(ticket) => Ok(Permit::new(self, ticket)),
            None => self.admit_slowly(key, now),
        }
    }

    /// What comes while all is well.
    #[inline]
    fn admit_closed(&self, key: Key, now: Instant) -> Option<Ticket> {
        let place = self.circuits.place(key, now);
        let era = place.cell.closed()?;
        place.is_still(key).then(|| ticket(key, era, place.number, place.now))
    }

    #[cold]
    fn admit_slowly(&self, key: Key, now: Instant) -> Result<Permit<'_>, Open> {
        loop {
            let place = self.circuits.place(key, now);
            let (admitted, turned) = place.cell.admit(&self.settings, place.now);
            if !place.is_still(key) {
                // Another key got the place meanwhile, and whatever was admitted there was not this one.
                if let Ok(era) = admitted {
                    let told = Told { verdict: Verdict::Ignored, held: 0 };
                    self.settle_at(&place, key, era, told);
                }
                continue;
            }
            if turned.is_some() {
                self.tell(key, turned);
            }
            return admitted
                .map(|era| Permit::new(self, ticket(key, era, place.number, place.now)));
        }
    }

    #[cold]
    fn admit_late(&self, key: Key, now: Instant) -> Soon<'_, Result<Permit<'_>, Open>> {
        Soon::now(self.admit_slowly(key, now))
    }

    /// What succeeds while all is well; `false` if it is not.
    #[inline]
    fn succeeded(&self, ticket: &Ticket, now: Instant) -> bool {
        let Some(place) = self.circuits.numbered(place_of(ticket), now) else { return true };
        place.cell.succeeded(&self.settings, Era(ticket.number()), place.now)
    }

    #[cold]
    fn settle_slowly(&self, ticket: &Ticket, verdict: Verdict, now: Instant) {
        let Some(place) = self.circuits.numbered(place_of(ticket), now) else { return };
        let held = place.now.saturating_sub(ticket.place() >> PLACE);
        let verdict = match verdict {
            Verdict::Dropped if held >= self.settings.cut_after => Verdict::Failure,
            verdict => verdict,
        };
        self.settle_at(&place, ticket.key(), Era(ticket.number()), Told { verdict, held });
    }

    /// What is known of a key. Of one that never came: closed, and nothing counted.
    pub fn state(&self, key: Key) -> Snapshot {
        let now = Instant::now();
        match self.circuits.known(key, now) {
            Some(place) => place.cell.snapshot(key, &self.settings, place.now),
            None => Circuit::fresh().snapshot(key, &self.settings, 0),
        }
    }

    /// What is known of every key.
    pub fn states(&self) -> Vec<Snapshot> {
        self.circuits
            .all(Instant::now())
            .map(|(key, place)| place.cell.snapshot(key, &self.settings, place.now))
            .collect()
    }

    fn settle_at(&self, place: &Place<'_, Circuit>, key: Key, era: Era, told: Told) {
        let turned = place.cell.settle(&self.settings, era, told, place.now, self.spread);
        if turned.is_some() {
            self.tell(key, turned);
        }
    }

    #[cold]
    fn tell(&self, key: Key, turned: Option<Turned>) {
        if let Some(change) = turned.map(|turned| turned.of(key)) {
            if let Some(told) = self.on_change {
                told(&change);
            }
            if let Some(told) = &self.watcher {
                told(&change);
            }
        }
    }

    #[cfg(test)]
    pub(super) const fn spread_by(mut self, spread: fn() -> f64) -> Self {
        self.spread = spread;
        self
    }
}

/// How many bits of a ticket's second word are the place; those above are when it was given.
const PLACE: u32 = 8;

const fn ticket(key: Key, era: Era, place: usize, now: Ticks) -> Ticket {
    Ticket::new(key, era.0, now << PLACE | place as u64)
}

fn place_of(ticket: &Ticket) -> usize {
    usize::from(ticket.place().to_le_bytes()[0])
}

impl Breaker for CircuitBreaker {
    #[inline]
    fn admit_at(&self, key: Key, now: Instant) -> Soon<'_, Result<Permit<'_>, Open>> {
        match self.admit_closed(key, now) {
            Some(ticket) => Soon::now(Ok(Permit::new(self, ticket))),
            None => self.admit_late(key, now),
        }
    }

    #[inline]
    fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Instant) {
        if verdict != Verdict::Success || !self.succeeded(ticket, now) {
            self.settle_slowly(ticket, verdict, now);
        }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker").field("settings", &self.settings).finish_non_exhaustive()
    }
}
