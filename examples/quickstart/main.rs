//! An order, out of an email, as a typed and validated value.
//!
//! `cargo run --example quickstart` plays a bad day against a scripted model on a loopback port: a rate limit,
//! broken arguments, a wrong total, and at last a right order. With `OPENAI_BASE_URL` (and `OPENAI_API_KEY`) in the environment
//! it asks that server instead.

mod args;
mod offline;
mod output;

use std::{process::ExitCode, time::Duration};

use args::{Args, Mode};
use async_openai::{Client, config::OpenAIConfig};
use fcretry::{RetryPolicy, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Place an order for a customer.
#[derive(Debug, Serialize, Deserialize, JsonSchema, ToolCall)]
#[tool(validate(totals_add_up))]
struct PlaceOrder {
    /// The customer's full name.
    customer: String,
    #[schemars(length(min = 1))]
    items: Vec<Item>,
    /// Sum of all items, in USD.
    #[schemars(range(min = 0.0))]
    total: f64,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    /// Price of one, in USD.
    #[schemars(range(min = 0.0))]
    price: f64,
    #[schemars(range(min = 1))]
    quantity: u32,
}

fn totals_add_up(order: &PlaceOrder, found: &mut Violations) {
    let sum: f64 = order.items.iter().map(|item| item.price * f64::from(item.quantity)).sum();
    found.ensure((sum - order.total).abs() < 0.01, "/total", || {
        format!("the items sum to {sum:.2}, `total` says {:.2}", order.total)
    });
}

/// `policy` brings the fallback model of the command line; the keys beside it are this function's own.
#[retry_policy(
    policy(policy),
    max_attempts = 6,
    timeout = "60s",
    deadline = "180s",
    backoff(exponential, base = "500ms", max = "10s", jitter = "full"),
    on(rate_limit, retry = 4, delay_scale = 3.0),
    on(refusal, escalate)
)]
async fn extract_order(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    policy: &RetryPolicy,
    args: &Args,
    email: &str,
) -> fcretry::Result<PlaceOrder> {
    let chat = attempt
        .chat(client, &args.model)
        .system("Record the order in the email. Prices are in USD.")
        .user(email);
    match args.mode {
        Mode::Tool => chat.call().await,
        Mode::Json => chat.extract().await,
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args::Asked::Run(args)) => args,
        Ok(args::Asked::Help) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("quickstart: {fault}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let mut policy = RetryPolicy::builder();
    if let Some(model) = &args.fallback {
        policy = policy.fallback(model);
    }
    let policy = match policy.build() {
        Ok(policy) => policy,
        Err(fault) => {
            eprintln!("quickstart: {fault}");
            return ExitCode::from(2);
        }
    };

    let server = match &args.base_url {
        Some(_) => None,
        None => match offline::bad_day(args.mode).serve().await {
            Ok(server) => Some(server),
            Err(error) => {
                eprintln!("quickstart: no loopback port for the scripted model: {error}");
                return ExitCode::FAILURE;
            }
        },
    };
    let mut config = OpenAIConfig::new();
    if let Some(server) = &server {
        config = config.with_api_base(server.base_url()).with_api_key("offline");
    }
    // A server that does not answer the connection is down; the policy decides what then.
    let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build();
    let client = match http {
        Ok(http) => fcretry::openai::client_with(config, http),
        Err(error) => {
            eprintln!("quickstart: no HTTP client: {error}");
            return ExitCode::FAILURE;
        }
    };

    let call = extract_order(&client, &policy, &args, &args.text);
    let (order, report) = fcretry::report(call).await;
    output::print(&args, server.is_some(), &order, &report);
    if order.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
