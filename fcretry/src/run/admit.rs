//! What a request needs before it is sent: the leave of the guards.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Ask, guards::Place, pass::Pass, sending::Sending, state::State, waits::Waiting};
use crate::{
    around,
    failure::{Failure, FailureKind},
    guard::{Asking, Estimate, Key, Open, OverBudget, Permit, Soon, Spent, throttle},
};

/// Which guard did not let a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByGuard {
    /// There are too many retries: it is not to be made again.
    RetryBudget,
    Other,
}

/// The guards are asked for their leave, in the order breaker, retry budget, budget, throttle. What was given is given back if one
/// of them refuses, or this is dropped.
#[must_use = "nobody is asked before it is awaited"]
pub(crate) struct Admission<'a> {
    ask: Ask<'a>,
    place: Place<'a>,
    /// What the last request of the ask at this place came to.
    before: Option<Failure>,
    estimate: Estimate,
    /// Only where one of them answers later: what is in it would be moved with every future around.
    waiting: Option<Box<Asked<'a>>>,
}

/// How far it is. What the guards gave so far is with the ask's request.
struct Asked<'a> {
    stage: Stage<'a>,
    /// Held for its end.
    _waiting: Waiting<'a>,
}

/// The guard that is to be asked, or whose answer is waited for.
enum Stage<'a> {
    Breaker(Option<Soon<'a, Result<Permit<'a>, Open>>>),
    Retries(Option<Soon<'a, Result<Asking<'a>, Spent>>>),
    Budget,
    Throttle(Option<Soon<'a, Result<throttle::Permit<'a>, throttle::Refused>>>),
    Over,
}

/// Why a request was not sent.
enum Refused {
    Open(Open),
    /// This is what it is not to be asked again after.
    NotAgain(Failure),
    OverBudget(OverBudget),
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
            Self::OverBudget(over) => Failure::new(FailureKind::BudgetExhausted)
                .with_note(over.to_string())
                .with_source(over),
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
        model: &str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Admission<'a> {
        let attempt = self.attempt;
        let key = Key::of((endpoint, model));
        let place = Place::new(&attempt.guards, self.endpoint(), key);
        let before = if place.retries().is_some() { self.before(key) } else { None };
        let is_wanted = attempt.tokens.is_some() || place.throttle().is_some();
        let estimate = if is_wanted { estimate() } else { Estimate::default() };
        Admission { ask: self, place, before, estimate, waiting: None }
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
                Stage::Breaker(said) => {
                    if let Some(breaker) = place.breaker() {
                        let said = said.get_or_insert_with(|| breaker.admit_at(key, around::now()));
                        match ready!(Pin::new(said).poll(context)) {
                            Ok(permit) => {
                                pass.breaker = Some((breaker.clone(), permit.into_ticket()));
                            }
                            Err(open) => return Poll::Ready(Err(Refused::Open(open))),
                        }
                    }
                    *stage = Stage::Retries(None);
                }
                Stage::Retries(said) => {
                    if let Some(retries) = place.retries() {
                        let after = self.before.as_ref().map(Failure::kind);
                        let said =
                            said.get_or_insert_with(|| retries.ask_at(key, after, around::now()));
                        match (ready!(Pin::new(said).poll(context)), self.before.take()) {
                            (Ok(asking), _) => {
                                pass.retries = Some((retries.clone(), asking.into_ticket()));
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
                    if let Some(budget) = &self.ask.attempt.tokens {
                        match budget.reserve(self.estimate) {
                            Ok(tokens) => pass.tokens = Some(tokens),
                            Err(over) => return Poll::Ready(Err(Refused::OverBudget(over))),
                        }
                    }
                    *stage = Stage::Throttle(None);
                }
                Stage::Throttle(said) => {
                    if let Some(limiter) = place.throttle() {
                        let (tokens, deadline) = (self.estimate.total(), self.ask.attempt.deadline);
                        let said = said.get_or_insert_with(|| {
                            limiter.reserve_at(key, tokens, deadline, around::now())
                        });
                        match ready!(Pin::new(said).poll(context)) {
                            Ok(permit) => {
                                let (key, ended) = permit.into_ended();
                                pass.throttle = Some((limiter.clone(), key, ended));
                            }
                            Err(refused) => return Poll::Ready(Err(Refused::Throttled(refused))),
                        }
                    }
                    *stage = Stage::Over;
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Asks on, and says what comes of it. The guards are asked while the attempt is locked: none of them knows of it.
    fn ask_on(
        &mut self,
        stage: &mut Stage<'a>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        let Ask { attempt, index } = self.ask;
        let mut locked = attempt.state();
        let kept: &mut State = &mut locked;
        let Some(out) = kept.request(index) else { return Poll::Pending };
        if matches!(stage, Stage::Breaker(None)) {
            // Of a request before it, whose answer nobody read.
            out.pass.clear();
            out.pass.estimate = self.estimate;
        }
        match ready!(self.poll_guards(stage, &mut out.pass, context)) {
            Ok(()) => {
                out.pass.sent();
                kept.goes_out(index, Some(self.place.key));
                if let Some(by_hand) = kept.by_hand.as_mut().filter(|ask| ask.index == index) {
                    by_hand.was_sent = true;
                }
                Poll::Ready(Ok(()))
            }
            Err(refused) => {
                out.pass.clear();
                kept.refused = Some(refused.by());
                Poll::Ready(Err(refused.into_failure()))
            }
        }
    }
}

/// A request that the guards let go, or the failure that they refused it with.
impl<'a> Future for Admission<'a> {
    type Output = Result<Sending<'a>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let ask = this.ask;
        if let Some(mut asked) = this.waiting.take() {
            let Poll::Ready(said) = this.ask_on(&mut asked.stage, context) else {
                this.waiting = Some(asked);
                return Poll::Pending;
            };
            return Poll::Ready(said.map(|()| Sending::new(ask)));
        }
        let mut stage = Stage::Breaker(None);
        if let Poll::Ready(said) = this.ask_on(&mut stage, context) {
            return Poll::Ready(said.map(|()| Sending::new(ask)));
        }
        // The time of the attempt stands still.
        let waiting = Waiting::begin(this.ask.attempt);
        this.waiting = Some(Box::new(Asked { stage, _waiting: waiting }));
        Poll::Pending
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(asked) = self.waiting.take() {
            // Who waits leaves the line before what was given is given back.
            drop(asked);
            if let Some(out) = self.ask.attempt.state().request(self.ask.index) {
                out.pass.clear();
            }
        }
    }
}
