//! Servers that do not take a parameter are asked once more without it, and remembered.

use fcretry::{
    FailureKind,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, good, order};

fn objects_to(
    parameter: &'static str,
    is_there: fn(&serde_json::Value) -> bool,
    fine: Reply,
) -> MockModel {
    MockModel::with(move |request| {
        if is_there(&request.body) {
            Reply::status(400).error_body(json!({"error": {
                "message": format!("Unsupported parameter: '{parameter}'"),
                "type": "invalid_request_error", "param": parameter, "code": "unsupported_parameter",
            }}))
        } else {
            fine.clone()
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_required_call_becomes_auto_where_the_server_objects() {
    let model = objects_to("tool_choice", |body| body["tool_choice"] == "required", good());
    let client = model.client();
    let (result, report) = fcretry::report(order(&client)).await;
    assert!(result.is_ok());
    assert_eq!((report.attempts.len(), report.wire_requests), (1, 2));
    assert_eq!(model.requests()[1].body["tool_choice"], "auto");
    // Remembered: the next call does not try.
    assert!(order(&client).await.is_ok());
    assert_eq!(model.request_count(), 3);
    // By its base URL: another server is not blamed.
    let other = MockModel::repeat(good());
    assert!(order(&other.client()).await.is_ok());
    assert_eq!(other.requests()[0].body["tool_choice"], "required");
}

#[tokio::test(start_paused = true)]
async fn the_old_name_of_the_token_limit_is_used_where_the_new_one_is_not_known() {
    #[retry_policy]
    async fn limited(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").max_completion_tokens(77).user("go").call().await
    }
    let model = objects_to(
        "max_completion_tokens",
        |body| body.get("max_completion_tokens").is_some(),
        good(),
    );
    assert!(limited(&model.client()).await.is_ok());
    assert_eq!(model.requests()[1].body["max_tokens"], 77);
}

#[tokio::test(start_paused = true)]
async fn a_schema_is_told_in_words_where_the_format_takes_none() {
    #[retry_policy]
    async fn extract(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").user("go").extract().await
    }
    let fine = Reply::json(json!({"customer": "Ann", "count": 2}));
    let model = objects_to(
        "response_format",
        |body| body["response_format"]["type"] == "json_schema",
        fine,
    );
    assert!(extract(&model.client()).await.is_ok());
    let second = &model.requests()[1];
    assert_eq!(second.body["response_format"], json!({"type": "json_object"}));
    assert_eq!(second.messages()[0]["role"], "system");
    assert!(second.text_of_message(0).contains("\"customer\""));
}

#[tokio::test(start_paused = true)]
async fn an_objection_that_does_not_go_away_is_an_invalid_request() {
    let model = objects_to("tool_choice", |_| true, good());
    let error = order(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidRequest);
    assert_eq!(model.request_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_out_of_range_is_no_unknown_parameter() {
    #[retry_policy]
    async fn limited(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "m").max_completion_tokens(99_999).user("go").call().await
    }
    let model = MockModel::repeat(Reply::status(400).error_body(json!({"error": {
        "message": "max_completion_tokens is too large: 99999", "param": "max_completion_tokens",
        "code": "invalid_value", "type": "invalid_request_error",
    }})));
    let error = limited(&model.client()).await.unwrap_err();
    assert_eq!((error.kind(), model.request_count()), (FailureKind::InvalidRequest, 1));
}

#[tokio::test(start_paused = true)]
async fn a_raised_limit_that_is_not_taken_leaves_the_answer_cut() {
    for objection in [
        json!({"error": {"message": "max_completion_tokens is too large", "param": "max_completion_tokens"}}),
        json!({"object": "error", "code": 400, "type": "BadRequestError", "message":
            "This model's maximum context length is 4096 tokens. However, you requested 4108 tokens."}),
    ] {
        let model =
            MockModel::with(move |request| match request.body["max_completion_tokens"].as_u64() {
                Some(_) => Reply::status(400).error_body(objection.clone()),
                None => Reply::truncated("order", "{"),
            });
        let error = order(&model.client()).await.unwrap_err();
        assert_eq!((error.kind(), model.request_count()), (FailureKind::Truncated, 2));
    }
}
