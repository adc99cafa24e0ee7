//! Calls and their attempts show in traces, as they are.

use std::{sync::Arc, time::Duration};

use fcretry::{
    RetryPolicy, Run,
    prelude::*,
    telemetry::{
        ACTION, ATTEMPT, ATTEMPTS, CACHED_TOKENS, CHAT, DELAY, ENDPOINT, ERROR_TYPE, FIRST_TOKEN,
        FUNCTION, INPUT_TOKENS, LEFT_EARLY, OPERATION_NAME, OUTCOME, OUTPUT_TOKENS,
        REASONING_TOKENS, RECOVERIES, REQUEST_ID, REQUEST_MODEL, REQUESTS, RESPONSE_ID,
        RESPONSE_MODEL, STATUS_CODE, STOPPED_BY,
    },
    testing::{MockModel, Reply},
};
use tokio::time::timeout;
use tracing::Level;

use crate::{
    collected::{Collected, Seen},
    support::{Mock, Order, broken, good, with_count},
};

#[retry_policy(backoff(constant, base = "2s", jitter = "none"), fallback("b"))]
async fn traced(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("An order, please.").call().await
}

fn values<'a>(spans: &'a [Seen], field: &str) -> Vec<&'a str> {
    spans.iter().map(|span| span.field(field)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_and_each_attempt_of_it_have_a_span_that_says_what_the_report_says() {
    let traces = Collected::down_to(Level::INFO);
    let model =
        MockModel::new([Reply::status(503), with_count(0).usage(100, 30), good().usage(150, 20)]);
    let (order, report) = fcretry::report(traced(&model.client())).await;
    assert!(order.is_ok());
    let (calls, attempts) = (traces.named("call"), traces.named("attempt"));
    assert_eq!((calls.len(), attempts.len()), (1, 3));
    assert!(calls.iter().chain(&attempts).all(|span| span.is_closed));
    assert!(attempts.iter().all(|span| span.parent == Some(0)), "{attempts:?}");

    let call = &calls[0];
    assert!(call.field(FUNCTION).ends_with("spans::traced"), "{call:?}");
    assert_eq!((call.field(OUTCOME), call.field(ERROR_TYPE)), ("ok", ""));
    assert_eq!((call.field(ATTEMPTS), call.field(REQUESTS)), ("3", "3"));
    assert_eq!(call.field(INPUT_TOKENS), "", "they are at the attempts");

    assert_eq!(values(&attempts, ATTEMPT), ["1", "2", "3"]);
    assert_eq!(values(&attempts, FUNCTION), [call.field(FUNCTION); 3]);
    assert_eq!(values(&attempts, OUTCOME), ["failed", "failed", "ok"]);
    assert_eq!(values(&attempts, ERROR_TYPE), ["model_overload", "schema_validation", ""]);
    assert_eq!(values(&attempts, STATUS_CODE), ["503", "", ""]);
    assert_eq!(values(&attempts, ACTION), ["retry", "repair", ""]);
    assert_eq!(values(&attempts, DELAY), ["4.0", "0.0", ""]);
    assert_eq!(values(&attempts, OPERATION_NAME), [CHAT; 3]);
    assert_eq!(values(&attempts, REQUEST_MODEL), ["a"; 3]);
    assert_eq!(values(&attempts, "otel.name"), ["chat a"; 3]);
    assert_eq!(values(&attempts, REQUESTS), ["1"; 3]);
    assert_eq!(values(&attempts, INPUT_TOKENS), ["", "100", "150"]);
    assert_eq!(values(&attempts, OUTPUT_TOKENS), ["", "30", "20"]);
    assert_eq!(values(&attempts, REQUEST_ID), ["req_1", "req_2", "req_3"]);
    let delays = report.attempts.iter().map(|attempt| attempt.delay.as_secs_f64());
    assert_eq!(delays.collect::<Vec<_>>(), [4.0, 0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_span_says_what_the_provider_calls_the_answer() {
    #[retry_policy]
    async fn streamed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("An order, please.").stream().call().await
    }
    let traces = Collected::down_to(Level::INFO);
    let model = MockModel::new([good(), good()]);
    traced(&model.client()).await.unwrap();
    streamed(&model.client()).await.unwrap();
    let attempts = traces.named("attempt");
    assert_eq!(attempts.len(), 2);
    for attempt in &attempts {
        assert!(!attempt.field(RESPONSE_ID).is_empty(), "{attempt:?}");
        assert!(!attempt.field(RESPONSE_MODEL).is_empty(), "{attempt:?}");
    }
    assert_eq!(attempts[0].field(FIRST_TOKEN), "");
    assert_eq!(attempts[1].field(FIRST_TOKEN), "0.0");
}

#[tokio::test(start_paused = true)]
async fn a_field_that_there_is_nothing_for_is_not_set() {
    let traces = Collected::down_to(Level::INFO);
    traced(&MockModel::new([good()]).client()).await.unwrap();
    let attempt = &traces.named("attempt")[0];
    let unset = [
        ERROR_TYPE,
        STATUS_CODE,
        ACTION,
        DELAY,
        ENDPOINT,
        CACHED_TOKENS,
        REASONING_TOKENS,
        RECOVERIES,
        LEFT_EARLY,
        FIRST_TOKEN,
        STOPPED_BY,
        "otel.status_code",
    ];
    assert!(unset.iter().all(|field| attempt.field(field).is_empty()), "{attempt:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_says_of_what_and_what_ended_it() {
    let traces = Collected::down_to(Level::INFO);
    assert!(traced(&MockModel::new([Reply::refusal("No.")]).client()).await.is_err());
    let call = &traces.named("call")[0];
    assert_eq!((call.field(OUTCOME), call.field(ERROR_TYPE)), ("failed", "refusal"));
    assert_eq!((call.field(STOPPED_BY), call.field("otel.status_code")), ("rule", "ERROR"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_another_value_is_degraded_and_no_error() {
    fn nobody(_: &fcretry::Error) -> u8 {
        0
    }
    #[retry_policy(degrade(nobody))]
    async fn degraded() -> fcretry::Result<u8> {
        Err(FailureKind::Refusal.into())
    }
    let traces = Collected::down_to(Level::INFO);
    assert_eq!(degraded().await.unwrap(), 0);
    let call = &traces.named("call")[0];
    assert_eq!((call.field(OUTCOME), call.field(ERROR_TYPE)), ("degraded", "refusal"));
    assert_eq!(call.field("otel.status_code"), "");
    let attempt = &traces.named("attempt")[0];
    assert_eq!((attempt.field(OPERATION_NAME), attempt.field(REQUESTS)), ("", "0"));
}

#[tokio::test(start_paused = true)]
async fn a_closure_has_spans_too() {
    let traces = Collected::down_to(Level::INFO);
    let policy = RetryPolicy::default();
    let run = Run::new(&policy).named("by hand");
    let result = run.run(async |_: &Attempt| -> fcretry::Result<u8> { Ok(1) }).await;
    assert_eq!(result.unwrap(), 1);
    assert_eq!(values(&traces.named("call"), FUNCTION), ["by hand"]);
    assert_eq!(values(&traces.named("attempt"), OUTCOME), ["ok"]);
}

#[retry_policy]
async fn says(word: &str) -> fcretry::Result<u8> {
    for _ in 0..3 {
        tracing::info!("{word}");
        tokio::task::yield_now().await;
    }
    Ok(1)
}

#[tokio::test]
async fn a_span_is_entered_while_the_body_is_polled_and_not_between() {
    let traces = Collected::down_to(Level::INFO);
    // The subscriber fails if one is left while another is inside it.
    let both = async { tokio::join!(says("one"), says("two")) };
    let look = async {
        for _ in 0..3 {
            assert!(!traces.is_inside());
            tokio::task::yield_now().await;
        }
    };
    let ((one, two), ()) = tokio::join!(both, look);
    assert_eq!((one.unwrap(), two.unwrap()), (1, 1));
    let (spans, events) = (traces.spans(), traces.events());
    assert_eq!(events.len(), 6);
    let mut around: Vec<_> =
        events.iter().map(|it| (it.field("message"), it.parent.unwrap())).collect();
    around.sort_unstable();
    around.dedup();
    assert_eq!(around.len(), 2, "each says all in one attempt: {around:?}");
    assert!(around.iter().all(|(_, span)| spans[*span].metadata.name() == "attempt"));
}

#[tokio::test]
async fn calls_inside_a_call_are_inside_the_attempt_that_made_them() {
    #[retry_policy]
    async fn inner() -> fcretry::Result<u8> {
        tokio::task::yield_now().await;
        Ok(1)
    }
    #[retry_policy]
    async fn outer() -> fcretry::Result<u8> {
        let task = tokio::spawn(fcretry::inherit(inner()));
        Ok(inner().await? + task.await.unwrap()?)
    }
    let traces = Collected::down_to(Level::INFO);
    assert_eq!(outer().await.unwrap(), 2);
    let (spans, calls) = (traces.spans(), traces.named("call"));
    assert_eq!((spans.len(), calls[0].parent), (6, None));
    for inner in &calls[1..] {
        let around = &spans[inner.parent.unwrap()];
        assert_eq!((around.metadata.name(), inner.field(ATTEMPTS)), ("attempt", "1"));
        assert!(around.field(FUNCTION).ends_with("outer"), "{around:?}");
    }
    assert_eq!(calls[0].field(ATTEMPTS), "1", "its own");
    assert!(spans.iter().all(|span| span.is_closed));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_closes_its_spans_and_says_so() {
    #[retry_policy]
    async fn outer(client: &Mock) -> fcretry::Result<Order> {
        traced(client).await
    }
    let traces = Collected::down_to(Level::INFO);
    let model = MockModel::repeat(Reply::hang());
    let client = model.client();
    assert!(timeout(Duration::from_secs(1), outer(&client)).await.is_err());
    let spans = traces.spans();
    assert_eq!(spans.len(), 4);
    assert!(spans.iter().all(|span| span.is_closed), "{spans:?}");
    assert_eq!(values(&spans, OUTCOME), ["cancelled"; 4]);
    assert_eq!(values(&traces.named("call"), STOPPED_BY), ["cancelled"; 2]);
    // In a wait between attempts there is none under way.
    let model = MockModel::repeat(Reply::status(503));
    let client = model.client();
    assert!(timeout(Duration::from_secs(1), traced(&client)).await.is_err());
    assert_eq!(values(&traces.spans()[4..], OUTCOME), ["cancelled", "failed"]);
}

#[tokio::test(start_paused = true)]
async fn an_escalation_warns_and_everything_else_is_for_who_debugs() {
    #[retry_policy(
        on(refusal, escalate),
        on(schema_validation, repair = 1),
        on(structural_parse, fallback),
        fallback("b")
    )]
    async fn called(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("An order, please.").call().await
    }
    let traces = Collected::down_to(Level::DEBUG);
    let replies =
        || MockModel::new([Reply::status(503), with_count("x"), broken(), Reply::refusal("No.")]);
    let model = replies();
    assert!(called(&model.client()).await.is_err());
    assert!(traced(&MockModel::new([Reply::refusal("No.")]).client()).await.is_err());
    let events: Vec<_> = traces.events().into_iter().filter(Seen::is_ours).collect();
    let levels: Vec<_> = events.iter().map(|event| *event.metadata.level()).collect();
    let debug = Level::DEBUG;
    assert_eq!(levels, [debug, debug, debug, Level::WARN, debug]);
    assert_eq!(values(&events, ACTION), ["retry", "repair", "fallback", "escalate", "fail"]);
    assert_eq!(values(&events, ATTEMPT), ["1", "2", "3", "4", "1"]);
    assert_eq!(values(&events, REQUEST_MODEL), ["a", "a", "a", "b", "a"]);
    assert_eq!(values(&events, STOPPED_BY), ["", "", "", "rule", "rule"]);
    let spans = traces.spans();
    let around = |event: &Seen| spans[event.parent.unwrap()].metadata.name();
    assert!(events.iter().all(|event| around(event) == "call"));

    // Who keeps warnings alone sees what a person must look at.
    drop(traces);
    let traces = Collected::down_to(Level::WARN);
    let model = replies();
    assert!(called(&model.client()).await.is_err());
    assert_eq!((traces.spans().len(), traces.events().len()), (0, 1));
}

#[tokio::test]
async fn a_policy_that_contradicts_itself_shows_in_the_span_of_the_call() {
    #[retry_policy(policy(Arc::new(RetryPolicy::default())), on(timeout, fallback))]
    async fn wrong(attempt: &Attempt) -> fcretry::Result<u32> {
        Ok(attempt.number())
    }
    let traces = Collected::down_to(Level::INFO);
    assert!(wrong().await.is_err());
    let call = &traces.named("call")[0];
    assert_eq!((call.field(OUTCOME), call.field(ERROR_TYPE)), ("failed", "invalid_policy"));
    assert!(call.is_closed);
}
