use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

use async_openai::{
    Client,
    config::Config,
    error::OpenAIError,
    traits::RequestOptionsBuilder as _,
    types::chat::{
        ChatCompletionResponseStream, CreateChatCompletionRequest, CreateChatCompletionResponse,
    },
};

use crate::{guard::IdempotencyKey, run::number_of};

/// The header of the IETF's draft, which Stripe's clients send, too.
const KEY: &str = "idempotency-key";

/// An answer on its way. On the heap: the client's future is kilobytes, and would be in that of every caller.
pub(super) type Coming<'a, T> = Pin<Box<dyn Future<Output = Result<T, OpenAIError>> + Send + 'a>>;

/// A client, whatever its configuration's type: an ask may go on with a client of another one.
pub(super) trait Exchange: Send + Sync {
    /// What the endpoint is known by.
    fn api_base(&self) -> &str;

    /// Tells endpoints apart: one address, one account.
    fn number(&self) -> u64;

    /// Sends one request, under a key that tells whoever looks at it that it was sent before.
    fn create(
        &self,
        request: Box<CreateChatCompletionRequest>,
        key: IdempotencyKey,
    ) -> Coming<'_, CreateChatCompletionResponse>;

    /// Sends one request for a stream.
    fn create_stream(
        &self,
        request: Box<CreateChatCompletionRequest>,
        key: IdempotencyKey,
    ) -> Coming<'_, ChatCompletionResponseStream>;
}

impl<C: Config> Exchange for Client<C> {
    fn api_base(&self) -> &str {
        self.config().api_base()
    }

    fn number(&self) -> u64 {
        // async-openai panics over a key that cannot stand in a header, a line break at its end, say. Whoever is sent
        // there will see that; whoever only might be will not.
        let headers = catch_unwind(AssertUnwindSafe(|| self.config().headers()));
        let headers = headers.unwrap_or_default();
        let mut account: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        account.sort_unstable();
        number_of((self.api_base(), account))
    }

    fn create(
        &self,
        request: Box<CreateChatCompletionRequest>,
        key: IdempotencyKey,
    ) -> Coming<'_, CreateChatCompletionResponse> {
        Box::pin(async move {
            // By itself: what is in the same statement is held as long as the answer is waited for.
            let chat = self.chat().header(KEY, key.to_string())?;
            chat.create(unboxed(request)).await
        })
    }

    fn create_stream(
        &self,
        request: Box<CreateChatCompletionRequest>,
        key: IdempotencyKey,
    ) -> Coming<'_, ChatCompletionResponseStream> {
        Box::pin(async move {
            let chat = self.chat().header(KEY, key.to_string())?;
            chat.create_stream(unboxed(request)).await
        })
    }
}

/// What was in the box, which is given back here: a box that is emptied within a future is held as long as that.
#[allow(clippy::boxed_local, reason = "to be rid of the box is what it is for")]
fn unboxed<T>(boxed: Box<T>) -> T {
    *boxed
}
