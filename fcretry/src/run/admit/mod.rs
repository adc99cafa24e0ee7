//! What a request needs before it is sent: the leave of the guards.

mod asked;
mod refused;

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use asked::{Asked, Not, Stage};
use refused::Refused;

use super::{Ask, Attempt, Endpoint, pass::Pass, sending::Sending, state::State, waits::Waiting};
use crate::{
    around,
    failure::Failure,
    guard::{Estimate, Key},
    purse::{Priced, Purse},
};

/// Which guard did not let a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum ByGuard {
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
    key: Key,
    /// Which candidate is asked.
    candidate: usize,
    estimate: Estimate,
    /// What the model costs, where there is a limit to that.
    priced: Option<Box<Priced>>,
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

impl<'a> Waiter<'a> {
    #[cold]
    fn boxed(asked: Asked<'a>, stage: Stage<'a>, pass: Pass, waiting: Waiting<'a>) -> Box<Self> {
        Box::new(Self { asked, stage, pass, waiting })
    }
}

impl Waiter<'_> {
    /// Asks on, once who is waited for has said something.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Refusable> {
        match ready!(self.asked.on(&mut self.stage, &mut self.pass, context)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(Not::Refused(refused)) => Poll::Ready(Err(refused)),
            Err(Not::Yet(next)) => {
                self.stage = next;
                Poll::Pending
            }
        }
    }
}

#[cfg(feature = "openai")]
impl<'a> Ask<'a> {
    /// Asks the guards for their leave to ask `model` at the endpoint with this number. What the request will take is estimated
    /// only if one of them wants to know.
    pub(crate) fn admission(
        self,
        endpoint: u64,
        model: &str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Admission<'a> {
        Admission::new(self, (endpoint, self.candidate()), model, estimate)
    }

    /// Whether a guard is to be asked that counts endpoints apart.
    pub(crate) fn has_guards(self) -> bool {
        let of_endpoint = || self.endpoint().is_some_and(|endpoint| !endpoint.guards().is_empty());
        !self.attempt.guards.is_empty() || of_endpoint()
    }
}

impl Attempt {
    /// The same for a request made by hand, to whichever endpoint its ask is at.
    pub(in crate::run) fn admission_by_hand(
        &self,
        model: &str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Admission<'_> {
        let (index, candidate) = {
            let mut state = self.state();
            let index = state.by_hand();
            state.chooses(index, model);
            (index, state.candidate(index))
        };
        let endpoint = self.means().endpoint(candidate).map_or(0, Endpoint::number);
        Admission::new(Ask { attempt: self, index }, (endpoint, candidate), model, estimate)
    }
}

impl<'a> Admission<'a> {
    fn new(
        ask: Ask<'a>,
        (endpoint, candidate): (u64, usize),
        model: &str,
        estimate: impl FnOnce() -> Estimate,
    ) -> Self {
        let key = Key::of((endpoint, model));
        let place = ask.attempt.means().place(key, candidate);
        let is_wanted = place.purse.is_some_and(Purse::is_limited) || place.throttle().is_some();
        let estimate = if is_wanted { estimate() } else { Estimate::default() };
        let priced = place.purse.and_then(|purse| purse.priced(model));
        Self { ask, key, candidate, estimate, priced, waiting: None }
    }

    /// The ask that the request is of.
    pub(in crate::run) const fn ask(&self) -> Ask<'a> {
        self.ask
    }

    /// Asks for the first time. What is given is put where it will stay, if nobody has to be waited for.
    fn ask_now(&mut self, context: &mut Context<'_>) -> Result<Refusable, Box<Waiter<'a>>> {
        let Self { ask: Ask { attempt, index }, key, candidate, estimate, .. } = *self;
        let means = attempt.means();
        let mut asked = Asked {
            place: means.place(key, candidate),
            now: around::now(),
            deadline: attempt.deadline,
            estimate,
            before: None,
            priced: self.priced.take(),
        };
        // None of the guards knows of the attempt, so that it may be locked while they are asked.
        let mut locked = attempt.state();
        let kept: &mut State = &mut locked;
        if asked.place.retries().is_some() {
            asked.before = kept.before(index, key);
        }
        let Some(out) = kept.request(index) else { return Ok(Ok(())) };
        // Of a request before it, whose answer nobody read.
        out.pass.clear(means);
        out.pass.begin(key, candidate, estimate);
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
                Err(Waiter::boxed(asked, stage, pass, waiting))
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
impl<'a> Future for Admission<'a> {
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
