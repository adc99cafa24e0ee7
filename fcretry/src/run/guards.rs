//! The guards that a call or an endpoint has, and what an ask is known to them by.

use super::{Call, Endpoint, Route, Run};
use crate::{
    cost::Prices,
    guard::{Breaker, Key, Limiter, Retries},
    handle::{Attach, Handle, attach_as_dyn},
    policy::RetryPolicy,
    purse::{self, Purse},
};

attach_as_dyn!(Breaker);
attach_as_dyn!(Limiter);
attach_as_dyn!(Retries);

/// The guards that were attached. Budgets are the call's own.
#[derive(Clone, Debug, Default)]
pub(super) struct Guards {
    pub(super) breaker: Option<Handle<dyn Breaker>>,
    pub(super) retries: Option<Handle<dyn Retries>>,
    pub(super) throttle: Option<Handle<dyn Limiter>>,
}

impl Guards {
    /// Those that are named here replace the ones that were there.
    pub(super) fn take(&mut self, named: Self) {
        let Self { breaker, retries, throttle } = named;
        self.breaker = breaker.or(self.breaker.take());
        self.retries = retries.or(self.retries.take());
        self.throttle = throttle.or(self.throttle.take());
    }

    #[cfg(feature = "openai")]
    pub(super) const fn is_empty(&self) -> bool {
        let Self { breaker, retries, throttle } = self;
        breaker.is_none() && retries.is_none() && throttle.is_none()
    }
}

/// What a call asks by: the same in all of its attempts.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) policy: &'a RetryPolicy,
    pub(super) route: Option<&'a Route>,
    pub(super) guards: &'a Guards,
    pub(super) purse: Option<&'a Purse>,
}

impl<'a> Means<'a> {
    /// The endpoint of the route that this candidate is at; `None` for an ask's own.
    pub(super) fn endpoint(self, candidate: usize) -> Option<&'a Endpoint> {
        self.route?.at(candidate, self.policy)
    }

    /// Where a request goes that guards know by this key.
    pub(super) fn place(self, key: Key, candidate: usize) -> Place<'a> {
        self.at(key, self.endpoint(candidate))
    }

    /// The same, at this endpoint.
    pub(super) fn at(self, key: Key, endpoint: Option<&'a Endpoint>) -> Place<'a> {
        let endpoint = endpoint.map(Endpoint::guards);
        Place { key, own: self.guards, endpoint, purse: self.purse }
    }

    /// What models cost.
    pub(super) fn prices(self) -> &'a Prices {
        purse::prices(self.purse)
    }
}

/// Where an ask goes: what guards count apart, and those that are asked.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) key: Key,
    pub(super) purse: Option<&'a Purse>,
    own: &'a Guards,
    /// Those of the endpoint of the route come before the call's.
    endpoint: Option<&'a Guards>,
}

impl<'a> Place<'a> {
    fn guard<G: ?Sized>(
        self,
        of: fn(&'a Guards) -> Option<&'a Handle<G>>,
    ) -> Option<&'a Handle<G>> {
        self.endpoint.and_then(of).or_else(|| of(self.own))
    }

    pub(super) fn breaker(self) -> Option<&'a Handle<dyn Breaker>> {
        self.guard(|guards| guards.breaker.as_ref())
    }

    pub(super) fn retries(self) -> Option<&'a Handle<dyn Retries>> {
        self.guard(|guards| guards.retries.as_ref())
    }

    pub(super) fn throttle(self) -> Option<&'a Handle<dyn Limiter>> {
        self.guard(|guards| guards.throttle.as_ref())
    }
}

/// The methods that attach a guard, wherever they are.
macro_rules! attaching {
    ($(#[$of:meta])? $change:ident) => {
        /// Has `breaker` say whether an endpoint may be asked: a reference to a `static`, to a `LazyLock` that is one, or to an
        /// `Arc`. See [`CircuitBreaker`](crate::guard::CircuitBreaker).
        $(#[$of])?
        pub fn breaker<By>(self, breaker: impl Attach<dyn Breaker, By>) -> Self {
            let breaker = breaker.handle();
            self.$change(|guards| guards.breaker = Some(breaker))
        }

        /// Has `retries` say whether an endpoint may be asked again, in the same ways. See
        /// [`RetryBudget`](crate::guard::RetryBudget).
        $(#[$of])?
        pub fn retry_budget<By>(self, retries: impl Attach<dyn Retries, By>) -> Self {
            let retries = retries.handle();
            self.$change(|guards| guards.retries = Some(retries))
        }

        /// Has `throttle` say when an endpoint may be asked, in the same ways. See [`Throttle`](crate::guard::Throttle).
        $(#[$of])?
        pub fn throttle<By>(self, throttle: impl Attach<dyn Limiter, By>) -> Self {
            let throttle = throttle.handle();
            self.$change(|guards| guards.throttle = Some(throttle))
        }
    };
}

/// In place: a call is large, and moved by nobody.
impl Call {
    /// As [`Run::breaker`].
    pub fn breaker<By>(&mut self, breaker: impl Attach<dyn Breaker, By>) {
        self.attempt.guards.breaker = Some(breaker.handle());
    }

    /// As [`Run::retry_budget`].
    pub fn retry_budget<By>(&mut self, retries: impl Attach<dyn Retries, By>) {
        self.attempt.guards.retries = Some(retries.handle());
    }

    /// As [`Run::throttle`].
    pub fn throttle<By>(&mut self, throttle: impl Attach<dyn Limiter, By>) {
        self.attempt.guards.throttle = Some(throttle.handle());
    }
}

impl<D> Run<D> {
    attaching!(with_guards);
}

/// Guards of an endpoint come before those of the call that goes on there.
impl Endpoint {
    attaching!(
        #[must_use]
        with_guards
    );
}
