use std::sync::Arc;

use async_openai::{
    Client,
    config::Config,
    error::OpenAIError,
    types::chat::{
        ChatCompletionResponseStream, CreateChatCompletionRequest, CreateChatCompletionResponse,
    },
};
use reqwest::Url;

use super::exchange::{Coming, Exchange};
use crate::{guard::IdempotencyKey, run::Endpoint};

/// The model `model` behind `client`, as an endpoint of a [`Route`](crate::Route). Its name is the host of the base
/// URL, until it is [`named`](Endpoint::named).
///
/// Clients of one base URL and one key are one endpoint, whatever they are named.
///
/// ```
/// use std::sync::LazyLock;
/// use async_openai::{Client, config::{AzureConfig, OpenAIConfig}};
/// use fcretry::{Route, openai, prelude::*};
///
/// static BACKUPS: LazyLock<Route> = LazyLock::new(|| {
///     let azure = AzureConfig::new().with_api_base("https://mine.openai.azure.com");
///     let deepseek = OpenAIConfig::new().with_api_base("https://api.deepseek.com");
///     Route::new([
///         openai::endpoint(openai::client(azure), "gpt-4o").named("azure").context(128_000),
///         openai::endpoint(openai::client(deepseek), "deepseek-v3.2"),
///     ])
/// });
///
/// /// Record a city.
/// #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
/// struct City { name: String }
///
/// #[retry_policy(route(BACKUPS), fallback("gpt-4o-mini"))]
/// async fn city(
///     attempt: &Attempt,
///     client: &Client<OpenAIConfig>,
///     text: &str,
/// ) -> fcretry::Result<City> {
///     attempt.chat(client, "gpt-4o").user(text).call().await
/// }
/// # assert_eq!(BACKUPS.endpoints()[1].name(), "api.deepseek.com");
/// ```
pub fn endpoint<C>(client: Client<C>, model: impl Into<String>) -> Endpoint
where
    C: Config + 'static,
{
    let number = client.number();
    let host = Url::parse(client.api_base()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let name = host.unwrap_or_else(|| "endpoint".to_owned());
    let client = Arc::new(client);
    let adapter = Adapter(Arc::<Client<C>>::clone(&client));
    Endpoint::adapted(name, model.into(), number, client, Arc::new(adapter))
}

/// What the client of an endpoint is asked through.
struct Adapter(Arc<dyn Exchange>);

/// What to ask `endpoint` through.
pub(super) fn exchange(endpoint: &Endpoint) -> &dyn Exchange {
    endpoint.adapter::<Adapter>().map_or(&NoClient, |adapter| &*adapter.0)
}

/// The endpoint has a client of another kind, to be asked by hand.
struct NoClient;

impl Exchange for NoClient {
    fn api_base(&self) -> &'static str {
        ""
    }

    fn number(&self) -> u64 {
        0
    }

    fn create(
        &self,
        _: Box<CreateChatCompletionRequest>,
        _: IdempotencyKey,
    ) -> Coming<'_, CreateChatCompletionResponse> {
        Box::pin(std::future::ready(Err(no_client())))
    }

    fn create_stream(
        &self,
        _: Box<CreateChatCompletionRequest>,
        _: IdempotencyKey,
    ) -> Coming<'_, ChatCompletionResponseStream> {
        Box::pin(std::future::ready(Err(no_client())))
    }
}

fn no_client() -> OpenAIError {
    let message = "the endpoint has no client of `async-openai`; make it with `openai::endpoint`";
    OpenAIError::InvalidArgument(message.to_owned())
}
