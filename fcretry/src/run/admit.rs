//! What a request needs before it is sent: the leave of the call's guards.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{Ask, Attempt, attempt::ByHand};
use crate::{
    error::Error,
    failure::{Failure, FailureKind},
    guard::{Estimate, Reservation, Soon},
    usage::Usage,
};

/// The leave to send one request. Dropped, what was estimated is spent: it was sent, and nobody knows what it took.
#[must_use = "what the request took is settled with it"]
pub(crate) struct Pass {
    tokens: Option<Reservation>,
    /// About how many tokens of the answer came, if some did.
    came: Option<u64>,
}

impl Pass {
    /// About so many tokens of an answer came, whole or not.
    #[cfg(feature = "openai")]
    pub(crate) fn came(&mut self, tokens: u64) {
        self.came = Some(tokens);
    }

    /// An answer came, and perhaps its usage.
    pub(crate) fn answered(mut self, usage: Option<Usage>) {
        if let Some((tokens, usage)) = self.tokens.take_if(|_| usage.is_some()).zip(usage) {
            tokens.settle(usage);
        }
    }

    /// There was no answer.
    pub(crate) fn failed(mut self, failure: &Failure) {
        if failure.is_turned_down() {
            // It costs nothing: the estimate is given back.
            self.tokens = None;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Some(tokens) = self.tokens.take() else { return };
        match self.came {
            Some(came) => {
                let prompt = tokens.estimate().prompt_tokens;
                tokens.settle(Usage::new(prompt, came));
            }
            None => tokens.keep(),
        }
    }
}

impl Attempt {
    /// The leave of the call's guards for a request, in the order breaker, budget, throttle. What it will take is estimated
    /// only if a guard asks.
    pub(crate) fn admit(
        &self,
        estimate: impl FnOnce() -> Estimate,
    ) -> Soon<'_, Result<Pass, Failure>> {
        let Some(budget) = &self.tokens else {
            return Soon::now(Ok(Pass { tokens: None, came: None }));
        };
        let reserved = budget.reserve(estimate());
        Soon::now(match reserved {
            Ok(tokens) => Ok(Pass { tokens: Some(tokens), came: None }),
            Err(over) => Err(Failure::new(FailureKind::BudgetExhausted)
                .with_note(over.to_string())
                .with_source(over)),
        })
    }

    /// Has the guards of the call, its budget among them, let a request go that is made by hand, with any client: `request` is
    /// sent if they do. `estimate` is about how many tokens it will take: a number, or an
    /// [`Estimate`](crate::guard::Estimate). What it took is settled when its answer is accepted, or by
    /// [`settle`](Self::settle); else the estimate is spent.
    ///
    /// ```
    /// # use async_openai::{Client, config::OpenAIConfig, types::chat::*};
    /// # use fcretry::prelude::*;
    /// # #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
    /// # struct City { name: String }
    /// #[retry_policy(budget(tokens = 20_000), fallback("gpt-4o-mini"))]
    /// async fn city(
    ///     attempt: &Attempt,
    ///     client: &Client<OpenAIConfig>,
    ///     base: &[ChatCompletionRequestMessage],
    ///     tools: &[ChatCompletionTools],
    /// ) -> fcretry::Result<City> {
    ///     let model = attempt.model("gpt-4o");
    ///     let request = CreateChatCompletionRequestArgs::default()
    ///         .model(&model)
    ///         .messages(attempt.messages(base))
    ///         .tools(tools)
    ///         .max_completion_tokens(500_u32)
    ///         .build()?;
    ///     let response = attempt.guard(&model, 800, client.chat().create(request)).await?;
    ///     attempt.accept(&response)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the request; before it was sent, [`BudgetExhausted`](FailureKind::BudgetExhausted). Return it from the body, and
    /// the policy decides: a refusal uses no attempt.
    pub fn guard<T, E, F>(
        &self,
        model: &str,
        estimate: impl Into<Estimate>,
        request: F,
    ) -> Guarded<'_, F>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<Error>,
    {
        let ask = self.by_hand();
        self.state().spent.model = Some(model.to_owned());
        Guarded { ask, stage: Stage::New(estimate.into()), request }
    }

    /// Says what the last request that went through [`guard`](Self::guard) took, where its answer is not accepted by one of the
    /// `accept` methods, which see for themselves. Counts once for each request.
    pub fn settle(&self, usage: Usage) {
        let mut state = self.state();
        if let Some(ByHand { pass: Some(pass), .. }) = state.by_hand.take_if(|ask| ask.was_sent()) {
            state.spent.usage += usage;
            state.spent.accounted = state.spent.accounted.saturating_add(1);
            pass.answered(Some(usage));
        }
    }
}

pin_project! {
    /// A request made by hand that is sent if the guards of the call let it go: see [`Attempt::guard`]. Written by hand, because
    /// an `async fn` would hold the request twice.
    #[must_use = "nothing is sent before it is awaited"]
    pub struct Guarded<'a, F> {
        ask: Ask<'a>,
        stage: Stage<'a>,
        #[pin]
        request: F,
    }
}

enum Stage<'a> {
    New(Estimate),
    Waiting(Soon<'a, Result<Pass, Failure>>),
    Sent,
}

impl<T, E, F> Future for Guarded<'_, F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Error>,
{
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let ask = &*this.ask;
        let attempt = ask.attempt;
        if let Stage::New(estimate) = *this.stage {
            *this.stage = Stage::Waiting(attempt.admit(|| estimate));
        }
        if let Stage::Waiting(admission) = this.stage {
            let pass = match ready!(Pin::new(admission).poll(context)) {
                Ok(pass) => pass,
                Err(failure) => {
                    ask.close();
                    return Poll::Ready(Err(ask.fail(failure)));
                }
            };
            *this.stage = Stage::Sent;
            ask.sent();
            // Kept with the ask: whoever accepts the answer settles it, also if this future is dropped.
            attempt.state().by_hand = Some(ByHand { index: ask.index, pass: Some(pass) });
        }
        let result = ready!(this.request.poll(context));
        Poll::Ready(match result {
            Ok(answer) => {
                ask.memory(|memory| memory.is_waiting = false);
                Ok(answer)
            }
            Err(error) => Err(ask.failed_by_hand(error.into())),
        })
    }
}

impl<F> fmt::Debug for Guarded<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

#[cfg(feature = "openai")]
impl<'a> Ask<'a> {
    /// The leave of the call's guards for a request.
    pub(crate) fn admit(
        &self,
        estimate: impl FnOnce() -> Estimate,
    ) -> Soon<'a, Result<Pass, Failure>> {
        self.attempt.admit(estimate)
    }
}

impl Ask<'_> {
    /// A request made by hand came to nothing.
    fn failed_by_hand(&self, error: Error) -> Error {
        let pass = self.close().and_then(|ask| ask.pass);
        let Some(failure) = error.failure().cloned() else { return error };
        if failure.is_turned_down() {
            self.turned_down();
        }
        if let Some(pass) = pass {
            pass.failed(&failure);
        }
        let own = self.fail(failure);
        // An error of another call brings its report.
        if error.report().attempts.is_empty() { own } else { error }
    }
}
