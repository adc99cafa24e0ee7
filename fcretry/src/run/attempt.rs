use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{self, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Ask, Endpoint, Route,
    call::after,
    guards::{Guards, Means},
    spans::Spans,
    state::State,
};
use crate::{
    around::{self, Outer},
    cost::{Cost, Prices},
    error::Error,
    failure::{Failure, FailureKind, Violations},
    guard::IdempotencyKey,
    policy::RetryPolicy,
    purse::Purse,
};

/// What this run of the body is: its number, the model to use, what to feed back, the time left.
///
/// A function under [`retry_policy`](macro@crate::retry_policy) takes an `&Attempt`; callers do not pass it.
/// With the feature `openai` it asks the model: [`chat`](Self::chat). By hand, an ask begins with
/// [`model`](Self::model) or `messages` and ends with `accept`; one at a time, because nothing else tells two
/// of them apart.
pub struct Attempt {
    pub(super) number: u32,
    pub(super) policy: Policy,
    /// Where the call may go on, beside the policy's models.
    pub(super) route: Option<Route>,
    pub(super) guards: Guards,
    /// When this attempt began.
    pub(super) began: Instant,
    /// What the call does, made when it is first asked for unless it was derived.
    pub(super) key: OnceLock<IdempotencyKey>,
    /// When the call must be over.
    pub(super) deadline: Instant,
    /// What the call may spend, and what models cost in it, if one of them was said.
    pub(super) purse: Option<Arc<Purse>>,
    pub(super) spans: Spans,
    state: Mutex<State>,
}

/// The policy of a call: an attribute's lives as long as the program, any other is the call's own.
pub(super) enum Policy {
    Static(&'static RetryPolicy),
    Own(RetryPolicy),
}

static DEFAULT: LazyLock<RetryPolicy> = LazyLock::new(RetryPolicy::default);

impl Policy {
    /// The default one.
    pub(super) fn of_nobody() -> Self {
        Self::Static(&DEFAULT)
    }
}

impl Deref for Policy {
    type Target = RetryPolicy;

    fn deref(&self) -> &RetryPolicy {
        match self {
            Self::Static(policy) => policy,
            Self::Own(policy) => policy,
        }
    }
}

impl Attempt {
    /// That of no call.
    pub(super) fn none(now: Instant) -> Self {
        Self {
            number: 0,
            policy: Policy::of_nobody(),
            route: None,
            guards: Guards::default(),
            began: now,
            key: OnceLock::new(),
            deadline: now,
            purse: None,
            spans: Spans::default(),
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// As new, but for the purse, and for the room that it has.
    pub(super) fn clear(&mut self) {
        let (means, state) = self.parts();
        state.clear(means);
        // Without `..`, so that a new field is not forgotten here.
        let Self {
            number,
            policy,
            route,
            guards,
            began: _,
            key,
            deadline: _,
            purse: _,
            spans,
            state: _,
        } = self;
        if matches!(policy, Policy::Own(_)) {
            *policy = Policy::of_nobody();
        }
        *number = 0;
        *route = None;
        // Each by itself, as above: many at once are made somewhere else first.
        let Guards { breaker, retries, throttle } = guards;
        *breaker = None;
        *retries = None;
        *throttle = None;
        *key = OnceLock::new();
        *spans = Spans::default();
    }

    /// Whether this is the purse, and nobody else has it, or anything that is in it, but who asks.
    pub(super) fn has_alone(&self, purse: &Arc<Purse>) -> bool {
        let is_it = |own: &Arc<Purse>| {
            Arc::ptr_eq(own, purse) && Arc::strong_count(own) == 2 && own.is_own()
        };
        let has_it = self.purse.as_ref().is_some_and(is_it);
        // What others did with it was before.
        atomic::fence(Ordering::Acquire);
        has_it
    }

    /// What requests are made by.
    pub(super) fn means(&self) -> Means<'_> {
        Means {
            policy: &self.policy,
            route: self.route.as_ref(),
            guards: &self.guards,
            purse: self.purse.as_deref(),
        }
    }

    /// The same, and the state.
    pub(super) fn parts(&mut self) -> (Means<'_>, &mut State) {
        let means = Means {
            policy: &self.policy,
            route: self.route.as_ref(),
            guards: &self.guards,
            purse: self.purse.as_deref(),
        };
        (means, self.state.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something in the body, now if that is known. `outer` is what the calls in it see of this one.
    pub(super) fn inside<R>(
        &self,
        outer: &mut Option<Outer>,
        now: Option<Instant>,
        act: impl FnOnce() -> R,
    ) -> R {
        let _entered = self.spans.enter();
        around::inside(outer, now, act)
    }

    /// 1 for the first attempt, at most the policy's `max_attempts`.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether no other attempt can follow this one.
    pub fn is_last(&self) -> bool {
        self.number >= self.policy.max_attempts()
    }

    /// How long this attempt may still take; zero if its time is up.
    pub fn time_left(&self) -> Duration {
        self.ends().saturating_duration_since(Instant::now())
    }

    /// When this attempt must be over.
    pub(super) fn ends(&self) -> Instant {
        let ends = after(self.began, self.policy.timeout()).min(self.deadline);
        self.state().waits.put_off(ends, self.deadline)
    }

    /// How many tokens the call may still spend: those under way are spoken for. `None` if there is no limit, here or around
    /// it.
    pub fn tokens_left(&self) -> Option<u64> {
        self.purse.as_deref().and_then(Purse::tokens_left)
    }

    /// How many dollars the call may still spend: those that requests under way may cost are spoken for. `None` if there is no
    /// limit, here or around it.
    pub fn cost_left(&self) -> Option<Cost> {
        self.purse.as_deref().and_then(Purse::cost_left)
    }

    /// What models cost in this call.
    pub fn prices(&self) -> &Prices {
        self.means().prices()
    }

    /// The key of what this call does: the same in every attempt of it. Hand it to
    /// [`once`](crate::guard::Idempotency::once), or to a service that takes an `Idempotency-Key`, so that a side effect of the body
    /// happens once however many attempts there are.
    ///
    /// It is random, unless the attribute names arguments: `idempotency(customer, order)` makes it of their JSON, of the module and
    /// the function, so that the same call made again has the same key.
    ///
    /// ```
    /// use fcretry::{guard::{Idempotency, idempotency::TTL}, prelude::*};
    ///
    /// static PAYMENTS: Idempotency = Idempotency::new();
    ///
    /// # async fn charge(order: u64) -> fcretry::Result<u64> { Ok(order) }
    /// #[retry_policy(idempotency(order))]
    /// async fn pay(attempt: &Attempt, order: u64) -> fcretry::Result<u64> {
    ///     // .. ask the model, and act on what it says:
    ///     Ok(PAYMENTS.once(attempt.idempotency_key(), TTL, || charge(order)).await?)
    /// }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(pay(17).await.unwrap(), pay(17).await.unwrap());
    /// # });
    /// ```
    pub fn idempotency_key(&self) -> IdempotencyKey {
        *self.key.get_or_init(IdempotencyKey::random)
    }

    /// The key of the next request that is made by hand, for its header `Idempotency-Key`: the same when it is sent again as it was,
    /// another when it asks for something else. What [`chat`](Self::chat) sends has it.
    pub fn request_key(&self) -> IdempotencyKey {
        self.by_hand().request_key()
    }

    /// The policy of the call.
    pub fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// The model to ask in a request made by hand: `default`, or that of the fallback or endpoint that took its place.
    pub fn model(&self, default: &str) -> String {
        self.by_hand().model(default)
    }

    /// The endpoint of the [`Route`] to send a request made by hand to; `None` for the ask's own. Its
    /// [`client`](Endpoint::client) is of the type that it was made with.
    ///
    /// ```
    /// # use fcretry::prelude::*;
    /// # struct MyClient;
    /// # fn body(attempt: &Attempt, client: &MyClient) {
    /// let elsewhere = attempt.endpoint().and_then(|endpoint| endpoint.client::<MyClient>());
    /// let (client, model) = (elsewhere.unwrap_or(client), attempt.model("gpt-4o"));
    /// # let _ = (client, model); }
    /// ```
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.by_hand().endpoint()
    }

    #[cfg(feature = "openai")]
    pub(crate) fn has_a_route(&self) -> bool {
        self.route.is_some()
    }

    /// The token limit to ask for in a request made by hand: `own`, or the larger one after an answer was cut.
    pub fn token_limit(&self, own: Option<u32>) -> Option<u32> {
        self.by_hand().token_limit(own)
    }

    /// Whether a request made by hand must leave no room for prose: name the function, or constrain the format. Feeding
    /// back what was wrong did not help.
    pub fn is_constrained(&self) -> bool {
        self.by_hand().is_constrained()
    }

    /// Sets what takes the words of an answer to a request made by hand for a refusal, before it is accepted. Default:
    /// [`is_refusal`](crate::is_refusal). See `Chat::refusal_detector`.
    pub fn refusal_detector(&self, detector: fn(&str) -> bool) {
        self.by_hand().detect_refusals(detector);
    }

    /// The next ask, in order of creation: what an adapter makes one with.
    #[cfg(feature = "openai")]
    pub(crate) fn ask(&self) -> Ask<'_> {
        let mut state = self.state();
        let index = state.begin_ask();
        Ask { attempt: self, index }
    }

    /// The ask that is being made by hand; begins it if there is none.
    pub(crate) fn by_hand(&self) -> Ask<'_> {
        let index = self.state().by_hand();
        Ask { attempt: self, index }
    }

    /// Rejects what the last ask gave, after a check that a validation hook cannot make: one that needs a database, say.
    /// Return the error, and the violations are fed back as a hook's are.
    ///
    /// ```
    /// # use fcretry::prelude::*;
    /// # struct Order { customer: String }
    /// # async fn is_known(_: &str) -> bool { true }
    /// # async fn body(attempt: &Attempt, order: Order) -> fcretry::Result<Order> {
    /// if !is_known(&order.customer).await {
    ///     return Err(attempt.reject(Violation::new("/customer", "no customer has this name")));
    /// }
    /// # Ok(order) }
    /// ```
    pub fn reject(&self, violations: impl Into<Violations>) -> Error {
        let mut failure =
            Failure::new(FailureKind::SemanticValidation).with_violations(violations.into());
        let last = {
            let state = self.state();
            let last = state.spent.asks.checked_sub(1);
            last.and_then(|index| Some((index, state.asks.get(index)?.answer.clone())))
        };
        match last {
            Some((index, answer)) => {
                if let Some(answer) = answer {
                    failure = failure.with_answer(answer);
                }
                Ask { attempt: self, index }.fail(failure)
            }
            None => Error::new(failure, self.state().report()),
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("time_left", &self.time_left())
            .finish_non_exhaustive()
    }
}
