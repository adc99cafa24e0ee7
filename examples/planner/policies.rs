//! The policies that are compared, and what is assumed of the models.

use std::time::Duration;

use fcretry::{
    FailureKind, InvalidPolicy, Planner, Prices, RetryPolicy, RetryPolicyBuilder, Rule,
    cost::{Asked, FailureRates, InvalidPlan, Latency, Plan},
};

use crate::args::Args;

pub(crate) const GOOD: &str = "gpt-4.1";
pub(crate) const CHEAP: &str = "deepseek-v3.2";

/// The ways an answer is bad, and their shares of all bad answers.
const SHARES: [(FailureKind, f64); 3] = [
    (FailureKind::StructuralParse, 0.45),
    (FailureKind::SchemaValidation, 0.35),
    (FailureKind::SemanticValidation, 0.20),
];

/// The most attempts of a curve.
const MOST_ATTEMPTS: u32 = 6;

/// A policy and what it comes to.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

/// A way to go on after a failure, with one attempt and more.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

pub(crate) struct Point {
    pub(crate) attempts: u32,
    pub(crate) plan: Plan,
}

pub(crate) fn rows(args: &Args) -> Result<Vec<Row>, InvalidPlan> {
    let blind = |builder: RetryPolicyBuilder| each_kind(builder, || Rule::new().retry(3));
    let policies = [
        ("single shot".to_owned(), GOOD, policy(|b| b.max_attempts(1))),
        ("asking again, up to 3 times".to_owned(), GOOD, policy(blind)),
        ("default: up to 2 repairs".to_owned(), GOOD, policy(|b| b)),
        (format!("default, then {CHEAP}"), GOOD, policy(|b| b.fallback(CHEAP))),
        (format!("{CHEAP}, default"), CHEAP, policy(|b| b)),
        (format!("{CHEAP}, then {GOOD}"), CHEAP, policy(|b| b.fallback(GOOD))),
    ];
    let rows = policies.into_iter().filter_map(|(name, model, policy)| {
        let policy = policy.ok()?;
        Some(planner(args, &policy, model).plan().map(|plan| Row { name, plan }))
    });
    rows.collect()
}

pub(crate) fn curves(args: &Args) -> Result<Vec<Curve>, InvalidPlan> {
    let again = |attempts: u32| policy(|b| limited(b, attempts, |n| Rule::new().retry(n)));
    let repair = |attempts: u32, then: Option<&str>| {
        policy(|b| {
            let builder = limited(b, attempts, |n| Rule::new().repair(n));
            // With one attempt there is nothing to fall back from.
            match then.filter(|_| attempts > 1) {
                Some(model) => builder.fallback(model),
                None => builder,
            }
        })
    };
    Ok(vec![
        curve(args, format!("{GOOD}, asking again"), GOOD, again)?,
        curve(args, format!("{GOOD}, repair"), GOOD, |n| repair(n, None))?,
        curve(args, format!("{GOOD}, repair, then {CHEAP}"), GOOD, |n| repair(n, Some(CHEAP)))?,
        curve(args, format!("{CHEAP}, repair, then {GOOD}"), CHEAP, |n| repair(n, Some(GOOD)))?,
    ])
}

fn curve(
    args: &Args,
    name: String,
    model: &str,
    policy: impl Fn(u32) -> Result<RetryPolicy, InvalidPolicy>,
) -> Result<Curve, InvalidPlan> {
    let points = (1..=MOST_ATTEMPTS).filter_map(|attempts| {
        let policy = policy(attempts).ok()?;
        // The means are in closed form; the few runs only look for the deadline.
        let plan = planner(args, &policy, model).runs(2000).plan();
        Some(plan.map(|plan| Point { attempts, plan }))
    });
    Ok(Curve { name, points: points.collect::<Result<_, _>>()? })
}

fn policy(
    build: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder,
) -> Result<RetryPolicy, InvalidPolicy> {
    build(RetryPolicy::builder()).build()
}

fn each_kind(builder: RetryPolicyBuilder, rule: impl Fn() -> Rule) -> RetryPolicyBuilder {
    SHARES.into_iter().fold(builder, |builder, (kind, _)| builder.on(kind, rule()))
}

/// So many attempts, all of them under `rule`.
fn limited(
    builder: RetryPolicyBuilder,
    attempts: u32,
    rule: impl Fn(u32) -> Rule,
) -> RetryPolicyBuilder {
    let builder = builder.max_attempts(attempts);
    if attempts > 1 { each_kind(builder, || rule(attempts - 1)) } else { builder }
}

fn planner(args: &Args, policy: &RetryPolicy, model: &str) -> Planner {
    let seconds = Duration::from_secs;
    let shares = |all: f64| SHARES.map(|(kind, share)| (kind, all * share));
    let mut rates = FailureRates::new().given(GOOD, shares(args.failures));
    rates = rates.given(CHEAP, shares(args.cheap_failures));
    for model in [GOOD, CHEAP] {
        rates = rates.given_after(Asked::Repair, model, shares(1.0 - args.repaired)).given_after(
            Asked::Resend,
            model,
            shares(1.0 - args.resent),
        );
    }
    Planner::new(policy, model)
        .rates(rates)
        .prices(Prices::builtin())
        .tokens(args.prompt, args.answer)
        // The bad answer, and some lines on what was wrong with it.
        .feedback(args.answer + 100)
        .latency(Latency::new(seconds(3), seconds(2)))
        .latency_of(CHEAP, Latency::new(seconds(5), seconds(3)))
}
