//! Calls for the page to show.

use std::{sync::Arc, time::Duration};

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    Prices, Stats,
    guard::{CircuitBreaker, Throttle},
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{advance, pause, resume, timeout};

/// A model whose name is a trap.
pub(crate) const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\">&amp;";

/// Place an order.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Order {
    #[allow(dead_code, reason = "only what becomes of calls is of interest")]
    customer: String,
    #[allow(dead_code, reason = "as above")]
    #[schemars(range(min = 1))]
    count: u32,
}

/// What is on the page.
pub(crate) struct Scene {
    pub(crate) stats: Arc<Stats>,
    breaker: Arc<CircuitBreaker>,
    limits: Arc<Throttle>,
}

type Mock = Client<OpenAIConfig>;

#[retry_policy(
    observer(scene.stats),
    throttle(scene.limits),
    backoff(constant, base = "1ms", jitter = "none")
)]
async fn order(
    attempt: &Attempt,
    client: &Mock,
    model: &str,
    scene: &Scene,
) -> fcretry::Result<Order> {
    attempt.chat(client, model).user("An order, please.").call().await
}

#[retry_policy(observer(scene.stats), breaker(scene.breaker), max_attempts = 2)]
async fn guarded(attempt: &Attempt, client: &Mock, scene: &Scene) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4.1").user("An order, please.").call().await
}

#[retry_policy(observer(scene.stats))]
async fn streamed(attempt: &Attempt, client: &Mock, scene: &Scene) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4.1").user("An order, please.").stream().call().await
}

#[retry_policy(observer(scene.stats), degrade(nobody))]
async fn degraded(attempt: &Attempt, client: &Mock, scene: &Scene) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4.1").user("An order, please.").call().await
}

fn nobody(_: &fcretry::Error) -> Order {
    Order { customer: "nobody".to_owned(), count: 1 }
}

fn good() -> Reply {
    Reply::tool_call("order", json!({"customer": "Ann", "count": 2}))
}

impl Scene {
    /// Some minutes in which everything happens that there is to be shown.
    pub(crate) async fn play() -> Self {
        let scene = Self {
            stats: Arc::new(Stats::new()),
            breaker: Arc::new(CircuitBreaker::new().in_a_row(2)),
            limits: Arc::new(Throttle::default()),
        };
        scene.stats.prices(Prices::builtin()).breaker("models", &scene.breaker);
        scene.stats.throttle("limits", &scene.limits);
        pause();
        for minute in 0..7 {
            // One of them costs much more.
            let tokens = if minute == 3 { 90_000 } else { 5000 };
            scene.call("gpt-4.1", [good().usage(tokens, 40)]).await;
            advance(Duration::from_secs(60)).await;
        }
        let bad = Reply::tool_call("order", json!({"customer": "Ann", "count": 0}));
        scene.call("gpt-4.1", [bad.usage(300, 30), good().usage(400, 40)]).await;
        let recovered = Reply::tool_call("order", "{'customer': 'Ann', 'count': 2,}");
        scene.call("gpt-4.1", [Reply::status(429), recovered.usage(300, 41)]).await;
        scene.call(HOSTILE, [Reply::refusal("No.").usage(10, 1)]).await;
        let _ = degraded(&mock([Reply::refusal("No.").usage(20, 2)]), &scene).await;
        let many = "Ann and ".repeat(500);
        let wrong = format!(r#"{{"count": "many", "customer": "{many}"}}"#);
        let _ = streamed(&mock([Reply::tool_call("order", wrong), good().usage(300, 700)]), &scene)
            .await;
        let hanging = mock([Reply::hang()]);
        let _ = timeout(Duration::from_secs(1), degraded(&hanging, &scene)).await;
        let _ = guarded(&mock([Reply::status(503), Reply::status(503)]), &scene).await;
        resume();
        scene
    }

    async fn call<const N: usize>(&self, model: &str, replies: [Reply; N]) {
        let _ = order(&mock(replies), model, self).await;
    }

    /// A call that goes well.
    pub(crate) async fn one_more(&self) {
        self.call("gpt-4.1", [good().usage(300, 40)]).await;
    }
}

fn mock<const N: usize>(replies: [Reply; N]) -> Mock {
    MockModel::new(replies).client()
}
