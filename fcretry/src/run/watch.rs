//! Who watches a call is told what happens in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{AttemptEvent, Call, DecisionEvent, FinishEvent, Observer};
use crate::{
    failure::Failure,
    handle::Attach,
    policy::{Action, Decision},
    report::Report,
};

impl Call {
    /// Has `observer` told what happens.
    pub fn observer<By>(&mut self, observer: impl Attach<dyn Observer, By>) {
        self.observer = Some(observer.handle());
    }

    pub(super) fn tell_attempt(&self) {
        self.tell(|observer| {
            observer.on_attempt(&AttemptEvent {
                function: self.function,
                attempt: self.attempt.number,
                time_left: self.attempt.ends().saturating_duration_since(self.attempt.began),
                policy: &self.attempt.policy,
            });
        });
    }

    /// Tells what was decided about the attempt that was recorded last.
    pub(super) fn tell_decision(&self, failure: &Failure, decision: Decision) {
        if let Some(attempt) = self.report.as_ref().and_then(|report| report.attempts.last()) {
            self.attempt.spans.decided(attempt, decision.stopped_by);
        }
        self.tell_of(failure, decision, |observer, event| match event.action {
            Action::Retry | Action::Repair => observer.on_retry(event),
            Action::Fallback => observer.on_fallback(event),
            Action::Escalate => observer.on_escalate(event),
            Action::Fail => {}
        });
    }

    /// Tells that the call gives another value instead of the failure.
    pub(super) fn tell_degrade(&self, failure: &Failure, decision: Decision) {
        self.tell_of(failure, decision, |observer, event| observer.on_degrade(event));
    }

    pub(super) fn tell_finish(&self, report: &Report) {
        self.tell(|observer| observer.on_finish(&FinishEvent { function: self.function, report }));
    }

    fn tell_of(
        &self,
        failure: &Failure,
        decision: Decision,
        of: impl FnOnce(&dyn Observer, &DecisionEvent<'_>),
    ) {
        self.tell(|observer| {
            let attempt = self.report.as_ref().and_then(|report| report.attempts.last());
            let event = DecisionEvent {
                function: self.function,
                attempt: self.attempt.number,
                model: attempt.and_then(|attempt| attempt.model.as_deref()),
                kind: failure.kind(),
                action: decision.action,
                delay: decision.delay,
                stopped_by: decision.stopped_by,
                failure,
            };
            of(observer, &event);
        });
    }

    fn tell(&self, what: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.observer {
            // Whoever watches a call does not bring it down. Nothing of ours is half changed by a panic here.
            let _ = catch_unwind(AssertUnwindSafe(|| what(&**observer)));
        }
    }
}
