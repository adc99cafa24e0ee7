//! What goes wrong in a stream.

use std::time::Duration;

use fcretry::{FailureKind as K, testing::Reply};
use serde_json::json;

use super::order;
use crate::{
    ask::Form::{JsonStream, Stream},
    row::{Limits, Row},
};

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    let good = || Reply::tool_call("order", order());
    let overloaded = || json!({"error": {"message": "overloaded", "code": "server_error"}});
    let patience = Duration::from_secs(1);
    let first_token = Limits { first_token: Some(patience), ..Limits::default() };
    let idle = Limits { idle: Some(patience), ..Limits::default() };
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    let tale = "Once upon a time there were two mugs, and nobody knew whose they were. ".repeat(40);
    vec![
        Row::new("cut after three chunks", Stream, K::PartialStream, good().stream_cut_after(3)),
        Row::new(
            "cut after three chunks",
            JsonStream,
            K::PartialStream,
            Reply::json(order()).stream_cut_after(3),
        ),
        Row::new(
            "ends without finish reason and [DONE]",
            Stream,
            K::PartialStream,
            good().stream_end_after(4),
        ),
        Row::new(
            "an error midway",
            Stream,
            K::PartialStream,
            good().stream_error_after(3, overloaded()),
        ),
        Row::new(
            "an error before the first token",
            Stream,
            K::ModelOverload,
            good().stream_error_after(0, overloaded()),
        ),
        Row::new(
            "a rate limit midway",
            Stream,
            K::RateLimit,
            good().stream_error_after(3, json!({"error": {"message": "slow down", "code": 429}})),
        ),
        Row::new("silence before the first token", Stream, K::Timeout, good().stream_hang_after(0))
            .limits(first_token),
        Row::new("silence midway", Stream, K::Timeout, good().stream_hang_after(3)).limits(idle),
        Row::new(
            "a web page for a stream",
            Stream,
            K::InvalidRequest,
            Reply::status(200).body(page, "text/html"),
        ),
        Row::new(
            "an error with 200 for a stream",
            Stream,
            K::ModelOverload,
            Reply::status(200).error_body(overloaded()),
        ),
        Row::new("429 for a stream", Stream, K::RateLimit, Reply::status(429)),
        Row::new("401 for a stream", Stream, K::Auth, Reply::status(401)),
        Row::new("the connection is closed", Stream, K::TransientNetwork, Reply::drop_connection()),
        Row::read("no usage", Stream, good().no_usage()),
        Row::new(
            "cut by the token limit",
            Stream,
            K::Truncated,
            Reply::truncated("order", r#"{"customer": "Ann La"#),
        ),
        Row::new(
            "a refusal in its field",
            Stream,
            K::Refusal,
            Reply::refusal("I can't help with that."),
        ),
        Row::new(
            "a refusal in words",
            Stream,
            K::Refusal,
            Reply::text(format!("I'm sorry, but I can't help with that. {tale}")),
        ),
        Row::new(
            "a tool that was not offered",
            Stream,
            K::UnknownTool,
            Reply::tool_call("refund", json!({"id": 7, "reason": tale})),
        ),
        Row::new("prose where a call is due", Stream, K::NoToolCall, Reply::text(tale.clone())),
        Row::new("prose for JSON", JsonStream, K::StructuralParse, Reply::text(tale)),
        Row::new(
            "a wrong type",
            Stream,
            K::SchemaValidation,
            Reply::tool_call("order", json!({"customer": 7, "count": 2, "size": "small"})),
        ),
        Row::new(
            "a rule of the program broken",
            Stream,
            K::SemanticValidation,
            Reply::tool_call(
                "order",
                json!({"customer": "Ann Larsen", "count": 500, "size": "small"}),
            ),
        ),
        Row::new(
            "the model gives up midway",
            Stream,
            K::PartialStream,
            good().finish_reason("error"),
        ),
        Row::new(
            "silence in a stream, another model is well",
            Stream,
            K::Timeout,
            good().stream_hang_after(3),
        )
        .limits(idle)
        .falls_back_after(2),
    ]
}
