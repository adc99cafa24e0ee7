//! The books of a call: what goes into its report, and who gets that.

use std::{ops::Add, sync::Arc};

use super::{
    Attempt, Call,
    call::Stage,
    state::{Out, Spent},
};
use crate::{
    around::{self, Link},
    cost::{Cost, Prices},
    error::Filed,
    failure::{Failure, FailureKind},
    marks::Marks,
    policy::{Action, Decision, StoppedBy},
    report::{AttemptReport, Captured, without_keys},
    usage::Usage,
};

impl Call {
    /// Closes the books of this attempt.
    pub(super) fn record(&mut self, end: End<'_>) {
        self.stage = Stage::Between;
        let (means, state) = self.attempt.parts();
        state.close(means);
        // Nobody can ask for the report of a first attempt that went well but a ledger and an observer.
        if matches!(end, End::Value) && self.report.is_none() && !self.is_watched() {
            return;
        }
        self.write_down(end);
    }

    fn write_down(&mut self, end: End<'_>) {
        if let Some(link) = self.link() {
            let left = link.take();
            let report = Arc::make_mut(self.report.get_or_insert_default());
            for attempt in left {
                report.add(attempt);
            }
        }
        let captured = self.attempt.captured();
        let Spent {
            asks: _,
            requests,
            accounted,
            last,
            finish,
            request_id,
            recovered,
            first_token,
            streamed_tokens,
        } = std::mem::take(&mut self.attempt.state_mut().spent);
        let (number, elapsed) = (self.attempt.number, self.attempt.began.elapsed());
        let (means, state) = self.attempt.parts();
        let prices = means.prices();
        let outs = &state.out;
        let place = outs.iter().rev().find_map(|out| out.place);
        let last = last.and_then(|last| outs.get(usize::try_from(last).ok()?));
        let model = last.map(|out| out.model.clone());
        let endpoint = last.and_then(|out| out.endpoint.clone());
        let mut attempt = AttemptReport {
            function: self.function,
            number,
            model: model.filter(|model| !model.is_empty()),
            endpoint,
            elapsed,
            wire_requests: requests,
            usage: outs.iter().map(|out| out.usage).fold(Usage::default(), Add::add),
            cost: outs.iter().map(|out| out.cost(prices)).sum(),
            partial: accounted < requests,
            request_id,
            recovered,
            first_token,
            streamed_tokens,
            finish,
            captured,
            marks: Marks::at(place),
            ..AttemptReport::default()
        };
        match end {
            End::Value => {}
            End::Failure(failure, decision) => {
                attempt.describe(failure);
                attempt.action = Some(decision.action);
                attempt.delay = decision.delay;
            }
            End::Dropped => attempt.action = Some(Action::Fail),
        }
        self.attempt.spans.end_attempt(&attempt);
        Arc::make_mut(self.report.get_or_insert_default()).add(attempt);
    }

    /// Where the calls in the body leave their attempts, if there are such calls.
    fn link(&self) -> Option<&Arc<Link>> {
        self.inside.as_ref()?.link.as_ref()
    }

    /// Whether the attempt sent anything, or a call inside it.
    pub(super) fn has_sent(&mut self) -> bool {
        self.attempt.state_mut().spent.requests > 0
            || self.link().is_some_and(|link| link.has_sent())
    }

    fn link_around(&self) -> Option<&Link> {
        self.outer.as_ref()?.link.as_deref()
    }

    /// Whether anybody sees the report of a call that gives a value.
    fn is_watched(&self) -> bool {
        self.observer.is_some()
            || self.attempt.spans.are_open()
            || self.link_around().is_some_and(Link::is_open)
            || around::has_ledger()
    }

    /// Ends a call that gives a value.
    pub(super) fn succeed(&mut self) {
        self.learn(None);
        self.record(End::Value);
        if self.report.is_none() {
            // Nobody asks.
            self.leave();
        } else {
            self.finish(None, None, false);
        }
    }

    /// Lets the calls inside leave nothing more; what they left since the last attempt was recorded.
    fn leave(&mut self) -> Vec<AttemptReport> {
        self.stage = Stage::Over;
        self.link().map(|link| link.close()).unwrap_or_default()
    }

    /// Hands the report to whoever asked for it.
    pub(super) fn finish(
        &mut self,
        kind: Option<FailureKind>,
        stopped_by: Option<StoppedBy>,
        degraded: bool,
    ) -> Filed {
        let late = self.leave();
        let mut filed = self.report.take().unwrap_or_default();
        let report = Arc::make_mut(&mut filed);
        for attempt in late {
            report.add(attempt);
        }
        report.elapsed = self.started.elapsed();
        report.kind = kind;
        report.stopped_by = stopped_by;
        report.degraded = degraded;
        self.attempt.spans.end_call(report);
        // Before others get the attempts, so that they see who counted them.
        let report = filed;
        self.tell_finish(&report);
        let into = self.outer.take().and_then(|outer| outer.link);
        let into = into.filter(|link| link.file(&report.attempts));
        if let Some(ledger) = around::ledger() {
            ledger.file(&report);
        }
        let link = self.link().cloned();
        let state = self.attempt.state_mut();
        let filed = Filed { report, link, into, before: None };
        if let Some(cell) = &state.report {
            cell.set(filed.clone());
        }
        filed
    }
}

impl Out {
    /// What the ask cost, as far as its answers said what they took; `None` if the price is not known.
    pub(super) fn cost(&self, prices: &Prices) -> Option<Cost> {
        if self.usage == Usage::default() {
            return Some(Cost::ZERO);
        }
        prices.cost_of(&self.model, self.usage)
    }
}

impl Attempt {
    /// What was asked and answered, if it is to be known.
    fn captured(&mut self) -> Vec<Captured> {
        if !self.policy.captures_content() {
            return Vec::new();
        }
        let state = self.state_mut();
        let asks = state.asks.iter().zip(&mut state.out).take(state.spent.asks);
        let captured = asks.map(|(ask, out)| Captured {
            answer: ask.answer.as_deref().cloned(),
            message: ask.failed.as_ref().and_then(Failure::provider_message).map(without_keys),
            ..*out.captured.take().unwrap_or_default()
        });
        captured.collect()
    }
}

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    Value,
    Failure(&'a Failure, Decision),
    Dropped,
}

impl Call {
    /// The call is dropped: if it was not over, its future was dropped, and has spent what it spent.
    pub(super) fn end(&mut self) {
        if matches!(self.stage, Stage::New | Stage::Over) {
            return;
        }
        if self.is_watched() {
            if matches!(self.stage, Stage::Running) {
                self.leave_off();
                self.record(End::Dropped);
            }
            self.finish(None, Some(StoppedBy::Cancelled), false);
        } else {
            self.leave();
        }
    }
}
