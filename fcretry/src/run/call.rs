use std::{
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    AsRoute, Ask, Attempt, Drive, Observer,
    admit::ByGuard,
    attempt::Policy,
    guards::{Guards, Place},
    learning::Learning,
    memory::Memory,
    route::candidates,
};
use crate::{
    around::{self, Outer},
    cost::Prices,
    failure::{Classify, Failure, FailureKind},
    guard::IdempotencyKey,
    handle::{Attach, Handle},
    policy::{
        Action, Decision, InOrder, InvalidPolicy, Now, RetryPolicy, RetryPolicyBuilder, Situation,
        decide, kills_the_endpoint,
    },
    report::Report,
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
    pub(super) outer: Option<Outer>,
    /// The body takes an attempt: it can be told what to do differently.
    steerable: bool,
    pub(super) started: Instant,
    /// Made with the first attempt that is in it. Nobody else has it before it is out.
    pub(super) report: Option<Arc<Report>>,
    pub(super) observer: Option<Handle<dyn Observer>>,
    /// What learns from it.
    pub(super) learning: Option<Box<Learning>>,
    pub(super) stage: Stage,
    /// The attempt was refused by a guard: what follows has its number.
    keeps_number: bool,
}

/// How far a call is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    New,
    /// An attempt has begun and is not in the report.
    Running,
    Between,
    /// The report is out.
    Over,
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
    static STUB: LazyLock<Attempt> = LazyLock::new(|| {
        let (policy, now) = (Policy::Own(RetryPolicy::default()), Instant::now());
        Attempt::new(policy, now, now, Guards::default())
    });
    &STUB
}

/// A part of an idempotency key.
pub fn part<T: Serialize + ?Sized>(part: &T) -> &T {
    part
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
        let (outer, throttle) = around::call();
        let deadline = outer.as_ref().map_or(own, |outer| outer.deadline.min(own));
        let guards = Guards { throttle, ..Guards::default() };
        Self {
            attempt: Attempt::new(policy, started, deadline, guards),
            function,
            invalid,
            outer,
            steerable,
            started,
            report: None,
            observer: None,
            learning: None,
            stage: Stage::New,
            keeps_number: false,
        }
    }

    /// Lets the call go on along `route`.
    pub fn route(&mut self, route: &(impl AsRoute + ?Sized)) {
        self.attempt.route = Some(route.route());
    }

    /// Has what is asked in the call cost what `prices` say.
    pub fn prices<By>(&mut self, prices: impl Attach<Prices, By>) {
        self.attempt.set_prices(prices.handle());
    }

    /// Has the call's key made of `parts`.
    pub fn idempotency(&mut self, parts: &impl Serialize) {
        match IdempotencyKey::derived(parts, self.function) {
            Ok(key) => self.attempt.key = OnceLock::from(key),
            Err(error) => {
                let fault = || InvalidPolicy::of_key("idempotency", &error);
                self.invalid = self.invalid.take().or_else(|| Some(fault()));
            }
        }
    }

    /// Starts the next attempt.
    pub fn begin(&mut self) {
        if self.attempt.route.as_ref().is_none_or(|route| route.endpoints().is_empty()) {
            let fault = || self.attempt.policy.fault_without_a_route();
            self.invalid = self.invalid.take().or_else(fault);
        }
        // The first begins with the call.
        if self.attempt.number > 0 {
            self.attempt.began = Instant::now();
        }
        if !std::mem::take(&mut self.keeps_number) {
            self.attempt.number = self.attempt.number.saturating_add(1);
        }
        let ends = after(self.attempt.began, self.attempt.policy.timeout());
        self.attempt.ends = ends.min(self.attempt.deadline);
        if matches!(self.stage, Stage::New) {
            let around = self.outer.as_ref().and_then(|outer| outer.purse.as_ref());
            self.attempt.open_purse(around);
        } else {
            self.attempt.state_mut().begin_attempt();
        }
        self.stage = Stage::Running;
        self.attempt.spans.begin(self.function, self.attempt.number);
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
        let is_none = refused.is_some() && !self.attempt.state_mut().has_sent();
        let may_resend = refused != Some(ByGuard::RetryBudget) && self.may_resend(index, failure);
        let attempts = self.attempt.number.saturating_sub(u32::from(is_none));
        let time_left = self.attempt.deadline.saturating_duration_since(Instant::now());
        let (policy, route, state) = self.attempt.parts();
        let place = index.and_then(|index| state.out_of(index)?.place);
        let mut none = Memory { track: std::mem::take(&mut state.track), ..Memory::default() };
        // What is not of the ask, beside the ask.
        let dead = &mut state.dead;
        let memory = index.and_then(|index| state.asks.get_mut(index)).unwrap_or(&mut none);
        let mut candidates = candidates(policy, route, memory.own_endpoint, dead);
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
                let decision = decide(seen, now, policy, track, &mut adviser, &mut chance);
                learning.follows(adviser.followed(decision.action), decision.delay);
                decision
            }
            _ => decide(seen, now, policy, track, &mut InOrder, &mut chance),
        };
        memory.note(&decision, failure, policy.history());
        memory.before = place.map(|place| (place, failure.clone()));
        let doubt = memory.doubt.take();
        state.track = none.track;
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
        let Some(ask) = index.map(|index| Ask { attempt: &self.attempt, index }) else {
            return true;
        };
        let place = self.attempt.state().out_of(ask.index).and_then(|out| out.place);
        let Some(key) = place else { return true };
        let place = Place::new(&self.attempt.guards, ask.endpoint(), key);
        let asked = place.retries().map(|retries| retries.ask(key, Some(failure.kind())));
        // What is let through is given back at once: nothing is held while waiting.
        !asked.is_some_and(|asked| matches!(asked.at_once(), Some(Err(_))))
    }
}
