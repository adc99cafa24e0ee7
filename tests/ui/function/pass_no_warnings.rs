//! What an expansion holds raises no lint in a crate that denies them.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    missing_debug_implementations,
    let_underscore_drop,
    elided_lifetimes_in_paths,
    missing_copy_implementations,
    unit_bindings,
    tail_expr_drop_order,
    if_let_rescope,
    variant_size_differences,
    unused_results
)]
#![forbid(unsafe_code)]
#![allow(dead_code)]

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[retry_policy(
    max_attempts = 6,
    timeout = "30s",
    deadline = "1m30s",
    backoff(exponential, base = "1s", max = "30s", factor = 2.0, jitter = "full"),
    on(rate_limit, retry = 4, delay_scale = 3.0, then = "fallback"),
    on(truncated, retry, max_tokens = 4096),
    on(schema_validation, repair = 2, fallback),
    on(refusal, escalate),
    on(auth, fail),
    on(timeout, backoff(constant, base = "500ms", jitter = "none")),
    fallback("gpt-4o-mini", "deepseek-v3.2"),
    recovery = "lossless",
    history = 2,
    max_feedback_chars = 2000
)]
async fn rich(attempt: &Attempt, email: &str, count: u32) -> fcretry::Result<u32> {
    let number = attempt.number();
    let length = u32::try_from(email.len()).unwrap_or(number);
    if length == count {
        return Ok(length);
    }
    simple(length).await
}

#[retry_policy]
async fn simple(count: u32) -> fcretry::Result<u32> {
    nothing().await?;
    std::future::ready(Ok(count)).await
}

#[retry_policy]
async fn nothing() -> fcretry::Result<()> {
    std::future::ready(()).await;
    Ok(())
}

#[rustfmt::skip]
#[retry_policy]
async fn on_one_line() -> fcretry::Result<u32> { std::future::ready(Ok(1)).await }

#[retry_policy]
async fn with_items(attempt: &Attempt) -> fcretry::Result<u32> {
    use std::future::ready;

    const ONE: u32 = 1;

    Ok(attempt.number() + ready(ONE).await)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counter {
    count: u32,
}

impl Counter {
    #[retry_policy]
    async fn count(&mut self, attempt: &Attempt) -> fcretry::Result<u32> {
        self.count += simple(attempt.number()).await?;
        Ok(self.count)
    }
}

/// Place an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema, ToolCall)]
#[tool(validate(has_items))]
struct PlaceOrder {
    #[tool(validate(is_named))]
    customer: String,
    items: Vec<String>,
}

fn has_items(order: &PlaceOrder, found: &mut Violations) {
    found.ensure(!order.items.is_empty(), "/items", || "an order has items".to_owned());
}

fn is_named(name: &str, found: &mut Violations) {
    found.ensure(!name.is_empty(), "", || "a customer has a name".to_owned());
}

fn main() {}
