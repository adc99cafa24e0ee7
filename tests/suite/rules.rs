//! The default rule of every kind, seen at the model.

use fcretry::{Action, FailureKind as K, StoppedBy, testing::Reply};
use serde_json::json;

use crate::support::{broken, good, play, play_lasting, with_count};

/// What a lasting fault is seen as, and how many requests it makes by default.
fn lasting() -> Vec<(&'static str, Reply, K, usize)> {
    let error = |status, code: &str| Reply::error(status, "some_error", code, "no");
    vec![
        ("no JSON", broken(), K::StructuralParse, 3),
        ("wrong type", with_count("two"), K::SchemaValidation, 3),
        ("below the range", with_count(0), K::SchemaValidation, 3),
        ("a hook objects", with_count(101), K::SemanticValidation, 3),
        ("another tool", Reply::tool_call("cancel", json!({})), K::UnknownTool, 3),
        ("prose", Reply::text("Certainly! Ann wants two."), K::NoToolCall, 3),
        ("nothing", Reply::text(""), K::NoToolCall, 3),
        ("cut by length", Reply::truncated("order", r#"{"customer": "An"#), K::Truncated, 2),
        ("cut in secret", Reply::tool_call("order", r#"{"customer": "An"#), K::Truncated, 2),
        ("refusal field", Reply::refusal("I can't help with that."), K::Refusal, 1),
        (
            "refusal in words",
            Reply::text("I'm sorry, but I can't assist with that."),
            K::Refusal,
            1,
        ),
        ("filtered", good().finish_reason("content_filter"), K::ContentFilter, 1),
        ("filtered prompt", error(400, "content_filter"), K::ContentFilter, 1),
        ("429", Reply::status(429), K::RateLimit, 4),
        ("500", Reply::status(500), K::ModelOverload, 3),
        ("503", Reply::status(503), K::ModelOverload, 3),
        ("529", Reply::status(529), K::ModelOverload, 3),
        ("in-band overload", error(200, "overloaded_error"), K::ModelOverload, 3),
        ("dropped", Reply::drop_connection(), K::TransientNetwork, 3),
        ("408", Reply::status(408), K::TransientNetwork, 3),
        ("409", Reply::status(409), K::TransientNetwork, 3),
        ("402", Reply::status(402), K::QuotaExhausted, 1),
        ("quota", error(429, "insufficient_quota"), K::QuotaExhausted, 1),
        ("too long", error(400, "context_length_exceeded"), K::ContextOverflow, 1),
        ("413", Reply::status(413), K::ContextOverflow, 1),
        ("401", Reply::status(401), K::Auth, 1),
        ("403", Reply::status(403), K::Auth, 1),
        ("no such model", error(404, "model_not_found"), K::ModelNotFound, 1),
        ("400", error(400, "invalid_value"), K::InvalidRequest, 1),
        ("422", Reply::status(422), K::InvalidRequest, 1),
        ("501", Reply::status(501), K::InvalidRequest, 1),
        ("silence", Reply::hang(), K::Timeout, 2),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_makes_no_more_requests_than_its_rule() {
    for (name, fault, kind, requests) in lasting() {
        let (error, report, model) = play_lasting(fault).await;
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(model.request_count(), requests, "{name}");
        assert_eq!(report.wire_requests as usize, requests, "{name}");
        assert_eq!(report.attempts.len(), requests, "{name}");
        assert_eq!(*error.report(), report_without_time(&report, &error), "{name}");
    }
}

/// The ledger of a single call is the call's own report, up to the time it was open.
fn report_without_time(report: &fcretry::Report, error: &fcretry::Error) -> fcretry::Report {
    let mut report = report.clone();
    report.elapsed = error.report().elapsed;
    report
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_overcome_in_the_way_of_its_kind() {
    for (name, fault, kind, requests) in lasting() {
        if requests == 1 {
            continue;
        }
        let (result, report, model) = play([fault, good()]).await;
        assert_eq!(result.unwrap().count, 2, "{name}");
        assert_eq!(model.request_count(), 2, "{name}");
        assert_eq!(report.attempts[0].kind, Some(kind), "{name}");
        let action = if kind.is_repairable() { Action::Repair } else { Action::Retry };
        assert_eq!(report.attempts[0].action, Some(action), "{name}");
        assert_eq!((report.kind, report.stopped_by), (None, None), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_the_call_is_in_the_report() {
    let (error, report, _) = play_lasting(Reply::status(401)).await;
    assert_eq!(report.stopped_by, Some(StoppedBy::Rule));
    assert_eq!(error.report().kind, Some(K::Auth));
    let (_, report, _) = play_lasting(Reply::status(503)).await;
    assert_eq!(report.stopped_by, Some(StoppedBy::Count));
    // Four kinds in turn: no rule is used up, but the attempts are.
    let (result, report, model) =
        play([Reply::status(503), broken(), Reply::status(429), with_count("x"), good()]).await;
    assert_eq!(result.unwrap_err().kind(), K::SchemaValidation);
    assert_eq!(report.stopped_by, Some(StoppedBy::MaxAttempts));
    assert_eq!(model.remaining(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_is_asked_for_again_with_a_larger_limit() {
    let cut = || Reply::truncated("order", r#"{"customer": "An"#).usage(10, 3000);
    let (result, _, model) = play([cut(), good()]).await;
    assert!(result.is_ok());
    let limits: Vec<_> =
        model.requests().iter().map(|r| r.body["max_completion_tokens"].clone()).collect();
    assert_eq!(limits, [json!(null), json!(6000)]);
}

#[tokio::test(start_paused = true)]
async fn prose_is_answered_with_words_and_then_with_force() {
    let (result, _, model) =
        play([Reply::text("Ann."), Reply::text("Ann wants two."), good()]).await;
    assert!(result.is_ok());
    let choices: Vec<_> = model.requests().iter().map(|r| r.body["tool_choice"].clone()).collect();
    let forced = json!({"type": "function", "function": {"name": "order"}});
    assert_eq!(choices, [json!("required"), json!("required"), forced]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_change_is_forced_and_then_given_up() {
    let (error, _, model) = play_lasting(broken()).await;
    assert_eq!(error.kind(), K::StructuralParse);
    let messages: Vec<_> = model.requests().iter().map(|r| r.messages().len()).collect();
    // Fed back once; the same answer leaves the history, and the function is named.
    assert_eq!(messages, [1, 2, 1]);
    assert_eq!(model.requests()[2].body["tool_choice"]["function"]["name"], "order");
}
