//! What is asked, and in which form. All forms have the same policy.

use std::{
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    Prices, RetryPolicy, Route,
    cost::Price,
    guard::{Breaker, Key, Open, Permit, Soon, Ticket, Verdict},
    prelude::*,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

/// Place an order.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
#[tool(validate(not_too_many))]
pub(crate) struct Order {
    /// The customer's full name.
    customer: String,
    #[schemars(range(min = 1))]
    count: u32,
    size: Size,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

fn not_too_many(order: &Order, found: &mut Violations) {
    let is_named = !order.customer.trim().is_empty();
    found.ensure(is_named, "/customer", || "a customer has a name".to_owned());
    let is_small = matches!(order.size, Size::Small);
    let most = if is_small { 100 } else { 10 };
    found.ensure(order.count <= most, "/count", || format!("at most {most} of this size"));
}

/// In which form the order is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A tool call.
    Tool,
    /// JSON content.
    Json,
    /// A tool call, as a stream.
    Stream,
    /// JSON content, as a stream.
    JsonStream,
    /// Two tool calls.
    Calls,
    /// A tool call, whose order the body of the function then has no use for.
    OwnError,
    /// A tool call, under a policy that contradicts itself.
    Contradiction,
    /// A tool call, past a breaker that is open for the first model.
    Broken,
    /// A tool call, with a budget of tokens that is too small for it.
    Poor,
    /// A tool call, with a budget of dollars that is too small for it at the price of the first model.
    Thrifty,
}

impl Form {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tool
            | Self::OwnError
            | Self::Contradiction
            | Self::Broken
            | Self::Poor
            | Self::Thrifty => "tool",
            Self::Calls => "calls",
            Self::Json => "json",
            Self::Stream => "stream",
            Self::JsonStream => "json stream",
        }
    }
}

#[retry_policy(policy(policy), route(route))]
async fn order(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
    route: &Route,
    form: Form,
) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "first").user("Two small mugs for Ann Larsen, please.");
    match form {
        Form::Json => chat.extract().await,
        Form::Stream => chat.stream().call().await,
        Form::JsonStream => chat.stream().extract().await,
        Form::Calls => {
            let mut orders: Vec<Order> = chat.call_all().await?;
            match (orders.pop(), orders.len()) {
                (Some(last), 1) => Ok(last),
                _ => Err(FailureKind::Application.into()),
            }
        }
        Form::OwnError => {
            chat.call::<Order>().await?;
            Err(FailureKind::Application.into())
        }
        Form::Tool | Form::Contradiction | Form::Broken | Form::Poor | Form::Thrifty => {
            chat.call().await
        }
    }
}

/// A fallback is named that the policy at run time may not have.
#[retry_policy(policy(policy), on(rate_limit, retry = 1, then = "fallback"))]
async fn contradiction(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
) -> fcretry::Result<Order> {
    attempt.chat(client, "first").user("Two small mugs for Ann Larsen, please.").call().await
}

#[retry_policy(policy(policy), breaker(breaker))]
async fn broken(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
    breaker: &Arc<OpenForTheFirst>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "first").user("Two small mugs for Ann Larsen, please.").call().await
}

/// A breaker that is open for the endpoint that it is asked about first.
#[derive(Default)]
struct OpenForTheFirst(OnceLock<Key>);

impl Breaker for OpenForTheFirst {
    fn admit_at(&self, key: Key, _: Instant) -> Soon<'_, Result<Permit<'_>, Open>> {
        let first = *self.0.get_or_init(|| key);
        Soon::now(if key == first {
            Err(Open::new(Duration::from_secs(30)))
        } else {
            Ok(Permit::new(self, Ticket::new(key, 0, 0)))
        })
    }

    fn settle(&self, _: &Ticket, _: Verdict, _: Instant) {}
}

#[retry_policy(policy(policy), budget(tokens = 10))]
async fn poor(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
) -> fcretry::Result<Order> {
    attempt.chat(client, "first").user("Two small mugs for Ann Larsen, please.").call().await
}

static PRICES: LazyLock<Prices> = LazyLock::new(|| {
    let price = |usd| Price::per_million(usd, usd).ok();
    let models = [("first", price("1000")), ("second", price("0.01"))];
    let priced = models.into_iter().filter_map(|(model, price)| Some((model, price?)));
    priced.fold(Prices::new(), |prices, (model, price)| prices.with(model, price))
});

#[retry_policy(policy(policy), prices(PRICES), budget(usd = 0.01))]
async fn thrifty(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
) -> fcretry::Result<Order> {
    attempt.chat(client, "first").user("Two small mugs for Ann Larsen, please.").call().await
}

/// Asks for the order in one of the forms.
pub(crate) async fn ask(
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
    route: &Route,
    form: Form,
) -> fcretry::Result<Order> {
    match form {
        Form::Contradiction => contradiction(client, policy).await,
        Form::Broken => broken(client, policy, &Arc::default()).await,
        Form::Poor => poor(client, policy).await,
        Form::Thrifty => thrifty(client, policy).await,
        _ => order(client, policy, route, form).await,
    }
}
