//! Those who ask: the functions under test, and the loop that is usual without guards.

use std::{sync::Arc, time::Duration};

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    guard::{CircuitBreaker, RetryBudget, Throttle},
    prelude::*,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::provider::Provider;

/// Take a note.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
pub(crate) struct Note {
    #[allow(dead_code, reason = "what is written in it is of no interest")]
    text: String,
}

/// What the calls share, all of it as it is by default: nobody told it what the provider can take.
#[derive(Clone, Default)]
pub(crate) struct Guards {
    pub(crate) breaker: Arc<CircuitBreaker>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) retries: Arc<RetryBudget>,
}

/// About what a request and its answer take.
const TOKENS: u32 = 100;

/// Asks by hand, with a client that is none of ours.
#[retry_policy(
    breaker(guards.breaker),
    throttle(guards.throttle),
    retry_budget(guards.retries)
)]
pub(crate) async fn by_hand(
    attempt: &Attempt,
    guards: &Guards,
    provider: &Provider,
) -> fcretry::Result<Note> {
    guarded(attempt, provider).await
}

/// The same, and says what an answer may take: several times what it does.
#[retry_policy(
    timeout = "5s",
    breaker(guards.breaker),
    throttle(guards.throttle),
    retry_budget(guards.retries)
)]
pub(crate) async fn in_time(
    attempt: &Attempt,
    guards: &Guards,
    provider: &Provider,
) -> fcretry::Result<Note> {
    guarded(attempt, provider).await
}

/// One request by hand.
async fn guarded(attempt: &Attempt, provider: &Provider) -> fcretry::Result<Note> {
    let model = attempt.model("gpt-4o");
    let text = attempt.guard(&model, u64::from(TOKENS), provider.request()).await?;
    attempt.accept_text(text)
}

/// Asks through the transport.
#[retry_policy(
    breaker(guards.breaker),
    throttle(guards.throttle),
    retry_budget(guards.retries)
)]
pub(crate) async fn by_chat(
    attempt: &Attempt,
    guards: &Guards,
    client: &Client<OpenAIConfig>,
) -> fcretry::Result<Note> {
    let chat = attempt.chat(client, "gpt-4o").user("Take a note.");
    chat.max_completion_tokens(TOKENS).call().await
}

/// Three retries, whatever it is, after 1, 2 and 4 s less up to a quarter, or when the server says so.
pub(crate) async fn usual(provider: &Provider) -> Result<(), ()> {
    let mut delay = Duration::from_secs(1);
    for retries_left in (0..=3).rev() {
        let failed = match timeout(Duration::from_secs(60), provider.request()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.failure().cloned(),
            Err(_) => None,
        };
        if retries_left == 0 {
            break;
        }
        let told = failed.and_then(|failure| failure.retry_after());
        sleep(told.unwrap_or_else(|| delay.mul_f64(1.0 - 0.25 * fastrand::f64()))).await;
        delay *= 2;
    }
    Err(())
}
