//! Requests made by hand that need the leave of the guards.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{Ask, Attempt, admit::Admission, sending::Sending};
#[cfg(doc)]
use crate::FailureKind;
use crate::{error::Error, guard::Estimate, usage::Usage};

impl Attempt {
    /// Has the guards of the call, its budget among them, let a request go that is made by hand, with any client: `request` is
    /// sent once they do. They know it by `model` and by the [`endpoint`](Self::endpoint) of the route. `estimate` is about how
    /// many tokens it will take: a number, or an [`Estimate`](crate::guard::Estimate). What it took is settled when its answer is
    /// accepted, or by [`settle`](Self::settle); else the estimate is spent.
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
    /// That of the request; before it was sent, [`CircuitOpen`](FailureKind::CircuitOpen),
    /// [`BudgetExhausted`](FailureKind::BudgetExhausted), a [`RateLimit`](FailureKind::RateLimit) of the throttle, or, where the
    /// retry budget is used up, the failure before. Return it from the body, and the policy decides: a refusal uses no attempt.
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
        let admission = self.admission_by_hand(model, || estimate.into());
        Guarded { ask: admission.ask(), stage: Stage::Waiting(admission), request }
    }

    /// Says what the last request that went through [`guard`](Self::guard) took, where its answer is not accepted by one of the
    /// `accept` methods, which see for themselves. Counts once for each request.
    pub fn settle(&self, usage: Usage) {
        self.state().settled_by_hand(self.means(), usage);
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
    Waiting(Admission<'a>),
    Sent(Sending<'a>),
    Over,
}

impl<T, E, F> Future for Guarded<'_, F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Error>,
{
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Stage::Over = this.stage {
            // What was refused is not sent by whoever polls on.
            return Poll::Pending;
        }
        if let Stage::Waiting(admission) = this.stage {
            match ready!(Pin::new(admission).poll(context)) {
                Ok(sending) => {
                    *this.stage = Stage::Sent(sending);
                }
                Err(failure) => {
                    *this.stage = Stage::Over;
                    this.ask.close();
                    return Poll::Ready(Err(this.ask.fail(failure)));
                }
            }
        }
        let polled = this.request.poll(context);
        if polled.is_pending()
            && let Stage::Sent(sending) = this.stage
        {
            sending.waits();
        }
        let result = ready!(polled);
        let Stage::Sent(sending) = this.stage else { return Poll::Pending };
        let result = match result {
            Ok(answer) => {
                // Whoever accepts the answer settles it.
                sending.handed_out();
                Ok(answer)
            }
            Err(error) => Err(this.ask.failed_by_hand(error.into(), sending)),
        };
        *this.stage = Stage::Over;
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for Guarded<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

impl Ask<'_> {
    /// A request made by hand came to nothing.
    fn failed_by_hand(&self, error: Error, sending: &mut Sending<'_>) -> Error {
        self.close();
        let Some(failure) = error.failure().cloned() else { return error };
        if failure.is_turned_down() {
            self.turned_down();
        }
        sending.failed(&failure);
        let own = self.fail(failure);
        // An error of another call brings its report.
        if error.report().attempts.is_empty() { own } else { error }
    }
}
