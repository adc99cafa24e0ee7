use async_openai::types::chat::{ChatCompletionRequestMessage, CreateChatCompletionResponse};

use crate::{
    answer::Answer,
    error::Error,
    run::Attempt,
    tool::{ToolCall, ToolSet},
};

impl Attempt {
    /// The messages of a request made by hand: `base`, then the bad answers of earlier attempts and what was wrong with
    /// them.
    ///
    /// ```
    /// use async_openai::{Client, config::OpenAIConfig, types::chat::*};
    /// use fcretry::prelude::*;
    /// # #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
    /// # struct City { name: String }
    ///
    /// #[retry_policy]
    /// async fn city(
    ///     attempt: &Attempt,
    ///     client: &Client<OpenAIConfig>,
    ///     base: &[ChatCompletionRequestMessage],
    ///     tools: &[ChatCompletionTools],
    /// ) -> fcretry::Result<City> {
    ///     let request = CreateChatCompletionRequestArgs::default()
    ///         .model(attempt.model("gpt-4o"))
    ///         .messages(attempt.messages(base))
    ///         .tools(tools)
    ///         .build()?;
    ///     let response = client.chat().create(request).await?;
    ///     attempt.accept(&response)
    /// }
    /// ```
    pub fn messages(
        &self,
        base: impl Into<Vec<ChatCompletionRequestMessage>>,
    ) -> Vec<ChatCompletionRequestMessage> {
        let mut messages = base.into();
        messages.extend(self.turns().into_iter().map(Into::into));
        self.by_hand().captures(&messages);
        messages
    }

    /// Reads the one call of a tool of `S` in the answer to a request made by hand. Ends the ask that
    /// [`model`](Self::model) or [`messages`](Self::messages) began.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the answer; it is fed back in the next attempt.
    pub fn accept<S: ToolSet>(&self, response: &CreateChatCompletionResponse) -> Result<S, Error> {
        self.by_hand().named(&response.id, &response.model);
        self.accept_answer(Answer::from(response))
    }

    /// Reads every call of a tool of `S` in the answer to a request made by hand, in order. If some are bad, the others are
    /// kept, and what is fed back asks for the bad ones alone; the calls of the next answer are put into their places.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with any of the calls; it is fed back in the next attempt.
    pub fn accept_all<S: ToolSet>(
        &self,
        response: &CreateChatCompletionResponse,
    ) -> Result<Vec<S>, Error> {
        self.by_hand().named(&response.id, &response.model);
        self.accept_all_of_answer(Answer::from(response))
    }

    /// Reads a `T` out of the JSON content of the answer to a request made by hand.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the answer; it is fed back in the next attempt.
    pub fn accept_content<T: ToolCall>(
        &self,
        response: &CreateChatCompletionResponse,
    ) -> Result<T, Error> {
        self.by_hand().named(&response.id, &response.model);
        self.accept_content_of(Answer::from(response))
    }
}
