//! Leave to send a request, and what is told to those who gave it.

use std::time::Duration;

use tokio::time::Instant;

#[cfg(feature = "openai")]
use crate::guard::throttle::ServerLimits;
use crate::{
    failure::{Failure, FailureKind},
    guard::{
        Asking, Breaker, Came, Estimate, Key, Limiter, Permit, Receipt, Retries, Ticket,
        throttle::{self, Ended, Outcome, Used},
    },
    handle::Handle,
    purse::Spending,
    usage::Usage,
};

/// Leave to send one request: what every guard gave for it. Each part is settled once; what is left when it is dropped is given
/// back, as far as nothing was sent. It is owned, so that it can be kept between a request and the reading of its answer.
#[derive(Default)]
#[must_use = "what the request took is settled with it"]
pub(super) struct Pass {
    pub(super) breaker: Option<(Handle<dyn Breaker>, Ticket)>,
    pub(super) retries: Option<(Handle<dyn Retries>, Ticket)>,
    pub(super) spending: Spending,
    pub(super) throttle: Option<Turn>,
    /// What was reserved.
    pub(super) estimate: Estimate,
    is_sent: bool,
    /// About how many tokens of the answer came, if some did.
    came: Option<u64>,
}

impl Pass {
    /// The request goes out now.
    pub(super) fn sent(&mut self) {
        self.is_sent = true;
    }

    /// About so many tokens of an answer came, whole or not.
    #[cfg(feature = "openai")]
    pub(super) fn came(&mut self, tokens: u64) {
        self.came = Some(tokens);
    }

    /// The first token of a stream came, so long after the request was sent.
    #[cfg(feature = "openai")]
    pub(super) fn first_token(&mut self, after: Duration) {
        if let Some(turn) = &mut self.throttle {
            turn.first_token = Some(after);
        }
    }

    /// What the server says that it allows.
    #[cfg(feature = "openai")]
    pub(super) fn limits(&self, limits: &ServerLimits) {
        if let Some(turn) = &self.throttle {
            turn.limiter.limits(turn.key, limits);
        }
    }

    /// An answer came, and perhaps its usage. What is left then is the breaker's: whether the answer is any good.
    pub(super) fn answered(&mut self, usage: Option<Usage>, now: Instant) {
        self.settle_retries(Came::Answer, now);
        self.settle_throttle(now, |ended| {
            ended.outcome = Outcome::Answered;
            if let Some(usage) = usage {
                ended.used = Used::Tokens(usage.total());
            }
        });
        match usage {
            Some(usage) => self.spending.settle(usage),
            None => self.spend(),
        }
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(&mut self, failed: Option<FailureKind>, now: Instant) -> Option<Doubt> {
        self.settle_breaker(failed, now)
    }

    /// There was no answer.
    pub(super) fn failed(&mut self, failure: &Failure) -> Option<Doubt> {
        let now = Instant::now();
        if failure.is_turned_down() {
            // It costs nothing: the estimate is given back.
            self.spending.give_back();
        } else {
            self.spend();
        }
        self.settle_retries(Came::Nothing, now);
        self.settle_throttle(now, |ended| {
            ended.outcome = Outcome::Failed(failure.kind());
            ended.retry_after = failure.retry_after();
            if failure.is_turned_down() {
                ended.used = Used::Tokens(0);
            }
        });
        self.settle_breaker(Some(failure.kind()), now)
    }

    /// Nobody waited for the answer, because its time was up.
    pub(super) fn timed_out(&mut self) {
        if self.is_sent {
            let now = Instant::now();
            self.settle_throttle(now, |ended| {
                ended.outcome = Outcome::Failed(FailureKind::Timeout);
            });
            self.settle_breaker(Some(FailureKind::Timeout), now);
        }
        self.clear();
    }

    /// Whether there is anything to settle.
    pub(super) const fn is_held(&self) -> bool {
        let Self { breaker, retries, spending, throttle, .. } = self;
        breaker.is_some() || retries.is_some() || spending.is_held() || throttle.is_some()
    }

    /// Gives back what is left, as far as nothing was sent; a pass that nobody has given anything for.
    pub(super) fn clear(&mut self) {
        if self.is_held() {
            self.spend();
            self.spending.give_back();
            if self.throttle.is_some() {
                self.settle_throttle(Instant::now(), |_| {});
            }
            if self.retries.is_some() {
                let came = if self.is_sent { Came::Nothing } else { Came::Unsent };
                self.settle_retries(came, Instant::now());
            }
            self.drop_breaker();
        }
        (self.is_sent, self.came) = (false, None);
    }

    fn settle_breaker(&mut self, failed: Option<FailureKind>, now: Instant) -> Option<Doubt> {
        let (breaker, ticket) = self.breaker.take()?;
        let receipt = Permit::new(&*breaker, ticket).settle(failed, now);
        receipt.map(|receipt| Doubt { breaker, receipt })
    }

    /// Gives back the breaker's part. What was never sent says nothing of the endpoint, however long it waited.
    pub(super) fn drop_breaker(&mut self) {
        let Some((breaker, ticket)) = self.breaker.take() else { return };
        let permit = Permit::new(&*breaker, ticket);
        if self.is_sent {
            drop(permit);
        } else {
            permit.ignore();
        }
    }

    fn settle_retries(&mut self, came: Came, now: Instant) {
        if let Some((retries, ticket)) = self.retries.take() {
            Asking::new(&*retries, ticket).settle(came, now);
        }
    }

    /// Ends the throttle's part. What the request took is what came of its answer, or the estimate, unless `say` knows better.
    fn settle_throttle(&mut self, now: Instant, say: impl FnOnce(&mut Ended)) {
        let Some(Turn { limiter, key, granted, number, place, first_token }) = self.throttle.take()
        else {
            return;
        };
        let mut ended = Ended::unsent(self.estimate.total(), granted).numbered(number, place);
        (ended.at, ended.first_token) = (Some(now), first_token);
        if self.is_sent {
            ended.used = match self.came {
                Some(came) => Used::Tokens(self.estimate.prompt_tokens.saturating_add(came)),
                None => Used::Unknown,
            };
            say(&mut ended);
        }
        limiter.ended(key, &ended);
    }

    /// Spends what came of an answer, or the estimate: what it took is not known.
    fn spend(&mut self) {
        match self.came {
            _ if !self.is_sent => {}
            Some(came) => self.spending.settle(Usage::new(self.estimate.prompt_tokens, came)),
            None => self.spending.keep(),
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The throttle's part. What it is told at the end is made then: calls that wait are many.
pub(super) struct Turn {
    limiter: Handle<dyn Limiter>,
    key: Key,
    granted: Instant,
    number: u64,
    place: u64,
    first_token: Option<Duration>,
}

impl Turn {
    pub(super) fn of(limiter: Handle<dyn Limiter>, permit: throttle::Permit<'_>) -> Self {
        let (key, Ended { granted, number, place, .. }) = permit.into_ended();
        Self { limiter, key, granted, number, place, first_token: None }
    }
}

/// A bad answer, which counts with the breaker once the call has used up its repairs.
pub(super) struct Doubt {
    breaker: Handle<dyn Breaker>,
    receipt: Receipt,
}

impl Doubt {
    /// The call has.
    pub(super) fn confirmed(self) {
        self.breaker.exhausted(self.receipt, Instant::now());
    }
}
