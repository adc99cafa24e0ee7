use std::{sync::LazyLock, time::Duration};

use async_openai::{Client, config::OpenAIConfig};
use fastrand::Rng;
use fcretry::{
    Prices, Route, Stats,
    guard::{CircuitBreaker, Throttle},
    prelude::*,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

use crate::model::{self, LARGE, QUICK, SPARE};

pub(crate) static STATS: LazyLock<Stats> = LazyLock::new(|| {
    let stats = Stats::new();
    stats.prices(Prices::builtin()).breaker("models", &BREAKER).throttle("limits", &LIMITS);
    stats
});
static BREAKER: CircuitBreaker = CircuitBreaker::new().in_a_row(5);
static LIMITS: Throttle = Throttle::new(8.0, 400_000).burst(8);

/// Record what was ordered.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Order {
    #[allow(dead_code, reason = "only what became of the call is of interest here")]
    item: String,
    #[allow(dead_code, reason = "as above")]
    #[schemars(range(min = 1))]
    count: u32,
}

/// Record notes.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Notes {
    #[allow(dead_code, reason = "as above")]
    size: Size,
    #[allow(dead_code, reason = "as above")]
    lines: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    Large,
}

#[retry_policy(
    timeout = "6s",
    deadline = "20s",
    backoff(exponential, base = "200ms", max = "2s", jitter = "full"),
    on(refusal, escalate),
    breaker(BREAKER),
    throttle(LIMITS),
    route(route),
    observer(STATS)
)]
async fn order(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    route: &Route,
) -> fcretry::Result<Order> {
    attempt.chat(client, LARGE).system("Record what was ordered.").user("Mugs!").call().await
}

#[retry_policy(timeout = "6s", deadline = "20s", breaker(BREAKER), observer(STATS))]
async fn notes(attempt: &Attempt, client: &Client<OpenAIConfig>) -> fcretry::Result<Notes> {
    attempt.chat(client, QUICK).system("Take notes.").user("A talk.").stream().call().await
}

/// Those who call, each at a time of his own.
#[derive(Clone)]
pub(crate) struct Callers {
    client: Client<OpenAIConfig>,
    route: Route,
    seed: u64,
}

impl Callers {
    pub(crate) fn new(seed: u64) -> Self {
        let spare = fcretry::openai::endpoint(model::spare(seed).client(), SPARE).named("spare");
        Self { client: model::faulty(seed).client(), route: Route::new([spare]), seed }
    }

    /// Calls for ever. `wait` is how long one caller waits between two calls, in the mean.
    pub(crate) async fn call(&self, wait: Duration) {
        let callers = (0..6).map(|number| self.caller(number, wait));
        futures_util::future::join_all(callers).await;
    }

    async fn caller(&self, number: u64, wait: Duration) {
        let mut luck = Rng::with_seed(self.seed * 100 + number);
        loop {
            sleep(wait.mul_f64(2.0 * luck.f64())).await;
            if number == 0 {
                let _ = notes(&self.client).await;
            } else {
                let _ = order(&self.client, &self.route).await;
            }
        }
    }
}
