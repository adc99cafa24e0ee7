//! A request that the guards let go, until its answer is read.

#[cfg(feature = "openai")]
use std::time::Duration;

use super::{Ask, pass::Pass};
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
    pub(super) fn let_go(&self, mut pass: Pass) {
        pass.sent();
        self.memory(|memory| memory.pass = Some(pass));
        self.sent();
    }

    /// Tells the guards something of the request that is out. They are told outside the lock: they may call the user's code.
    fn with_pass(&self, tell: impl FnOnce(&mut Pass)) {
        if let Some(mut pass) = self.memory(|memory| memory.pass.take()) {
            tell(&mut pass);
            self.memory(|memory| memory.pass = Some(pass));
        }
    }

    /// The guards are told what the answer to the request took.
    pub(super) fn took(&self, usage: Option<Usage>) {
        self.with_pass(|pass| pass.answered(usage));
    }

    /// An answer came that is not read by us; what it took, if that is known.
    pub(super) fn settled(&self, usage: Option<Usage>) {
        self.took(usage);
        self.judged(None);
        if let Some(usage) = usage {
            let mut state = self.attempt.state();
            state.spent.usage += usage;
            state.spent.accounted = state.spent.accounted.saturating_add(1);
        }
    }

    fn failed_to_answer(&self, failure: &Failure) {
        if let Some(pass) = self.memory(|memory| memory.pass.take()) {
            let doubt = pass.failed(failure);
            self.memory(|memory| memory.doubt = doubt);
        }
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(&self, failed: Option<FailureKind>) {
        if let Some(pass) = self.memory(|memory| memory.pass.take()) {
            let doubt = pass.judged(failed);
            self.memory(|memory| memory.doubt = doubt);
        }
    }

    /// Nobody waits for the answer any more.
    fn cut(&self) {
        let pass = self.memory(|memory| memory.pass.take());
        let is_out_of_time = self.attempt.state().is_out_of_time;
        match pass {
            Some(pass) if is_out_of_time => pass.timed_out(),
            pass => drop(pass),
        }
    }

    /// What the last request of this ask came to, if it was made there.
    pub(super) fn before(&self, place: Key) -> Option<Failure> {
        self.memory(|memory| {
            let (before, failure) = memory.before.as_ref()?;
            (*before == place).then(|| failure.clone())
        })
    }
}
