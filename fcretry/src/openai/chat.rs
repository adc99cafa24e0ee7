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

use super::{Continuation, convert, endpoint, exchange::Exchange, quirks::Quirks, send::Expected};
use crate::{
    answer::Form,
    error::Error,
    run::{Ask, Attempt},
    tool::{ToolCall, ToolSet},
};

impl Attempt {
    /// Asks `model` through `client`. A fallback replaces the model, an endpoint of the [`Route`](crate::Route) both; the
    /// bad answers of earlier attempts and what was wrong with them follow the messages.
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
        if self.has_a_route() {
            ask.is_at_home(client.number());
        }
        let client = ask.endpoint().map_or(client as &dyn Exchange, endpoint::exchange);
        let request = CreateChatCompletionRequest { model: ask.model(model), ..Default::default() };
        Chat { ask, client, request: Box::new(request), streams: false, continuation: None }
    }
}

/// One request to a model, being made. Made by [`Attempt::chat`]; sent by [`call`](Self::call) or
/// [`extract`](Self::extract).
#[must_use = "a request is sent by `.call()` or `.extract()`"]
pub struct Chat<'a> {
    pub(super) ask: Ask<'a>,
    pub(super) client: &'a dyn Exchange,
    /// Large, and moved through every layer of futures above.
    pub(super) request: Box<CreateChatCompletionRequest>,
    /// The answer is asked for as a stream.
    pub(super) streams: bool,
    /// How the endpoint goes on with what it has begun, if that was said.
    pub(super) continuation: Option<Continuation>,
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

    /// Sets what takes words for a refusal. Default: [`is_refusal`](crate::is_refusal). It is asked about the content of an
    /// answer without a call, where a call or JSON was due, and before anything is parsed: the content may be JSON. A refusal
    /// in the field that is meant for it is one whatever the detector says.
    ///
    /// ```
    /// # use async_openai::{Client, config::OpenAIConfig};
    /// # use fcretry::prelude::*;
    /// # #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
    /// # struct City { name: String }
    /// # #[retry_policy]
    /// # async fn city(attempt: &Attempt, client: &Client<OpenAIConfig>) -> fcretry::Result<City> {
    /// attempt
    ///     .chat(client, "gpt-4o")
    ///     .user("Where is it?")
    ///     .refusal_detector(|text| fcretry::is_refusal(text) || text.contains("Beklager"))
    ///     .call()
    ///     .await
    /// # }
    /// ```
    pub fn refusal_detector(self, detector: fn(&str) -> bool) -> Self {
        self.ask.detect_refusals(detector);
        self
    }

    /// Changes anything else about the request. Its model, tools, response format, `n` and `stream` are
    /// set when it is sent.
    pub fn with(mut self, change: impl FnOnce(&mut CreateChatCompletionRequest)) -> Self {
        let model = self.request.model.clone();
        change(&mut self.request);
        self.request.model = model;
        self
    }

    /// Asks for the answer as a stream, and reads it while it comes. Only whole values are handed out, as without it; what
    /// differs is what is seen on the way:
    ///
    /// - Once what has come cannot become right any more, the stream is dropped, and what follows is neither paid for nor waited for: a
    ///   value that is complete and wrong, an expression, a tool that was not offered, a refusal, prose where a call is due, white space
    ///   without end. The feedback says of it that reading stopped there. Of several calls a bad one behind others does not stop it: the
    ///   good ones are kept.
    /// - The policy's `first_token` and `idle` tell a model that is dead from one that is slow.
    /// - A stream that ends before the answer does is a [`PartialStream`](crate::FailureKind::PartialStream), and nothing of it is used.
    ///
    /// The usage is asked for, too; that of a stream that was dropped is not known, and the report says so (`partial`), and about how
    /// many tokens came.
    pub fn stream(mut self) -> Self {
        self.streams = true;
        self
    }

    /// Says that the endpoint can go on with an answer that it has begun, and how. A stream of JSON content that broke off is then
    /// gone on with, where the policy has `on(partial_stream, resume)`, and the whole is judged at the end. Known by itself of
    /// `DeepSeek` (`https://api.deepseek.com/beta`); an endpoint of the [`Route`](crate::Route) that is not known by itself begins anew.
    pub fn continues(mut self, continuation: Continuation) -> Self {
        self.continuation = Some(continuation);
        self
    }

    /// Sends the request with the tools of `S`, and reads the one call of one of them.
    ///
    /// # Errors
    ///
    /// Whatever failed, as its [kind](Error::kind). Return it from the body, and the policy decides.
    pub async fn call<S: ToolSet>(mut self) -> Result<S, Error> {
        let expected = self.offer_tools::<S>(false)?;
        let (ask, answer) = self.send(&expected).await?;
        ask.judge_call(expected.required, &answer)
    }

    /// Sends the request with the tools of `S`, and reads every call that the model makes, in its order; one at
    /// least. If some of them are bad, the failure is of those; a repair keeps the others, asks for the bad ones again,
    /// and puts them into their places.
    ///
    /// # Errors
    ///
    /// Whatever failed, as its [kind](Error::kind). Return it from the body, and the policy decides.
    pub async fn call_all<S: ToolSet>(mut self) -> Result<Vec<S>, Error> {
        let expected = self.offer_tools::<S>(true)?;
        let (ask, answer) = self.send(&expected).await?;
        ask.judge_calls(expected.required, &answer)
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
        let expected = Expected { form: Form::Content, specs, required: true, several: false };
        let (ask, answer) = self.send(&expected).await?;
        ask.judge_content(&answer)
    }

    /// Puts the tools into the request. `several` says that more than one call may come.
    fn offer_tools<S: ToolSet>(&mut self, several: bool) -> Result<Expected, Error> {
        let specs = self.ask.specs::<S>()?;
        self.ask.offer(Form::Call, &specs);
        let constrained = self.ask.is_constrained();
        let tools = specs.iter().map(|spec| convert::tool(spec, constrained));
        self.request.tools = Some(tools.collect());
        self.request.response_format = None;
        // Of several tools none can be named for the model, and a name would make it one call.
        let named = match specs.as_slice() {
            [spec] if constrained && !several => Some(spec.name().to_owned()),
            _ => None,
        };
        let required = ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Required);
        let auto = ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Auto);
        let own = self.request.tool_choice.take();
        self.request.tool_choice = Some(match (named, own) {
            (Some(name), _) => {
                ChatCompletionToolChoiceOption::Function(ChatCompletionNamedToolChoice {
                    function: FunctionName { name },
                })
            }
            (None, Some(own)) if !(constrained && own == auto) => own,
            _ => required,
        });
        let required = Quirks::requires_a_call(&self.request);
        Ok(Expected { form: Form::Call, specs, required, several })
    }
}
