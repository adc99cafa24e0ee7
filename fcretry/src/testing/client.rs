//! The model as a client.

use async_openai::{Client, config::OpenAIConfig};

use super::MockModel;
use crate::openai::client_over;

impl MockModel {
    /// A client that asks this model in process, without sockets: what a test hands to the function it tests.
    /// With a paused clock (`#[tokio::test(start_paused = true)]`) waits take no time and are exact.
    ///
    /// ```
    /// use fcretry::{prelude::*, testing::{MockModel, Reply}};
    /// use serde_json::json;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
    /// struct City { name: String }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # #[retry_policy]
    /// # async fn city(
    /// #     attempt: &Attempt,
    /// #     client: &async_openai::Client<async_openai::config::OpenAIConfig>,
    /// # ) -> fcretry::Result<City> {
    /// #     attempt.chat(client, "gpt-4o").user("Which city?").call().await
    /// # }
    /// let model = MockModel::new([
    ///     Reply::status(429).retry_after("30s"),
    ///     Reply::tool_call("city", json!({"name": "Oslo"})),
    /// ]);
    /// assert_eq!(city(&model.client()).await?.name, "Oslo");
    /// assert_eq!(model.request_count(), 2);
    /// # Ok::<(), fcretry::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn client(&self) -> Client<OpenAIConfig> {
        let config =
            OpenAIConfig::new().with_api_base(self.base_url_in_process()).with_api_key("mock");
        client_over(config, self.service())
    }
}
