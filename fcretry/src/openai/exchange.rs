use std::{future::Future, pin::Pin};

use async_openai::{
    Client,
    config::Config,
    error::OpenAIError,
    types::chat::{
        ChatCompletionResponseStream, CreateChatCompletionRequest, CreateChatCompletionResponse,
    },
};

/// An answer on its way. On the heap: the client's future is kilobytes, and would be in that of every caller.
pub(super) type Coming<'a, T> = Pin<Box<dyn Future<Output = Result<T, OpenAIError>> + Send + 'a>>;

/// A client, whatever its configuration's type: an ask may go on with a client of another one.
pub(super) trait Exchange: Send + Sync {
    /// What the endpoint is known by.
    fn api_base(&self) -> &str;

    /// Sends one request.
    fn create(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Coming<'_, CreateChatCompletionResponse>;

    /// Sends one request for a stream.
    fn create_stream(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Coming<'_, ChatCompletionResponseStream>;
}

impl<C: Config> Exchange for Client<C> {
    fn api_base(&self) -> &str {
        self.config().api_base()
    }

    fn create(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Coming<'_, CreateChatCompletionResponse> {
        Box::pin(async move { self.chat().create(request).await })
    }

    fn create_stream(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Coming<'_, ChatCompletionResponseStream> {
        Box::pin(async move { self.chat().create_stream(request).await })
    }
}
