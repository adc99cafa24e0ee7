//! Which reply comes next.

use std::{collections::VecDeque, fmt, sync::Arc};

use serde_json::Value;

use super::{RecordedRequest, Reply, misuse};

/// Where replies come from.
pub(super) enum Source {
    Script(Script),
    Function(Function),
    Mix(Mix),
}

/// A reply that depends on the request.
pub(super) type Function = Arc<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;

/// A reply, or the function that makes it: which is for the caller to run, once it has let go of the lock.
#[allow(clippy::large_enum_variant, reason = "lives for two statements")]
pub(super) enum Next {
    Reply(Reply),
    Function(Function),
}

impl Source {
    pub(super) fn next(&mut self) -> Next {
        match self {
            Self::Script(script) => Next::Reply(script.next(None)),
            Self::Function(function) => Next::Function(Arc::clone(function)),
            Self::Mix(mix) => Next::Reply(mix.next()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(script) => script.fmt(f),
            Self::Function(_) => f.write_str("Function(..)"),
            Self::Mix(mix) => mix.fmt(f),
        }
    }
}

/// Replies in their order, and what follows them.
#[derive(Debug, Default)]
pub(super) struct Script {
    replies: VecDeque<Reply>,
    then: Option<Reply>,
    length: usize,
    asked: usize,
}

impl Script {
    pub(super) fn add(&mut self, replies: impl IntoIterator<Item = Reply>) {
        let before = self.replies.len();
        self.replies.extend(replies);
        self.length += self.replies.len() - before;
    }

    pub(super) fn then_repeat(&mut self, reply: Reply) {
        self.then = Some(reply);
    }

    /// The next reply; one that says so when there is none. `model` is whose script this is.
    pub(super) fn next(&mut self, model: Option<&str>) -> Reply {
        self.asked += 1;
        if let Some(reply) = self.replies.pop_front().or_else(|| self.then.clone()) {
            return reply;
        }
        let whose = model.map(|name| format!(" for `{name}`")).unwrap_or_default();
        let replies = if self.length == 1 { "reply" } else { "replies" };
        let message = format!(
            "the script of this MockModel{whose} has {} {replies} and this is request {}",
            self.length, self.asked,
        );
        // 501 is the one 5xx that clients do not take for an overload, so nothing asks again.
        Reply::error(501, "mock_error", "script_exhausted", message)
    }

    pub(super) fn remaining(&self) -> usize {
        self.replies.len()
    }

    /// How many requests found no reply.
    pub(super) fn unanswered(&self) -> usize {
        if self.then.is_some() { 0 } else { self.asked.saturating_sub(self.length) }
    }
}

/// Faults at given shares. The n-th request draws the n-th number of the seed.
#[derive(Debug)]
pub(super) struct Mix {
    random: fastrand::Rng,
    good: Reply,
    faults: Vec<(f64, Reply)>,
}

impl Mix {
    #[track_caller]
    pub(super) fn new(seed: u64, good: Reply, faults: Vec<(f64, Reply)>) -> Self {
        for (share, _) in &faults {
            if !(0.0..=1.0).contains(share) {
                misuse(format_args!("a share is between 0 and 1, not {share}"));
            }
        }
        let sum: f64 = faults.iter().map(|(share, _)| share).sum();
        // Shares that are meant to make a whole, ten times 0.1 say, may miss it by rounding.
        if sum > 1.0 + 1e-9 {
            misuse(format_args!("the shares add up to {sum}, which is more than 1"));
        }
        Self { random: fastrand::Rng::with_seed(seed), good, faults }
    }

    fn next(&mut self) -> Reply {
        let mut draw = self.random.f64();
        for (share, reply) in &self.faults {
            if draw < *share {
                return reply.clone();
            }
            draw -= share;
        }
        self.good.clone()
    }
}

/// The answer to a body that cannot be read.
pub(super) fn not_json(error: &str) -> Reply {
    let message = format!("We could not parse the JSON body of your request: {error}");
    Reply::error(400, "invalid_request_error", Value::Null, message)
}
