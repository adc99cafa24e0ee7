//! What the live summary keeps beside its counts: what guards say, the last failures, and of everything no more than so much.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use fcretry::{
    Action, Endpoint, FailureKind, Prices, Route, Stats,
    guard::{CircuitBreaker, State, Throttle},
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;
use tokio::time::advance;

use crate::{
    stats::{count_with, counted, errors},
    support::{Mock, Order, good, with_count},
};

static BREAKER: CircuitBreaker = CircuitBreaker::new().in_a_row(2);
static LAZY_BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(CircuitBreaker::new);
static LIMITS: Throttle = Throttle::new(100.0, 1_000_000);

#[tokio::test(start_paused = true)]
async fn guards_are_shown_by_their_names_and_places_by_what_people_call_them() {
    #[retry_policy(
        observer(stats),
        breaker(BREAKER),
        throttle(LIMITS),
        route(route),
        backoff(constant, base = "1ms", jitter = "none")
    )]
    async fn guarded(
        attempt: &Attempt,
        client: &Mock,
        stats: &Arc<Stats>,
        route: &Route,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let stats = Arc::new(Stats::new());
    stats.breaker("lazy", &LAZY_BREAKER).breaker("models", &LAZY_BREAKER);
    stats.breaker("models", &BREAKER).throttle("limits", &LIMITS);
    let elsewhere = MockModel::repeat(good());
    let route = Route::new([fcretry::openai::endpoint(elsewhere.client(), "mini").named("spare")]);
    let model = MockModel::repeat(Reply::status(503));
    assert!(guarded(&model.client(), &stats, &route).await.is_ok());
    // Now the breaker is open, which is shown where its states are.
    assert!(guarded(&model.client(), &stats, &route).await.is_ok());
    let now = stats.snapshot();
    let names: Vec<_> = now.breakers.iter().map(|breaker| breaker.name.as_str()).collect();
    assert_eq!(names, ["lazy", "models"]);
    let places = &now.breakers[1].places;
    let shown: Vec<_> = places.iter().map(|at| (at.place.as_str(), at.figures.state)).collect();
    assert_eq!(shown, [("large", State::Open), ("mini at spare", State::Closed)]);
    assert_eq!(now.throttles[0].name, "limits");
    assert_eq!(now.throttles[0].figures.admitted, 4);
    assert_eq!(errors(&now.all), [(FailureKind::ModelOverload, 2), (FailureKind::CircuitOpen, 2)]);
    assert_eq!(now.failures.len(), 2);
    let json = serde_json::to_value(&now).unwrap();
    assert_eq!(json["breakers"][1]["places"][0]["state"], "open");
    assert!(json["breakers"][1]["places"][0]["retry_in_ms"].as_u64().unwrap() > 0);
    assert_eq!(json["throttles"][0]["in_flight"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_failures_are_kept_without_a_word_of_their_content() {
    const CANARY: &str = "c4n4ry";
    let sentence = format!("{CANARY} and more words");
    let stats = Arc::new(Stats::new());
    count_with(&stats, [Reply::status(503).id(CANARY), good()]).await;
    advance(Duration::from_secs(5)).await;
    let faults = [
        Reply::tool_call("order", json!({"customer": 1, "count": CANARY})),
        Reply::tool_call("order", format!("{{\"customer\": \"{CANARY}")),
        Reply::tool_call(CANARY, json!({})),
        Reply::text(&sentence),
        Reply::refusal(&sentence),
        Reply::error(400, CANARY, CANARY, sentence.as_str()),
    ];
    for fault in faults {
        let model = MockModel::repeat(fault);
        assert!(counted(&model.client(), &stats).await.is_err());
    }
    let now = stats.snapshot();
    let [latest, .., first] = now.failures.as_slice() else { panic!("{now:?}") };
    assert_eq!((latest.kind, latest.status), (FailureKind::InvalidRequest, Some(400)));
    assert_eq!((first.kind, first.status), (FailureKind::ModelOverload, Some(503)));
    assert_eq!((first.attempt, first.action), (1, Some(Action::Retry)));
    assert_eq!(first.model.as_deref(), Some("gpt-4o"));
    assert!(first.function.ends_with("::counted"));
    assert!(latest.at.duration_since(first.at).unwrap() >= Duration::from_secs(5));
    let json = serde_json::to_string(&now).unwrap();
    for shown in [json, format!("{now:?} {stats:?}")] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_bounded_whatever_models_are_called() {
    #[retry_policy(observer(stats), max_attempts = 1)]
    async fn call(
        attempt: &Attempt,
        client: &Mock,
        model: &str,
        stats: &Arc<Stats>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, model).user("An order, please.").call().await
    }
    let stats = Arc::new(Stats::new());
    stats.prices(Prices::new());
    let model = MockModel::repeat(with_count(0));
    let client = model.client();
    for n in 0..200 {
        let name = format!("{n} {}", "long ".repeat(1000));
        assert!(call(&client, &name, &stats).await.is_err());
    }
    let now = stats.snapshot();
    assert_eq!((now.failures.len(), now.unpriced.len()), (50, 16));
    let latest = now.failures[0].model.as_deref().unwrap();
    assert!(latest.starts_with("199 long") && latest.len() <= 96);
    assert!(serde_json::to_string(&now).unwrap().len() < 40_000);
}

#[test]
fn threads_that_count_at_once_lose_nothing() {
    static STATS: Stats = Stats::new();
    #[retry_policy(observer(STATS))]
    async fn quick() -> fcretry::Result<u8> {
        Ok(1)
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(4).enable_time().build().unwrap().block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(async {
                    for _ in 0..500 {
                        quick().await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(STATS.snapshot().all.succeeded, 4000);
    });
}

#[test]
fn endpoints_of_any_kind_can_be_watched() {
    let stats = Stats::default();
    let shared = Arc::new(CircuitBreaker::new());
    stats.breaker("shared", &shared).throttle("own", &Arc::new(Throttle::default()));
    let endpoint = Endpoint::new("here", "model", ()).breaker(&shared);
    assert_eq!(endpoint.name(), "here");
    let now = stats.snapshot();
    assert_eq!((now.breakers.len(), now.throttles.len(), now.minutes.len()), (1, 1, 1));
}
