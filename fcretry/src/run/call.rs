use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    AsRoute, Attempt, Drive, Handle, Observer,
    attempt::{Policy, Spent},
    memory::Memory,
    route::candidates,
};
use crate::{
    around::{self, Link, Outer},
    error::Filed,
    failure::{Classify, Failure, FailureKind},
    policy::{
        Action, Decision, InvalidPolicy, Now, RetryPolicy, RetryPolicyBuilder, Situation,
        StoppedBy, Track, decide, kills_the_endpoint,
    },
    report::{AttemptReport, Report},
};

/// A policy as an attribute states it: built once, at the first call.
pub type StaticPolicy = LazyLock<Result<RetryPolicy, InvalidPolicy>>;

/// How long "for ever" is here: what can be added to any instant.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// One call of an annotated function: what its expansion drives.
///
/// `begin`, then `drive` the body, then `settle` what it gave: that ends the call or says how long to `wait`
/// before the next round.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing of the call")]
pub struct Call {
    pub(super) attempt: Attempt,
    pub(super) function: &'static str,
    invalid: Option<InvalidPolicy>,
    /// The call in whose body this one is, if it is in one.
    outer: Option<Arc<Link>>,
    /// The call around this one ends before this one's own deadline.
    ends_early: bool,
    /// The body takes an attempt: it can be told what to do differently.
    steerable: bool,
    /// For failures of no ask.
    track: Track,
    rng: fastrand::Rng,
    started: Instant,
    pub(super) attempt_started: Instant,
    pub(super) report: Report,
    pub(super) observer: Option<Handle<dyn Observer>>,
    /// An attempt has begun and is not in the report.
    running: bool,
    finished: bool,
}

/// The wait before the next attempt.
#[derive(Debug)]
pub struct Wait(Duration);

impl Wait {
    pub(super) fn of(delay: Duration) -> Self {
        Self(delay)
    }
}

/// An attempt for functions whose attribute is wrong: they must compile, and never run.
pub fn stub_attempt() -> &'static Attempt {
    static STUB: LazyLock<Attempt> =
        LazyLock::new(|| Attempt::new(Policy::Own(RetryPolicy::default()), Instant::now()));
    &STUB
}

fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration.min(FAR)).unwrap_or(start)
}

impl Call {
    /// A call of `function` under the policy of its attribute.
    pub fn new(policy: &'static StaticPolicy, function: &'static str, steerable: bool) -> Self {
        match &**policy {
            Ok(policy) => Self::under(Policy::Static(policy), None, function, steerable),
            Err(invalid) => Self::invalid(invalid.clone(), function, steerable),
        }
    }

    /// A call of `function` under a policy made at run time, with the keys that its attribute has beside it.
    pub fn with_policy(
        policy: &RetryPolicy,
        keys: Option<fn(RetryPolicyBuilder) -> RetryPolicyBuilder>,
        function: &'static str,
        steerable: bool,
    ) -> Self {
        let policy = match keys {
            None => Ok(policy.clone()),
            Some(keys) => keys(policy.to_builder()).build(),
        };
        match policy {
            Ok(policy) => Self::under(Policy::Own(policy), None, function, steerable),
            Err(invalid) => Self::invalid(invalid, function, steerable),
        }
    }

    fn invalid(invalid: InvalidPolicy, function: &'static str, steerable: bool) -> Self {
        Self::under(Policy::Own(RetryPolicy::default()), Some(invalid), function, steerable)
    }

    fn under(
        policy: Policy,
        invalid: Option<InvalidPolicy>,
        function: &'static str,
        steerable: bool,
    ) -> Self {
        let started = Instant::now();
        let own = after(started, policy.deadline());
        let (ends, outer) = match around::outer() {
            Some(Outer { deadline, link }) => (deadline, link),
            None => (own, None),
        };
        let deadline = own.min(ends);
        Self {
            attempt: Attempt::new(policy, deadline),
            function,
            invalid,
            outer,
            ends_early: deadline < own,
            steerable,
            track: Track::default(),
            rng: fastrand::Rng::new(),
            started,
            attempt_started: started,
            report: Report::default(),
            observer: None,
            running: false,
            finished: false,
        }
    }

    /// Lets the call go on along `route`.
    #[must_use]
    pub fn route(mut self, route: &(impl AsRoute + ?Sized)) -> Self {
        self.attempt.route = Some(route.route());
        self
    }

    /// Starts the next attempt.
    pub fn begin(&mut self) {
        if self.attempt.route.as_ref().is_none_or(|route| route.endpoints().is_empty()) {
            let fault = || self.attempt.policy.fault_without_a_route();
            self.invalid = self.invalid.take().or_else(fault);
        }
        // The first begins with the call.
        if self.attempt.number > 0 {
            self.attempt_started = Instant::now();
        }
        self.attempt.number = self.attempt.number.saturating_add(1);
        let ends = after(self.attempt_started, self.attempt.policy.timeout());
        self.attempt.ends = ends.min(self.attempt.deadline);
        self.attempt.state_mut().begin_attempt();
        self.running = true;
        if self.invalid.is_none() {
            self.tell_attempt();
        }
    }

    /// The attempt, for the body.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Runs the body, as long as the attempt may take.
    pub fn drive<F: Future>(&self, body: F) -> Drive<'_, F> {
        Drive::new(body, &self.attempt, self.invalid.is_none())
    }

    /// Waits before the next attempt. Nothing is held meanwhile.
    pub async fn wait(&mut self, wait: Wait) {
        if !wait.0.is_zero() {
            sleep(wait.0).await;
        }
    }

    /// What is wrong with the policy.
    pub(super) fn take_invalid(&mut self) -> Option<InvalidPolicy> {
        self.invalid.take()
    }

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
        // Whoever only looked at the attempt asked nothing by hand.
        let has_failed = state.last_failed.is_some();
        if by_hand.is_some() && returned.is_none() && !has_failed {
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
        let past_deadline = self.attempt.ends >= self.attempt.deadline;
        let index = self.leave_off();
        let policy = &self.attempt.policy;
        let failure = if past_deadline {
            let failure = Failure::new(FailureKind::DeadlineExceeded);
            if self.ends_early {
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
    fn leave_off(&mut self) -> Option<usize> {
        let state = self.attempt.state_mut();
        let by_hand = state.by_hand.take();
        let waiting = state.asks.iter().position(|ask| ask.is_waiting);
        let asked_by_hand = by_hand.is_some() && waiting.is_none();
        state.spent.requests = state.spent.requests.saturating_add(u32::from(asked_by_hand));
        waiting.or(by_hand).or(state.spent.asks.checked_sub(1))
    }

    /// Decides about a failure, and leaves with the ask that failed what its next request needs.
    pub(super) fn decide(&mut self, index: Option<usize>, failure: &Failure) -> Decision {
        // Several asks may have been told to wait: none is asked earlier than its server said.
        let waits = self.attempt.state_mut().asks.iter().filter_map(|ask| ask.failed.as_ref());
        let retry_after = waits.filter_map(Failure::retry_after).max().max(failure.retry_after());
        let attempts = self.attempt.number;
        let time_left = self.attempt.deadline.saturating_duration_since(Instant::now());
        let (policy, route, state) = self.attempt.parts();
        let mut none = Memory { track: std::mem::take(&mut self.track), ..Memory::default() };
        let memory = index.and_then(|index| state.asks.get_mut(index)).unwrap_or(&mut none);
        let mut candidates = candidates(policy, route, memory.own_endpoint, &state.dead);
        if kills_the_endpoint(failure.kind())
            && let Some(here) = candidates.get(memory.track.candidate)
        {
            let dead = here.endpoint;
            state.dead.push(dead);
            for there in &mut candidates {
                there.is_dead |= there.endpoint == dead;
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
        };
        let decision = decide(seen, now, policy, &mut memory.track, &mut self.rng);
        memory.note(&decision, failure, policy.history());
        self.track = none.track;
        decision
    }

    /// Closes the books of this attempt.
    pub(super) fn record(&mut self, end: End<'_>) {
        self.running = false;
        // Nobody can ask for the report of a first attempt that went well but a ledger and an observer.
        if matches!(end, End::Value) && self.report.attempts.is_empty() && !self.is_watched() {
            return;
        }
        if let Some(link) = &self.attempt.state_mut().link {
            link.take().into_iter().for_each(|attempt| self.report.add(attempt));
        }
        let Spent {
            asks: _,
            requests,
            accounted,
            usage,
            model,
            endpoint,
            request_id,
            recovered,
            first_token,
            streamed_tokens,
        } = std::mem::take(&mut self.attempt.state_mut().spent);
        let mut attempt = AttemptReport {
            function: self.function,
            number: self.attempt.number,
            model,
            endpoint,
            elapsed: self.attempt_started.elapsed(),
            wire_requests: requests,
            usage,
            partial: accounted < requests,
            request_id,
            recovered,
            first_token,
            streamed_tokens,
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
        self.report.add(attempt);
    }

    /// Whether anybody sees the report of a call that gives a value.
    fn is_watched(&self) -> bool {
        self.observer.is_some()
            || self.outer.as_ref().is_some_and(|outer| outer.is_open())
            || around::has_ledger()
    }

    /// Ends a call that gives a value.
    pub(super) fn succeed(&mut self) {
        self.record(End::Value);
        if self.report.attempts.is_empty() {
            // Nobody asks.
            self.leave();
        } else {
            self.finish(None, None, false);
        }
    }

    /// Lets the calls inside leave nothing more; what they left since the last attempt was recorded.
    fn leave(&mut self) -> Vec<AttemptReport> {
        self.finished = true;
        let link = self.attempt.state_mut().link.as_ref();
        link.map(|link| link.close()).unwrap_or_default()
    }

    /// Hands the report to whoever asked for it.
    pub(super) fn finish(
        &mut self,
        kind: Option<FailureKind>,
        stopped_by: Option<StoppedBy>,
        degraded: bool,
    ) -> Filed {
        let late = self.leave();
        let mut report = std::mem::take(&mut self.report);
        for attempt in late {
            report.add(attempt);
        }
        report.elapsed = self.started.elapsed();
        report.kind = kind;
        report.stopped_by = stopped_by;
        report.degraded = degraded;
        let into = self.outer.take().filter(|outer| outer.file(&report.attempts));
        if let Some(ledger) = around::ledger() {
            ledger.file(&report);
        }
        let state = self.attempt.state_mut();
        let filed =
            Filed { report: Arc::new(report), link: state.link.clone(), into, before: None };
        if let Some(cell) = &state.report {
            cell.set(filed.clone());
        }
        self.tell_finish(&filed.report);
        filed
    }
}

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    Value,
    Failure(&'a Failure, Decision),
    Dropped,
}

impl Drop for Call {
    /// A future that was dropped has spent what it spent.
    fn drop(&mut self) {
        if self.finished || self.attempt.number == 0 {
            return;
        }
        if self.is_watched() {
            if self.running {
                self.leave_off();
                self.record(End::Dropped);
            }
            self.finish(None, Some(StoppedBy::Cancelled), false);
        } else {
            self.leave();
        }
    }
}
