//! What failed in an attempt, and what follows from it.

use tokio::time::Instant;

use super::{Ask, Call, admit::ByGuard, memory::Memory, route::candidates};
use crate::{
    failure::{Classify, Failure, FailureKind},
    policy::{Action, Decision, InOrder, Now, Situation, decide, kills_the_endpoint},
};

impl Call {
    /// What failed, of which ask.
    pub(super) fn failure_of(&mut self, error: &impl Classify) -> (Option<usize>, Failure) {
        let kind = error.kind();
        let told = error.failure();
        let state = self.attempt.state_mut();
        let by_hand = state.by_hand.take();
        let returned = told.and_then(|told| {
            let is_it = |ask: &Memory| ask.failed.as_ref().is_some_and(|f| f.is_same(told));
            state.asks.iter().position(is_it)
        });
        let was_sent = by_hand.as_ref().is_some_and(|ask| ask.was_sent);
        let by_hand = by_hand.map(|ask| ask.index);
        // Whoever only looked at the attempt asked nothing by hand.
        let has_failed = state.last_failed.is_some();
        if by_hand.is_some() && !was_sent && returned.is_none() && !has_failed {
            // The request was made by hand and failed before there was an answer to accept.
            state.spent.requests = state.spent.requests.saturating_add(1);
            state.spent.accounted += u32::from(told.is_some_and(Failure::is_turned_down));
        }
        let index = returned.or(state.last_failed).or(by_hand);
        let index = index.or(state.spent.asks.checked_sub(1));
        let ask = index.and_then(|index| state.asks.get(index));
        let recorded = ask.and_then(|ask| ask.failed.as_ref());
        // The error chooses the kind; what the attempt learned goes with it, whatever `map_err` left of it.
        let mut failure = match (told, recorded) {
            (Some(told), Some(recorded)) => told.clone().filled_from(recorded),
            (Some(known), None) | (None, Some(known)) => known.clone(),
            (None, None) => Failure::new(kind),
        }
        .with_kind(kind);
        // A check of the body that came after a good answer objects to that answer.
        if kind.is_repairable()
            && failure.answer().is_none()
            && let Some(answer) = ask.and_then(|ask| ask.answer.clone())
        {
            failure = failure.with_answer(answer);
        }
        (index, failure)
    }

    /// The failure of an attempt whose time was up, and the ask that was waiting longest.
    pub(super) fn out_of_time(&mut self) -> (Option<usize>, Failure) {
        let past_deadline = self.attempt.ends() >= self.attempt.deadline;
        let index = self.leave_off();
        let policy = &self.attempt.policy;
        let failure = if past_deadline {
            let failure = Failure::new(FailureKind::DeadlineExceeded);
            if self.outer.as_ref().is_some_and(|outer| outer.deadline <= self.attempt.deadline) {
                failure.with_note("the call around this one may take no longer")
            } else {
                failure.with_note(format!("the call may take {:?}", policy.deadline()))
            }
        } else {
            Failure::new(FailureKind::Timeout)
                .with_note(format!("the attempt may take {:?}", policy.timeout()))
        };
        (index, failure)
    }

    /// Counts what was under way when the body was dropped; the ask that had waited longest.
    pub(super) fn leave_off(&mut self) -> Option<usize> {
        let state = self.attempt.state_mut();
        let by_hand = state.by_hand.take();
        let waiting = state.out.iter().position(|out| out.is_waiting);
        let is_unknown = by_hand.as_ref().is_some_and(|ask| !ask.was_sent) && waiting.is_none();
        state.spent.requests = state.spent.requests.saturating_add(u32::from(is_unknown));
        waiting.or(by_hand.map(|ask| ask.index)).or(state.spent.asks.checked_sub(1))
    }

    /// Decides about a failure, and leaves with the ask that failed what its next request needs.
    pub(super) fn decide(&mut self, index: Option<usize>, failure: &Failure) -> Decision {
        self.learn(Some(failure.kind()));
        let adviser = self.learning.as_ref().map(|learning| {
            let place = self.attempt.place_of(index);
            (learning.adaptive.clone(), place)
        });
        // Several asks may have been told to wait: none is asked earlier than its server said.
        let waits = self.attempt.state_mut().asks.iter().filter_map(|ask| ask.failed.as_ref());
        let retry_after = waits.filter_map(Failure::retry_after).max().max(failure.retry_after());
        // What was refused before anything was sent is no attempt. Candidates only go forward, so it ends all the same.
        let refused = self.attempt.state_mut().refused;
        let is_none = refused.is_some() && !self.has_sent();
        let may_resend = refused != Some(ByGuard::RetryBudget) && self.may_resend(index, failure);
        let attempts = self.attempt.number.saturating_sub(u32::from(is_none));
        let time_left = self.attempt.deadline.saturating_duration_since(Instant::now());
        let (means, state) = self.attempt.parts();
        let place = index.and_then(|index| state.out_of(index)?.place);
        let mut none = Memory::default();
        match index {
            // A body that asked for a model and sent the request itself has nothing yet in which to remember where it goes on.
            Some(index) => _ = state.ask(index),
            None => none.track = state.track.take().map(|track| *track).unwrap_or_default(),
        }
        // What is not of the ask, beside the ask.
        let dead = &mut state.dead;
        let memory = index.and_then(|index| state.asks.get_mut(index)).unwrap_or(&mut none);
        let mut candidates = candidates(means.policy, means.route, memory.own_endpoint, dead);
        if kills_the_endpoint(failure.kind())
            && let Some(here) = candidates.get(memory.track.candidate)
        {
            let died = here.endpoint;
            dead.push(died);
            for there in &mut candidates {
                there.is_dead |= there.endpoint == died;
            }
        }
        let now = Now {
            candidates: &candidates,
            attempts,
            time_left,
            // Where no ask was made there is none that could be made differently.
            steerable: self.steerable && index.is_some(),
        };
        let answer = failure.shared_answer();
        let seen = Situation {
            kind: failure.kind(),
            retry_after,
            repeated: memory.is_repeated_by(failure),
            completion_tokens: answer.map(|answer| answer.completion_tokens()),
            turned_down: failure.is_turned_down(),
            may_resend,
        };
        let (track, mut chance) = (&mut memory.track, fastrand::Rng::new());
        let decision = match (&mut self.learning, adviser) {
            (Some(learning), Some((adaptive, place))) => {
                let mut adviser = adaptive.adviser(&place, seen.kind, chance.fork());
                let decision = decide(seen, now, means.policy, track, &mut adviser, &mut chance);
                learning.follows(adviser.followed(decision.action), decision.delay);
                decision
            }
            _ => decide(seen, now, means.policy, track, &mut InOrder, &mut chance),
        };
        memory.note(&decision, failure, means.policy.history());
        let past = memory.past_mut();
        past.before = place.map(|place| (place, failure.clone()));
        let doubt = past.doubt.take();
        if index.is_none() {
            state.track = Some(Box::new(none.track));
        }
        self.keeps_number = is_none;
        // Before what follows is said to be of the place where it goes on.
        let is_left = !matches!(decision.action, Action::Retry | Action::Repair);
        if is_left && let Some(doubt) = doubt {
            doubt.confirmed();
        }
        decision
    }

    /// Whether the retry budget has anything left for a resend, as far as that can be known before it is time for it.
    fn may_resend(&self, index: Option<usize>, failure: &Failure) -> bool {
        let Some(index) = index else { return true };
        let ask = Ask { attempt: &self.attempt, index };
        let key = self.attempt.state().out_of(index).and_then(|out| out.place);
        let Some(key) = key else { return true };
        let place = self.attempt.means().place(key, ask.candidate());
        let asked = place.retries().map(|retries| retries.ask(key, Some(failure.kind())));
        // What is let through is given back at once: nothing is held while waiting.
        !asked.is_some_and(|asked| matches!(asked.at_once(), Some(Err(_))))
    }
}
