//! One key: its state behind a lock. Nothing here waits, and the time is given.

use std::task::Waker;

use tokio::time::Instant;

use super::{
    Ended, ServerLimits, ThrottleStats,
    settings::Settings,
    state::{State, Turn},
    wakes::Wakes,
};
use crate::guard::keyed::{
    Cell, Ticks,
    sync::{Mutex, lock},
};

/// `None` until it is asked.
#[derive(Debug)]
pub(super) struct Lane(Mutex<Option<State>>);

impl Lane {
    /// Changes the state under the lock, and wakes whom that concerns without it.
    #[inline]
    fn change<R>(
        &self,
        settings: &Settings,
        now: Instant,
        change: impl FnOnce(&mut State, &mut Wakes) -> R,
    ) -> R {
        let mut wakes = Wakes::default();
        let result = {
            let mut state = lock(&self.0);
            let state = state.get_or_insert_with(|| State::new(settings, now));
            change(state, &mut wakes)
        };
        wakes.wake();
        result
    }

    /// What becomes of one who asks, if that is clear at once.
    #[inline]
    pub(super) fn at_once(
        &self,
        settings: &Settings,
        tokens: u64,
        deadline: Instant,
        now: Instant,
    ) -> Option<Turn> {
        self.change(settings, now, |state, wakes| state.at_once(tokens, deadline, now, wakes))
    }

    /// One asks, and waits if it must.
    pub(super) fn join(
        &self,
        settings: &Settings,
        tokens: u64,
        deadline: Instant,
        now: Instant,
        waker: &Waker,
    ) -> Turn {
        self.change(settings, now, |state, wakes| {
            match state.at_once(tokens, deadline, now, wakes) {
                Some(turn) => turn,
                None => state.join(tokens, deadline, now, waker.clone()),
            }
        })
    }

    /// One who waits looks again.
    pub(super) fn look(
        &self,
        settings: &Settings,
        number: u64,
        deadline: Instant,
        now: Instant,
        waker: &Waker,
    ) -> Turn {
        self.change(settings, now, |state, woken| state.look(number, deadline, now, waker, woken))
    }

    /// One who waits goes.
    pub(super) fn leave(&self, settings: &Settings, number: u64, tokens: u64, now: Instant) {
        self.change(settings, now, |state, wakes| state.leave(number, tokens, now, wakes));
    }

    /// A permit is over, which was granted so long ago.
    #[inline]
    pub(super) fn ended(&self, settings: &Settings, ended: &Ended, after: Ticks, now: Instant) {
        self.change(settings, now, |state, wakes| state.ended(ended, after, now, wakes));
    }

    /// The server says what it allows.
    pub(super) fn server(&self, settings: &Settings, limits: &ServerLimits, now: Instant) {
        self.change(settings, now, |state, wakes| state.server(limits, now, wakes));
    }

    pub(super) fn stats(&self, now: Instant) -> Option<ThrottleStats> {
        lock(&self.0).as_mut().map(|state| state.stats(now))
    }
}

impl Cell for Lane {
    fn fresh() -> Self {
        Self(Mutex::new(None))
    }

    fn renew(&self) {
        // One that came to be in use since it was chosen is shared: what its calls took is given back to where it was taken.
        lock(&self.0).take_if(|state| state.is_idle());
    }

    fn worth(&self) -> Option<u8> {
        match &*lock(&self.0) {
            None => Some(0),
            Some(state) if state.is_idle() => Some(1 + u8::from(state.is_held_back())),
            Some(_) => None,
        }
    }
}
