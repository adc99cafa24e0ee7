use std::{any::type_name, fmt, ops::ControlFlow};

use super::{
    AsRoute, Attempt, Call, Observer, Route, guards::Guards, learning::Learning,
    settle::settle_with,
};
use crate::{
    adaptive::Adaptive,
    cost::Prices,
    error::Error,
    failure::Classify,
    handle::{Attach, Handle},
    policy::RetryPolicy,
};

/// One call without the attribute: a closure under a policy that is known at run time. It is the same engine.
///
/// ```
/// use fcretry::{RetryPolicy, Run, prelude::*};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let policy = RetryPolicy::builder().max_attempts(3).fallback("gpt-4o-mini").build()?;
/// let text = "of the caller";
/// let length = Run::new(&policy)
///     .run(async |attempt: &Attempt| -> fcretry::Result<usize> {
///         if attempt.number() < 3 {
///             return Err(FailureKind::TransientNetwork.into());
///         }
///         Ok(text.len())
///     })
///     .await;
/// assert_eq!(length.unwrap(), 13);
/// # Ok::<(), fcretry::InvalidPolicy>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// The attribute has none of these.
///
/// - The types of the attempt and of the result are written out: rustc infers neither.
/// - The future is not `Send` if the closure uses anything of the caller's by reference (rust-lang/rust#134997; rustc may say that
///   it "must outlive `'static`"), nor is then any future that awaits it. Let the closure own what it uses, `async move |attempt:
///   &Attempt| ..`, with an `Arc` around what is shared; or use the attribute, whose `policy(EXPR)` takes the same policy.
#[must_use = "nothing is asked before `run`"]
pub struct Run<D = NoDegrade> {
    policy: RetryPolicy,
    name: Option<&'static str>,
    route: Option<Route>,
    prices: Option<Handle<Prices>>,
    adaptive: Option<Handle<Adaptive>>,
    observer: Option<Handle<dyn Observer>>,
    guards: Guards,
    degrade: D,
}

impl Run {
    /// A call under `policy`.
    pub fn new(policy: &RetryPolicy) -> Self {
        let policy = policy.clone();
        Self {
            policy,
            name: None,
            route: None,
            prices: None,
            adaptive: None,
            observer: None,
            guards: Guards::default(),
            degrade: NoDegrade,
        }
    }
}

impl<D> Run<D> {
    /// What reports and observers call the function. Default: the path of the function that the closure is written in.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    pub(super) fn with_guards(mut self, change: impl FnOnce(&mut Guards)) -> Self {
        change(&mut self.guards);
        self
    }

    /// Lets the call go on along `route`, after the models of the policy.
    pub fn route(mut self, route: impl AsRoute) -> Self {
        self.route = Some(route.route());
        self
    }

    /// Has what is asked in the call cost what `prices` say, in the same ways as an [`observer`](Self::observer) is named. Default:
    /// those of the call around it, else [`Prices::builtin`].
    pub fn prices<By>(mut self, prices: impl Attach<Prices, By>) -> Self {
        self.prices = Some(prices.handle());
        self
    }

    /// Has decisions follow what `adaptive` learned, and it learn from them, in the same ways as an [`observer`](Self::observer) is
    /// named.
    pub fn adapt<By>(mut self, adaptive: impl Attach<Adaptive, By>) -> Self {
        self.adaptive = Some(adaptive.handle());
        self
    }

    /// Has `observer` told what happens, in place of one named before: a reference to a `static`, to a `LazyLock` that is one, or
    /// to an `Arc`.
    pub fn observer<By>(mut self, observer: impl Attach<dyn Observer, By>) -> Self {
        self.observer = Some(observer.handle());
        self
    }

    /// Gives what `degrade` makes of the error where the call would fail; the report says so (`degraded`). Not for a policy that
    /// contradicts itself.
    ///
    /// ```
    /// # use fcretry::{RetryPolicy, Run, prelude::*};
    /// fn nobody(error: &fcretry::Error) -> String {
    ///     format!("nobody ({})", error.kind())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let customer = Run::new(&RetryPolicy::default())
    ///     .degrade(nobody)
    ///     .run(async |_: &Attempt| -> fcretry::Result<String> { Err(FailureKind::Refusal.into()) })
    ///     .await;
    /// assert_eq!(customer.unwrap(), "nobody (refusal)");
    /// # });
    /// ```
    pub fn degrade<T, E, F: Fn(&E) -> T>(self, degrade: F) -> Run<OrElse<F>> {
        let Self { policy, name, route, prices, adaptive, observer, guards, degrade: _ } = self;
        Run { policy, name, route, prices, adaptive, observer, guards, degrade: OrElse(degrade) }
    }

    /// Makes the call: runs `body` once per attempt.
    ///
    /// # Errors
    ///
    /// The last failure, as under the attribute. [`InvalidPolicy`](crate::FailureKind::InvalidPolicy), before any request, if a rule
    /// of the policy goes on with another model and there is none, and no route.
    pub async fn run<T, E, F>(self, mut body: F) -> Result<T, E>
    where
        F: AsyncFnMut(&Attempt) -> Result<T, E>,
        E: Classify + From<Error>,
        D: Substitute<T, E>,
    {
        let Self { policy, name, route, prices, adaptive, observer, guards, degrade } = self;
        let name = name.unwrap_or_else(|| type_name::<F>().trim_end_matches("::{{closure}}"));
        let mut call = Call::with_policy(&policy, None, name, true);
        call.observer = observer;
        call.learning = adaptive.map(Learning::new).map(Box::new);
        call.prices = prices;
        call.attempt.guards.take(guards);
        if let Some(route) = route {
            call.route(&route);
        }
        loop {
            let wait = {
                let round = call.begin();
                let attempt = round.attempt();
                let driven = round.drive(body(attempt)).await;
                match settle_with(&mut call, driven, degrade.substitute()) {
                    ControlFlow::Break(result) => return result,
                    ControlFlow::Continue(wait) => wait,
                }
            };
            call.wait(wait).await;
        }
    }
}

impl<D> fmt::Debug for Run<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("policy", &self.policy)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A [`Run`] that fails with the last failure.
#[derive(Clone, Copy, Debug)]
pub struct NoDegrade;

/// A [`Run`] that gives another value instead of failing.
#[derive(Clone, Copy, Debug)]
pub struct OrElse<F>(F);

/// What a [`Run`] gives where it would fail.
#[diagnostic::on_unimplemented(
    message = "what `degrade` was given makes no `{T}` of a `{E}`",
    label = "`degrade` takes a function `fn(&{E}) -> {T}`"
)]
pub trait Substitute<T, E>: sealed::Sealed {
    #[doc(hidden)]
    fn substitute(&self) -> Option<impl FnOnce(&E) -> T>;
}

impl<T, E> Substitute<T, E> for NoDegrade {
    fn substitute(&self) -> Option<impl FnOnce(&E) -> T> {
        None::<fn(&E) -> T>
    }
}

impl<T, E, F: Fn(&E) -> T> Substitute<T, E> for OrElse<F> {
    fn substitute(&self) -> Option<impl FnOnce(&E) -> T> {
        Some(|error: &E| (self.0)(error))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::NoDegrade {}
    impl<F> Sealed for super::OrElse<F> {}
}
