//! The live summary of calls.

use std::{sync::Arc, time::Duration};

use fcretry::{
    FailureKind, FinishEvent, Observer, Prices, RetryPolicy, Run, Stats, Usage,
    cost::{Cost, Price},
    prelude::*,
    stats::{StatsSnapshot, Window},
    testing::{MockModel, Reply},
};
use tokio::time::{advance, timeout};

use crate::{
    left_early::wrong_notes,
    support::{Mock, Order, broken, good, with_count},
};

fn nobody(_: &fcretry::Error) -> Order {
    Order { customer: "nobody".to_owned(), count: 1 }
}

#[retry_policy(observer(stats), backoff(constant, base = "1ms", jitter = "none"))]
pub(crate) async fn counted(
    attempt: &Attempt,
    client: &Mock,
    stats: &Arc<Stats>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

/// Plays `replies` in as many calls as they last, and tells what was counted.
async fn count(replies: impl IntoIterator<Item = Reply>) -> StatsSnapshot {
    let stats = Arc::new(Stats::new());
    count_with(&stats, replies).await;
    stats.snapshot()
}

pub(crate) async fn count_with(stats: &Arc<Stats>, replies: impl IntoIterator<Item = Reply>) {
    let model = MockModel::new(replies);
    while model.remaining() > 0 {
        let _ = counted(&model.client(), stats).await;
    }
}

pub(crate) fn errors(window: &Window) -> Vec<(FailureKind, u64)> {
    window.errors.iter().map(|error| (error.kind, error.count)).collect()
}

fn usd(text: &str) -> Cost {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_came_of_calls_is_counted_to_the_token() {
    let all = count([
        good().usage(100, 20),
        Reply::status(503),
        with_count(0).usage(100, 30),
        good().usage(150, 20),
        Reply::refusal("No.").usage(100, 5),
        broken().usage(100, 10),
        good().usage(130, 20),
    ])
    .await
    .all;
    assert_eq!((all.calls, all.succeeded, all.failed), (4, 3, 1));
    assert_eq!((all.success_rate, all.mean_attempts), (Some(0.75), Some(7.0 / 4.0)));
    assert_eq!(all.p95_attempts, Some(3));
    assert_eq!(all.wire_requests, 7);
    assert_eq!(all.usage, Usage::new(680, 105));
    // The 503 may have cost tokens; nobody said.
    assert!(all.partial);
    assert_eq!(all.errors.len(), 4);
    assert!(all.errors.iter().all(|error| error.count == 1));
}

#[tokio::test(start_paused = true)]
async fn the_most_common_error_comes_first() {
    let snapshot = count([
        Reply::refusal("No."),
        broken(),
        good(),
        broken(),
        good(),
        broken(),
        broken(),
        good(),
        Reply::refusal("No."),
        with_count("x"),
        good(),
    ])
    .await;
    let expected = [
        (FailureKind::StructuralParse, 4),
        (FailureKind::Refusal, 2),
        (FailureKind::SchemaValidation, 1),
    ];
    assert_eq!(errors(&snapshot.all), expected);
    assert_eq!(errors(&snapshot.minute), expected);
}

#[tokio::test(start_paused = true)]
async fn a_window_forgets_what_is_older_and_all_forgets_nothing() {
    let stats = Arc::new(Stats::new());
    let calls = || {
        let now = stats.snapshot();
        assert_eq!(now.minutes.iter().map(|minute| minute.calls).sum::<u64>(), now.hour.calls);
        (now.minute.calls, now.hour.calls, now.all.calls)
    };
    assert_eq!(calls(), (0, 0, 0));
    count_with(&stats, [good()]).await;
    advance(Duration::from_secs(59)).await;
    count_with(&stats, [good(), good()]).await;
    assert_eq!(calls(), (3, 3, 3));
    advance(Duration::from_secs(1)).await;
    assert_eq!(calls(), (2, 3, 3));
    advance(Duration::from_secs(59)).await;
    assert_eq!(calls(), (0, 3, 3));
    advance(Duration::from_secs(57 * 60)).await;
    assert_eq!(calls(), (0, 3, 3));
    advance(Duration::from_secs(2 * 60)).await;
    assert_eq!(calls(), (0, 0, 3));
    count_with(&stats, [Reply::refusal("No.")]).await;
    let now = stats.snapshot();
    assert_eq!((now.minute.success_rate, now.hour.success_rate), (Some(0.0), Some(0.0)));
    assert_eq!(now.all.success_rate, Some(0.75));
    assert_eq!(now.minutes.len(), 60);
    assert_eq!(now.minutes[59].without_value, 1);
    assert_eq!(now.elapsed.as_secs(), 119 + 59 * 60);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_value_is_failed_degraded_or_cancelled() {
    #[retry_policy(observer(stats), degrade(nobody))]
    async fn degraded(
        attempt: &Attempt,
        client: &Mock,
        stats: &Arc<Stats>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order, please.").call().await
    }
    let stats = Arc::new(Stats::new());
    let model = MockModel::new([Reply::refusal("No.")]);
    assert!(degraded(&model.client(), &stats).await.is_ok());
    count_with(&stats, [Reply::refusal("No."), good()]).await;
    let model = MockModel::repeat(Reply::hang());
    let client = model.client();
    assert!(timeout(Duration::from_secs(1), counted(&client, &stats)).await.is_err());
    let all = stats.snapshot().all;
    assert_eq!((all.calls, all.succeeded, all.degraded, all.failed), (4, 1, 1, 1));
    assert_eq!(all.cancelled, 1);
    // Nobody knows how many attempts it would have had, nor what would have come of it.
    assert_eq!((all.success_rate, all.mean_attempts), (Some(1.0 / 3.0), Some(1.0)));
    assert_eq!(all.wire_requests, 4);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_calls_inside_calls_count_once_whoever_is_observed() {
    #[retry_policy(max_attempts = 2)]
    async fn unobserved(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order, please.").call().await
    }
    #[retry_policy(max_attempts = 1, observer(stats))]
    async fn middle(
        attempt: &Attempt,
        client: &Mock,
        stats: &Arc<Stats>,
    ) -> fcretry::Result<Order> {
        let _ = attempt.number();
        counted(client, stats).await?;
        unobserved(client).await
    }
    #[retry_policy(max_attempts = 1, observer(stats))]
    async fn outer(attempt: &Attempt, client: &Mock, stats: &Arc<Stats>) -> fcretry::Result<Order> {
        let _ = attempt.number();
        middle(client, stats).await?;
        unobserved(client).await
    }
    let stats = Arc::new(Stats::new());
    let other = Arc::new(Stats::new());
    let model = MockModel::new([
        broken().usage(10, 1),
        good().usage(20, 2),
        good().usage(40, 4),
        broken().usage(80, 8),
        good().usage(160, 16),
    ]);
    let run = Run::new(&RetryPolicy::default()).observer(&other).run(
        async |attempt: &Attempt| -> fcretry::Result<Order> {
            let _ = attempt.number();
            outer(&model.client(), &stats).await
        },
    );
    assert!(run.await.is_ok());
    let all = stats.snapshot().all;
    assert_eq!((all.calls, all.succeeded), (3, 3));
    assert_eq!((all.wire_requests, all.usage), (5, Usage::new(310, 31)));
    assert_eq!(errors(&all), [(FailureKind::StructuralParse, 2)]);
    // The observed calls had two, one and one of their own.
    assert_eq!(all.mean_attempts, Some(4.0 / 3.0));
    assert_eq!(stats.snapshot().failures.len(), 2);
    // Whoever observes the whole from outside sees all of it once, too.
    let all = other.snapshot().all;
    assert_eq!((all.calls, all.usage), (1, Usage::new(310, 31)));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_inside_a_cancelled_call_counts_once() {
    #[retry_policy(observer(stats))]
    async fn outer(attempt: &Attempt, client: &Mock, stats: &Arc<Stats>) -> fcretry::Result<Order> {
        let _ = attempt.number();
        counted(client, stats).await
    }
    let stats = Arc::new(Stats::new());
    let model = MockModel::new([broken().usage(10, 1)]).then_repeat(Reply::hang());
    let client = model.client();
    assert!(timeout(Duration::from_secs(1), outer(&client, &stats)).await.is_err());
    let all = stats.snapshot().all;
    assert_eq!((all.calls, all.cancelled), (2, 2));
    assert_eq!((all.wire_requests, all.usage), (2, Usage::new(10, 1)));
    assert_eq!(errors(&all), [(FailureKind::StructuralParse, 1)]);
}

#[tokio::test(start_paused = true)]
async fn events_may_come_through_another_observer() {
    struct Both(Arc<Stats>);
    impl Observer for Both {
        fn on_finish(&self, event: &FinishEvent<'_>) {
            self.0.on_finish(event);
        }
    }
    #[retry_policy(observer(both))]
    async fn outer(attempt: &Attempt, client: &Mock, both: &Arc<Both>) -> fcretry::Result<Order> {
        let _ = attempt.number();
        counted(client, &both.0).await
    }
    let both = Arc::new(Both(Arc::new(Stats::new())));
    let model = MockModel::new([good().usage(10, 1)]);
    assert!(outer(&model.client(), &both).await.is_ok());
    let all = both.0.snapshot().all;
    assert_eq!((all.calls, all.usage), (2, Usage::new(10, 1)));
}

#[tokio::test(start_paused = true)]
async fn cost_is_that_of_each_attempt_s_model_and_none_where_no_price_is_known() {
    #[retry_policy(observer(stats), fallback("mini", "unknown"), on(model_overload, fallback))]
    async fn call(attempt: &Attempt, client: &Mock, stats: &Arc<Stats>) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let prices = Prices::new()
        .with("large", Price::per_million("2.00", "8.00").unwrap())
        .with("mini", Price::per_million("0.10", "0.40").unwrap());
    let stats = Arc::new(Stats::new());
    let play = async |replies: Vec<Reply>| {
        assert!(call(&MockModel::new(replies).client(), &stats).await.is_ok());
        let now = stats.snapshot();
        (now.all.cost, now.all.cost_partial, now.unpriced)
    };
    assert_eq!(stats.snapshot().all.cost, Some(Cost::ZERO));
    assert_eq!(play(vec![good().usage(1000, 100)]).await, (None, true, vec!["large".to_owned()]));
    let stats = Arc::new(Stats::new());
    stats.prices(prices);
    let play = async |replies: Vec<Reply>| {
        assert!(call(&MockModel::new(replies).client(), &stats).await.is_ok());
        let now = stats.snapshot();
        (now.all.cost, now.all.cost_partial, now.unpriced)
    };
    let bad = with_count(0).usage(1000, 100);
    let told = play(vec![bad, good().usage(1000, 50)]).await;
    assert_eq!(told, (Some(usd("0.0052")), false, vec![]));
    let told = play(vec![Reply::status(503), good().usage(1000, 50)]).await;
    assert_eq!(told, (Some(usd("0.00532")), true, vec![]), "a 503 may have cost something");
    let to_the_last = vec![Reply::status(503), Reply::status(503), good().usage(7, 1)];
    let (cost, _, unpriced) = play(to_the_last).await;
    assert_eq!((cost, unpriced), (Some(usd("0.00532")), vec!["unknown".to_owned()]));
    let minute = stats.snapshot().minutes.pop().unwrap();
    assert_eq!((minute.cost, minute.spike), (cost, false));
}

#[tokio::test(start_paused = true)]
async fn a_minute_that_costs_far_more_is_marked() {
    let stats = Arc::new(Stats::new());
    stats.prices(Prices::new().with("gpt-4o", Price::per_million("1", "1").unwrap()));
    for minute in 0..8 {
        let tokens = if minute == 6 { 5000 } else { 1000 + minute };
        count_with(&stats, [good().usage(tokens, 0)]).await;
        advance(Duration::from_secs(60)).await;
    }
    let now = stats.snapshot();
    let spikes: Vec<_> = now.minutes.iter().map(|minute| minute.spike).collect();
    assert_eq!(spikes, [false, false, false, false, false, false, true, false, false]);
    let at = |place: usize| now.minutes[place].began_at;
    assert_eq!(at(7).duration_since(at(6)).unwrap(), Duration::from_secs(60));
    assert!(at(8) <= now.taken_at);
}

#[tokio::test(start_paused = true)]
async fn what_recovery_and_early_abort_saved_is_told() {
    #[retry_policy(observer(stats), idle = "1m")]
    async fn stream(
        attempt: &Attempt,
        client: &Mock,
        stats: &Arc<Stats>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order, please.").stream().call().await
    }
    let single_quotes = || Reply::tool_call("order", "{'customer': 'Ann', 'count': 2}");
    let saved = count([
        single_quotes().usage(100, 10),
        good().usage(100, 20),
        // Put right, and wrong all the same: it is asked for again.
        Reply::tool_call("order", "{'customer': 'Ann', 'count': 0}").usage(100, 30),
        good().usage(100, 20),
    ])
    .await
    .all
    .saved;
    assert_eq!((saved.recovered, saved.recovered_tokens), (1, 110));
    assert_eq!((saved.left_early, saved.left_early_tokens), (0, 0));

    let stats = Arc::new(Stats::new());
    let model = MockModel::new([wrong_notes(), good().usage(100, 900), good().usage(100, 1100)]);
    let client = model.client();
    let (_, report) = fcretry::report(stream(&client, &stats)).await;
    assert!(report.attempts[0].left_early && !report.attempts[1].left_early, "{report}");
    assert!(stream(&client, &stats).await.is_ok());
    let came = report.attempts[0].streamed_tokens.unwrap();
    assert!(came > 0 && came < 900);
    let saved = stats.snapshot().all.saved;
    assert_eq!((saved.left_early, saved.left_early_tokens), (1, 1000 - came));
}
