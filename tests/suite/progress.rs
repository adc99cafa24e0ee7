//! An answer that is the one before: it leaves the history, and the request leaves no room for it; then the next model;
//! then the end.

use fcretry::{
    Action, FailureKind, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::support::{Mock, Order, broken, good, with_count};

#[retry_policy(max_attempts = 9, on(schema_validation, repair = 5), fallback("b"))]
async fn asked(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("go").call().await
}

fn actions(report: &fcretry::Report) -> Vec<Action> {
    report.attempts.iter().filter_map(|attempt| attempt.action).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_repeats_itself_goes_through_the_whole_ladder() {
    use Action::{Fail, Fallback, Repair};
    let model = MockModel::repeat(with_count("two"));
    let (result, report) = fcretry::report(asked(&model.client())).await;
    assert_eq!(result.unwrap_err().kind(), FailureKind::SchemaValidation);
    assert_eq!(actions(&report), [Repair, Repair, Fallback, Repair, Repair, Fail]);
    assert_eq!(report.stopped_by, Some(StoppedBy::Count));
    for (i, request) in model.requests().iter().enumerate() {
        // Asked, told what is wrong, asked anew with the function named; the next model has said nothing yet.
        let (messages, forced) = [(1, false), (3, false), (1, true)][i % 3];
        assert_eq!(request.messages().len(), messages, "{i}");
        let choice = &request.body["tool_choice"];
        assert_eq!(choice["function"]["name"] == "order", forced, "{i}: {choice}");
        assert_eq!(request.body["tools"][0]["function"]["strict"] == true, forced, "{i}");
        assert_eq!(request.model(), if i < 3 { "a" } else { "b" });
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_changes_is_repaired_as_often_as_the_rule_says() {
    let model = MockModel::new((0..9).map(|i| with_count(format!("x{i}"))));
    let (_, report) = fcretry::report(asked(&model.client())).await;
    assert_eq!(
        actions(&report)[..6],
        [[Action::Repair; 5].as_slice(), &[Action::Fallback]].concat()
    );
    assert!(model.requests().iter().all(|request| request.body["tool_choice"] == "required"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_constrained_stays_so_and_is_repaired_where_the_answer_changes() {
    let model = MockModel::new([with_count("two"), with_count("two"), with_count("three"), good()]);
    assert!(asked(&model.client()).await.is_ok());
    let requests = model.requests();
    assert_eq!(requests[3].messages().len(), 3);
    assert_eq!(requests[3].body["tool_choice"]["function"]["name"], "order");
    assert!(requests[3].text_of_message(2).contains("\"three\""));
}

#[tokio::test(start_paused = true)]
async fn a_resend_in_between_does_not_hide_that_an_answer_came_again() {
    let model = MockModel::new([with_count("two"), Reply::status(503), with_count("two"), good()]);
    assert!(asked(&model.client()).await.is_ok());
    assert_eq!(model.requests()[3].messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_no_json_and_prose_are_known_again_as_well() {
    use Action::{Fail, Repair};
    #[retry_policy(max_attempts = 9)]
    async fn alone(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    for (fault, kind) in [
        (broken(), FailureKind::StructuralParse),
        (Reply::text("It is for Ann."), FailureKind::NoToolCall),
        (with_count(500), FailureKind::SemanticValidation),
        (Reply::tool_call("oder", json!({})), FailureKind::UnknownTool),
    ] {
        let model = MockModel::repeat(fault);
        let (result, report) = fcretry::report(alone(&model.client())).await;
        assert_eq!(result.unwrap_err().kind(), kind);
        assert_eq!(actions(&report), [Repair, Repair, Fail], "{kind}");
        let last = &model.requests()[2];
        assert_eq!(last.messages().len(), 1, "{kind}");
        assert_eq!(last.body["tool_choice"]["function"]["name"], "order", "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn json_content_is_constrained_to_the_letter() {
    #[retry_policy(max_attempts = 9)]
    async fn extract(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").extract().await
    }
    for fault in [Reply::json(json!({"customer": "Ann"})), Reply::text("Ann wants two.")] {
        let model = MockModel::repeat(fault);
        let (_, report) = fcretry::report(extract(&model.client())).await;
        assert_eq!(actions(&report), [Action::Repair, Action::Repair, Action::Fail]);
        let requests = model.requests();
        let strict =
            |i: usize| requests[i].body["response_format"]["json_schema"]["strict"].clone();
        assert_eq!([strict(0), strict(1), strict(2)], [json!(null), json!(null), json!(true)]);
        assert_eq!(requests[2].messages().len(), 1);
    }
}

/// Cancel an order.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Cancel {
    number: u32,
}

#[derive(Debug, ToolCall)]
enum Desk {
    Order(Order),
    Cancel(Cancel),
}

#[tokio::test(start_paused = true)]
async fn of_several_tools_none_is_named_but_a_call_is_required_and_all_are_strict() {
    use async_openai::types::chat::{ChatCompletionToolChoiceOption as Choice, ToolChoiceOptions};
    #[retry_policy(max_attempts = 9)]
    async fn desk(attempt: &Attempt, client: &Mock) -> fcretry::Result<Desk> {
        let auto = Choice::Mode(ToolChoiceOptions::Auto);
        attempt.chat(client, "a").tool_choice(auto).user("go").call().await
    }
    let model = MockModel::new([with_count("two"), with_count("two"), good()]);
    assert!(matches!(desk(&model.client()).await.unwrap(), Desk::Order(Order { count: 2, .. })));
    let cancelled = Reply::tool_call("cancel", json!({"number": 3}));
    let requests = model.requests();
    assert_eq!(requests[1].body["tool_choice"], "auto");
    assert_eq!(requests[2].body["tool_choice"], "required");
    for tool in requests[2].body["tools"].as_array().unwrap() {
        assert_eq!(tool["function"]["strict"], true);
    }
    let model = MockModel::new([Reply::text("no"), Reply::text("no"), cancelled]);
    assert!(matches!(desk(&model.client()).await.unwrap(), Desk::Cancel(Cancel { number: 3 })));
}

#[tokio::test(start_paused = true)]
async fn several_calls_of_one_tool_are_not_made_one_by_its_name() {
    #[retry_policy(max_attempts = 9)]
    async fn orders(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Order>> {
        attempt.chat(client, "a").user("go").call_all().await
    }
    let model = MockModel::new([with_count("two"), with_count("two"), good()]);
    assert!(orders(&model.client()).await.is_ok());
    let requests = model.requests();
    assert_eq!(requests[2].body["tool_choice"], "required");
    assert_eq!(requests[2].body["tools"][0]["function"]["strict"], true);
}

#[tokio::test(start_paused = true)]
async fn by_hand_the_same_is_told() {
    #[retry_policy(max_attempts = 9)]
    async fn by_hand(
        attempt: &Attempt,
        seen: &std::cell::RefCell<Vec<(usize, bool)>>,
    ) -> fcretry::Result<Order> {
        seen.borrow_mut().push((attempt.turns().len(), attempt.is_constrained()));
        attempt.accept_text(r#"{"customer": "Ann"}"#)
    }
    let seen = std::cell::RefCell::default();
    assert!(by_hand(&seen).await.is_err());
    assert_eq!(seen.into_inner(), [(0, false), (2, false), (0, true)]);
}
