//! A plan foretells what calls come to: both are led by the same decisions.

use std::time::Duration;

use fcretry::{
    FailureKind::{
        ModelOverload, NoToolCall, RateLimit, Refusal, SchemaValidation, StructuralParse,
    },
    Planner, RetryPolicy,
    cost::{FailureRates, Latency, Method},
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, broken, good, with_count};

const CALLS: u32 = 2500;

#[retry_policy(max_attempts = 4, fallback("gpt-4o-mini"))]
async fn order(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

#[tokio::test(start_paused = true)]
async fn thousands_of_calls_take_what_was_planned() {
    let shares = [
        (StructuralParse, 0.08, broken()),
        (SchemaValidation, 0.08, with_count(0)),
        (NoToolCall, 0.04, Reply::text("Gladly!")),
        (RateLimit, 0.10, Reply::status(429)),
        (ModelOverload, 0.06, Reply::status(503)),
        (Refusal, 0.02, Reply::text("I'm sorry, but I can't help with that.")),
    ];
    let rates = shares.each_ref().map(|(kind, share, _)| (*kind, *share));
    let answer = |reply: Reply| reply.delay("2s");
    let replies = shares.map(|(kind, share, reply)| {
        let is_answer = !matches!(kind, RateLimit | ModelOverload);
        (share, answer(if is_answer { reply.usage(1000, 200) } else { reply }))
    });
    // The waits of a call are drawn from the generator of its thread.
    fastrand::seed(3);
    let client = MockModel::mix(11, answer(good().usage(1000, 200)), replies).client();
    let (mut successes, mut requests, mut tokens, mut time) = (0, 0, 0, Duration::ZERO);
    for _ in 0..CALLS {
        let (result, report) = fcretry::report(order(&client)).await;
        successes += u32::from(result.is_ok());
        requests += report.wire_requests;
        tokens += u32::try_from(report.usage.total()).unwrap();
        time += report.elapsed;
    }

    let policy = RetryPolicy::builder().max_attempts(4).fallback("gpt-4o-mini").build().unwrap();
    let plan = Planner::new(&policy, "gpt-4o")
        .rates(FailureRates::new().given("gpt-4o", rates).given("gpt-4o-mini", rates))
        .tokens(1000, 200)
        .feedback(0)
        .latency(Latency::new(Duration::from_secs(2), Duration::ZERO))
        .plan()
        .unwrap();
    assert_eq!(plan.method, Method::ClosedForm);
    let mean = |sum: u32| f64::from(sum) / f64::from(CALLS);
    for (what, found, planned) in [
        ("success", mean(successes), plan.success),
        ("requests", mean(requests), plan.per_call.requests.mean),
        ("tokens", mean(tokens), plan.per_call.tokens.mean),
        ("time", (time / CALLS).as_secs_f64(), plan.per_call.time.mean.as_secs_f64()),
    ] {
        assert!((found / planned - 1.0).abs() < 0.03, "{what}: {found} is not {planned}");
    }
}
