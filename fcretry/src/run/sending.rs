//! A request that the guards let go, until its answer is read.

#[cfg(feature = "openai")]
use std::time::Duration;

use tokio::time::Instant;

use super::{
    Ask,
    pass::{Doubt, Pass},
};
#[cfg(feature = "openai")]
use crate::guard::throttle::ServerLimits;
use crate::{
    failure::{Failure, FailureKind},
    guard::Key,
    usage::Usage,
};

/// A request that is out. Dropped before its end is known, its guards are told that nobody waited for that.
#[must_use = "what came of a request is settled with it"]
pub(crate) struct Sending<'a> {
    ask: Ask<'a>,
    is_out: bool,
}

impl<'a> Sending<'a> {
    pub(super) const fn new(ask: Ask<'a>) -> Self {
        Self { ask, is_out: true }
    }

    /// About so many tokens of an answer came, whole or not.
    #[cfg(feature = "openai")]
    pub(crate) fn came(&self, tokens: u64) {
        self.ask.with_pass(|pass| pass.came(tokens));
    }

    /// The first token of a stream came, so long after the request was sent.
    #[cfg(feature = "openai")]
    pub(crate) fn first_token(&self, after: Duration) {
        self.ask.with_pass(|pass| pass.first_token(after));
    }

    /// What the server says that it allows.
    #[cfg(feature = "openai")]
    pub(crate) fn limits(&self, limits: &ServerLimits) {
        if !limits.is_empty() {
            self.ask.with_pass(|pass| pass.limits(limits));
        }
    }

    /// An answer came, and perhaps its usage.
    #[cfg(feature = "openai")]
    pub(crate) fn answered(mut self, usage: Option<Usage>) {
        self.is_out = false;
        self.ask.took(usage);
    }

    /// An answer came, and whoever made the request has it.
    pub(super) fn handed_out(mut self) {
        self.is_out = false;
        if let Some(out) = self.ask.attempt.state().out_of(self.ask.index) {
            out.is_waiting = false;
        }
    }

    /// There was no answer.
    pub(crate) fn failed(mut self, failure: &Failure) {
        self.is_out = false;
        self.ask.failed_to_answer(failure);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if self.is_out {
            self.ask.cut();
        }
    }
}

impl Ask<'_> {
    /// A request goes out, with the leave of the guards.
    pub(super) fn let_go(&self, place: Key, mut pass: Pass) {
        pass.sent();
        let mut state = self.attempt.state();
        state.goes_out(self.index, Some(place), Some(pass));
        if let Some(by_hand) = state.by_hand.as_mut().filter(|ask| ask.index == self.index) {
            by_hand.was_sent = true;
        }
    }

    /// What the guards gave for the request that is out. They are told outside the lock: they may call the user's code.
    fn take_pass(&self) -> Option<Pass> {
        self.attempt.state().out_of(self.index)?.pass.take()
    }

    fn with_pass(&self, tell: impl FnOnce(&mut Pass)) {
        if let Some(mut pass) = self.take_pass() {
            tell(&mut pass);
            if let Some(out) = self.attempt.state().out_of(self.index) {
                out.pass = Some(pass);
            }
        }
    }

    /// The guards are told what the answer to the request took.
    pub(super) fn took(&self, usage: Option<Usage>) {
        self.with_pass(|pass| pass.answered(usage, Instant::now()));
    }

    /// An answer came that is not read by us, and this is what it took.
    pub(super) fn settled(&self, usage: Usage) {
        let pass = {
            let mut state = self.attempt.state();
            state.spent.usage += usage;
            state.spent.accounted = state.spent.accounted.saturating_add(1);
            state.out_of(self.index).and_then(|out| out.pass.take())
        };
        if let Some(mut pass) = pass {
            let now = Instant::now();
            pass.answered(Some(usage), now);
            self.doubt(pass.judged(None, now));
        }
    }

    fn failed_to_answer(&self, failure: &Failure) {
        if let Some(pass) = self.take_pass() {
            self.doubt(pass.failed(failure));
        }
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(&self, failed: Option<FailureKind>) {
        if let Some(pass) = self.take_pass() {
            self.doubt(pass.judged(failed, Instant::now()));
        }
    }

    /// What is left of a bad answer; of a good one nothing, and it has made up for those before.
    fn doubt(&self, doubt: Option<Doubt>) {
        let mut state = self.attempt.state();
        if (doubt.is_some() || state.asks.len() > self.index)
            && let Some(memory) = state.ask(self.index)
        {
            memory.doubt = doubt;
        }
    }

    /// Nobody waits for the answer any more.
    fn cut(&self) {
        let (pass, is_out_of_time) = {
            let mut state = self.attempt.state();
            let is_out_of_time = state.is_out_of_time;
            (state.out_of(self.index).and_then(|out| out.pass.take()), is_out_of_time)
        };
        match pass {
            Some(pass) if is_out_of_time => pass.timed_out(),
            pass => drop(pass),
        }
    }

    /// What the last request of this ask came to, if it was made there.
    pub(super) fn before(&self, place: Key) -> Option<Failure> {
        let state = self.attempt.state();
        let (before, failure) = state.asks.get(self.index)?.before.as_ref()?;
        (*before == place).then(|| failure.clone())
    }
}
