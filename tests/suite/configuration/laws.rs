//! What holds of every policy, and of every value that is none.

use std::time::Duration;

use fcretry::{FailureKind, RetryPolicy, Rule, Then};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{built, same_when_read_back};

/// Replaces each value in `at`, one at a time, with each of `others`.
fn with_each_replaced(at: &Value, others: &[Value]) -> Vec<Value> {
    let inside: Vec<(Value, Vec<Value>)> = match at {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (json!(key), with_each_replaced(value, others)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, value)| (json!(i), with_each_replaced(value, others)))
            .collect(),
        _ => Vec::new(),
    };
    let mut all = others.to_vec();
    for (place, replaced) in inside {
        for value in replaced {
            let mut whole = at.clone();
            match &place {
                Value::String(key) => whole[key.as_str()] = value,
                place => whole[usize::try_from(place.as_u64().unwrap()).unwrap()] = value,
            }
            all.push(whole);
        }
    }
    all
}

#[test]
fn a_value_of_any_other_type_is_refused_or_a_policy_that_is_read_back() {
    let policy = serde_json::to_value(built()).unwrap();
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(3),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("3s"),
        json!("fail"),
        json!([]),
        json!(["retry"]),
        json!({}),
        json!({"retry": 1}),
    ];
    let all = with_each_replaced(&policy, &others);
    let refused = all.iter().filter(|value| {
        match serde_json::from_value::<RetryPolicy>((*value).clone()) {
            Ok(policy) => same_when_read_back(&policy),
            Err(error) => assert!(error.to_string().contains('`'), "{value}: {error}"),
        }
        serde_json::from_value::<RetryPolicy>((*value).clone()).is_err()
    });
    let (refused, all) = (refused.count(), all.len());
    assert!(all > 400 && refused > all / 2 && refused < all, "{refused} of {all}");
}

fn durations() -> impl Strategy<Value = Duration> {
    (1_u64..=2_592_000_000_000_000).prop_map(Duration::from_nanos)
}

fn rules() -> impl Strategy<Value = Rule> {
    let step = |rule: Rule, step: u8, count: u32| match step {
        0 => rule.retry(count),
        1 => rule.retry_default(),
        2 => rule.repair(count),
        3 => rule.repair_default(),
        4 => rule.fallback(),
        5 => rule.resume(count),
        6 => rule.resume_default(),
        _ => rule,
    };
    let steps = proptest::collection::vec((0_u8..7, 1_u32..60), 0..3);
    let then = proptest::option::of(prop_oneof![
        Just(Then::Fail),
        Just(Then::Escalate),
        Just(Then::Fallback)
    ]);
    let scale = proptest::option::of(0.0..101.0);
    let tokens = proptest::option::of(1_u32..20_000_000);
    (steps, then, scale, tokens, any::<bool>()).prop_map(
        move |(steps, then, scale, tokens, keep)| {
            let start = if keep { Rule::default_actions() } else { Rule::new() };
            let rule =
                steps.into_iter().filter(|_| !keep).fold(start, |rule, (s, n)| step(rule, s, n));
            let rule = then.into_iter().fold(rule, Rule::then);
            let rule = scale.into_iter().fold(rule, Rule::delay_scale);
            tokens.into_iter().fold(rule, Rule::max_tokens)
        },
    )
}

proptest! {
    /// Whatever the builder takes is written and read back as an equal policy.
    #[test]
    fn what_is_built_is_written_and_read_back(
        attempts in proptest::option::of(1_u32..=100),
        times in proptest::collection::vec(proptest::option::of(durations()), 4),
        models in proptest::collection::vec("[a-z\"\\\\ é]{1,6}", 0..3),
        rules in proptest::collection::vec((0..FailureKind::ALL.len(), rules()), 0..4),
    ) {
        let mut builder = RetryPolicy::builder().fallbacks(models);
        builder = attempts.into_iter().fold(builder, fcretry::RetryPolicyBuilder::max_attempts);
        builder = times[0].into_iter().fold(builder, fcretry::RetryPolicyBuilder::timeout);
        builder = times[1].into_iter().fold(builder, fcretry::RetryPolicyBuilder::first_token);
        builder = times[2].into_iter().fold(builder, fcretry::RetryPolicyBuilder::idle);
        builder = times[3].into_iter().fold(builder, fcretry::RetryPolicyBuilder::deadline);
        for (kind, rule) in rules {
            builder = builder.on(FailureKind::ALL[kind], rule);
        }
        match builder.build() {
            Ok(policy) => same_when_read_back(&policy),
            Err(error) => prop_assert!(!error.faults().is_empty()),
        }
    }
}
