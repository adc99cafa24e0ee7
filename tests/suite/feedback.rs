//! What the model is told about its bad answer.

use fcretry::{
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::{Value, json};

use crate::support::{Mock, Order, broken, good, last_message, play, with_count};

fn roles(model: &MockModel, request: usize) -> Vec<String> {
    let requests = model.requests();
    let messages = requests[request].messages().iter();
    messages.map(|m| m["role"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_is_replayed_with_every_violation_as_its_result() {
    let bad = Reply::tool_call("order", json!({"count": "two"}));
    let (result, _, model) = play([bad, good()]).await;
    assert!(result.is_ok());
    assert_eq!(roles(&model, 1), ["user", "assistant", "tool"]);
    let requests = model.requests();
    let messages = requests[1].messages();
    assert_eq!(messages[1]["tool_calls"][0]["id"], messages[2]["tool_call_id"]);
    let arguments = messages[1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"count": "two"}));
    let told = last_message(&model, 1);
    assert!(told.contains("/customer: expected a string; it is required; got nothing"), "{told}");
    assert!(told.contains("/count: expected an integer; got \"two\""), "{told}");
    assert!(told.ends_with("Call `order` again with all its arguments, corrected."), "{told}");
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_no_json_do_not_enter_the_history_as_a_call() {
    let (result, _, model) = play([broken(), good()]).await;
    assert!(result.is_ok());
    assert_eq!(roles(&model, 1), ["user", "user"]);
    let told = last_message(&model, 1);
    assert!(told.contains("```\ncustomer is Ann + 1\n```"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_hook_s_message_reaches_the_model() {
    let (result, _, model) = play([with_count(500), good()]).await;
    assert!(result.is_ok());
    assert!(last_message(&model, 1).contains("/count: 500 are more than 100"));
}

#[tokio::test(start_paused = true)]
async fn only_the_last_bad_answer_is_carried_unless_history_says_more() {
    #[retry_policy(history = 2)]
    async fn remembering(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").call().await
    }
    let script = || [with_count("one"), with_count("two"), good()];
    let (result, _, model) = play(script()).await;
    assert!(result.is_ok());
    assert_eq!(roles(&model, 2), ["user", "assistant", "tool"]);
    assert!(last_message(&model, 2).contains("\"two\""));

    let model = MockModel::new(script());
    assert!(remembering(&model.client()).await.is_ok());
    assert_eq!(roles(&model, 2), ["user", "assistant", "tool", "assistant", "tool"]);
}

#[tokio::test(start_paused = true)]
async fn a_resend_after_a_repair_still_carries_the_feedback() {
    let (result, _, model) = play([with_count("two"), Reply::status(503), good()]).await;
    assert!(result.is_ok());
    assert_eq!(model.requests()[1].body, model.requests()[2].body);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_holds_our_own_words_is_rejected() {
    let told = "/count: expected an integer; got \"two\"";
    let leaked = Reply::tool_call("order", json!({"customer": format!("fix {told}"), "count": 1}));
    let (result, report, _) = play([with_count("two"), leaked, good()]).await;
    assert!(result.is_ok());
    assert_eq!(report.attempts[1].kind, Some(FailureKind::SemanticValidation));
    assert_eq!(report.attempts[1].violations[0].pointer, "/customer");
}

#[tokio::test(start_paused = true)]
async fn json_content_is_asked_for_again_in_words() {
    #[retry_policy]
    async fn extract(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").extract().await
    }
    let model = MockModel::new([
        Reply::json(json!({"customer": "Ann"})),
        Reply::json(json!({"customer": "Ann", "count": 3})),
    ]);
    assert_eq!(extract(&model.client()).await.unwrap().count, 3);
    let requests = model.requests();
    assert_eq!(requests[0].body["response_format"]["type"], "json_schema");
    assert_eq!(requests[0].body["response_format"]["json_schema"]["name"], "order");
    assert!(requests[0].body.get("tools").is_none());
    assert_eq!(roles(&model, 1), ["user", "assistant", "user"]);
    assert!(last_message(&model, 1).contains("/count: expected an integer; it is required"));
}

#[tokio::test(start_paused = true)]
async fn each_of_two_asks_gets_its_own_feedback() {
    #[retry_policy]
    async fn twice(attempt: &Attempt, client: &Mock) -> fcretry::Result<u32> {
        let first: Order = attempt.chat(client, "m").user("first").call().await?;
        let second: Order = attempt.chat(client, "m").user("second").call().await?;
        Ok(first.count + second.count)
    }
    let model = MockModel::new([good(), with_count("two"), good(), good()]);
    assert_eq!(twice(&model.client()).await.unwrap(), 4);
    let lengths: Vec<_> = model.requests().iter().map(|r| r.messages().len()).collect();
    assert_eq!(lengths, [1, 1, 1, 3]);
    assert_eq!(model.requests()[3].text_of_message(0), "second");
}

#[tokio::test(start_paused = true)]
async fn a_check_in_the_body_feeds_back_like_a_hook() {
    #[retry_policy]
    async fn checked(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let order: Order = attempt.chat(client, "m").user("go").call().await?;
        if order.customer == "Ann" {
            return Err(attempt.reject(Violation::new("/customer", "there is no Ann")));
        }
        Ok(order)
    }
    let bob = Reply::tool_call("order", json!({"customer": "Bob", "count": 1}));
    let model = MockModel::new([good(), bob]);
    assert_eq!(checked(&model.client()).await.unwrap().customer, "Bob");
    assert_eq!(roles(&model, 1), ["user", "assistant", "tool"]);
    assert!(last_message(&model, 1).contains("/customer: there is no Ann"));
}
