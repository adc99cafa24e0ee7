//! What a request needs before it is sent: the leave of the guards.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::Instant;

use super::{
    Ask, Endpoint,
    guards::Place,
    pass::{Pass, Turn},
    sending::Sending,
    state::State,
    waits::Waiting,
};
use crate::{
    around,
    failure::{Failure, FailureKind},
    guard::{Asking, Estimate, Key, Later, Open, Permit, Soon, Spent, throttle},
    purse::{Over, Priced, Purse},
};

/// Which guard did not let a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByGuard {
    /// There are too many retries: it is not to be made again.
    RetryBudget,
    Other,
}

/// The guards are asked for their leave, in the order breaker, retry budget, budget, throttle. Who had to wait for the throttle asks the
/// breaker again: what it said is old by then, and a line of calls would go on to an endpoint that went down meanwhile. What was given
/// is given back if one of them refuses, or this is dropped.
#[must_use = "nobody is asked before it is awaited"]
pub(crate) struct Admission<'a, 'm> {
    ask: Ask<'a>,
    model: &'m str,
    /// The number of the endpoint; `None` for a request made by hand, to whichever endpoint the ask is at.
    endpoint: Option<u64>,
    estimate: Estimate,
    /// Only where one of them answers later: what is in it would be moved with every future around.
    waiting: Option<Box<Waiter<'a>>>,
}

/// A request that waits, and what the guards gave so far.
struct Waiter<'a> {
    asked: Asked<'a>,
    stage: Stage<'a>,
    pass: Pass,
    /// The time of the attempt stands still.
    waiting: Waiting<'a>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.pass.clear(self.waiting.attempt().means());
    }
}

/// What the guards are asked.
struct Asked<'a> {
    place: Place<'a>,
    deadline: Instant,
    estimate: Estimate,
    /// What the last request of the ask at this place came to.
    before: Option<Failure>,
    /// What the model costs, where there is a limit to that.
    priced: Option<Box<Priced>>,
}

/// The guard whose answer is waited for.
enum Stage<'a> {
    Breaker(Later<'a, Result<Permit<'a>, Open>>),
    Retries(Later<'a, Result<Asking<'a>, Spent>>),
    Throttle(Later<'a, Result<throttle::Permit<'a>, throttle::Refused>>),
    BreakerAgain(Later<'a, Result<Permit<'a>, Open>>),
}

/// Why a request does not go out now.
enum Not<'a> {
    Refused(Refused),
    Yet(Stage<'a>),
}

impl<'a> Not<'a> {
    /// What a guard says, once it has to be waited for; else it is taken.
    #[inline]
    fn said<T: Send + 'a, E: Into<Refused> + Send + 'a>(
        soon: Soon<'a, Result<T, E>>,
        context: &mut Context<'_>,
        later: impl FnOnce(Later<'a, Result<T, E>>) -> Stage<'a>,
    ) -> Result<T, Self> {
        match soon.begin(context) {
            Ok(said) => said.map_err(|refused| Self::Refused(refused.into())),
            Err(rest) => Err(Self::Yet(later(rest))),
        }
    }
}

impl<'a> Asked<'a> {
    /// Asks the breaker, and then the others.
    #[inline]
    fn breaker(&mut self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        if let Some(breaker) = self.place.breaker() {
            let soon = breaker.admit_at(self.place.key, around::now());
            pass.breaker = Some(Not::said(soon, context, Stage::Breaker)?.into_ticket());
        }
        self.retries(pass, context)
    }

    #[inline]
    fn retries(&mut self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        if let Some(retries) = self.place.retries() {
            let after = self.before.as_ref().map(Failure::kind);
            match retries.ask_at(self.place.key, after, around::now()).begin(context) {
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
            let soon = limiter.reserve_at(key, tokens, self.deadline, around::now());
            pass.throttle = Some(Turn::of(Not::said(soon, context, Stage::Throttle)?));
        }
        Ok(())
    }

    /// Asks the breaker once more.
    fn breaker_again(&self, pass: &mut Pass, context: &mut Context<'_>) -> Result<(), Not<'a>> {
        // A probe that it may be is free for this one to take again.
        pass.drop_breaker(self.place);
        if let Some(breaker) = self.place.breaker() {
            let soon = breaker.admit_at(self.place.key, around::now());
            pass.breaker = Some(Not::said(soon, context, Stage::BreakerAgain)?.into_ticket());
        }
        Ok(())
    }
}

impl Waiter<'_> {
    /// Asks on, once who is waited for has said something.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let Self { asked, stage, pass, .. } = self;
        let said = match stage {
            Stage::Breaker(later) => match ready!(later.as_mut().poll(context)) {
                Ok(permit) => {
                    pass.breaker = Some(permit.into_ticket());
                    asked.retries(pass, context)
                }
                Err(open) => Err(Not::Refused(open.into())),
            },
            Stage::Retries(later) => {
                let said = ready!(later.as_mut().poll(context));
                asked.may_be_asked_again(said, pass).and_then(|()| asked.budget(pass, context))
            }
            Stage::Throttle(later) => match ready!(later.as_mut().poll(context)) {
                Ok(permit) => {
                    pass.throttle = Some(Turn::of(permit));
                    asked.breaker_again(pass, context)
                }
                Err(refused) => Err(Not::Refused(refused.into())),
            },
            Stage::BreakerAgain(later) => match ready!(later.as_mut().poll(context)) {
                Ok(permit) => {
                    pass.breaker = Some(permit.into_ticket());
                    Ok(())
                }
                Err(open) => Err(Not::Refused(open.into())),
            },
        };
        match said {
            Ok(()) => Poll::Ready(Ok(())),
            Err(Not::Refused(refused)) => Poll::Ready(Err(refused)),
            Err(Not::Yet(next)) => {
                *stage = next;
                Poll::Pending
            }
        }
    }
}

/// Why a request was not sent.
enum Refused {
    Open(Open),
    /// This is what it is not to be asked again after.
    NotAgain(Failure),
    OverBudget(Over),
    Throttled(throttle::Refused),
}

impl From<Open> for Refused {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

impl From<throttle::Refused> for Refused {
    fn from(refused: throttle::Refused) -> Self {
        Self::Throttled(refused)
    }
}

impl Refused {
    fn by(&self) -> ByGuard {
        match self {
            Self::NotAgain(_) => ByGuard::RetryBudget,
            Self::Open(_) | Self::OverBudget(_) | Self::Throttled(_) => ByGuard::Other,
        }
    }

    fn into_failure(self) -> Failure {
        match self {
            Self::Open(open) => Failure::new(FailureKind::CircuitOpen)
                .with_note(open.to_string())
                .with_retry_after(open.retry_in)
                .with_source(open),
            Self::NotAgain(failure) => failure,
            Self::OverBudget(over) => {
                let failure = Failure::new(FailureKind::BudgetExhausted);
                match over {
                    Over::Tokens(over) => failure.with_note(over.to_string()).with_source(over),
                    Over::Cost(over) => failure.with_note(over.to_string()).with_source(over),
                    Over::NoPrice(none) => failure.with_note(none.to_string()).with_source(none),
                }
            }
            // As if the server had said so: it is the same wait, without the request.
            Self::Throttled(refused) => Failure::new(FailureKind::RateLimit)
                .with_note(refused.to_string())
                .with_retry_after(refused.wait)
                .with_source(refused),
        }
    }
}

impl<'a> Ask<'a> {
    /// Asks the guards for their leave to ask `model` at the endpoint with this number. What the request will take is estimated
    /// only if one of them wants to know.
    #[cfg(feature = "openai")]
    pub(crate) fn admission<'m>(
        self,
        endpoint: u64,
        model: &'m str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Admission<'a, 'm> {
        let place = self.attempt.means().place(Key::of((endpoint, model)), self.candidate());
        let is_wanted = place.purse.is_some_and(Purse::is_limited) || place.throttle().is_some();
        let estimate = if is_wanted { estimate() } else { Estimate::default() };
        Admission { ask: self, model, endpoint: Some(endpoint), estimate, waiting: None }
    }

    /// The same for a request made by hand.
    pub(super) fn admission_by_hand<'m>(
        self,
        model: &'m str,
        estimate: Estimate,
    ) -> Admission<'a, 'm> {
        Admission { ask: self, model, endpoint: None, estimate, waiting: None }
    }

    /// Whether a guard is to be asked that counts endpoints apart.
    #[cfg(feature = "openai")]
    pub(crate) fn has_guards(self) -> bool {
        let of_endpoint = || self.endpoint().is_some_and(|endpoint| !endpoint.guards().is_empty());
        !self.attempt.guards.is_empty() || of_endpoint()
    }
}

impl<'a> Admission<'a, '_> {
    /// Asks for the first time. What is given is put where it will stay, if nobody has to be waited for.
    fn ask_now(&self, context: &mut Context<'_>) -> Result<Refusable, Box<Waiter<'a>>> {
        let Ask { attempt, index } = self.ask;
        let means = attempt.means();
        // None of the guards knows of the attempt, so that it may be locked while they are asked.
        let mut locked = attempt.state();
        let kept: &mut State = &mut locked;
        let candidate = kept.candidate(index);
        let endpoint = means.endpoint(candidate);
        let number = self.endpoint.unwrap_or_else(|| {
            kept.chooses(index, self.model);
            endpoint.map_or(0, Endpoint::number)
        });
        let mut asked = Asked {
            place: means.at(Key::of((number, self.model)), endpoint),
            deadline: attempt.deadline,
            estimate: self.estimate,
            before: None,
            priced: means.purse.and_then(|purse| purse.priced(self.model)),
        };
        let key = asked.place.key;
        if asked.place.retries().is_some() {
            asked.before = kept.before(index, key);
        }
        let Some(out) = kept.request(index) else { return Ok(Ok(())) };
        // Of a request before it, whose answer nobody read.
        out.pass.clear(means);
        out.pass.begin(key, candidate, self.estimate);
        match asked.breaker(&mut out.pass, context) {
            Ok(()) => {
                kept.let_go(index, key);
                Ok(Ok(()))
            }
            Err(Not::Refused(refused)) => {
                out.pass.clear(means);
                kept.refused = Some(refused.by());
                Ok(Err(refused))
            }
            Err(Not::Yet(stage)) => {
                let pass = mem::take(&mut out.pass);
                let waiting = Waiting::begin(attempt, &mut kept.waits);
                Err(Box::new(Waiter { asked, stage, pass, waiting }))
            }
        }
    }

    /// Asks on.
    fn ask_on(&self, waiter: &mut Waiter<'a>, context: &mut Context<'_>) -> Poll<Refusable> {
        let said = ready!(waiter.poll(context));
        let Ask { attempt, index } = self.ask;
        let mut state = attempt.state();
        match &said {
            Ok(()) => {
                if let Some(out) = state.request(index) {
                    mem::swap(&mut out.pass, &mut waiter.pass);
                }
                state.let_go(index, waiter.asked.place.key);
            }
            Err(refused) => state.refused = Some(refused.by()),
        }
        Poll::Ready(said)
    }
}

type Refusable = Result<(), Refused>;

/// A request that the guards let go, or the failure that they refused it with.
impl<'a> Future for Admission<'a, '_> {
    type Output = Result<Sending<'a>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let said = match this.waiting.take() {
            None => this.ask_now(context),
            Some(mut waiter) => match this.ask_on(&mut waiter, context) {
                Poll::Ready(said) => Ok(said),
                Poll::Pending => Err(waiter),
            },
        };
        match said {
            Ok(said) => {
                Poll::Ready(said.map(|()| Sending::new(this.ask)).map_err(Refused::into_failure))
            }
            Err(waiter) => {
                this.waiting = Some(waiter);
                Poll::Pending
            }
        }
    }
}
