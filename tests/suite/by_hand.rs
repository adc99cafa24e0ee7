//! Requests made by hand, with our client, any other client, or none.

use async_openai::{
    Client,
    config::OpenAIConfig,
    types::chat::{
        ChatCompletionRequestMessage, ChatCompletionRequestUserMessage, ChatCompletionTool,
        ChatCompletionTools, CreateChatCompletionRequestArgs, FunctionObject,
    },
};
use fcretry::{
    FailureKind, Turn,
    answer::{Answer, Call},
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good, last_message, with_count};

fn base() -> Vec<ChatCompletionRequestMessage> {
    vec![ChatCompletionRequestUserMessage::from("go").into()]
}

fn tools() -> Vec<ChatCompletionTools> {
    let spec = Order::spec().unwrap();
    let function = FunctionObject {
        name: spec.name().to_owned(),
        parameters: Some(spec.schema().clone()),
        ..Default::default()
    };
    vec![ChatCompletionTools::Function(ChatCompletionTool { function })]
}

#[retry_policy(fallback("b"))]
async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    let request = CreateChatCompletionRequestArgs::default()
        .model(attempt.model("a"))
        .messages(attempt.messages(base()))
        .tools(tools())
        .build()?;
    let response = client.chat().create(request).await?;
    attempt.accept(&response)
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_is_repaired_resent_and_moved() {
    let model = MockModel::new([with_count("two"), Reply::status(503), Reply::status(503), good()]);
    let (result, report) = fcretry::report(ask(&model.client())).await;
    assert!(result.is_ok());
    assert!(last_message(&model, 1).contains("/count: expected an integer"));
    let models: Vec<_> = model.requests().iter().map(|r| r.model().to_owned()).collect();
    assert_eq!(models, ["a", "a", "a", "b"]);
    assert_eq!(report.wire_requests, 4);
    assert_eq!(report.attempts[1].model.as_deref(), Some("a"));
    assert_eq!(report.attempts[1].kind, Some(FailureKind::ModelOverload));
}

#[tokio::test]
async fn a_client_made_elsewhere_still_works() {
    let server =
        MockModel::new([Reply::status(401)
            .error_body(serde_json::json!({"error": {"message": "no", "code": 401}}))])
        .serve()
        .await
        .unwrap();
    let config = OpenAIConfig::new().with_api_base(server.base_url()).with_api_key("k");
    let error = ask(&Client::with_config(config)).await.unwrap_err();
    // Its status was lost on the way, but the code in the body was not.
    assert_eq!(error.kind(), FailureKind::Auth);
    assert_eq!(server.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn any_provider_will_do() {
    #[retry_policy]
    async fn elsewhere(
        attempt: &Attempt,
        seen: &std::cell::RefCell<Vec<usize>>,
    ) -> fcretry::Result<Order> {
        let turns = attempt.turns();
        seen.borrow_mut().push(turns.len());
        let count = if turns.is_empty() { "\"two\"" } else { "2" };
        let mut answer = Answer::default();
        answer.calls.push(Call::new(
            "1",
            "order",
            format!(r#"{{"customer": "Ann", "count": {count}}}"#),
        ));
        if let Some(Turn::Tool { text, .. }) = turns.last() {
            assert!(text.contains("/count"), "{text}");
        }
        attempt.accept_answer(answer)
    }
    #[retry_policy]
    async fn in_text(attempt: &Attempt) -> fcretry::Result<Order> {
        match attempt.turns().as_slice() {
            [] => attempt.accept_text("no JSON"),
            [Turn::Assistant { .. }, Turn::User(_)] => {
                attempt.accept_text(r#"{"customer": "Ann", "count": 7}"#)
            }
            turns => panic!("{turns:?}"),
        }
    }
    let seen = std::cell::RefCell::default();
    assert_eq!(elsewhere(&seen).await.unwrap().count, 2);
    assert_eq!(seen.into_inner(), [0, 2]);
    assert_eq!(in_text().await.unwrap().count, 7);
}
