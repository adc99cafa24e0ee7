//! Who is served, and when.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        Ended,
        line::{Waiter, Wakes},
    },
    Lane, amount, seconds,
};

/// How many waiters are looked at one by one to say when the next will be served.
const LOOKED_AT: usize = 4096;

/// An alarm that is late by less than this, in seconds, is left as it is: timers are no finer.
const LATE: f64 = 0.001;

/// What becomes of one who asks.
#[derive(Debug, PartialEq)]
pub(in super::super) enum Turn {
    Granted,
    /// It cannot be served in time; in so long it could.
    Refused(Duration),
    /// It wakes by itself then, or is woken.
    Waiting {
        ticket: u64,
        alarm: Instant,
    },
}

impl Lane {
    /// Takes if nobody waits and all is there.
    pub(in super::super) fn at_once(
        &mut self,
        tokens: u64,
        deadline: Instant,
        at: Instant,
        wakes: &mut Wakes,
    ) -> bool {
        let now = self.refill(at);
        self.asked = at;
        if !self.line.is_empty() {
            self.serve(now, wakes);
        }
        let granted = at <= deadline && self.line.is_empty() && self.can_serve(tokens, now);
        if granted {
            self.take(tokens, now);
        }
        granted
    }

    /// When one who comes now, and cannot be served at once, will be; if that is after its deadline, it is refused, with the
    /// time until then. In seconds since the start.
    pub(in super::super) fn admit(
        &mut self,
        tokens: u64,
        deadline: Instant,
        at: Instant,
    ) -> Result<f64, Duration> {
        let (now, until) = (self.time(at), self.time(deadline));
        let due = self.due(tokens, now, until);
        if at <= deadline && due <= until {
            return Ok(due);
        }
        self.counted.refused += 1;
        Err(seconds(due - now))
    }

    /// One comes who could not be served at once.
    pub(in super::super) fn join(
        &mut self,
        tokens: u64,
        deadline: Instant,
        at: Instant,
        waker: &Waker,
    ) -> Turn {
        let due = match self.admit(tokens, deadline, at) {
            Err(wait) => return Turn::Refused(wait),
            Ok(due) => due,
        };
        let alarm = self.alarm(due, deadline, at);
        let waker = waker.clone();
        let ticket = self.line.join(Waiter { tokens, alarm: self.time(alarm), waker });
        Turn::Waiting { ticket, alarm }
    }

    /// One who waits looks again.
    pub(in super::super) fn look(
        &mut self,
        ticket: u64,
        deadline: Instant,
        at: Instant,
        waker: &Waker,
        woken: &mut Wakes,
    ) -> Turn {
        let now = self.refill(at);
        self.serve(now, woken);
        if self.line.was_served(ticket) {
            return Turn::Granted;
        }
        let (mut requests, mut ahead) = (0.0, 0.0);
        for tokens in self.line.before(ticket).take(LOOKED_AT) {
            requests += 1.0;
            ahead += amount(tokens);
        }
        let tokens = self.line.get_mut(ticket).map_or(0, |waiter| waiter.tokens);
        let due = now.max(self.paused)
            + self.requests.wait(requests, 1.0).max(self.tokens.wait(ahead, amount(tokens)));
        if at >= deadline {
            self.line.leave(ticket);
            self.counted.refused += 1;
            // Who comes next may be less demanding.
            self.serve(now, woken);
            return Turn::Refused(seconds(due - now));
        }
        let alarm = self.alarm(due, deadline, at);
        let time = self.time(alarm);
        if let Some(waiter) = self.line.get_mut(ticket) {
            waiter.alarm = time;
            waiter.waker.clone_from(waker);
        }
        Turn::Waiting { ticket, alarm }
    }

    /// When a waiter wakes by itself: when it is due, but if that is now, another's end must wake it.
    fn alarm(&self, due: f64, deadline: Instant, at: Instant) -> Instant {
        let due = self.start + seconds(due);
        if due <= at { deadline } else { due.min(deadline) }
    }

    /// One who waited goes, and gives back what it may have been granted without knowing.
    pub(in super::super) fn leave(
        &mut self,
        ticket: u64,
        tokens: u64,
        at: Instant,
        wakes: &mut Wakes,
    ) {
        if self.line.was_served(ticket) {
            let ended = Ended::unsent(tokens, at);
            self.ended(&ended, at, wakes);
        } else {
            self.line.leave(ticket);
            let now = self.refill(at);
            self.serve(now, wakes);
        }
    }

    /// Serves all who are due, first come first served.
    pub(super) fn serve(&mut self, now: f64, wakes: &mut Wakes) {
        while let Some(first) = self.line.first() {
            let tokens = first.tokens;
            if !self.can_serve(tokens, now) {
                self.hurry(now, wakes);
                return;
            }
            if let Some(waiter) = self.line.serve_first() {
                self.take(tokens, now);
                wakes.push(waiter.waker);
            }
        }
    }

    /// Wakes the first in the line if it sleeps for longer than it has to.
    fn hurry(&mut self, now: f64, wakes: &mut Wakes) {
        let Some(first) = self.line.first() else { return };
        let due = now.max(self.paused)
            + self.requests.wait(0.0, 1.0).max(self.tokens.wait(0.0, amount(first.tokens)));
        if due > now
            && let Some(first) = self.line.first_mut()
            && first.alarm > due + LATE
        {
            first.alarm = due;
            wakes.push(first.waker.clone());
        }
    }

    /// When one who comes now is served, if all goes as planned and calls in flight end in time. If it is clear on which
    /// side of the deadline that is, it may be a little too early.
    fn due(&self, tokens: u64, now: f64, deadline: f64) -> f64 {
        let start = now.max(self.paused);
        #[allow(clippy::cast_precision_loss, reason = "a number of callers")]
        let ahead = self.line.len() as f64;
        let requests = self.requests.wait(ahead, 1.0);
        let by_tokens = self.tokens.wait(amount(self.line.tokens()), amount(tokens));
        let earliest = start + requests.max(by_tokens);
        // A bucket that is full while the other is waited for loses what would come: then it is later, but while one waits
        // it is for a bucket that does not lose, so never later than the sum.
        let latest = start + requests + by_tokens;
        if earliest > deadline || latest <= deadline || self.line.len() > LOOKED_AT {
            return earliest;
        }
        let (mut requests, mut tokens_plan) = (self.requests.plan(), self.tokens.plan());
        let mut due = start;
        for tokens in self.line.each().chain([tokens]) {
            let wait = requests.wait(1.0).max(tokens_plan.wait(amount(tokens)));
            due += wait;
            requests.pass(wait);
            tokens_plan.pass(wait);
            requests.take(1.0);
            tokens_plan.take(amount(tokens));
        }
        due
    }
}
