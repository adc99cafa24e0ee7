use std::time::Duration;

use proptest::prelude::*;

use super::{walk::State, *};
use crate::{
    cost::{Cost, Price},
    failure::FailureKind::{self, *},
    policy::{Backoff, Jitter, Middle, RetryPolicyBuilder, Rule},
};

const ANSWERS: [FailureKind; 3] = [StructuralParse, SchemaValidation, SemanticValidation];

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn policy(build: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder) -> RetryPolicy {
    build(RetryPolicy::builder()).build().unwrap()
}

fn prices() -> Prices {
    let good = Price::per_million("2.00", "8.00").unwrap();
    let cheap = Price::per_million("0.28", "0.42").unwrap();
    Prices::new().with("good", good).with("cheap", cheap)
}

/// A tenth fails in its answer, some more on the way.
fn rates() -> FailureRates {
    FailureRates::new()
        .given(
            "good",
            [
                (StructuralParse, 0.06),
                (SchemaValidation, 0.05),
                (SemanticValidation, 0.04),
                (NoToolCall, 0.03),
                (RateLimit, 0.08),
                (ModelOverload, 0.05),
                (Truncated, 0.03),
                (Refusal, 0.01),
            ],
        )
        .given_after(Asked::Repair, "good", [(SchemaValidation, 0.3), (RateLimit, 0.05)])
        .given_after(Asked::Resend, "good", [(SchemaValidation, 0.7), (RateLimit, 0.05)])
        .given("cheap", [(StructuralParse, 0.2), (TransientNetwork, 0.1)])
}

fn planner(policy: &RetryPolicy) -> Planner {
    Planner::new(policy, "good")
        .rates(rates())
        .prices(prices())
        .tokens(1200, 300)
        .feedback(400)
        .latency(Latency::new(seconds(3.0), seconds(1.5)))
        .latency_of("cheap", Latency::new(seconds(5.0), seconds(2.0)))
        .turned_down_latency(Latency::new(seconds(0.2), seconds(0.1)))
}

fn is_near(found: f64, expected: f64, share: f64) -> bool {
    (found - expected).abs() <= share * expected.abs().max(1e-9)
}

fn assert_agrees(name: &str, planner: &Planner) {
    let exact = planner.plan().unwrap();
    assert_eq!(exact.method, Method::ClosedForm, "{name}");
    let simulated = planner.clone().runs(60_000).seed(5).simulate().unwrap();
    assert_eq!(simulated.method, Method::Simulated);
    assert!(is_near(simulated.success, exact.success, 0.02), "{name}");
    let spends = [
        (exact.per_call, simulated.per_call),
        (exact.per_success.unwrap(), simulated.per_success.unwrap()),
    ];
    for (exact, simulated) in spends {
        let money = |spend: Spend| spend.cost.map_or(0.0, |cost| cost.mean.as_usd());
        for (what, found, expected) in [
            ("requests", simulated.requests.mean, exact.requests.mean),
            ("tokens", simulated.tokens.mean, exact.tokens.mean),
            ("cost", money(simulated), money(exact)),
            ("time", simulated.time.mean.as_secs_f64(), exact.time.mean.as_secs_f64()),
        ] {
            assert!(is_near(found, expected, 0.02), "{name}: {what} {found} is not {expected}");
        }
    }
}

#[test]
fn closed_form_and_simulation_agree_within_two_percent() {
    let retry_three = |builder: RetryPolicyBuilder| {
        let kinds = ANSWERS.into_iter().chain([NoToolCall, RateLimit, ModelOverload]);
        kinds.fold(builder, |builder, kind| builder.on(kind, Rule::new().retry(3)))
    };
    let long = seconds(3600.0);
    for (name, policy) in [
        ("default", RetryPolicy::default()),
        ("single shot", policy(|b| b.max_attempts(1))),
        ("blind", policy(retry_three)),
        ("fallback", policy(|b| b.fallback("cheap"))),
        (
            "patient",
            policy(|b| {
                let equal = Backoff::fibonacci().jitter(Jitter::Equal).base(seconds(2.0));
                b.max_attempts(9)
                    .deadline(long)
                    .backoff(equal)
                    .on(RateLimit, Rule::new().retry(6).delay_scale(3.0))
                    .on(SchemaValidation, Rule::new().repair(4).delay_scale(0.5))
                    .fallback("cheap")
            }),
        ),
        (
            "carries",
            policy(|b| b.max_attempts(8).history(3).on(SchemaValidation, Rule::new().repair(6))),
        ),
        ("hurried", policy(|b| b.timeout(seconds(4.0)).deadline(long).fallback("cheap"))),
        ("budget", policy(|b| b.budget_tokens(4000).fallback("cheap"))),
    ] {
        assert_agrees(name, &planner(&policy));
        assert_agrees(name, &planner(&policy).limit(512).without_attempt());
    }
    let guarded =
        rates().given("good", [(CircuitOpen, 0.3), (Timeout, 0.1), (StructuralParse, 0.1)]);
    let policy = policy(|b| b.deadline(long).fallback("cheap"));
    assert_agrees("guarded", &planner(&policy).rates(guarded));
}

/// Every way a call can go, one by one: how likely it is, and what it takes.
fn ways(
    walk: &Walk<'_>,
    state: &State,
    chance: f64,
    cost: Cost,
    found: &mut Vec<(f64, bool, Cost)>,
) {
    let chances = walk.chances(state);
    let failed: f64 = chances.iter().map(|(_, share)| share).sum();
    let price = walk.model(state).and_then(|model| model.price).unwrap();
    let paid = |kind| cost + price.cost_of(walk.usage(state, kind));
    found.push((chance * (1.0 - failed), true, paid(None)));
    for &(kind, share) in chances {
        let mut next = state.clone();
        let decision = walk.fail(&mut next, kind, Duration::MAX, &mut Middle);
        match decision.stopped_by {
            Some(_) => found.push((chance * share, false, paid(Some(kind)))),
            None => ways(walk, &next, chance * share, paid(Some(kind)), found),
        }
    }
}

#[test]
fn the_closed_form_is_the_sum_over_every_way_a_call_can_go() {
    let default = RetryPolicy::default();
    let fallback = policy(|b| b.max_attempts(5).history(2).fallback("cheap"));
    for policy in [default, fallback] {
        let planner = planner(&policy).latency(Latency::ZERO).latency_of("cheap", Latency::ZERO);
        let walk = planner.walk().unwrap();
        let mut found = Vec::new();
        ways(&walk, &walk.start(), 1.0, Cost::ZERO, &mut found);
        assert!(is_near(found.iter().map(|(chance, ..)| chance).sum(), 1.0, 1e-9));
        let plan = planner.plan().unwrap();
        let good: f64 = found.iter().filter(|(_, good, _)| *good).map(|(chance, ..)| chance).sum();
        assert!(is_near(plan.success, good, 1e-9));
        let usd: f64 = found.iter().map(|(chance, _, cost)| chance * cost.as_usd()).sum();
        assert!(is_near(plan.per_call.cost.unwrap().mean.as_usd(), usd, 1e-6));
    }
}

#[test]
fn the_figures_are_those_worked_out_by_hand() {
    let rates = FailureRates::new().given("good", [(RateLimit, 0.5)]);
    let policy = policy(|b| b.max_attempts(3));
    let planner = Planner::new(&policy, "good").rates(rates).prices(prices()).tokens(1000, 500);
    let plan = planner.latency(Latency::new(seconds(2.0), Duration::ZERO)).plan().unwrap();
    assert!(is_near(plan.success, 0.875, 1e-12));
    let call = plan.per_call;
    assert!(is_near(call.requests.mean, 1.75, 1e-12));
    // Only answers are paid for: 1000 · 2 + 500 · 8 micro-dollars each.
    assert_eq!(call.cost.unwrap().mean, "0.00525".parse().unwrap());
    assert!(is_near(call.tokens.mean, 0.875 * 1500.0, 1e-12));
    // Three times the backoff, full jitter: 1.5 s after the first, 3 s after the second in the mean.
    assert_eq!(call.time.mean, seconds(1.75 * 2.0 + 0.5 * 1.5 + 0.25 * 3.0));
    let success = plan.per_success.unwrap();
    assert_eq!(success.cost.unwrap().mean, "0.006".parse().unwrap());
    assert!(is_near(success.requests.mean, 2.0, 1e-12));
    // A call takes 3 requests or fewer, the way to a success 5 or more in one of 32.
    assert_eq!((call.requests.p95, success.requests.p95), (3.0, 5.0));
}

#[test]
fn feedback_is_paid_for_as_often_as_the_history_carries_it() {
    let rates = FailureRates::new().given("good", [(SchemaValidation, 1.0)]);
    for (history, prompts) in [(1, 4000 + 3 * 200), (2, 4000 + (1 + 2 + 2) * 200)] {
        let policy = policy(|b| b.history(history).on(SchemaValidation, Rule::new().repair(3)));
        let planner = Planner::new(&policy, "good").rates(rates.clone()).tokens(1000, 0);
        let plan = planner.feedback(200).plan().unwrap();
        assert!(is_near(plan.per_call.tokens.mean, f64::from(prompts), 1e-12), "{history}");
        assert_eq!((plan.success, plan.per_success), (0.0, None));
    }
}

#[test]
fn a_cut_answer_costs_its_limit_and_then_more() {
    let rates = FailureRates::new().given("good", [(Truncated, 1.0)]);
    let planner = Planner::new(&RetryPolicy::default(), "good").rates(rates).tokens(100, 50);
    let tokens = |planner: &Planner| planner.plan().unwrap().per_call.tokens.mean;
    assert!(is_near(tokens(&planner.clone().limit(1000)), 1100.0 + 2100.0, 1e-12));
    assert!(is_near(tokens(&planner), 150.0 + 4196.0, 1e-12));
}

#[test]
fn where_the_deadline_or_the_jitter_remembers_the_means_are_simulated() {
    let hurried = policy(|b| b.timeout(seconds(5.0)).deadline(seconds(8.0)));
    let plan = planner(&hurried).plan().unwrap();
    assert_eq!(plan.method, Method::Simulated);
    assert!(plan.per_call.time.p95 <= seconds(8.0));
    assert!(plan.success < planner(&RetryPolicy::default()).plan().unwrap().success);
    let wandering = policy(|b| b.backoff(Backoff::exponential().jitter(Jitter::Decorrelated)));
    assert_eq!(planner(&wandering).plan().unwrap().method, Method::Simulated);
    let in_a_rule = Rule::new().retry(2).backoff(Backoff::linear().jitter(Jitter::Decorrelated));
    let wandering = policy(|b| b.on(ModelOverload, in_a_rule));
    assert_eq!(planner(&wandering).plan().unwrap().method, Method::Simulated);
}

#[test]
fn a_policy_with_more_states_than_can_be_summed_is_simulated() {
    let short = Backoff::constant().base(seconds(0.001));
    let patient = |kinds: &[FailureKind]| {
        let builder = RetryPolicy::builder().max_attempts(100).deadline(seconds(3600.0));
        let rule = |builder: RetryPolicyBuilder, kind: &FailureKind| {
            builder.on(*kind, Rule::new().retry(50).backoff(short))
        };
        kinds.iter().fold(builder, rule).build().unwrap()
    };
    let kinds = [RateLimit, ModelOverload, TransientNetwork, PartialStream, Timeout];
    let rates = |share: f64| FailureRates::new().given("good", kinds.map(|kind| (kind, share)));
    let planner = |policy: &RetryPolicy, share| {
        let planner = Planner::new(policy, "good").rates(rates(share)).runs(2000);
        planner.plan().unwrap()
    };
    // One path of a hundred steps is summed, every mixture of five is not.
    let one = patient(&kinds[..1]);
    assert_eq!(planner(&one, 0.19).method, Method::ClosedForm);
    let all = patient(&kinds[..4]);
    let plan = planner(&all, 0.19);
    assert_eq!(plan.method, Method::Simulated);
    assert!(plan.success > 0.0);
}

#[test]
fn a_model_without_a_price_is_no_cost_and_one_that_never_answers_needs_none() {
    let policy = policy(|b| b.fallback("cheap"));
    let only_good = Prices::new().with("good", prices().price_of("good").unwrap());
    let plan = planner(&policy).prices(only_good.clone()).plan().unwrap();
    assert!(plan.per_call.cost.is_none() && plan.per_success.unwrap().cost.is_none());
    let down = rates().given("cheap", [(ModelOverload, 1.0)]);
    let planner = planner(&policy).prices(only_good).rates(down);
    let plan = planner.turned_down_latency(Latency::ZERO).plan().unwrap();
    assert!(plan.per_call.cost.is_some());
}

#[test]
fn the_same_seed_gives_the_same_plan() {
    let planner = planner(&RetryPolicy::default()).runs(500);
    let plan = planner.simulate().unwrap();
    assert_eq!(planner.simulate().unwrap(), plan);
    assert_ne!(planner.clone().seed(1).simulate().unwrap(), plan);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["method"], "simulated");
    assert!(json["per_call"]["time_ms"]["p95"].is_u64());
    assert!(json["per_success"]["cost"]["mean"].is_string());
}

#[test]
fn what_cannot_be_planned_is_named() {
    let policy = policy(|b| b.fallback("other"));
    let bad = rates().given("good", [(RateLimit, 2.0)]);
    let error = planner(&policy).rates(bad).runs(0).plan().unwrap_err();
    assert_eq!(error.faults().len(), 4, "{error}");
    assert!(error.to_string().contains("no failure rates for `other`"));
}

fn some_rates() -> impl Strategy<Value = Vec<(FailureKind, f64)>> {
    prop::collection::vec(0.0..1.0, 5).prop_map(|parts: Vec<f64>| {
        let sum: f64 = parts.iter().sum::<f64>() + 0.5;
        let kinds = [StructuralParse, SchemaValidation, RateLimit, Timeout, Refusal];
        kinds.into_iter().zip(parts.into_iter().map(|part| part / sum)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// With a fallback it is not so: what would be repaired instead may end in a refusal.
    #[test]
    fn on_one_model_more_attempts_never_succeed_less(first in some_rates(), repair in some_rates()) {
        let rates = FailureRates::new().given("good", first).given_after(Asked::Repair, "good", repair);
        let mut last = 0.0;
        for attempts in 1..=6 {
            let policy = policy(|b| b.max_attempts(attempts));
            let planner = Planner::new(&policy, "good").rates(rates.clone()).runs(1);
            let success = planner.plan().unwrap().success;
            prop_assert!(success >= last - 1e-12);
            last = success;
        }
    }

    #[test]
    fn what_is_resent_at_even_chances_succeeds_as_powers_say(rate in 0.0..1.0, count in 1_u32..6) {
        let rates = FailureRates::new().given("good", [(SchemaValidation, rate)]);
        let policy = policy(|b| b.max_attempts(10).on(SchemaValidation, Rule::new().retry(count)));
        let plan = Planner::new(&policy, "good").rates(rates).runs(1).plan().unwrap();
        let tries = i32::try_from(count).unwrap() + 1;
        prop_assert!(is_near(plan.success, 1.0 - rate.powi(tries), 1e-9));
        // A geometric series.
        let requests = (0..tries).map(|n| rate.powi(n)).sum();
        prop_assert!(is_near(plan.per_call.requests.mean, requests, 1e-9));
    }
}
