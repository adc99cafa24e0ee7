//! Leave to send a request, and what is told to those who gave it.

use std::time::Duration;

use tokio::time::Instant;

use super::guards::{Means, Place};
#[cfg(feature = "openai")]
use crate::guard::throttle::ServerLimits;
use crate::{
    failure::{Failure, FailureKind},
    guard::{
        Asking, Breaker, Came, Estimate, Key, Permit, Receipt, Ticket,
        throttle::{self, Ended, Outcome, Used},
    },
    handle::Handle,
    purse::Spending,
    usage::Usage,
};

/// Leave to send one request: what every guard gave for it, to be settled with those [means](Means) that it was given by. Each part
/// is settled once; what is left when it is [cleared](Self::clear) is given back, as far as nothing was sent. It is kept between a
/// request and the reading of its answer.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) breaker: Option<Ticket>,
    pub(super) retries: Option<Ticket>,
    pub(super) spending: Spending,
    pub(super) throttle: Option<Turn>,
    /// What was reserved.
    pub(super) estimate: Estimate,
    /// What is to be sent, and which candidate is asked.
    at: Option<(Key, usize)>,
    is_sent: bool,
    /// About how many tokens of the answer came, if some did.
    came: Option<u64>,
}

impl Pass {
    /// The guards of the candidate are asked about a request, as of this key.
    pub(super) fn begin(&mut self, key: Key, candidate: usize, estimate: Estimate) {
        (self.at, self.estimate) = (Some((key, candidate)), estimate);
    }

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
    pub(super) fn limits(&self, means: Means<'_>, limits: &ServerLimits) {
        if let (Some(turn), Some(place)) = (&self.throttle, self.place(means))
            && let Some(limiter) = place.throttle()
        {
            limiter.limits(turn.key, limits);
        }
    }

    /// Whose leave it is.
    fn place<'a>(&self, means: Means<'a>) -> Option<Place<'a>> {
        let (key, candidate) = self.at?;
        Some(means.place(key, candidate))
    }

    /// An answer came, and perhaps its usage. What is left then is the breaker's: whether the answer is any good.
    pub(super) fn answered(&mut self, means: Means<'_>, usage: Option<Usage>, now: Instant) {
        let Some(place) = self.place(means) else { return };
        self.settle_retries(place, Came::Answer, now);
        self.settle_throttle(place, now, |ended| {
            ended.outcome = Outcome::Answered;
            if let Some(usage) = usage {
                ended.used = Used::Tokens(usage.total());
            }
        });
        match usage {
            Some(usage) => self.spend(place, usage),
            None => self.spend_what_came(place),
        }
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(
        &mut self,
        means: Means<'_>,
        failed: Option<FailureKind>,
        now: Instant,
    ) -> Option<Doubt> {
        let place = self.place(means)?;
        self.settle_breaker(place, failed, now)
    }

    /// There was no answer.
    pub(super) fn failed(&mut self, means: Means<'_>, failure: &Failure) -> Option<Doubt> {
        let (place, now) = (self.place(means)?, Instant::now());
        if failure.is_turned_down() {
            // It costs nothing: the estimate is given back.
            self.give_back(place);
        } else {
            self.spend_what_came(place);
        }
        self.settle_retries(place, Came::Nothing, now);
        self.settle_throttle(place, now, |ended| {
            ended.outcome = Outcome::Failed(failure.kind());
            ended.retry_after = failure.retry_after();
            if failure.is_turned_down() {
                ended.used = Used::Tokens(0);
            }
        });
        self.settle_breaker(place, Some(failure.kind()), now)
    }

    /// Nobody waited for the answer, because its time was up.
    pub(super) fn timed_out(&mut self, means: Means<'_>) {
        if let (true, Some(place)) = (self.is_sent, self.place(means)) {
            let now = Instant::now();
            self.settle_throttle(place, now, |ended| {
                ended.outcome = Outcome::Failed(FailureKind::Timeout);
            });
            self.settle_breaker(place, Some(FailureKind::Timeout), now);
        }
        self.clear(means);
    }

    /// Whether there is anything to settle.
    pub(super) const fn is_held(&self) -> bool {
        let Self { breaker, retries, spending, throttle, .. } = self;
        breaker.is_some() || retries.is_some() || spending.is_held() || throttle.is_some()
    }

    /// Gives back what is left, as far as nothing was sent; a pass that nobody has given anything for.
    pub(super) fn clear(&mut self, means: Means<'_>) {
        if let (true, Some(place)) = (self.is_held(), self.place(means)) {
            self.spend_what_came(place);
            self.give_back(place);
            if self.throttle.is_some() {
                self.settle_throttle(place, Instant::now(), |_| {});
            }
            if self.retries.is_some() {
                let came = if self.is_sent { Came::Nothing } else { Came::Unsent };
                self.settle_retries(place, came, Instant::now());
            }
            self.drop_breaker(place);
        }
        (self.at, self.is_sent, self.came) = (None, false, None);
    }

    fn settle_breaker(
        &mut self,
        place: Place<'_>,
        failed: Option<FailureKind>,
        now: Instant,
    ) -> Option<Doubt> {
        let (ticket, breaker) = (self.breaker.take()?, place.breaker()?);
        let receipt = Permit::new(&**breaker, ticket).settle(failed, now);
        receipt.map(|receipt| Doubt { breaker: breaker.clone(), receipt })
    }

    /// Gives back the breaker's part. What was never sent says nothing of the endpoint, however long it waited.
    pub(super) fn drop_breaker(&mut self, place: Place<'_>) {
        let (Some(ticket), Some(breaker)) = (self.breaker.take(), place.breaker()) else { return };
        let permit = Permit::new(&**breaker, ticket);
        if self.is_sent {
            drop(permit);
        } else {
            permit.ignore();
        }
    }

    fn settle_retries(&mut self, place: Place<'_>, came: Came, now: Instant) {
        if let (Some(ticket), Some(retries)) = (self.retries.take(), place.retries()) {
            Asking::new(&**retries, ticket).settle(came, now);
        }
    }

    /// Ends the throttle's part. What the request took is what came of its answer, or the estimate, unless `say` knows better.
    fn settle_throttle(&mut self, place: Place<'_>, now: Instant, say: impl FnOnce(&mut Ended)) {
        let (Some(turn), Some(limiter)) = (self.throttle.take(), place.throttle()) else { return };
        let Turn { key, granted, number, spot, first_token } = turn;
        let mut ended = Ended::unsent(self.estimate.total(), granted).numbered(number, spot);
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

    fn spend(&mut self, place: Place<'_>, usage: Usage) {
        if let Some(purse) = place.purse {
            self.spending.settle(purse, usage);
        }
    }

    fn give_back(&mut self, place: Place<'_>) {
        if let Some(purse) = place.purse {
            self.spending.give_back(purse);
        }
    }

    /// Spends what came of an answer, or the estimate: what it took is not known.
    fn spend_what_came(&mut self, place: Place<'_>) {
        match self.came {
            _ if !self.is_sent => {}
            Some(came) => self.spend(place, Usage::new(self.estimate.prompt_tokens, came)),
            None => self.spending.keep(),
        }
    }
}

/// The throttle's part. What it is told at the end is made then: calls that wait are many.
pub(super) struct Turn {
    /// As the limiter calls it.
    key: Key,
    granted: Instant,
    number: u64,
    spot: u64,
    first_token: Option<Duration>,
}

impl Turn {
    pub(super) fn of(permit: throttle::Permit<'_>) -> Self {
        let (key, Ended { granted, number, place, .. }) = permit.into_ended();
        Self { key, granted, number, spot: place, first_token: None }
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
