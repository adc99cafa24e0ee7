//! A live summary of calls: what came of them, what they cost, what failed.

mod book;
mod guards;
mod rings;
mod spikes;
mod tally;
mod view;

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::SystemTime,
};

use book::Book;
use guards::Watched;
pub use guards::{WatchedBreaker, WatchedThrottle};
use rings::Gathered;
use tokio::time::Instant;
use view::MAX_FAILURES;
pub use view::{
    BreakerFigures, BreakerPlace, KindCount, LastFailure, Minute, Saved, StatsSnapshot,
    ThrottleFigures, Window,
};

use crate::{
    cost::Prices,
    failure::FailureKind,
    guard::{SHARDS, Shard, mine},
    handle::{Attach, attach_as_itself},
    marks::Who,
    policy::Action,
    report::Report,
    run::{FinishEvent, Observer},
    short::short,
};

/// Counts calls as their [`Observer`]: over the last minute, the last hour, and all of them.
///
/// ```
/// use fcretry::{Prices, Stats, guard::{CircuitBreaker, Throttle}, prelude::*};
///
/// static STATS: Stats = Stats::new();
/// static OPENAI: CircuitBreaker = CircuitBreaker::new();
/// static LIMITS: Throttle = Throttle::new(50.0, 400_000);
///
/// #[retry_policy(observer(STATS), breaker(OPENAI), throttle(LIMITS))]
/// async fn ask(attempt: &Attempt) -> fcretry::Result<u32> {
///     Ok(attempt.number())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// // Once, where the program begins: what calls cost, and the guards whose states are to be shown.
/// STATS.prices(Prices::builtin()).breaker("openai", &OPENAI).throttle("limits", &LIMITS);
///
/// ask().await?;
/// let now = STATS.snapshot();
/// assert_eq!((now.minute.succeeded, now.minute.success_rate), (1, Some(1.0)));
/// println!("{}", serde_json::to_string(&now).expect("it is plain data"));
/// # Ok::<(), fcretry::Error>(())
/// # }).unwrap();
/// ```
///
/// A call counts when it ends, also when it is dropped. Each attempt counts once: those of a call inside a call are in the
/// reports of both, and are counted by whichever of them this observes first, the inner one. Calls that are observed by something else, which hands events on to this, count the same.
///
/// Nothing of requests, answers or providers' messages is kept. Memory is bounded: about 150 KB for each of at most 8 places that
/// threads count in, taken when a call first ends there; counting takes no lock that all threads share, but for the list of the
/// last failures.
pub struct Stats {
    /// Who counts, as attempts know it.
    who: Who,
    /// When calls were first counted.
    origin: OnceLock<Instant>,
    books: [Shard<Mutex<Book>>; SHARDS],
    failures: Mutex<VecDeque<Failed>>,
    watched: Mutex<Watched>,
}

/// A failure, and when it was counted by the clock that the rest goes by.
struct Failed(Instant, LastFailure);

impl Stats {
    /// One that has counted nothing, and knows no prices and no guards.
    pub const fn new() -> Self {
        Self {
            who: Who::new(),
            origin: OnceLock::new(),
            books: [const { Shard(Mutex::new(Book::new())) }; SHARDS],
            failures: Mutex::new(VecDeque::new()),
            watched: Mutex::new(Watched::NONE),
        }
    }

    /// Has what is counted from now on cost what `prices` say, by the model that an attempt asked last. Without them it costs what
    /// the reports of the calls say.
    pub fn prices(&self, prices: Prices) -> &Self {
        let prices = Arc::new(prices);
        for Shard(book) in &self.books {
            let mut book = lock(book);
            book.prices = Some(Arc::clone(&prices));
            book.unpriced.clear();
        }
        self
    }

    /// Shows what `breaker` does under this name: a reference to a `static`, to a `LazyLock` that is one, or to an `Arc`. Another
    /// one of the same name takes its place.
    pub fn breaker<By>(
        &self,
        name: impl Into<String>,
        breaker: impl Attach<dyn WatchedBreaker, By>,
    ) -> &Self {
        let (name, breaker) = (name.into(), breaker.handle());
        lock(&self.watched).breaker(name, breaker);
        self
    }

    /// Shows what `throttle` allows and did under this name, in the same ways.
    pub fn throttle<By>(
        &self,
        name: impl Into<String>,
        throttle: impl Attach<dyn WatchedThrottle, By>,
    ) -> &Self {
        let (name, throttle) = (name.into(), throttle.handle());
        lock(&self.watched).throttle(name, throttle);
        self
    }

    /// The figures now. Calls that end meanwhile may be in some of them and not yet in others.
    pub fn snapshot(&self) -> StatsSnapshot {
        let (now, taken_at) = (Instant::now(), SystemTime::now());
        let elapsed = self.origin.get().map(|origin| now.saturating_duration_since(*origin));
        let elapsed = elapsed.unwrap_or_default();
        let mut gathered = Gathered::nothing(elapsed.as_secs());
        let (mut places, mut unpriced) = (Vec::new(), Vec::new());
        for Shard(book) in &self.books {
            let book = lock(book);
            if let Some(rings) = &book.rings {
                gathered.add(rings);
            }
            places.extend_from_slice(&book.places);
            unpriced.extend_from_slice(&book.unpriced);
        }
        unpriced.sort_unstable();
        unpriced.dedup();
        unpriced.truncate(view::MAX_UNPRICED);
        let failures = self.last_failures(now, taken_at);
        // The guards have locks of their own.
        let watched = lock(&self.watched).clone();
        let place = |key| places.iter().find(|(known, _)| *known == key).map(|(_, name)| name);
        let into =
            elapsed.saturating_sub(std::time::Duration::from_secs(gathered.second / 60 * 60));
        StatsSnapshot {
            taken_at,
            elapsed,
            minute: Window::of(&gathered.minute),
            hour: Window::of(&gathered.hour),
            all: Window::of(&gathered.all),
            minutes: Minute::all_of(&gathered, into, taken_at),
            breakers: watched.states(|key| place(key).cloned()),
            throttles: watched.stats(),
            failures,
            unpriced,
        }
    }

    fn last_failures(&self, now: Instant, taken_at: SystemTime) -> Vec<LastFailure> {
        let failures = lock(&self.failures);
        let dated = failures.iter().rev().map(|Failed(at, failure)| {
            let ago = now.saturating_duration_since(*at);
            LastFailure { at: taken_at.checked_sub(ago).unwrap_or(taken_at), ..failure.clone() }
        });
        dated.collect()
    }

    fn count(&self, report: &Report) {
        let (now, who) = (Instant::now(), self.who.id());
        let origin = *self.origin.get_or_init(|| now);
        let second = now.saturating_duration_since(origin).as_secs();
        if report.attempts.iter().any(|attempt| attempt.kind.is_some()) {
            self.keep_failures(report, who, now);
        }
        let Some(Shard(book)) = self.books.get(mine()) else { return };
        lock(book).count(report, second, who);
    }

    /// Before they are counted, which marks them.
    fn keep_failures(&self, report: &Report, who: NonZeroU64, now: Instant) {
        let mut failures = lock(&self.failures);
        for attempt in &report.attempts {
            let Some(kind) = attempt.kind.filter(|_| !attempt.marks.is_counted_by(who)) else {
                continue;
            };
            // While a breaker is open there would be nothing else in the list.
            if kind == FailureKind::CircuitOpen && attempt.action == Some(Action::Fallback) {
                continue;
            }
            let kept = |name: &Option<String>| name.as_deref().map(|name| short(name).to_owned());
            if failures.len() == MAX_FAILURES {
                failures.pop_front();
            }
            failures.push_back(Failed(
                now,
                LastFailure {
                    at: SystemTime::UNIX_EPOCH,
                    kind,
                    function: attempt.function,
                    model: kept(&attempt.model),
                    endpoint: kept(&attempt.endpoint),
                    status: attempt.status,
                    attempt: attempt.number,
                    action: attempt.action,
                },
            ));
        }
    }
}

impl Observer for Stats {
    fn on_finish(&self, event: &FinishEvent<'_>) {
        self.count(event.report);
    }
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").finish_non_exhaustive()
    }
}

// For what shows it, in the same ways as for a call.
attach_as_itself!(Stats);

/// What is behind a lock. Nothing under one panics.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
