//! Who is served, and when.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    super::{Ended, advances::Advances, bucket::FORGIVEN, line::Waiter, wakes::Wakes},
    State, amount, seconds,
};
use crate::guard::keyed::Ticks;

/// An alarm that is late by less than this, in seconds, is left as it is: timers are no finer.
const LATE: f64 = 0.001;

/// What one asks for, when, and from where.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Asked {
    pub(in super::super) tokens: u64,
    pub(in super::super) deadline: Instant,
    pub(in super::super) at: Instant,
    /// The same in [`Ticks`].
    pub(in super::super) ticks: Ticks,
    /// Where its thread keeps what it has in advance.
    pub(in super::super) shard: usize,
}

/// What becomes of one who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Turn {
    /// It is served, and has this number.
    Granted(u64),
    /// It cannot be served in time; in so long it could.
    Refused(Duration),
    /// It has this number, and wakes by itself then if nobody wakes it.
    Waiting(u64, Instant),
}

impl State {
    /// What becomes of one who asks, unless it is to wait.
    #[inline]
    pub(in super::super) fn at_once(
        &mut self,
        asked: &Asked,
        advances: &Advances,
        wakes: &mut Wakes,
    ) -> Option<Turn> {
        let Asked { tokens, deadline, at, .. } = *asked;
        let now = self.refill(at);
        let comes_often = self.ahead.is_possible() && self.comes(asked, advances);
        if !self.line.is_empty() {
            self.serve(now, wakes);
        }
        if at <= deadline && self.line.is_empty() && self.can_serve(tokens, now) {
            let number = self.line.pass();
            self.take(number, tokens, now);
            if comes_often {
                self.advance(asked, advances);
            }
            return Some(Turn::Granted(number));
        }
        self.not_now(tokens, deadline, at, now)
    }

    /// One cannot be served now: it is to wait, or is refused.
    #[cold]
    fn not_now(&mut self, tokens: u64, deadline: Instant, at: Instant, now: f64) -> Option<Turn> {
        let due = self.due(self.line.len(), self.line.tokens(), tokens, now);
        if at <= deadline && due <= self.time(deadline) {
            return None;
        }
        self.counted.refused += 1;
        Some(Turn::Refused(seconds(due - now)))
    }

    /// One waits whose turn is not yet.
    pub(in super::super) fn join(
        &mut self,
        tokens: u64,
        deadline: Instant,
        at: Instant,
        waker: Waker,
    ) -> Turn {
        // The others are woken when they come to be the first.
        let is_first = self.line.is_empty();
        let alarm = if is_first { self.alarm(tokens, deadline, at) } else { deadline };
        let (since, time) = (self.time(at), self.time(alarm));
        Turn::Waiting(self.line.join(Waiter { tokens, since, alarm: time, waker }), alarm)
    }

    /// One who waits looks again.
    pub(in super::super) fn look(
        &mut self,
        number: u64,
        deadline: Instant,
        at: Instant,
        waker: &Waker,
        woken: &mut Wakes,
    ) -> Turn {
        let now = self.refill(at);
        self.serve(now, woken);
        if self.line.was_served(number) {
            return Turn::Granted(number);
        }
        let is_first = self.line.first().is_some_and(|(first, _)| first == number);
        let tokens = self.line.get_mut(number).map_or(0, |waiter| waiter.tokens);
        let due = self.due(0, 0, tokens, now);
        // The first knows when its turn is. The others know no more than that it is not before.
        if at >= deadline || due > self.time(deadline) {
            self.go(number, now, woken);
            self.counted.refused += 1;
            return Turn::Refused(seconds(due - now));
        }
        let alarm = if is_first { self.alarm(tokens, deadline, at) } else { deadline };
        let time = self.time(alarm);
        if let Some(waiter) = self.line.get_mut(number) {
            waiter.alarm = time;
            if !waiter.waker.will_wake(waker) {
                woken.bin(std::mem::replace(&mut waiter.waker, waker.clone()));
            }
        }
        Turn::Waiting(number, alarm)
    }

    /// One who waited goes, and gives back what it may have been granted without knowing.
    pub(in super::super) fn leave(
        &mut self,
        number: u64,
        tokens: u64,
        at: Instant,
        advances: &Advances,
        wakes: &mut Wakes,
    ) {
        if self.line.was_served(number) {
            let ended = Ended::unsent(tokens, at).numbered(number, 0);
            self.ended(&ended, 0, at, advances, wakes);
        } else {
            let now = self.refill(at);
            self.go(number, now, wakes);
        }
    }

    fn go(&mut self, number: u64, now: f64, wakes: &mut Wakes) {
        if let Some(waiter) = self.line.leave(number) {
            wakes.bin(waiter.waker);
        }
        // Who comes next may be less demanding.
        self.serve(now, wakes);
    }

    /// Serves all who are due, first come first served.
    pub(super) fn serve(&mut self, now: f64, wakes: &mut Wakes) {
        while let Some((_, first)) = self.line.first() {
            let tokens = first.tokens;
            if !self.can_serve(tokens, now) {
                self.hurry(tokens, now, wakes);
                return;
            }
            if let Some((number, waiter)) = self.line.serve_first() {
                self.take(number, tokens, now);
                let waited = now - waiter.since;
                self.counted.longest_wait = self.counted.longest_wait.max(waited);
                wakes.push(waiter.waker);
            }
        }
    }

    /// Wakes the first in the line if it sleeps for longer than it has to: one that has just become the first, say.
    #[cold]
    fn hurry(&mut self, tokens: u64, now: f64, wakes: &mut Wakes) {
        let due = self.alarmed(tokens, now);
        if due > now + FORGIVEN
            && let Some(first) = self.line.first_mut()
            && first.alarm > due + LATE
        {
            first.alarm = due;
            wakes.push(first.waker.clone());
        }
    }

    /// When the first wakes by itself: when it is due, but if that is now, the end of another must wake it.
    fn alarm(&self, tokens: u64, deadline: Instant, at: Instant) -> Instant {
        let now = self.time(at);
        let due = self.alarmed(tokens, now);
        if due <= now + FORGIVEN { deadline } else { deadline.min(self.start + seconds(due)) }
    }

    /// When the first is due by the rates as they are, or those will be others.
    fn alarmed(&self, tokens: u64, now: f64) -> f64 {
        self.due(0, 0, tokens, now).min(self.told_until)
    }

    /// When one is served who comes after so many callers, at the earliest: if none of them leaves, calls in flight end in
    /// time, and no bucket overflows while the other is waited for.
    fn due(&self, ahead: usize, tokens_ahead: u64, tokens: u64, now: f64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a number of callers")]
        let requests = self.requests.wait(ahead as f64, 1.0);
        let tokens = self.tokens.wait(amount(tokens_ahead), amount(tokens));
        now.max(self.paused) + requests.max(tokens)
    }
}
