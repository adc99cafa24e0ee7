use super::view::{BreakerFigures, BreakerPlace, ThrottleFigures};
use crate::{
    guard::{CircuitBreaker, Key, Snapshot, State, Throttle, throttle::ThrottleStats},
    handle::{Handle, attach_as_dyn},
};

/// A breaker whose states can be shown: see [`Stats::breaker`](super::Stats::breaker).
pub trait WatchedBreaker: Send + Sync {
    /// What is known of every place.
    fn states(&self) -> Vec<Snapshot>;
}

/// A throttle whose figures can be shown: see [`Stats::throttle`](super::Stats::throttle).
pub trait WatchedThrottle: Send + Sync {
    /// The figures of all places together.
    fn stats(&self) -> ThrottleStats;
}

attach_as_dyn!(WatchedBreaker);
attach_as_dyn!(WatchedThrottle);

impl WatchedBreaker for CircuitBreaker {
    fn states(&self) -> Vec<Snapshot> {
        self.states()
    }
}

impl WatchedThrottle for Throttle {
    fn stats(&self) -> ThrottleStats {
        self.stats()
    }
}

/// The guards that were registered, by their names.
#[derive(Clone)]
pub(super) struct Watched {
    breakers: Vec<(String, Handle<dyn WatchedBreaker>)>,
    throttles: Vec<(String, Handle<dyn WatchedThrottle>)>,
}

impl Watched {
    pub(super) const NONE: Self = Self { breakers: Vec::new(), throttles: Vec::new() };

    pub(super) fn breaker(&mut self, name: String, breaker: Handle<dyn WatchedBreaker>) {
        put(&mut self.breakers, name, breaker);
    }

    pub(super) fn throttle(&mut self, name: String, throttle: Handle<dyn WatchedThrottle>) {
        put(&mut self.throttles, name, throttle);
    }

    /// What the breakers do; `place` is what people call a place.
    pub(super) fn states(&self, place: impl Fn(Key) -> Option<String>) -> Vec<BreakerFigures> {
        let named = |figures: Snapshot| {
            let unknown = || format!("{:016x}", figures.key.bits());
            BreakerPlace { place: place(figures.key).unwrap_or_else(unknown), figures }
        };
        let breakers = self.breakers.iter().map(|(name, breaker)| {
            let mut places: Vec<_> = breaker.states().into_iter().map(named).collect();
            places.sort_by(|a, b| {
                urgency(a.figures.state)
                    .cmp(&urgency(b.figures.state))
                    .then_with(|| a.place.cmp(&b.place))
            });
            BreakerFigures { name: name.clone(), places }
        });
        breakers.collect()
    }

    pub(super) fn stats(&self) -> Vec<ThrottleFigures> {
        let throttles = self.throttles.iter();
        let figures = throttles.map(|(name, throttle)| ThrottleFigures {
            name: name.clone(),
            figures: throttle.stats(),
        });
        figures.collect()
    }
}

const fn urgency(state: State) -> u8 {
    match state {
        State::Open => 0,
        State::HalfOpen => 1,
        State::Closed => 2,
    }
}

/// A second one of a name takes the place of the first.
fn put<G>(list: &mut Vec<(String, G)>, name: String, guard: G) {
    match list.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = guard,
        None => list.push((name, guard)),
    }
}
