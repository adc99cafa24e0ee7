//! One key: its state behind a lock. Nothing here waits, and the time is given.

use std::task::Waker;

use tokio::time::Instant;

use super::{
    Ended, ServerLimits, ThrottleStats,
    advances::Advances,
    settings::Settings,
    state::{Asked, State, Turn},
    wakes::Wakes,
};
use crate::guard::keyed::{
    Cell, Ticks, mine,
    sync::{Mutex, lock},
    ticks_at,
};

#[derive(Debug)]
pub(super) struct Lane {
    /// `None` until it is asked.
    state: Mutex<Option<State>>,
    advances: Advances,
}

impl Lane {
    /// Changes the state under the lock, and wakes whom that concerns without it.
    #[inline]
    fn change<R>(
        &self,
        settings: &Settings,
        now: Instant,
        change: impl FnOnce(&mut State, &Advances, &mut Wakes) -> R,
    ) -> R {
        let mut wakes = Wakes::default();
        let result = {
            let mut state = lock(&self.state);
            let state = state.get_or_insert_with(|| State::new(settings, &self.advances, now));
            state.call_back_late(now, &self.advances);
            change(state, &self.advances, &mut wakes)
        };
        wakes.wake();
        result
    }

    /// One is granted from what its thread has in advance.
    #[inline]
    fn ahead(&self, asked: &Asked) -> Option<Turn> {
        if asked.at > asked.deadline {
            return None;
        }
        self.advances.grant(asked.shard, asked.tokens, asked.ticks).map(Turn::Granted)
    }

    /// What becomes of one who asks, if that is clear at once.
    #[inline]
    pub(super) fn at_once(&self, settings: &Settings, asked: &Asked) -> Option<Turn> {
        self.ahead(asked).or_else(|| {
            self.change(settings, asked.at, |state, advances, wakes| {
                state.at_once(asked, advances, wakes)
            })
        })
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
        let ticks = ticks_at(now);
        let asked = Asked { tokens, deadline, at: now, ticks, shard: mine() };
        self.ahead(&asked).unwrap_or_else(|| {
            self.change(settings, now, |state, advances, wakes| {
                match state.at_once(&asked, advances, wakes) {
                    Some(turn) => turn,
                    None => state.join(tokens, deadline, now, waker.clone()),
                }
            })
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
        self.change(settings, now, |state, _, woken| {
            state.look(number, deadline, now, waker, woken)
        })
    }

    /// One who waits goes.
    pub(super) fn leave(&self, settings: &Settings, number: u64, tokens: u64, now: Instant) {
        self.change(settings, now, |state, advances, wakes| {
            state.leave(number, tokens, now, advances, wakes);
        });
    }

    /// A permit is over, which was granted so long ago.
    #[inline]
    pub(super) fn ended(&self, settings: &Settings, ended: &Ended, after: Ticks, now: Instant) {
        if !self.advances.settle(ended, after) {
            self.change(settings, now, |state, advances, wakes| {
                state.ended(ended, after, now, advances, wakes);
            });
        }
    }

    /// The server says what it allows.
    pub(super) fn server(&self, settings: &Settings, limits: &ServerLimits, now: Instant) {
        self.change(settings, now, |state, advances, wakes| {
            state.server(limits, now, advances, wakes);
        });
    }

    pub(super) fn stats(&self, now: Instant) -> Option<ThrottleStats> {
        lock(&self.state).as_mut().map(|state| state.stats(now, &self.advances))
    }
}

impl Cell for Lane {
    fn fresh() -> Self {
        Self { state: Mutex::new(None), advances: Advances::none() }
    }

    fn renew(&self) {
        // One that came to be in use since it was chosen is shared: what its calls took is given back to where it was taken.
        lock(&self.state).take_if(|state| {
            state.call_back(&self.advances);
            state.is_idle()
        });
    }

    fn worth(&self) -> Option<u8> {
        let mut state = lock(&self.state);
        let Some(state) = &mut *state else { return Some(0) };
        state.call_back(&self.advances);
        state.is_idle().then(|| 1 + u8::from(state.is_held_back()))
    }
}
