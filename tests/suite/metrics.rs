//! Metrics of calls: their figures are the reports'.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use fcretry::{
    FinishEvent, Observer, Prices, Report, RetryPolicy, Route, Run, Stats,
    cost::Price,
    metrics::Metrics,
    openai,
    prelude::*,
    testing::{MockModel, Reply},
};
use tokio::time::timeout;

use crate::{
    exported::Exported,
    left_early::wrong_notes,
    support::{Mock, Order, broken, good, with_count},
};

/// Metrics, and the reports that they were written from.
#[derive(Default)]
pub(crate) struct Measured(pub(crate) Metrics, std::sync::Mutex<Vec<Report>>);

impl Observer for Measured {
    fn on_finish(&self, event: &FinishEvent<'_>) {
        self.0.on_finish(event);
        self.1.lock().unwrap().push(event.report.clone());
    }
}

/// Of one of the models.
static PRICES: LazyLock<Prices> =
    LazyLock::new(|| Prices::new().with("a", Price::per_million("2.00", "8.00").unwrap()));

fn nobody(_: &fcretry::Error) -> Order {
    Order { customer: "nobody".to_owned(), count: 1 }
}

#[retry_policy(
    backoff(constant, base = "2s", jitter = "none"),
    on(refusal, escalate),
    on(timeout, fallback),
    fallback("b"),
    prices(PRICES),
    observer(measured)
)]
async fn called(
    attempt: &Attempt,
    client: &Mock,
    measured: &Arc<Measured>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("An order, please.").call().await
}

#[retry_policy(observer(measured), max_attempts = 2)]
async fn streamed(
    attempt: &Attempt,
    client: &Mock,
    measured: &Arc<Measured>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("An order, please.").stream().call().await
}

#[retry_policy(observer(measured), degrade(nobody), on(auth, fallback), route(route))]
async fn routed(
    attempt: &Attempt,
    client: &Mock,
    route: &Route,
    measured: &Arc<Measured>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("An order, please.").call().await
}

/// A bad day: everything that is written is.
pub(crate) async fn bad_day() -> Arc<Measured> {
    let measured = Arc::new(Measured::default());
    let model = MockModel::new([
        good().usage(100, 20).cached(60),
        Reply::status(503),
        with_count("7 or so").usage(100, 30),
        good().usage(150, 20).reasoning(11),
        Reply::refusal("No.").usage(100, 5),
        Reply::hang(),
        Reply::tool_call("order", "{'customer': 'Ann', 'count': 2,}").usage(100, 20),
    ]);
    for _ in 0..4 {
        let _ = called(&model.client(), &measured).await;
    }
    let model = MockModel::new([wrong_notes(), good().usage(100, 20)]);
    streamed(&model.client(), &measured).await.unwrap();

    let (own, there) = (
        MockModel::repeat(Reply::status(401)),
        MockModel::new([good().usage(10, 2), Reply::refusal("No.").usage(10, 2)]),
    );
    let route = Route::new([openai::endpoint(there.client(), "x").named("there")]);
    for _ in 0..2 {
        routed(&own.client(), &route, &measured).await.unwrap();
    }
    let hanging = MockModel::repeat(Reply::hang());
    let client = hanging.client();
    let limit = Duration::from_secs(1);
    assert!(timeout(limit, called(&client, &measured)).await.is_err());
    measured
}

#[tokio::test(start_paused = true)]
async fn the_figures_are_those_of_the_reports() {
    let exported = Exported::new();
    let measured = bad_day().await;
    let reports = measured.1.lock().unwrap();
    let attempts: Vec<_> = reports.iter().flat_map(|report| &report.attempts).collect();
    let sum = |name: &str| exported.sum(name, &[]);
    let same = |name: &str, figure: f64| {
        assert!((sum(name) - figure).abs() < 1e-9, "{name}: {} and not {figure}", sum(name));
        assert!(figure > 0.0, "{name} is not tried");
    };
    #[allow(clippy::cast_precision_loss)]
    let total = |of: &dyn Fn(&fcretry::AttemptReport) -> u64| {
        attempts.iter().map(|attempt| of(attempt) as f64).sum::<f64>()
    };
    let seconds = |of: &dyn Fn(&fcretry::AttemptReport) -> Duration| {
        attempts.iter().map(|attempt| of(attempt).as_secs_f64()).sum::<f64>()
    };
    same("fcretry_calls_total", 8.0);
    same(
        "fcretry_call_duration_seconds_sum",
        reports.iter().map(|report| report.elapsed.as_secs_f64()).sum(),
    );
    same("fcretry_call_duration_seconds_count", 8.0);
    same("fcretry_attempts_total", total(&|_| 1));
    same("fcretry_decisions_total", total(&|attempt| attempt.kind.is_some().into()));
    same("fcretry_delay_seconds_sum", seconds(&|attempt| attempt.delay));
    same("fcretry_requests_total", total(&|attempt| attempt.wire_requests.into()));
    same("fcretry_unaccounted_total", total(&|attempt| attempt.partial.into()));
    same("fcretry_recoveries_total", total(&|attempt| attempt.recovered.len() as u64));
    same("fcretry_left_early_total", total(&|attempt| attempt.left_early.into()));
    same("fcretry_tokens_cached_total", total(&|attempt| attempt.usage.cached_tokens));
    same("fcretry_tokens_reasoning_total", total(&|attempt| attempt.usage.reasoning_tokens));
    same("gen_ai_client_token_usage_sum", total(&|attempt| attempt.usage.total()));
    let cost = attempts.iter().filter_map(|attempt| attempt.cost).map(fcretry::Cost::as_usd).sum();
    same("fcretry_cost_sum", cost);
    same("fcretry_unpriced_total", total(&|attempt| attempt.cost.is_none().into()));
    let of = |kind| exported.sum("gen_ai_client_token_usage_sum", &[("gen_ai_token_type", kind)]);
    #[allow(clippy::cast_precision_loss)]
    let usage = reports.iter().fold(fcretry::Usage::default(), |sum, it| sum + it.usage);
    assert_eq!((of("input") + of("output")).to_string(), usage.total().to_string());
    assert_eq!(of("output").to_string(), usage.completion_tokens.to_string());
    // All but the one that was dropped sent something and ended.
    let is_dropped =
        |attempt: &fcretry::AttemptReport| attempt.kind.is_none() && attempt.action.is_some();
    let took = |attempt: &fcretry::AttemptReport| {
        if is_dropped(attempt) { Duration::ZERO } else { attempt.elapsed }
    };
    same("gen_ai_client_operation_duration_seconds_sum", seconds(&took));
    same(
        "gen_ai_client_operation_duration_seconds_count",
        total(&|attempt| (!is_dropped(attempt)).into()),
    );
    same(
        "gen_ai_client_operation_time_to_first_chunk_seconds_count",
        total(&|attempt| attempt.first_token.is_some().into()),
    );
}

#[tokio::test(start_paused = true)]
async fn calls_attempts_and_decisions_are_told_apart() {
    let exported = Exported::new();
    bad_day().await;
    let calls = |outcome, error| {
        let labels = [("fcretry_outcome", outcome), ("error_type", error)];
        exported.sum("fcretry_calls_total", &labels).to_string()
    };
    assert_eq!(calls("ok", ""), "5");
    assert_eq!(calls("failed", "refusal"), "1");
    assert_eq!(calls("degraded", "refusal"), "1");
    assert_eq!(calls("cancelled", ""), "1");
    let attempts =
        |labels: &[(&str, &str)]| exported.sum("fcretry_attempts_total", labels).to_string();
    assert_eq!(attempts(&[("error_type", "timeout"), ("gen_ai_request_model", "a")]), "1");
    assert_eq!(attempts(&[("error_type", "auth"), ("fcretry_endpoint", "")]), "2");
    assert_eq!(attempts(&[("fcretry_endpoint", "there"), ("gen_ai_request_model", "x")]), "2");
    assert_eq!(attempts(&[("fcretry_outcome", "cancelled"), ("error_type", "")]), "1");
    assert_eq!(attempts(&[("fcretry_function", "suite::metrics::streamed")]), "2");
    let decisions =
        |action| exported.sum("fcretry_decisions_total", &[("fcretry_action", action)]).to_string();
    let told = ["retry", "repair", "fallback", "escalate", "fail"].map(decisions);
    assert_eq!(told, ["1", "2", "3", "1", "1"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_a_call_inside_a_call_counts_once() {
    #[retry_policy(observer(measured))]
    async fn outer(client: &Mock, measured: &Arc<Measured>) -> fcretry::Result<Order> {
        called(client, measured).await
    }
    let exported = Exported::new();
    let measured = Arc::new(Measured::default());
    let model = MockModel::new([broken().usage(10, 1), good().usage(10, 1)]);
    outer(&model.client(), &measured).await.unwrap();
    let sum = |name| exported.sum(name, &[]).to_string();
    assert_eq!((sum("fcretry_calls_total"), sum("fcretry_attempts_total")), two("2", "3"));
    assert_eq!(sum("gen_ai_client_token_usage_sum"), "22");
    // The outer attempt asked nobody.
    assert_eq!(sum("gen_ai_client_operation_duration_seconds_count"), "2");
}

fn two(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_one_too_many_is_other() {
    let exported = Exported::new();
    let metrics = Arc::new(Metrics::new().limit(3));
    let policy = RetryPolicy::default();
    let model = MockModel::repeat(good());
    let client = model.client();
    for n in 0..10 {
        let ask = async |attempt: &Attempt| -> fcretry::Result<Order> {
            attempt.chat(&client, &format!("model-{n}")).user("go").call().await
        };
        Run::new(&policy).named("many").observer(&metrics).run(ask).await.unwrap();
    }
    let of = |model| exported.sum("fcretry_attempts_total", &[("gen_ai_request_model", model)]);
    assert_eq!(
        ["model-0", "model-2", "model-3", "other"].map(|it| of(it).to_string()),
        ["1", "1", "0", "7"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_pair_of_observers_is_told_both() {
    let exported = Exported::new();
    let both = Arc::new((Stats::new(), Metrics::new()));
    let policy = RetryPolicy::default();
    for result in [Ok(1), Err(FailureKind::Refusal)] {
        let ask = async |_: &Attempt| -> fcretry::Result<u8> { Ok(result?) };
        let _ = Run::new(&policy).observer(&both).run(ask).await;
    }
    assert_eq!(both.0.snapshot().all.calls, 2);
    assert_eq!(exported.sum("fcretry_calls_total", &[]).to_string(), "2");
}
