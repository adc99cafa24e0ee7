use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Change, Open, Snapshot, State, Verdict,
    settings::Settings,
    window::{Ring, Window},
};
use crate::guard::{
    Key,
    keyed::{
        Cell, Ticks,
        sync::{AtomicU32, AtomicU64, Mutex, lock},
    },
};

/// The breaker of one key. What is admitted and succeeds while it is closed takes no lock and writes to nothing that other
/// threads read; everything else goes through the lock.
#[derive(Debug)]
pub(super) struct Circuit {
    /// The generation, and the phase in its lowest two bits. Changed under the lock only.
    word: AtomicU64,
    /// Failures without a success between them.
    row: AtomicU32,
    successes: Window,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    failures: Ring,
    /// When the row of failures began.
    row_since: Ticks,
    /// How often it opened since it was closed.
    opened: u32,
    /// When the cooldown has passed.
    until: Ticks,
    /// Probes under way.
    probes: u32,
    /// Probes that succeeded.
    passed: u32,
}

/// A generation and its state: what a result must agree with to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Era(pub(super) u64);

const CLOSED: u64 = 0;
const OPEN: u64 = 1;

impl Era {
    const fn state(self) -> State {
        match self.0 & 3 {
            CLOSED => State::Closed,
            OPEN => State::Open,
            _ => State::HalfOpen,
        }
    }

    const fn generation(self) -> u64 {
        self.0 >> 2
    }

    const fn next(self, state: State) -> Self {
        Self(self.generation().wrapping_add(1) << 2 | state as u64)
    }
}

/// How what was admitted went, and how long ago it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) verdict: Verdict,
    pub(super) held: Ticks,
}

/// A change that the caller tells of, once it holds no lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned {
    from: Era,
    to: Era,
    retry_in: Option<Duration>,
}

impl Turned {
    pub(super) const fn of(self, key: Key) -> Change {
        Change {
            key,
            from: self.from.state(),
            to: self.to.state(),
            generation: self.to.generation(),
            retry_in: self.retry_in,
        }
    }
}

/// What is said of an open circuit whose probes are under way.
const PROBING: Duration = Duration::from_secs(1);

impl Circuit {
    #[inline]
    fn era(&self) -> Era {
        Era(self.word.load(Ordering::Acquire))
    }

    /// Changes the state; for who holds the lock.
    fn turn(&self, to: State, retry_in: Option<Duration>) -> Turned {
        let from = self.era();
        let to = from.next(to);
        self.word.store(to.0, Ordering::Release);
        Turned { from, to, retry_in }
    }

    /// The era, if it is closed: whoever comes is let through.
    #[inline]
    pub(super) fn closed(&self) -> Option<Era> {
        let era = self.era();
        (era.state() == State::Closed).then_some(era)
    }

    #[cold]
    pub(super) fn admit(
        &self,
        settings: &Settings,
        now: Ticks,
    ) -> (Result<Era, Open>, Option<Turned>) {
        let mut rest = lock(&self.rest);
        let era = self.era();
        match era.state() {
            State::Closed => (Ok(era), None),
            State::Open if now < rest.until => {
                let retry_in = Duration::from_micros(rest.until - now);
                (Err(Open { retry_in }), None)
            }
            State::Open => {
                (rest.probes, rest.passed) = (1, 0);
                let turned = self.turn(State::HalfOpen, None);
                (Ok(turned.to), Some(turned))
            }
            State::HalfOpen if rest.probes < settings.probes => {
                rest.probes += 1;
                (Ok(era), None)
            }
            State::HalfOpen => (Err(Open { retry_in: PROBING.min(settings.cooldown) }), None),
        }
    }

    /// What was admitted in this era, while it was closed, succeeded. `false` if it was not closed.
    #[inline]
    pub(super) fn succeeded(&self, settings: &Settings, era: Era, now: Ticks) -> bool {
        if era.state() != State::Closed {
            return false;
        }
        // One that comes while the state changes may be counted in the era after its own. That is one success.
        if self.era() == era {
            if settings.in_a_row > 0 && self.row.load(Ordering::Relaxed) > 0 {
                self.row.store(0, Ordering::Relaxed);
            }
            self.successes.add(settings.bucket(now));
        }
        true
    }

    /// How what was admitted in this era went, but for what [`succeeded`](Self::succeeded) takes. `spread` is asked for a number
    /// in 0..1 when it opens.
    #[cold]
    pub(super) fn settle(
        &self,
        settings: &Settings,
        era: Era,
        Told { verdict, held }: Told,
        now: Ticks,
        spread: fn() -> f64,
    ) -> Option<Turned> {
        if era.state() == State::Closed && matches!(verdict, Verdict::Ignored | Verdict::Dropped) {
            return None;
        }
        let mut rest = lock(&self.rest);
        if self.era() != era {
            return None;
        }
        if era.state() == State::Closed {
            let epoch = settings.bucket(now);
            rest.failures.add(epoch);
            let row = if settings.in_a_row > 0 {
                self.row.fetch_add(1, Ordering::Relaxed).saturating_add(1)
            } else {
                0
            };
            if row == 1 {
                rest.row_since = now;
            }
            let failures = rest.failures.sum(epoch);
            let calls = failures + self.successes.sum(epoch);
            return settings
                .trips(failures, calls, row, now.saturating_sub(rest.row_since))
                .then(|| self.open(&mut rest, settings, 0, now, spread()));
        }
        if verdict != Verdict::Exhausted {
            rest.probes = rest.probes.saturating_sub(1);
        }
        match verdict {
            Verdict::Ignored | Verdict::Dropped => None,
            // While a probe hung, the endpoint was left alone: that time is of the next cooldown.
            Verdict::Failure => Some(self.open(&mut rest, settings, held, now, spread())),
            Verdict::Exhausted => Some(self.open(&mut rest, settings, 0, now, spread())),
            Verdict::Success => {
                rest.passed += 1;
                (rest.passed >= settings.close_after).then(|| {
                    self.forget(&mut rest);
                    self.turn(State::Closed, None)
                })
            }
        }
    }

    /// Opens it for a cooldown of which so much has passed.
    fn open(
        &self,
        rest: &mut Rest,
        settings: &Settings,
        passed: Ticks,
        now: Ticks,
        spread: f64,
    ) -> Turned {
        rest.opened = rest.opened.saturating_add(1);
        let cooldown = settings.cooldown(rest.opened, spread).saturating_sub(passed);
        rest.until = now.saturating_add(cooldown);
        rest.probes = 0;
        self.turn(State::Open, Some(Duration::from_micros(cooldown)))
    }

    fn forget(&self, rest: &mut Rest) {
        *rest = Rest::default();
        self.row.store(0, Ordering::Relaxed);
        self.successes.clear();
    }

    pub(super) fn snapshot(&self, key: Key, settings: &Settings, now: Ticks) -> Snapshot {
        let rest = lock(&self.rest);
        let (era, epoch) = (self.era(), settings.bucket(now));
        let failures = rest.failures.sum(epoch);
        Snapshot {
            key,
            state: era.state(),
            calls: failures + self.successes.sum(epoch),
            failures,
            in_a_row: self.row.load(Ordering::Relaxed),
            retry_in: (era.state() == State::Open)
                .then(|| Duration::from_micros(rest.until.saturating_sub(now))),
            probes: rest.probes,
            opened: rest.opened,
            generation: era.generation(),
        }
    }
}

impl Cell for Circuit {
    fn fresh() -> Self {
        Self {
            word: AtomicU64::new(CLOSED),
            row: AtomicU32::new(0),
            successes: Window::new(),
            rest: Mutex::new(Rest::default()),
        }
    }

    fn renew(&self) {
        let mut rest = lock(&self.rest);
        self.forget(&mut rest);
        // A generation of its own, so that what was admitted for the old key does not count for the new one.
        self.turn(State::Closed, None);
    }

    fn worth(&self) -> Option<u8> {
        // One that is closed knows little that the next calls do not tell again.
        Some(u8::from(self.era().state() != State::Closed))
    }
}
