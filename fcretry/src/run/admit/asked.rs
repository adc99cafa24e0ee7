//! What the guards are asked, one after the other.

use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::{
    super::{
        guards::Place,
        pass::{Pass, Turn},
    },
    Refused,
};
use crate::{
    failure::Failure,
    guard::{Asking, Estimate, Later, Open, Permit, Soon, Spent, throttle},
    purse::Priced,
};

/// What the guards are asked.
pub(super) struct Asked<'a> {
    pub(super) place: Place<'a>,
    /// When they are asked.
    pub(super) now: Instant,
    pub(super) deadline: Instant,
    pub(super) estimate: Estimate,
    /// What the last request of the ask at this place came to.
    pub(super) before: Option<Failure>,
    /// What the model costs, where there is a limit to that.
    pub(super) priced: Option<Box<Priced>>,
}

/// The guard whose answer is waited for.
pub(super) enum Stage<'a> {
    Breaker(Later<'a, Result<Permit<'a>, Open>>),
    Retries(Later<'a, Result<Asking<'a>, Spent>>),
    Throttle(Later<'a, Result<throttle::Permit<'a>, throttle::Refused>>),
    BreakerAgain(Later<'a, Result<Permit<'a>, Open>>),
}

/// Why a request does not go out now.
pub(super) enum Not<'a> {
    Refused(Refused),
    Yet(Stage<'a>),
}

impl<'a> Not<'a> {
    /// What a guard gives, if it does not refuse.
    fn given<T>(said: Result<T, impl Into<Refused>>) -> Result<T, Self> {
        said.map_err(|refused| Self::Refused(refused.into()))
    }

    /// The same of a guard that may have to be waited for.
    #[inline]
    fn said<T: Send + 'a, E: Into<Refused> + Send + 'a>(
        soon: Soon<'a, Result<T, E>>,
        context: &mut Context<'_>,
        later: impl FnOnce(Later<'a, Result<T, E>>) -> Stage<'a>,
    ) -> Result<T, Self> {
        match soon.begin(context) {
            Ok(said) => Self::given(said),
            Err(rest) => Err(Self::Yet(later(rest))),
        }
    }
}

impl<'a> Asked<'a> {
    /// Asks the breaker, and then the others.
    #[inline]
    pub(super) fn breaker(
        &mut self,
        pass: &mut Pass,
        context: &mut Context<'_>,
    ) -> Result<(), Not<'a>> {
        self.admit(pass, context, Stage::Breaker)?;
        self.retries(pass, context)
    }

    /// Asks the breaker, which is at this stage if it has to be waited for.
    #[inline]
    fn admit(
        &self,
        pass: &mut Pass,
        context: &mut Context<'_>,
        later: fn(Later<'a, Result<Permit<'a>, Open>>) -> Stage<'a>,
    ) -> Result<(), Not<'a>> {
        if let Some(breaker) = self.place.breaker() {
            let soon = breaker.admit_at(self.place.key, self.now);
            pass.breaker = Some(Not::said(soon, context, later)?.into_ticket());
        }
        Ok(())
    }

    #[inline]
    fn retries(&mut self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        if let Some(retries) = self.place.retries() {
            let after = self.before.as_ref().map(Failure::kind);
            match retries.ask_at(self.place.key, after, self.now).begin(context) {
                Ok(said) => self.may_be_asked_again(said, pass)?,
                Err(later) => return Err(Not::Yet(Stage::Retries(later))),
            }
        }
        self.budget(pass, context)
    }

    fn may_be_asked_again(
        &mut self,
        said: Result<Asking<'a>, Spent>,
        pass: &mut Pass,
    ) -> Result<(), Not<'a>> {
        match (said, self.before.take()) {
            (Ok(asking), _) => pass.retries = Some(asking.into_ticket()),
            (Err(_), Some(before)) => return Err(Not::Refused(Refused::NotAgain(before))),
            // A first ask is never refused; whoever does it all the same has no say.
            (Err(_), None) => {}
        }
        Ok(())
    }

    #[inline]
    fn budget(&mut self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        if let Some(purse) = self.place.purse {
            let reserved = purse.reserve(self.estimate, self.priced.as_deref());
            pass.spending = reserved.map_err(|over| Not::Refused(Refused::OverBudget(over)))?;
        }
        self.throttle(pass, context)
    }

    #[inline]
    fn throttle(&mut self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        if let Some(limiter) = self.place.throttle() {
            let (key, tokens) = (self.place.key, self.estimate.total());
            let soon = limiter.reserve_at(key, tokens, self.deadline, self.now);
            pass.throttle = Some(Turn::of(Not::said(soon, context, Stage::Throttle)?));
        }
        Ok(())
    }

    /// Asks the breaker once more.
    fn breaker_again(&self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        // A probe that it may be is free for this one to take again.
        pass.drop_breaker(self.place);
        self.admit(pass, context, Stage::BreakerAgain)
    }

    /// Asks on, once who is waited for has said something.
    pub(super) fn on(
        &mut self,
        stage: &mut Stage<'a>,
        pass: &mut Pass,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Not<'a>>> {
        Poll::Ready(match stage {
            Stage::Breaker(later) => {
                let said = ready!(later.as_mut().poll(context));
                Not::given(said).and_then(|permit| {
                    pass.breaker = Some(permit.into_ticket());
                    self.later().retries(pass, context)
                })
            }
            Stage::Retries(later) => {
                let said = ready!(later.as_mut().poll(context));
                let may_be = self.may_be_asked_again(said, pass);
                may_be.and_then(|()| self.later().budget(pass, context))
            }
            Stage::Throttle(later) => {
                let said = ready!(later.as_mut().poll(context));
                Not::given(said).and_then(|permit| {
                    pass.throttle = Some(Turn::of(permit));
                    self.later().breaker_again(pass, context)
                })
            }
            Stage::BreakerAgain(later) => {
                let said = ready!(later.as_mut().poll(context));
                Not::given(said).map(|permit| pass.breaker = Some(permit.into_ticket()))
            }
        })
    }

    /// The others are asked after a wait.
    fn later(&mut self) -> &mut Self {
        self.now = Instant::now();
        self
    }
}
