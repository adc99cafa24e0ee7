//! What is learned of ways out of a failure, and what that is worth: the simulation of `examples/adaptive`, and its bounds.

use std::sync::Arc;

use fcretry::{
    Action, Adaptive, FailureKind, RetryPolicy, Rule, Run,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good, with_count};

#[path = "../../examples/adaptive/world/mod.rs"]
mod world;

use world::{SCENARIOS, Scenario, Sum, drawn};

const CALLS: u32 = 3000;

async fn both(scenario: &Scenario, seed: u64) -> (Sum, Sum) {
    let fixed = scenario.play(CALLS, seed, None).await.unwrap();
    let adaptive = Arc::new(Adaptive::new());
    (fixed, scenario.play(CALLS, seed, Some(&adaptive)).await.unwrap())
}

/// Nowhere does a success cost more by 5 %, or are there fewer of them by as much.
fn keeps_its_bounds(scenario: &Scenario, (fixed, learned): (Sum, Sum)) {
    let told = format!("{scenario:?}: {fixed:?}, {learned:?}");
    assert!(learned.per_success() <= 1.05 * fixed.per_success(), "{told}");
    assert!(learned.share() >= 0.95 * fixed.share(), "{told}");
}

#[tokio::test(start_paused = true)]
async fn where_another_way_is_better_it_is_found_and_nowhere_is_it_worse() {
    let mut gains = 0;
    for scenario in SCENARIOS {
        let (fixed, learned) = both(scenario, 3).await;
        keeps_its_bounds(scenario, (fixed, learned));
        gains += u32::from(learned.per_success() < 0.9 * fixed.per_success());
    }
    assert!(gains >= 4, "{gains}");
}

#[tokio::test(start_paused = true)]
async fn whatever_models_do_it_is_nowhere_worse() {
    for seed in 1..=16 {
        let scenario = drawn(seed);
        let played = both(&scenario, seed).await;
        keeps_its_bounds(&scenario, played);
    }
}

/// Asks one model that is never right, and one that is.
async fn play(adaptive: &Arc<Adaptive>, calls: u32, rule: Rule) -> MockModel {
    #[retry_policy(policy(policy), adapt(adaptive))]
    async fn ask(
        attempt: &Attempt,
        client: &Mock,
        policy: &RetryPolicy,
        adaptive: &Arc<Adaptive>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "wrong").user("An order, please.").call().await
    }
    let policy = RetryPolicy::builder()
        .on(FailureKind::SchemaValidation, rule)
        .fallback("right")
        .max_attempts(6)
        .build()
        .unwrap();
    let model = MockModel::repeat(good()).repeat_for_model("wrong", with_count(0));
    let client = model.client();
    for _ in 0..calls {
        let _ = ask(&client, &policy, adaptive).await;
    }
    model
}

#[tokio::test(start_paused = true)]
async fn a_way_that_is_known_to_be_better_is_taken_and_what_was_learned_can_be_read_and_forgotten()
{
    fastrand::seed(1);
    let adaptive = Arc::new(Adaptive::new());
    let repair = || Rule::new().repair(2);
    assert!(adaptive.snapshot().is_empty());
    play(&adaptive, 60, repair()).await;
    let asked = play(&adaptive, 10, repair()).await.request_count();
    // The first request, and one to the model that is right.
    assert_eq!(asked, 20);
    let learned = adaptive.snapshot();
    let of = |action: Action| learned.iter().find(|of| of.action == action && !of.again).unwrap();
    let (repair_share, fallback) = (of(Action::Repair).share, of(Action::Fallback));
    assert!(repair_share < 0.1 && fallback.share > 0.95, "{learned:?}");
    assert_eq!((fallback.model.as_str(), fallback.kind), ("wrong", FailureKind::SchemaValidation));
    let line = fallback.to_string();
    assert!(line.starts_with("wrong: schema_validation, then fallback: 9"), "{line}");
    assert!(serde_json::to_string(&learned).unwrap().contains("\"action\":\"fallback\""));

    adaptive.reset();
    assert!(adaptive.snapshot().is_empty());
    let asked = play(&adaptive, 1, repair()).await.request_count();
    assert_eq!(asked, 4, "two repairs come first again");
}

#[tokio::test(start_paused = true)]
async fn what_the_rule_does_not_name_is_not_done() {
    fastrand::seed(1);
    let adaptive = Arc::new(Adaptive::new());
    play(&adaptive, 60, Rule::new().repair(2)).await;
    // It knows that the other model would be right.
    let fail = || Rule::new().repair(2).then(fcretry::Then::Fail);
    let asked = play(&adaptive, 5, fail()).await.request_count();
    assert_eq!(asked, 15);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_of_a_way_is_not_learned() {
    let adaptive = Arc::new(Adaptive::new());
    let policy = RetryPolicy::builder().build().unwrap();
    let model = MockModel::new([Reply::status(503), good()]);
    let client = model.client();
    let client = &client;
    let result = Run::new(&policy)
        .adapt(&adaptive)
        .run(async |attempt: &Attempt| -> fcretry::Result<Order> {
            attempt.chat(client, "gpt-4o").user("An order, please.").call::<Order>().await?;
            // The body's own reason.
            Err(FailureKind::Application.into())
        })
        .await;
    assert!(result.is_err());
    assert!(adaptive.snapshot().is_empty(), "{:?}", adaptive.snapshot());
}
