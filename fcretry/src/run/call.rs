use std::{
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{AsRoute, Attempt, Observer, Round, attempt::Policy, learning::Learning, lent::Lent};
use crate::{
    around::{self, Outer},
    cost::Prices,
    guard::IdempotencyKey,
    handle::{Attach, Handle},
    policy::{InvalidPolicy, RetryPolicy, RetryPolicyBuilder},
    purse::{Limits, Purse},
    report::Report,
};

/// A policy as an attribute states it: built once, at the first call.
pub type StaticPolicy = LazyLock<Result<RetryPolicy, InvalidPolicy>>;

/// How long "for ever" is here: what can be added to any instant.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// One call of an annotated function: what its expansion drives. [`Lent`] by the thread that it begins on.
///
/// `begin` a round and `drive` the body in it, then `settle` what it gave: that ends the call or says how long to `wait` before the
/// next round.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing of the call")]
pub struct Call {
    pub(super) attempt: Attempt,
    pub(super) function: &'static str,
    invalid: Option<Box<InvalidPolicy>>,
    /// What models cost in it, if that was said.
    pub(super) prices: Option<Handle<Prices>>,
    /// What the calls in the body see of this one; while that runs, they have it.
    pub(super) inside: Option<Outer>,
    /// The call in whose body this one is, if it is in one.
    pub(super) outer: Option<Outer>,
    /// The body takes an attempt: it can be told what to do differently.
    pub(super) steerable: bool,
    pub(super) started: Instant,
    /// Made with the first attempt that is in it. Nobody else has it before it is out.
    pub(super) report: Option<Arc<Report>>,
    pub(super) observer: Option<Handle<dyn Observer>>,
    /// What learns from it.
    pub(super) learning: Option<Box<Learning>>,
    pub(super) stage: Stage,
    /// The attempt was refused by a guard: what follows has its number.
    pub(super) keeps_number: bool,
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
    static STUB: LazyLock<Attempt> = LazyLock::new(|| Attempt::none(Instant::now()));
    &STUB
}

/// A part of an idempotency key.
pub fn part<T: Serialize + ?Sized>(part: &T) -> &T {
    part
}

pub(super) fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration.min(FAR)).unwrap_or(start)
}

impl Call {
    /// A call of `function` under the policy of its attribute.
    pub fn of(policy: &'static StaticPolicy, function: &'static str, steerable: bool) -> Lent {
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
    ) -> Lent {
        let policy = match keys {
            None => Ok(policy.clone()),
            Some(keys) => keys(policy.to_builder()).build(),
        };
        match policy {
            Ok(policy) => Self::under(Policy::Own(policy), None, function, steerable),
            Err(invalid) => Self::invalid(invalid, function, steerable),
        }
    }

    fn invalid(invalid: InvalidPolicy, function: &'static str, steerable: bool) -> Lent {
        Self::under(Policy::of_nobody(), Some(Box::new(invalid)), function, steerable)
    }

    fn under(
        policy: Policy,
        invalid: Option<Box<InvalidPolicy>>,
        function: &'static str,
        steerable: bool,
    ) -> Lent {
        let started = Instant::now();
        let mut lent = Lent::new(started);
        let call: &mut Self = &mut lent;
        let own = after(started, policy.deadline());
        around::call(&mut call.outer, &mut call.attempt.guards.throttle);
        let outer = call.outer.as_ref();
        call.attempt.deadline = outer.map_or(own, |outer| outer.deadline.min(own));
        (call.attempt.policy, call.attempt.began, call.started) = (policy, started, started);
        (call.invalid, call.function, call.steerable) = (invalid, function, steerable);
        lent
    }

    /// That of no function: what was not lent before.
    pub(super) fn none(now: Instant) -> Self {
        Self {
            attempt: Attempt::none(now),
            function: "",
            invalid: None,
            prices: None,
            inside: None,
            outer: None,
            steerable: false,
            started: now,
            report: None,
            observer: None,
            learning: None,
            stage: Stage::New,
            keeps_number: false,
        }
    }

    /// As new, but for the room that it has.
    pub(super) fn clear(&mut self) {
        self.attempt.clear();
        // Without `..`, so that a new field is not forgotten here.
        let Self {
            attempt,
            function: _,
            invalid,
            prices,
            inside,
            outer,
            steerable: _,
            started: _,
            report,
            observer,
            learning,
            stage,
            keeps_number,
        } = self;
        *invalid = None;
        *prices = None;
        *outer = None;
        *report = None;
        *observer = None;
        *learning = None;
        *stage = Stage::New;
        *keeps_number = false;
        if let Some(inside) = inside {
            inside.link = None;
            // A purse that nobody else has is used again.
            if !inside.purse.as_ref().is_some_and(|purse| attempt.has_alone(purse)) {
                (inside.purse, attempt.purse) = (None, None);
            }
        }
    }

    /// Lets the call go on along `route`.
    pub fn route(&mut self, route: &(impl AsRoute + ?Sized)) {
        self.attempt.route = Some(route.route());
    }

    /// Has what is asked in the call cost what `prices` say.
    pub fn prices<By>(&mut self, prices: impl Attach<Prices, By>) {
        self.prices = Some(prices.handle());
    }

    /// Has the call's key made of `parts`.
    pub fn idempotency(&mut self, parts: &impl Serialize) {
        match IdempotencyKey::derived(parts, self.function) {
            Ok(key) => self.attempt.key = OnceLock::from(key),
            Err(error) => {
                let fault = || InvalidPolicy::of_key("idempotency", &error);
                self.invalid.get_or_insert_with(|| Box::new(fault()));
            }
        }
    }

    /// Says what the call may spend, with those inside it, and when all of them must be over.
    fn open_purse(&mut self) {
        let Self { attempt, prices, inside, outer, .. } = self;
        let around = outer.as_ref().and_then(|outer| outer.purse.as_ref());
        let (tokens, cost) = (attempt.policy.budget_tokens(), attempt.policy.budget_usd());
        let limits = Limits { tokens, cost, prices: prices.take() };
        let deadline = attempt.deadline;
        let inside = inside.get_or_insert(Outer { deadline, purse: None, link: None });
        inside.deadline = deadline;
        if limits.is_none() {
            attempt.purse = around.cloned();
            inside.purse = around.cloned();
            return;
        }
        // What there is was kept by the call before: nobody else has it.
        if around.is_none() && inside.purse.as_ref().is_some_and(|purse| purse.renew(&limits)) {
            return;
        }
        let opened = Arc::new(Purse::new(limits, around.map(|around| &**around)));
        attempt.purse = Some(Arc::clone(&opened));
        inside.purse = Some(opened);
    }

    /// Starts the next attempt, with a round of the body.
    pub fn begin(&mut self) -> Round<'_> {
        if self.attempt.route.as_ref().is_none_or(|route| route.endpoints().is_empty()) {
            let fault = || self.attempt.policy.fault_without_a_route().map(Box::new);
            self.invalid = self.invalid.take().or_else(fault);
        }
        // The first begins with the call.
        if self.attempt.number > 0 {
            self.attempt.began = Instant::now();
        }
        if !std::mem::take(&mut self.keeps_number) {
            self.attempt.number = self.attempt.number.saturating_add(1);
        }
        if matches!(self.stage, Stage::New) {
            self.open_purse();
        } else {
            let (means, state) = self.attempt.parts();
            state.begin_attempt(means);
        }
        self.stage = Stage::Running;
        self.attempt.spans.begin(self.function, self.attempt.number);
        let may_run = self.invalid.is_none();
        if may_run {
            self.tell_attempt();
        }
        Round::new(&self.attempt, &mut self.inside, may_run)
    }

    /// Waits before the next attempt. Nothing is held meanwhile.
    pub async fn wait(&mut self, wait: Wait) {
        if !wait.0.is_zero() {
            sleep(wait.0).await;
        }
    }

    /// What is wrong with the policy.
    pub(super) fn take_invalid(&mut self) -> Option<InvalidPolicy> {
        self.invalid.take().map(|invalid| *invalid)
    }
}
