//! What adapters that stream need of an ask.

use std::time::Duration;

use tokio::time::Instant;

use super::{Ask, memory::Part};
use crate::{answer::Form, parse::Recovery, policy::RetryPolicy};

impl Ask<'_> {
    /// A stream came, whole or not: when its first token did, about how many there were, and the content of one that broke
    /// off.
    pub(crate) fn streamed(&self, first_token: Option<Duration>, tokens: u64, part: Option<Part>) {
        self.memory(|memory| match (part, memory.past_if_any()) {
            (None, None) => {}
            (part, _) => memory.past_mut().part = part,
        });
        let mut state = self.attempt.state();
        state.spent.first_token = first_token;
        let known = state.spent.streamed_tokens.unwrap_or_default();
        state.spent.streamed_tokens = Some(known.saturating_add(tokens));
    }

    /// The content that came before a stream broke off, if it is to be gone on with, and the request is the one that it
    /// answers. White space at its end is left out: templates do that, too, and then it would come twice.
    pub(crate) fn part(&self, asked: u64) -> Option<String> {
        self.memory(|memory| {
            let part = memory.past_if_any()?.part.take().filter(|part| part.asked == asked)?;
            let text = part.text.trim_end();
            (memory.offer.form == Form::Content && !text.is_empty()).then(|| text.to_owned())
        })
    }

    /// When the attempt must be over.
    pub(crate) fn ends(&self) -> Instant {
        self.attempt.ends()
    }

    /// The policy of the call.
    pub(crate) fn policy(&self) -> &RetryPolicy {
        &self.attempt.policy
    }

    /// How far reading goes, for tools that do not say so themselves.
    pub(crate) fn recovery(&self) -> Recovery {
        self.attempt.policy.recovery()
    }
}
