//! What a request needs before it is sent: the leave of the guards.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    Ask,
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
pub(crate) struct Admission<'a> {
    ask: Ask<'a>,
    place: Place<'a>,
    /// Which candidate is asked.
    candidate: usize,
    /// What the last request of the ask at this place came to.
    before: Option<Failure>,
    estimate: Estimate,
    /// What the model costs, where there is a limit to that.
    priced: Option<Box<Priced>>,
    /// Only where one of them answers later: what is in it would be moved with every future around.
    waiting: Option<Box<Asked<'a>>>,
}

/// How far it is, and what the guards gave so far.
struct Asked<'a> {
    stage: Stage<'a>,
    pass: Pass,
    /// The time of the attempt stands still.
    waiting: Waiting<'a>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.pass.clear(self.waiting.attempt().means());
    }
}

/// The guard that is to be asked, or whose answer is waited for.
enum Stage<'a> {
    Breaker(Option<Later<'a, Result<Permit<'a>, Open>>>),
    Retries(Option<Later<'a, Result<Asking<'a>, Spent>>>),
    Budget,
    Throttle(Option<Later<'a, Result<throttle::Permit<'a>, throttle::Refused>>>),
    BreakerAgain(Option<Later<'a, Result<Permit<'a>, Open>>>),
    Over,
}

/// What a guard says: asked now, unless it is waited for.
fn poll_guard<'a, T: Send + 'a>(
    later: &mut Option<Later<'a, T>>,
    context: &mut Context<'_>,
    ask: impl FnOnce() -> Soon<'a, T>,
) -> Poll<T> {
    if let Some(later) = later {
        return later.as_mut().poll(context);
    }
    match ask().begin(context) {
        Ok(said) => Poll::Ready(said),
        Err(rest) => {
            *later = Some(rest);
            Poll::Pending
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
    pub(crate) fn admission(
        self,
        endpoint: u64,
        candidate: usize,
        model: &str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Admission<'a> {
        let place = self.attempt.means().place(Key::of((endpoint, model)), candidate);
        let purse = place.purse;
        let is_wanted = purse.is_some_and(Purse::is_limited) || place.throttle().is_some();
        let estimate = if is_wanted { estimate() } else { Estimate::default() };
        let priced = purse.and_then(|purse| purse.priced(model));
        Admission { ask: self, place, candidate, before: None, estimate, priced, waiting: None }
    }

    /// Whether a guard is to be asked that counts endpoints apart.
    #[cfg(feature = "openai")]
    pub(crate) fn has_guards(self) -> bool {
        let of_endpoint = || self.endpoint().is_some_and(|endpoint| !endpoint.guards().is_empty());
        !self.attempt.guards.is_empty() || of_endpoint()
    }
}

impl<'a> Admission<'a> {
    /// What the guards say, once they do.
    fn poll_guards(
        &mut self,
        stage: &mut Stage<'a>,
        pass: &mut Pass,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Refused>> {
        let place = self.place;
        let key = place.key;
        loop {
            match stage {
                Stage::Breaker(later) | Stage::BreakerAgain(later) => {
                    if let Some(breaker) = place.breaker() {
                        let ask = || breaker.admit_at(key, around::now());
                        match ready!(poll_guard(later, context, ask)) {
                            Ok(permit) => {
                                pass.breaker = Some(permit.into_ticket());
                            }
                            Err(open) => return Poll::Ready(Err(Refused::Open(open))),
                        }
                    }
                    *stage = match stage {
                        Stage::BreakerAgain(_) => Stage::Over,
                        _ => Stage::Retries(None),
                    };
                }
                Stage::Retries(later) => {
                    if let Some(retries) = place.retries() {
                        let after = self.before.as_ref().map(Failure::kind);
                        let ask = || retries.ask_at(key, after, around::now());
                        match (ready!(poll_guard(later, context, ask)), self.before.take()) {
                            (Ok(asking), _) => {
                                pass.retries = Some(asking.into_ticket());
                            }
                            (Err(_), Some(before)) => {
                                return Poll::Ready(Err(Refused::NotAgain(before)));
                            }
                            // A first ask is never refused; whoever does it all the same has no say.
                            (Err(_), None) => {}
                        }
                    }
                    *stage = Stage::Budget;
                }
                Stage::Budget => {
                    if let Some(purse) = place.purse {
                        match purse.reserve(self.estimate, self.priced.as_deref()) {
                            Ok(spending) => pass.spending = spending,
                            Err(over) => return Poll::Ready(Err(Refused::OverBudget(over))),
                        }
                    }
                    *stage = Stage::Throttle(None);
                }
                Stage::Throttle(later) => {
                    let has_waited = later.is_some();
                    if let Some(limiter) = place.throttle() {
                        let (tokens, deadline) = (self.estimate.total(), self.ask.attempt.deadline);
                        let ask = || limiter.reserve_at(key, tokens, deadline, around::now());
                        match ready!(poll_guard(later, context, ask)) {
                            Ok(permit) => {
                                pass.throttle = Some(Turn::of(permit));
                            }
                            Err(refused) => return Poll::Ready(Err(Refused::Throttled(refused))),
                        }
                    }
                    *stage = if has_waited {
                        // A probe that it may be is free for this one to take again.
                        pass.drop_breaker(place);
                        Stage::BreakerAgain(None)
                    } else {
                        Stage::Over
                    };
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Asks for the first time. What is given is put where it will stay, if nobody has to be waited for.
    fn ask_now(&mut self, context: &mut Context<'_>) -> Result<Refusable, Box<Asked<'a>>> {
        let Ask { attempt, index } = self.ask;
        // None of the guards knows of the attempt, so that it may be locked while they are asked.
        let mut locked = attempt.state();
        let kept: &mut State = &mut locked;
        let mut stage = Stage::Breaker(None);
        if self.place.retries().is_some() {
            self.before = kept.before(index, self.place.key);
        }
        let Some(out) = kept.request(index) else {
            return Ok(Ok(()));
        };
        // Of a request before it, whose answer nobody read.
        out.pass.clear(attempt.means());
        out.pass.begin(self.place.key, self.candidate, self.estimate);
        match self.poll_guards(&mut stage, &mut out.pass, context) {
            Poll::Ready(Ok(())) => {
                kept.let_go(index, self.place.key);
                Ok(Ok(()))
            }
            Poll::Ready(Err(refused)) => {
                out.pass.clear(attempt.means());
                kept.refused = Some(refused.by());
                Ok(Err(refused))
            }
            Poll::Pending => {
                let pass = mem::take(&mut out.pass);
                let waiting = Waiting::begin(attempt, &mut kept.waits);
                Err(Box::new(Asked { stage, pass, waiting }))
            }
        }
    }

    /// Asks on.
    fn ask_on(&mut self, asked: &mut Asked<'a>, context: &mut Context<'_>) -> Poll<Refusable> {
        let said = ready!(self.poll_guards(&mut asked.stage, &mut asked.pass, context));
        let Ask { attempt, index } = self.ask;
        let mut state = attempt.state();
        match &said {
            Ok(()) => {
                if let Some(out) = state.request(index) {
                    mem::swap(&mut out.pass, &mut asked.pass);
                }
                state.let_go(index, self.place.key);
            }
            Err(refused) => state.refused = Some(refused.by()),
        }
        Poll::Ready(said)
    }
}

type Refusable = Result<(), Refused>;

/// A request that the guards let go, or the failure that they refused it with.
impl<'a> Future for Admission<'a> {
    type Output = Result<Sending<'a>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let ask = this.ask;
        let said = match this.waiting.take() {
            Some(mut asked) => match this.ask_on(&mut asked, context) {
                Poll::Ready(said) => said,
                Poll::Pending => {
                    this.waiting = Some(asked);
                    return Poll::Pending;
                }
            },
            None => match this.ask_now(context) {
                Ok(said) => said,
                Err(asked) => {
                    this.waiting = Some(asked);
                    return Poll::Pending;
                }
            },
        };
        Poll::Ready(said.map(|()| Sending::new(ask)).map_err(Refused::into_failure))
    }
}
