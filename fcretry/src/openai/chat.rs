use std::sync::Arc;

use async_openai::{
    Client,
    config::Config,
    types::chat::{
        ChatCompletionNamedToolChoice, ChatCompletionRequestMessage,
        ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
        ChatCompletionToolChoiceOption, CreateChatCompletionRequest, FunctionName,
        ToolChoiceOptions,
    },
};

use super::{classify, convert, exchange::Exchange, quirks::Quirks, transport};
use crate::{
    answer::Answer,
    error::Error,
    failure::{Failure, FailureKind},
    feedback::Form,
    run::{Ask, Attempt},
    tool::{ToolCall, ToolSet},
};

/// How often one ask is written anew for a server that objects to a parameter.
const MAX_OBJECTIONS: u32 = 3;

impl Attempt {
    /// Asks `model` through `client`. A fallback replaces the model; the bad answers of earlier attempts and what was
    /// wrong with them follow the messages.
    ///
    /// ```
    /// use async_openai::{Client, config::OpenAIConfig};
    /// use fcretry::prelude::*;
    ///
    /// /// Record a city.
    /// #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
    /// struct City { name: String }
    ///
    /// #[retry_policy(max_attempts = 3)]
    /// async fn city(
    ///     attempt: &Attempt,
    ///     client: &Client<OpenAIConfig>,
    ///     text: &str,
    /// ) -> fcretry::Result<City> {
    ///     attempt.chat(client, "gpt-4o-mini").system("Record the city.").user(text).call().await
    /// }
    /// ```
    pub fn chat<'a, C: Config>(&'a self, client: &'a Client<C>, model: &str) -> Chat<'a> {
        let ask = self.ask();
        let request = CreateChatCompletionRequest { model: ask.model(model), ..Default::default() };
        Chat { ask, client, request: Box::new(request) }
    }
}

/// One request to a model, being made. Made by [`Attempt::chat`]; sent by [`call`](Self::call) or
/// [`extract`](Self::extract).
#[must_use = "a request is sent by `.call()` or `.extract()`"]
pub struct Chat<'a> {
    ask: Ask<'a>,
    client: &'a dyn Exchange,
    /// Large, and moved through every layer of futures above.
    request: Box<CreateChatCompletionRequest>,
}

impl std::fmt::Debug for Chat<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").field("model", &self.request.model).finish_non_exhaustive()
    }
}

impl Chat<'_> {
    /// Adds a system message.
    pub fn system(self, text: impl Into<String>) -> Self {
        self.message(ChatCompletionRequestSystemMessage::from(text.into()))
    }

    /// Adds a user message.
    pub fn user(self, text: impl Into<String>) -> Self {
        self.message(ChatCompletionRequestUserMessage::from(text.into()))
    }

    /// Adds any message.
    pub fn message(mut self, message: impl Into<ChatCompletionRequestMessage>) -> Self {
        self.request.messages.push(message.into());
        self
    }

    /// Sets the sampling temperature, 0 to 2. Default: the provider's.
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.request.temperature = Some(temperature);
        self
    }

    /// Sets the most tokens of the answer, reasoning included. A cut answer is asked for again with more, as the
    /// policy's rule for `truncated` says. Default: the provider's.
    pub fn max_completion_tokens(mut self, tokens: u32) -> Self {
        self.request.max_completion_tokens = Some(tokens);
        self
    }

    /// Sets which tool must be called. Default: a call is required.
    pub fn tool_choice(mut self, choice: ChatCompletionToolChoiceOption) -> Self {
        self.request.tool_choice = Some(choice);
        self
    }

    /// Changes anything else about the request. Its model, tools, response format and `n` are set when it is sent.
    pub fn with(mut self, change: impl FnOnce(&mut CreateChatCompletionRequest)) -> Self {
        let model = self.request.model.clone();
        change(&mut self.request);
        self.request.model = model;
        self
    }

    /// Sends the request with the tools of `S`, and reads the one call of one of them.
    ///
    /// # Errors
    ///
    /// Whatever failed, as its [kind](Error::kind). Return it from the body, and the policy decides.
    pub async fn call<S: ToolSet>(mut self) -> Result<S, Error> {
        let required = self.offer_tools::<S>()?;
        let (ask, answer) = self.send().await?;
        ask.judge_call(required, &answer)
    }

    /// Sends the request with the tools of `S`, and reads every call that the model makes, in its order; one at
    /// least. If one of them is bad, the failure is of it, and the model is told of each what is wrong.
    ///
    /// # Errors
    ///
    /// Whatever failed, as its [kind](Error::kind). Return it from the body, and the policy decides.
    pub async fn call_all<S: ToolSet>(mut self) -> Result<Vec<S>, Error> {
        let required = self.offer_tools::<S>()?;
        let (ask, answer) = self.send().await?;
        ask.judge_calls(required, &answer)
    }

    /// Sends the request for JSON content of `T`'s schema, without a tool, and reads it.
    ///
    /// # Errors
    ///
    /// Whatever failed, as its [kind](Error::kind). Return it from the body, and the policy decides.
    pub async fn extract<T: ToolCall>(mut self) -> Result<T, Error> {
        let specs = self.ask.specs::<T>()?;
        self.ask.offer(Form::Content, &specs);
        self.request.tools = None;
        self.request.tool_choice = None;
        let constrained = self.ask.is_constrained();
        self.request.response_format =
            specs.first().map(|spec| convert::json_schema(spec, constrained));
        let (ask, answer) = self.send().await?;
        ask.judge_content(&answer)
    }

    /// Puts the tools into the request; whether the model must call one of them.
    fn offer_tools<S: ToolSet>(&mut self) -> Result<bool, Error> {
        let specs = self.ask.specs::<S>()?;
        self.ask.offer(Form::Call, &specs);
        let constrained = self.ask.is_constrained();
        let tools = specs.iter().map(|spec| convert::tool(spec, constrained));
        self.request.tools = Some(tools.collect());
        self.request.response_format = None;
        // Of several tools none can be named for the model.
        if let ([spec], true) = (specs.as_slice(), constrained) {
            self.request.tool_choice =
                Some(ChatCompletionToolChoiceOption::Function(ChatCompletionNamedToolChoice {
                    function: FunctionName { name: spec.name().to_owned() },
                }));
        }
        self.request
            .tool_choice
            .get_or_insert(ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Required));
        Ok(Quirks::requires_a_call(&self.request))
    }
}

impl<'a> Chat<'a> {
    /// Sends the request; once more for each parameter that the endpoint turns out not to take.
    async fn send(mut self) -> Result<(Ask<'a>, Arc<Answer>), Error> {
        let Self { ask, client, request } = &mut self;
        request.n = None;
        request.messages.extend(ask.feedback().into_iter().map(Into::into));
        // One name for the limit; the endpoint's own is written at the end.
        #[allow(deprecated, reason = "what `with` may have set")]
        let own = request.max_completion_tokens.or(request.max_tokens.take());
        request.max_completion_tokens = ask.token_limit(own);
        let raised = request.max_completion_tokens > own;
        let base_url = client.api_base();
        let known = Quirks::of(base_url);
        let mut quirks = known;
        // Each objection changes one of a few parameters; a server that goes on objecting is not asked for ever.
        let mut objections = 0;
        let answer = loop {
            let mut written = request.clone();
            quirks.apply(&mut written);
            ask.sent();
            let exchange = client.create(CreateChatCompletionRequest::clone(&written));
            let (result, seen) = transport::observe(exchange).await;
            let failure = match result {
                Ok(response) => {
                    let answer = Arc::new(Answer::from(&response));
                    ask.answered(&answer, seen.request_id);
                    if quirks != known {
                        quirks.remember(base_url);
                    }
                    break answer;
                }
                Err(error) => classify::failure(error),
            };
            if failure.is_turned_down() {
                ask.turned_down();
            }
            objections += 1;
            match quirks.after(&written, &failure) {
                Some(changed) if objections <= MAX_OBJECTIONS => quirks = changed,
                _ => return Err(ask.fail(too_large(failure, raised))),
            }
        };
        Ok((self.ask, answer))
    }
}

/// A limit that we raised and the server does not take leaves the answer cut, and that is the failure.
fn too_large(failure: Failure, raised: bool) -> Failure {
    let names_it =
        |text: &str| text.contains("max_tokens") || text.contains("max_completion_tokens");
    let is_about_it =
        failure.param().is_some_and(names_it) || failure.provider_message().is_some_and(names_it);
    if raised && failure.kind() == FailureKind::InvalidRequest && is_about_it {
        return failure
            .with_kind(FailureKind::Truncated)
            .with_note("the server takes no larger token limit");
    }
    failure
}
