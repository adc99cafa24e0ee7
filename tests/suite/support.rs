//! What most tests ask for, and how.

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Place an order.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[tool(validate(not_too_many))]
pub(crate) struct Order {
    pub(crate) customer: String,
    #[schemars(range(min = 1))]
    pub(crate) count: u32,
}

fn not_too_many(order: &Order, found: &mut Violations) {
    found.ensure(order.count <= 100, "/count", || format!("{} are more than 100", order.count));
}

pub(crate) fn good() -> Reply {
    Reply::tool_call("order", json!({"customer": "Ann", "count": 2}))
}

pub(crate) fn with_count(count: impl Into<Value>) -> Reply {
    Reply::tool_call("order", json!({"customer": "Ann", "count": count.into()}))
}

/// Arguments that no reader can make sense of.
pub(crate) fn broken() -> Reply {
    Reply::tool_call("order", "customer is Ann + 1")
}

pub(crate) type Mock = Client<OpenAIConfig>;

/// Asks under the default policy.
#[retry_policy]
pub(crate) async fn order(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

/// Plays `replies`, asks under the default policy, and returns the result with the model.
pub(crate) async fn play(
    replies: impl IntoIterator<Item = Reply>,
) -> (fcretry::Result<Order>, fcretry::Report, MockModel) {
    let model = MockModel::new(replies);
    let (result, report) = fcretry::report(order(&model.client())).await;
    (result, report, model)
}

/// Plays `fault` for ever.
pub(crate) async fn play_lasting(fault: Reply) -> (fcretry::Error, fcretry::Report, MockModel) {
    let model = MockModel::repeat(fault);
    let (result, report) = fcretry::report(order(&model.client())).await;
    (result.unwrap_err(), report, model)
}

/// The text of the last message of the `n`th request.
pub(crate) fn last_message(model: &MockModel, n: usize) -> String {
    let request = &model.requests()[n];
    request.text_of_message(request.messages().len() - 1)
}
