//! Refusals: found before anything is parsed, by a detector that a program can replace, and final.

use fcretry::{
    FailureKind as K,
    answer::{Answer, Call},
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, good, play, play_lasting};

const REFUSAL: &str = "I'm sorry, but I can't help with that.";

/// A bank whose model says no in its own way.
fn says_no(text: &str) -> bool {
    text.contains("COMPUTER SAYS NO")
}

fn never(_: &str) -> bool {
    false
}

#[retry_policy]
async fn ask(
    attempt: &Attempt,
    client: &Mock,
    detector: fn(&str) -> bool,
) -> fcretry::Result<Order> {
    attempt.chat(client, "m").user("go").refusal_detector(detector).call().await
}

#[retry_policy]
async fn extract(
    attempt: &Attempt,
    client: &Mock,
    detector: fn(&str) -> bool,
) -> fcretry::Result<Order> {
    attempt.chat(client, "m").user("go").refusal_detector(detector).extract().await
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_never_asked_again() {
    for refusal in [Reply::refusal("No."), Reply::text(REFUSAL)] {
        let (error, _, model) = play_lasting(refusal).await;
        assert_eq!((error.kind(), model.request_count()), (K::Refusal, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_an_argument_is_none() {
    let words = Reply::tool_call("order", json!({"customer": REFUSAL, "count": 1}));
    assert_eq!(play([words]).await.0.unwrap().customer, REFUSAL);
    // Beside a call it is talk.
    assert_eq!(play([good().with_content(REFUSAL)]).await.0.unwrap().count, 2);
    // In a call that was written into the content, too.
    let written = format!(
        r#"<tool_call>{{"name": "order", "arguments": {{"customer": "{REFUSAL}", "count": 1}}}}</tool_call>"#
    );
    assert_eq!(play([Reply::text(written)]).await.0.unwrap().customer, REFUSAL);
}

#[tokio::test(start_paused = true)]
async fn the_detector_can_be_replaced() {
    let no = || MockModel::new([Reply::text("COMPUTER SAYS NO"), good()]);
    let model = no();
    assert_eq!(ask(&model.client(), says_no).await.unwrap_err().kind(), K::Refusal);
    assert_eq!(model.request_count(), 1);
    let model = no();
    assert!(ask(&model.client(), fcretry::is_refusal).await.is_ok());
    assert_eq!(model.request_count(), 2);

    let model = MockModel::repeat(Reply::text(REFUSAL));
    assert_eq!(extract(&model.client(), never).await.unwrap_err().kind(), K::StructuralParse);
    assert_eq!(ask(&model.client(), never).await.unwrap_err().kind(), K::NoToolCall);
    let count = model.request_count();
    assert_eq!(extract(&model.client(), fcretry::is_refusal).await.unwrap_err().kind(), K::Refusal);
    assert_eq!(model.request_count(), count + 1);
}

#[tokio::test(start_paused = true)]
async fn the_field_is_a_refusal_whatever_the_detector_says() {
    let model = MockModel::repeat(Reply::refusal("No."));
    assert_eq!(ask(&model.client(), never).await.unwrap_err().kind(), K::Refusal);
}

#[tokio::test(start_paused = true)]
async fn the_detector_is_asked_before_anything_is_parsed() {
    fn says_so(text: &str) -> bool {
        text.contains("\"refused\"")
    }
    let model = MockModel::repeat(Reply::text(r#"{"customer": "refused", "count": 1}"#));
    assert!(extract(&model.client(), fcretry::is_refusal).await.is_ok());
    assert_eq!(extract(&model.client(), says_so).await.unwrap_err().kind(), K::Refusal);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_left_when_the_detector_hears_a_refusal() {
    #[retry_policy]
    async fn streamed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "m").user("go").refusal_detector(says_no);
        chat.stream().call().await
    }
    let long = format!("COMPUTER SAYS NO. {}", "It says so again and again. ".repeat(100));
    let model = MockModel::repeat(Reply::text(long));
    let error = streamed(&model.client()).await.unwrap_err();
    assert_eq!((error.kind(), model.request_count()), (K::Refusal, 1));
    let said = error.failure().and_then(|f| f.answer()?.content.clone()).unwrap();
    assert!(said.len() < 400, "{said}");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_replaced_by_hand_for_one_ask() {
    #[retry_policy(on(no_tool_call, fail))]
    async fn by_hand(attempt: &Attempt, detects: bool) -> fcretry::Result<Order> {
        attempt.model("m");
        attempt.refusal_detector(says_no);
        if !detects {
            // The ask ends here, and its detector with it.
            let mut first = Answer::default();
            let arguments = json!({"customer": "Ann", "count": 2}).to_string();
            first.calls.push(Call::new("1", "order", arguments));
            attempt.accept_answer::<Order>(first)?;
        }
        attempt.accept_answer(Answer::text("COMPUTER SAYS NO"))
    }
    assert_eq!(by_hand(true).await.unwrap_err().kind(), K::Refusal);
    assert_eq!(by_hand(false).await.unwrap_err().kind(), K::NoToolCall);
}
