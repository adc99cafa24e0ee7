//! One lane on a clock that is moved by hand, and threads that are played.

use std::time::Duration;

use tokio::time::Instant;

use super::super::{Ended, FailureKind, Outcome, SECOND, ThrottleStats, Used};
use crate::guard::{
    keyed::{Cell as _, nanos, ticks_at},
    throttle::{
        advances::shard_of,
        lane::Lane,
        settings::Settings,
        state::{Asked, Turn},
    },
};

/// One lane, on a clock that is moved by hand.
pub(super) struct Play {
    pub(super) lane: Lane,
    pub(super) settings: Settings,
    pub(super) now: Instant,
}

/// A permit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    pub(super) number: u64,
    pub(super) tokens: u64,
    granted: Instant,
}

impl Play {
    pub(super) fn new(settings: Settings) -> Self {
        Self { lane: Lane::fresh(), settings, now: Instant::now() }
    }

    pub(super) fn asked(&self, thread: usize, tokens: u64, within: Duration) -> Option<Turn> {
        let (at, deadline, ticks) = (self.now, self.now + within, ticks_at(self.now));
        self.lane.at_once(&self.settings, &Asked { tokens, deadline, at, ticks, shard: thread })
    }

    /// One asks from this thread, and has its permit if that is clear at once.
    pub(super) fn ask(&self, thread: usize, tokens: u64) -> Option<Out> {
        match self.asked(thread, tokens, 3600 * SECOND) {
            Some(Turn::Granted(number)) => Some(Out { number, tokens, granted: self.now }),
            _ => None,
        }
    }

    /// One from an advance that this thread has from now on.
    pub(super) fn ahead(&self, thread: usize, tokens: u64) -> Out {
        let asked = [(); 3].map(|()| self.ask(thread, tokens).unwrap());
        asked[..2].iter().for_each(|out| self.end(*out, Used::Unsent));
        assert_eq!(shard_of(asked[2].number), Some(thread));
        asked[2]
    }

    pub(super) fn end(&self, out: Out, used: Used) {
        self.end_with(out, used, |_| {});
    }

    pub(super) fn end_with(&self, out: Out, used: Used, say: impl FnOnce(&mut Ended)) {
        let mut ended = Ended::unsent(out.tokens, out.granted).numbered(out.number, 0);
        ended.used = used;
        say(&mut ended);
        let after = (nanos(self.now) - nanos(out.granted)) / 1_000;
        self.lane.ended(&self.settings, &ended, after, self.now);
    }

    pub(super) fn fail(&self, out: Out, kind: FailureKind) {
        self.end_with(out, Used::Unknown, |ended| ended.outcome = Outcome::Failed(kind));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    pub(super) fn stats(&self) -> ThrottleStats {
        self.lane.stats(self.now).unwrap_or_else(|| ThrottleStats::unused(&self.settings))
    }

    /// How many requests of so many tokens there are at once, for one thread.
    pub(super) fn burst(&self, thread: usize, tokens: u64) -> u32 {
        (0..u32::MAX).find(|_| self.ask(thread, tokens).is_none()).unwrap()
    }
}
