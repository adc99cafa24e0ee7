//! What a request needs before it is sent: the leave of the guards.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Ask, guards::Place, pass::Pass, sending::Sending, waits::Waiting};
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

/// The guards are asked for their leave, in the order breaker, retry budget, budget, throttle. What was given is given back if one of them
/// refuses, or this is dropped.
pub(crate) struct Admission<'a> {
    ask: Ask<'a>,
    place: Place<'a>,
    /// What the last request of the ask at this place came to.
    before: Option<Failure>,
    pass: Pass,
    stage: Stage<'a>,
    waiting: Option<Waiting<'a>>,
}

enum Stage<'a> {
    Breaker(Option<Soon<'a, Result<Permit<'a>, Open>>>),
    Retries(Option<Soon<'a, Result<Asking<'a>, Spent>>>),
    Budget,
    Throttle(Option<Soon<'a, Result<throttle::Permit<'a>, throttle::Refused>>>),
    Over,
}

/// Why a request was not sent.
pub(super) enum Refused {
    Open(Open),
    /// This is what it is not to be asked again after.
    NotAgain(Failure),
    OverBudget(OverBudget),
    Throttled(throttle::Refused),
}

impl Refused {
    pub(super) fn into_failure(self) -> Failure {
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
        let pass = Pass::of(estimate);
        Admission { ask: self, place, before, pass, stage: Stage::Breaker(None), waiting: None }
    }

    /// Whether a guard is to be asked that counts endpoints apart.
    #[cfg(feature = "openai")]
    pub(crate) fn has_guards(self) -> bool {
        let of_endpoint = || self.endpoint().is_some_and(|endpoint| !endpoint.guards().is_empty());
        !self.attempt.guards.is_empty() || of_endpoint()
    }
}

impl Admission<'_> {
    /// What the guards say, once they do.
    fn poll_guards(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        loop {
            match &mut self.stage {
                Stage::Breaker(asked) => {
                    if let Some(breaker) = self.place.breaker() {
                        let soon = asked
                            .get_or_insert_with(|| breaker.admit_at(self.place.key, around::now()));
                        match ready!(Pin::new(soon).poll(context)) {
                            Ok(permit) => {
                                self.pass.breaker = Some((breaker.clone(), permit.into_ticket()));
                            }
                            Err(open) => return Poll::Ready(Err(Refused::Open(open))),
                        }
                    }
                    self.stage = Stage::Retries(None);
                }
                Stage::Retries(asked) => {
                    if let Some(retries) = self.place.retries() {
                        let after = self.before.as_ref().map(Failure::kind);
                        let soon = asked.get_or_insert_with(|| {
                            retries.ask_at(self.place.key, after, around::now())
                        });
                        match (ready!(Pin::new(soon).poll(context)), self.before.take()) {
                            (Ok(asking), _) => {
                                self.pass.retries = Some((retries.clone(), asking.into_ticket()));
                            }
                            (Err(_), Some(before)) => {
                                return Poll::Ready(Err(Refused::NotAgain(before)));
                            }
                            // A first ask is never refused; whoever does it all the same has no say.
                            (Err(_), None) => {}
                        }
                    }
                    self.stage = Stage::Budget;
                }
                Stage::Budget => {
                    if let Some(budget) = &self.ask.attempt.tokens {
                        match budget.reserve(self.pass.estimate) {
                            Ok(tokens) => self.pass.tokens = Some(tokens),
                            Err(over) => return Poll::Ready(Err(Refused::OverBudget(over))),
                        }
                    }
                    self.stage = Stage::Throttle(None);
                }
                Stage::Throttle(asked) => {
                    if let Some(limiter) = self.place.throttle() {
                        let (key, tokens) = (self.place.key, self.pass.estimate.total());
                        let deadline = self.ask.attempt.deadline;
                        let soon = asked.get_or_insert_with(|| {
                            limiter.reserve_at(key, tokens, deadline, around::now())
                        });
                        match ready!(Pin::new(soon).poll(context)) {
                            Ok(permit) => {
                                let (key, ended) = permit.into_ended();
                                self.pass.throttle = Some((limiter.clone(), key, ended));
                            }
                            Err(refused) => return Poll::Ready(Err(Refused::Throttled(refused))),
                        }
                    }
                    self.stage = Stage::Over;
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// A request that the guards let go, or the failure that they refused it with.
impl<'a> Future for Admission<'a> {
    type Output = Result<Sending<'a>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Poll::Ready(said) = this.poll_guards(context) else {
            // The time of the attempt stands still.
            this.waiting.get_or_insert_with(|| Waiting::begin(this.ask.attempt));
            return Poll::Pending;
        };
        this.waiting = None;
        Poll::Ready(match said {
            Ok(()) => {
                this.ask.let_go(this.place.key, mem::take(&mut this.pass));
                Ok(Sending::new(this.ask))
            }
            Err(refused) => {
                this.ask.attempt.state().refused = Some(match refused {
                    Refused::NotAgain(_) => ByGuard::RetryBudget,
                    Refused::Open(_) | Refused::OverBudget(_) | Refused::Throttled(_) => {
                        ByGuard::Other
                    }
                });
                Err(refused.into_failure())
            }
        })
    }
}
