//! A request that the guards let go, until its answer is read.

#[cfg(feature = "openai")]
use std::time::Duration;

use tokio::time::Instant;

use super::{
    Ask,
    guards::Means,
    pass::Pass,
    state::{ByHand, State},
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
    /// Its answer was not there at once.
    is_waiting: bool,
}

impl<'a> Sending<'a> {
    pub(super) const fn new(ask: Ask<'a>) -> Self {
        Self { ask, is_out: true, is_waiting: false }
    }

    /// The answer has to be waited for.
    pub(crate) fn waits(&mut self) {
        if !self.is_waiting {
            self.is_waiting = true;
            self.set_waiting(true);
        }
    }

    fn set_waiting(&self, is_waiting: bool) {
        if let Some(out) = self.ask.attempt.state().out_of(self.ask.index) {
            out.is_waiting = is_waiting;
        }
    }

    /// About so many tokens of an answer came, whole or not.
    #[cfg(feature = "openai")]
    pub(crate) fn came(&self, tokens: u64) {
        self.ask.with_pass(|pass, _| pass.came(tokens));
    }

    /// The first token of a stream came, so long after the request was sent.
    #[cfg(feature = "openai")]
    pub(crate) fn first_token(&self, after: Duration) {
        self.ask.with_pass(|pass, _| pass.first_token(after));
    }

    /// What the server says that it allows.
    #[cfg(feature = "openai")]
    pub(crate) fn limits(&self, limits: Option<&ServerLimits>) {
        if let Some(limits) = limits {
            self.ask.with_pass(|pass, means| pass.limits(means, limits));
        }
    }

    /// An answer came, and perhaps its usage.
    #[cfg(feature = "openai")]
    pub(crate) fn answered(mut self, usage: Option<Usage>) {
        self.is_out = false;
        self.ask.took(usage);
    }

    /// An answer came, and whoever made the request has it.
    pub(super) fn handed_out(&mut self) {
        self.is_out = false;
        if self.is_waiting {
            self.set_waiting(false);
        }
    }

    /// There was no answer.
    pub(crate) fn failed(&mut self, failure: &Failure) {
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
    fn with_pass(&self, tell: impl FnOnce(&mut Pass, Means<'_>)) {
        if let Some(out) = self.attempt.state().out_of(self.index) {
            tell(&mut out.pass, self.attempt.means());
        }
    }

    /// The guards are told what the answer to the request took.
    pub(super) fn took(&self, usage: Option<Usage>) {
        self.with_pass(|pass, means| pass.answered(means, usage, Instant::now()));
    }

    fn failed_to_answer(&self, failure: &Failure) {
        let mut state = self.attempt.state();
        if let Some(out) = state.out_of(self.index) {
            let doubt = out.pass.failed(self.attempt.means(), failure);
            state.doubt(self.index, doubt);
        }
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(&self, failed: Option<FailureKind>) {
        let mut state = self.attempt.state();
        if state.out_of(self.index).is_some_and(|out| out.pass.is_held()) {
            state.judged(self.attempt.means(), self.index, failed, Instant::now());
        }
    }

    /// Nobody waits for the answer any more.
    fn cut(&self) {
        let (mut state, means) = (self.attempt.state(), self.attempt.means());
        let is_out_of_time = state.is_out_of_time;
        match state.out_of(self.index) {
            Some(out) if is_out_of_time => out.pass.timed_out(means),
            Some(out) => out.pass.clear(means),
            None => {}
        }
    }
}

impl State {
    /// What the last request of this ask came to, if it was made there.
    pub(super) fn before(&self, index: usize, place: Key) -> Option<Failure> {
        let (before, failure) = self.asks.get(index)?.past().before.as_ref()?;
        (*before == place).then(|| failure.clone())
    }

    /// An answer came to the request made by hand that is not read by us, and this is what it took.
    pub(super) fn settled_by_hand(&mut self, means: Means<'_>, usage: Usage) {
        let Some(ByHand { index, .. }) = self.by_hand.take_if(|ask| ask.was_sent) else { return };
        self.used(index, usage);
        self.handed_out(means, index, Some(usage));
    }
}
