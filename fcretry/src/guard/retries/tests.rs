use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::time::{Instant, advance, timeout};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const AGAIN: Option<FailureKind> = Some(FailureKind::ModelOverload);
const THROTTLED: Option<FailureKind> = Some(FailureKind::RateLimit);

fn key() -> Key {
    Key::of("endpoint")
}

fn ask(budget: &RetryBudget, after: Option<FailureKind>) -> Result<Asking<'_>, Spent> {
    budget.try_ask(key(), after, Instant::now())
}

fn tokens(budget: &RetryBudget) -> u32 {
    budget.stats(key()).tokens
}

/// One whose tokens come back by answers alone.
const fn still() -> RetryBudget {
    RetryBudget::new().refill(0.0)
}

#[tokio::test(start_paused = true)]
async fn a_retry_costs_14_and_5_after_a_rate_limit() {
    let budget = still();
    ask(&budget, AGAIN).unwrap().failure();
    assert_eq!(tokens(&budget), 500 - 14);
    ask(&budget, THROTTLED).unwrap().failure();
    assert_eq!(tokens(&budget), 500 - 14 - 5);
}

#[tokio::test(start_paused = true)]
async fn first_asks_and_repairs_are_never_refused_and_cost_nothing() {
    let budget = still().capacity(0).in_flight(0.0, 0);
    let mut held = Vec::new();
    for &kind in FailureKind::ALL {
        if kind.is_repairable() {
            held.push(ask(&budget, Some(kind)).unwrap());
        }
        held.push(ask(&budget, None).unwrap());
    }
    assert!(ask(&budget, AGAIN).is_err());
    assert_eq!(budget.stats(key()).retrying, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_first_try_adds_one_and_to_a_retry_gives_back_its_cost() {
    let budget = still();
    ask(&budget, AGAIN).unwrap().failure();
    ask(&budget, None).unwrap().success();
    assert_eq!(tokens(&budget), 487);
    ask(&budget, None).unwrap().failure();
    assert_eq!(tokens(&budget), 487);
    ask(&budget, Some(FailureKind::SchemaValidation)).unwrap().success();
    assert_eq!(tokens(&budget), 487, "a repair is neither");
    ask(&budget, AGAIN).unwrap().success();
    assert_eq!(tokens(&budget), 487);
    for _ in 0..100 {
        ask(&budget, None).unwrap().success();
    }
    assert_eq!(tokens(&budget), 500);
}

#[tokio::test(start_paused = true)]
async fn while_a_provider_is_down_retries_end() {
    let budget = still();
    let mut retries = 0;
    for _ in 0..1000 {
        ask(&budget, None).unwrap().failure();
        if let Ok(again) = ask(&budget, AGAIN) {
            again.failure();
            retries += 1;
        }
    }
    assert_eq!(retries, 500 / 14);
    assert_eq!(ask(&budget, AGAIN).unwrap_err(), Spent::Budget { refilled_in: Duration::MAX });
}

/// aws-sdk-go-v2#3550.
#[tokio::test(start_paused = true)]
async fn a_budget_at_zero_comes_back_with_time() {
    let budget = RetryBudget::new().capacity(14);
    ask(&budget, AGAIN).unwrap().failure();
    advance(SECOND / 2).await;
    let refilled_in = Duration::from_millis(13_500);
    assert_eq!(ask(&budget, AGAIN).unwrap_err(), Spent::Budget { refilled_in });
    advance(refilled_in.saturating_sub(Duration::from_micros(1))).await;
    assert!(ask(&budget, AGAIN).is_err());
    advance(Duration::from_micros(1)).await;
    assert!(ask(&budget, AGAIN).is_ok());
}

#[tokio::test(start_paused = true)]
async fn three_retries_may_be_under_way_or_a_fifth_of_all_asks() {
    let budget = still();
    let three: Vec<_> = (0..3).map(|_| ask(&budget, AGAIN).unwrap()).collect();
    assert_eq!(ask(&budget, AGAIN).unwrap_err(), Spent::Share { retrying: 3 });
    // Of 20 asks, this one included, 4.
    let firsts: Vec<_> = (0..15).map(|_| ask(&budget, None).unwrap()).collect();
    assert!(ask(&budget, AGAIN).is_err());
    let one_more = ask(&budget, None).unwrap();
    let fourth = ask(&budget, AGAIN).unwrap();
    drop((three, firsts, one_more, fourth));
    let ended = budget.stats(key());
    assert_eq!((ended.active, ended.retrying, ended.tokens), (0, 0, 500));
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_before_it_was_sent_gives_everything_back_and_after_it_its_place() {
    let budget = still();
    let waits = async {
        let _asking = budget.ask(key(), AGAIN).await.unwrap();
        std::future::pending::<()>().await;
    };
    timeout(SECOND, waits).await.unwrap_err();
    assert_eq!((tokens(&budget), budget.stats(key()).retrying), (500, 0));

    let asks = async {
        let mut asking = budget.ask(key(), AGAIN).await.unwrap();
        asking.sent();
        std::future::pending::<()>().await;
    };
    timeout(SECOND, asks).await.unwrap_err();
    let after = budget.stats(key());
    assert_eq!((after.tokens, after.retrying, after.active), (486, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_one_endpoint_spends_another_keeps() {
    let budget = still().capacity(14);
    ask(&budget, AGAIN).unwrap().failure();
    assert!(ask(&budget, AGAIN).is_err());
    assert!(budget.try_ask(Key::of("other"), AGAIN, Instant::now()).is_ok());
    assert_eq!(budget.all_stats().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_without_end_take_bounded_memory_and_none_under_way_is_forgotten() {
    let budget = still();
    let held = ask(&budget, AGAIN).unwrap();
    for n in 0..10_000 {
        advance(SECOND).await;
        budget.try_ask(Key::of(n), AGAIN, Instant::now()).unwrap().failure();
    }
    assert!(budget.all_stats().len() <= 256);
    assert_eq!(budget.stats(key()).retrying, 1);
    held.success();
    assert_eq!((budget.stats(key()).retrying, budget.stats(key()).active), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn it_works_where_only_the_trait_is_known() {
    let budget: Arc<dyn Retries> = Arc::new(still().capacity(0));
    budget.ask(key(), None).await.unwrap().success();
    assert!(budget.ask(key(), AGAIN).await.is_err());
}

#[test]
fn threads_leave_nothing_behind() {
    let budget = still();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..1000 {
                    let first = ask(&budget, None).unwrap();
                    if let Ok(again) = ask(&budget, AGAIN) {
                        if n % 2 == 0 { again.success() } else { drop(again) }
                    }
                    first.success();
                }
            });
        }
    });
    let ended = budget.stats(key());
    assert_eq!((ended.active, ended.retrying, ended.tokens), (0, 0, 500));
}

/// What one step of a law does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(Option<FailureKind>),
    End(Came),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, prop::sample::Index)>> {
    let step = prop_oneof![
        3 => Just(Step::Ask(None)),
        4 => Just(Step::Ask(AGAIN)),
        2 => Just(Step::Ask(THROTTLED)),
        1 => Just(Step::Ask(Some(FailureKind::UnknownTool))),
        3 => prop_oneof![Just(Came::Answer), Just(Came::Nothing), Just(Came::Unsent)]
            .prop_map(Step::End),
        1 => (0_u64..20_000).prop_map(Step::Pass),
    ];
    vec((step, any::<prop::sample::Index>()), 1..300)
}

proptest! {
    /// tower#857: a share of 0.6 that allows 100 %.
    #[test]
    fn the_share_is_exact_for_every_share(
        share in 0_u64..=1_000_000_000,
        firsts in 0_u64..300,
        at_least in 0_u32..5,
    ) {
        #[allow(clippy::cast_precision_loss)]
        let budget = still().cost(0, 0).in_flight(share as f64 / 1e9, at_least);
        let now = Instant::now();
        let mut held: Vec<_> =
            (0..firsts).map(|_| budget.try_ask(key(), None, now).unwrap()).collect();
        let mut retrying = 0;
        while retrying < 1000 && let Ok(again) = budget.try_ask(key(), AGAIN, now) {
            held.push(again);
            retrying += 1;
        }
        // As many as fit, and not one more.
        let fits = |n: u64| {
            n <= u64::from(at_least)
                || u128::from(n) * 1_000_000_000 <= u128::from(share) * u128::from(firsts + n)
        };
        let due = (1..=1000).take_while(|&n| fits(n)).count();
        prop_assert_eq!(retrying, due);
    }

    #[test]
    fn the_budget_equals_a_naive_model_and_nothing_leaks(
        steps in steps(),
        capacity in 0_u32..200,
        refill in 0_u32..5,
    ) {
        let budget = RetryBudget::new().capacity(capacity).refill(f64::from(refill));
        let (mut now, mut held) = (Instant::now(), Vec::<(Asking<'_>, u64, bool)>::new());
        // In thousandths, as time passes by milliseconds.
        let full = u64::from(capacity) * 1000;
        let mut level = full;
        for (step, which) in steps {
            match step {
                Step::Pass(ms) => {
                    now += Duration::from_millis(ms);
                    level = full.min(level + ms * u64::from(refill));
                }
                Step::Ask(after) => {
                    let cost = match after {
                        None | Some(FailureKind::UnknownTool) => None,
                        THROTTLED => Some(5_000),
                        Some(_) => Some(14_000),
                    };
                    let active = held.len() as u64 + 1;
                    let retrying = held.iter().filter(|(_, cost, _)| *cost > 0).count() as u64;
                    let due = cost.is_none_or(|cost| {
                        cost <= level && retrying < 3.max(active / 5)
                    });
                    let got = budget.try_ask(key(), after, now);
                    prop_assert_eq!(got.is_ok(), due);
                    if let Ok(asking) = got {
                        level -= cost.unwrap_or(0);
                        held.push((asking, cost.unwrap_or(0), after.is_none()));
                    }
                }
                Step::End(came) if !held.is_empty() => {
                    let (asking, cost, first) = held.swap_remove(which.index(held.len()));
                    asking.settle(came, now);
                    level += match came {
                        Came::Answer if first => 1000,
                        Came::Answer | Came::Unsent => cost,
                        Came::Nothing => 0,
                    };
                    level = level.min(full);
                }
                Step::End(_) => {}
            }
        }
        drop(held);
        let ended = budget.stats(key());
        prop_assert_eq!((ended.active, ended.retrying), (0, 0));
        prop_assert!(ended.tokens <= capacity);
    }
}
