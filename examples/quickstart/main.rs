//! An order, out of an email, as a typed and validated value.
//!
//! `cargo run --example quickstart` plays a bad day against a scripted model on a loopback port: a rate limit,
//! broken arguments, a wrong total, and at last a right order. With `OPENAI_BASE_URL` (and `OPENAI_API_KEY`) in the environment
//! it asks that server instead.

mod args;
mod offline;
mod output;

use std::{
    env, fmt,
    io::{self, Write as _},
    process::ExitCode,
};

use args::{Args, Asked, Mode};
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
    let chat = if args.stream { chat.stream() } else { chat };
    match args.mode {
        Mode::Tool => chat.call().await,
        Mode::Json => chat.extract().await,
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Help) => return shown(writeln!(io::stdout(), "{}", args::HELP), true),
        Err(fault) => return wrong_usage(&fault),
    };
    let mut policy = RetryPolicy::builder();
    if let Some(model) = &args.fallback {
        policy = policy.fallback(model);
    }
    let policy = match policy.build() {
        Ok(policy) => policy,
        Err(fault) => return wrong_usage(&fault),
    };
    let mut config = OpenAIConfig::new();
    // Kept until the end: a server that is dropped is gone.
    let mut _offline = None;
    if args.base_url.is_none() {
        match offline::bad_day(args.mode).serve().await {
            Ok(server) => {
                config = config.with_api_base(server.base_url()).with_api_key("offline");
                _offline = Some(server);
            }
            Err(error) => return failed(&format!("no port for the scripted model: {error}")),
        }
        if env::var_os("OPENAI_API_KEY").is_some() {
            eprintln!("OPENAI_API_KEY alone names no server; set OPENAI_BASE_URL to ask one.");
        }
    }
    let client = fcretry::openai::client(config);

    let call = extract_order(&client, &policy, &args, &args.text);
    let (order, report) = fcretry::report(call).await;

    if let (Err(error), false) = (&order, args.json) {
        eprintln!("No order: {error}");
    }
    shown(output::print(&mut io::stdout().lock(), &args, &order, &report), order.is_ok())
}

/// The exit status of what was shown. Whoever stops reading has seen enough.
fn shown(written: io::Result<()>, succeeded: bool) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error.to_string()),
        _ if succeeded => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn failed(fault: &str) -> ExitCode {
    eprintln!("quickstart: {fault}");
    ExitCode::FAILURE
}

fn wrong_usage(fault: &dyn fmt::Display) -> ExitCode {
    eprintln!("quickstart: {fault}; see --help");
    ExitCode::from(2)
}
