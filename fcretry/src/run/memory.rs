//! What is remembered of an ask from one attempt to the next.

use std::sync::{Arc, LazyLock};

use super::pass::Doubt;
use crate::{
    answer::Answer,
    failure::Failure,
    feedback::{Exchange, Offer, Parts},
    guard::Key,
    policy::{Action, Decision, Track},
    tool::{Kept, RefusalDetector, Written},
};

/// What is remembered of an ask. Each of many that wait has one.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) track: Track,
    /// Which endpoint the ask's own is; 0 if that is not known.
    pub(super) own_endpoint: u64,
    /// What was offered last, and when the exchanges that are remembered were made.
    pub(super) offer: Offer,
    /// The answer of this attempt, good or bad.
    pub(super) answer: Option<Arc<Answer>>,
    /// The failure of this attempt.
    pub(super) failed: Option<Failure>,
    /// How often what is asked for was changed.
    pub(super) revision: u32,
    /// What takes words for a refusal, in this attempt.
    pub(super) refusals: RefusalDetector,
    /// On the heap: most asks have none.
    past: Option<Box<Past>>,
}

/// What earlier answers left that were not good, or not all that was asked for.
#[derive(Default)]
pub(super) struct Past {
    pub(super) exchanges: Vec<Exchange>,
    /// Of several calls, those that are right so far.
    pub(super) kept: Kept,
    /// What this attempt's answer leaves of an ask for several calls.
    pub(super) left: Left,
    /// A bad answer that counts with a breaker if it is not repaired.
    pub(super) doubt: Option<Doubt>,
    /// Where the last request that failed went, and what it came to.
    pub(super) before: Option<(Key, Failure)>,
    /// The content that came before a stream broke off.
    pub(super) part: Option<Part>,
    /// The last bad answer on this model.
    bad: Option<Arc<Answer>>,
    /// The calls of it that were bad, if each was judged alone.
    bad_calls: Vec<Written>,
}

static NO_PAST: LazyLock<Past> = LazyLock::new(Past::default);

/// The content of a stream that broke off.
#[cfg_attr(not(feature = "openai"), expect(dead_code, reason = "adapters that stream read it"))]
pub(crate) struct Part {
    pub(crate) text: String,
    /// What tells the request that it answers from others.
    pub(crate) asked: u64,
}

/// What an answer leaves of an ask for several calls.
#[derive(Default)]
pub(super) struct Left {
    /// The calls of the answer.
    pub(super) calls: Vec<Written>,
    /// What is kept if the bad ones are asked for again; `None` for what was kept before.
    pub(super) kept: Option<Kept>,
}

impl Memory {
    pub(super) fn past(&self) -> &Past {
        self.past.as_deref().unwrap_or_else(|| &NO_PAST)
    }

    /// The past to put something into.
    pub(super) fn past_mut(&mut self) -> &mut Past {
        self.past.get_or_insert_default()
    }

    /// The past, if there is anything in it that could be changed.
    pub(super) fn past_if_any(&mut self) -> Option<&mut Past> {
        self.past.as_deref_mut()
    }

    pub(super) fn begin_attempt(&mut self) {
        if let Some(past) = self.past_if_any() {
            past.left = Left::default();
        }
        self.answer = None;
        self.failed = None;
        self.refusals = RefusalDetector::default();
    }

    /// The next request is another one.
    pub(super) fn revise(&mut self) {
        self.revision = self.revision.saturating_add(1);
    }

    /// Forgets what was said, and what was kept of it.
    pub(super) fn forget(&mut self) {
        if let Some(past) = self.past_if_any() {
            past.part = None;
            past.exchanges.clear();
            past.kept = Kept::default();
        }
    }

    /// Whether the answer is the one before, or its bad calls are.
    pub(super) fn is_repeated_by(&self, failure: &Failure) -> bool {
        if !failure.kind().is_repairable() {
            return false;
        }
        let past = self.past();
        let answers = failure.shared_answer().zip(past.bad.as_ref());
        let calls = past.bad_calls_of(failure);
        let is_same = |(now, last): (&Written, &Written)| now.is_same(last);
        answers.is_some_and(|(now, last)| now.says_the_same_as(last))
            || (!calls.is_empty()
                && calls.len() == past.bad_calls.len()
                && calls.iter().zip(&past.bad_calls).all(is_same))
    }

    /// Leaves what the next request of this ask needs.
    pub(super) fn note(&mut self, decision: &Decision, failure: &Failure, history: usize) {
        if decision.forget {
            self.forget();
        }
        if decision.changes {
            self.revise();
        }
        let past = self.past_mut();
        if !decision.resume {
            past.part = None;
        }
        if let Some(answer) = failure.shared_answer() {
            past.bad = Some(Arc::clone(answer));
            past.bad_calls = past.bad_calls_of(failure);
        }
        match decision.action {
            Action::Repair if !decision.forget => past.repair(failure, history),
            // A fallback starts from the original messages, and has said nothing yet.
            Action::Fallback => {
                past.bad = None;
                past.bad_calls.clear();
                self.forget();
            }
            _ => {}
        }
    }
}

impl Past {
    fn bad_calls_of(&self, failure: &Failure) -> Vec<Written> {
        let calls = &self.left.calls;
        failure.calls().iter().filter_map(|(place, _)| calls.get(*place).cloned()).collect()
    }

    fn repair(&mut self, failure: &Failure, history: usize) {
        let Left { calls, kept } = std::mem::take(&mut self.left);
        let before = self.kept.calls().cloned().collect();
        if let Some(kept) = kept {
            // What the body objects to is the whole; of which call it is, nobody knows.
            self.kept = if failure.calls().is_empty() { Kept::default() } else { kept };
        }
        let open = (!self.kept.is_empty()).then(|| self.kept.open());
        if let Some(exchange) = Exchange::of(failure, Parts { calls, before, open }) {
            self.exchanges.push(exchange);
        }
        let old = self.exchanges.len().saturating_sub(history);
        self.exchanges.drain(..old);
    }
}
