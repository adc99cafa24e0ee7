//! Leave to send a request, and what is told to those who gave it.

use tokio::time::Instant;

use super::Handle;
use crate::{
    failure::{Failure, FailureKind},
    guard::{Asking, Breaker, Came, Permit, Receipt, Reservation, Retries, Ticket},
    usage::Usage,
};

/// Leave to send one request: what every guard gave for it. Each part is settled once; what is left when it is dropped is given
/// back, as far as nothing was sent. It is owned, so that it can be kept between a request and the reading of its answer.
#[derive(Default)]
#[must_use = "what the request took is settled with it"]
pub(super) struct Pass {
    pub(super) breaker: Option<(Handle<dyn Breaker>, Ticket)>,
    pub(super) retries: Option<(Handle<dyn Retries>, Ticket)>,
    pub(super) tokens: Option<Reservation>,
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

    /// An answer came, and perhaps its usage. What is left then is the breaker's: whether the answer is any good.
    pub(super) fn answered(&mut self, usage: Option<Usage>) {
        self.settle_retries(Came::Answer, Instant::now());
        if let Some((tokens, usage)) = self.tokens.take_if(|_| usage.is_some()).zip(usage) {
            tokens.settle(usage);
        }
        self.settle_tokens();
    }

    /// The answer was read, and found good or not.
    pub(super) fn judged(mut self, failed: Option<FailureKind>) -> Option<Doubt> {
        self.settle_breaker(failed, Instant::now())
    }

    /// There was no answer.
    pub(super) fn failed(mut self, failure: &Failure) -> Option<Doubt> {
        let now = Instant::now();
        if failure.is_turned_down() {
            // It costs nothing: the estimate is given back.
            self.tokens = None;
        }
        self.settle_retries(Came::Nothing, now);
        self.settle_breaker(Some(failure.kind()), now)
    }

    /// Nobody waited for the answer, because its time was up.
    pub(super) fn timed_out(mut self) {
        if self.is_sent {
            self.settle_breaker(Some(FailureKind::Timeout), Instant::now());
        }
    }

    fn settle_breaker(&mut self, failed: Option<FailureKind>, now: Instant) -> Option<Doubt> {
        let (breaker, ticket) = self.breaker.take()?;
        let receipt = Permit::new(&*breaker, ticket).settle(failed, now);
        receipt.map(|receipt| Doubt { breaker, receipt })
    }

    fn settle_retries(&mut self, came: Came, now: Instant) {
        if let Some((retries, ticket)) = self.retries.take() {
            Asking::new(&*retries, ticket).settle(came, now);
        }
    }

    /// Spends what came of an answer, or the estimate: what it took is not known.
    fn settle_tokens(&mut self) {
        let Some(tokens) = self.tokens.take_if(|_| self.is_sent) else { return };
        match self.came {
            Some(came) => {
                let prompt = tokens.estimate().prompt_tokens;
                tokens.settle(Usage::new(prompt, came));
            }
            None => tokens.keep(),
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.settle_tokens();
        if self.retries.is_some() {
            let came = if self.is_sent { Came::Nothing } else { Came::Unsent };
            self.settle_retries(came, Instant::now());
        }
        if let Some((breaker, ticket)) = self.breaker.take() {
            drop(Permit::new(&*breaker, ticket));
        }
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
