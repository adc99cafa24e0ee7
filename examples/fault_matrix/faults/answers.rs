//! What a model answers.

use fcretry::{FailureKind as K, testing::Reply};
use serde_json::json;

use super::{order, order_but};
use crate::{
    ask::Form::{Calls, Contradiction, Json, OwnError, Tool},
    row::Row,
};

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    let call = |arguments: &str| Reply::tool_call("order", arguments);
    let without_count =
        || order_but(|order| drop(order.as_object_mut().map(|o| o.remove("count"))));
    let with = |key: &'static str, value: serde_json::Value| {
        order_but(|order| drop(order.as_object_mut().map(|o| o.insert(key.to_owned(), value))))
    };
    let fenced = format!("Here it is:\n```json\n{}\n```", order());
    let written =
        format!("<tool_call>{{\"name\": \"order\", \"arguments\": {}}}</tool_call>", order());
    vec![
        Row::read(
            "Python literals, trailing comma",
            Tool,
            call("{'customer': 'Ann Larsen', 'count': 2, 'size': 'small',}"),
        ),
        Row::read(
            "a number as text, an enum in capitals",
            Tool,
            call(r#"{"customer": "Ann Larsen", "count": "2", "size": "SMALL"}"#),
        ),
        Row::read("the call written into the content", Tool, Reply::text(written)),
        Row::read("a fence and prose around the JSON", Json, Reply::text(fenced)),
        Row::new(
            "an expression for a number",
            Tool,
            K::StructuralParse,
            call(r#"{"customer": "Ann Larsen", "count": 1 + 1, "size": "small"}"#),
        ),
        Row::new("prose for arguments", Tool, K::StructuralParse, call("two small mugs for Ann")),
        Row::new(
            "prose for JSON",
            Json,
            K::StructuralParse,
            Reply::text("Ann Larsen wants two small mugs."),
        ),
        Row::new(
            "white space until the token limit",
            Tool,
            K::StructuralParse,
            Reply::truncated("order", format!("{{\"customer\": {}", " ".repeat(4000))),
        ),
        Row::new(
            "a missing field",
            Tool,
            K::SchemaValidation,
            Reply::tool_call("order", without_count()),
        ),
        Row::new("a missing field", Json, K::SchemaValidation, Reply::json(without_count())),
        Row::new(
            "a wrong type",
            Tool,
            K::SchemaValidation,
            Reply::tool_call("order", with("count", json!("two"))),
        ),
        Row::new(
            "not in the enum",
            Tool,
            K::SchemaValidation,
            Reply::tool_call("order", with("size", json!("huge"))),
        ),
        Row::new("out of range", Json, K::SchemaValidation, Reply::json(with("count", json!(0)))),
        Row::new(
            "a rule of the program broken",
            Tool,
            K::SemanticValidation,
            Reply::tool_call("order", with("count", json!(500))),
        ),
        Row::new(
            "a rule of the program broken",
            Json,
            K::SemanticValidation,
            Reply::json(with("customer", json!(" "))),
        ),
        Row::new(
            "a tool that was not offered",
            Tool,
            K::UnknownTool,
            Reply::tool_call("refund", json!({"id": 7})),
        ),
        Row::new(
            "one of two calls breaks a rule",
            Calls,
            K::SemanticValidation,
            Reply::tool_calls([
                ("order", with("customer", json!("Bob Berg"))),
                ("order", with("count", json!(500))),
            ]),
        ),
        Row::new(
            "prose where a call is due",
            Tool,
            K::NoToolCall,
            Reply::text("Gladly! Which colour shall the mugs have?"),
        ),
        Row::new("an empty answer", Tool, K::NoToolCall, Reply::text("")),
        Row::new(
            "a call cut by the token limit",
            Tool,
            K::Truncated,
            Reply::truncated("order", r#"{"customer": "Ann La"#),
        ),
        Row::new(
            "JSON cut by the token limit",
            Json,
            K::Truncated,
            Reply::text(r#"{"customer": "Ann La"#).finish_reason("length"),
        ),
        Row::new(
            "a refusal in its field",
            Tool,
            K::Refusal,
            Reply::refusal("I can't help with that."),
        ),
        Row::new(
            "a refusal in words",
            Tool,
            K::Refusal,
            Reply::text("I'm sorry, but I can't assist with that request."),
        ),
        Row::new("a refusal in words", Json, K::Refusal, Reply::text("I cannot help with this.")),
        Row::new(
            "stopped by the content filter",
            Tool,
            K::ContentFilter,
            Reply::text("").finish_reason("content_filter"),
        ),
        Row::new(
            "the function's own error",
            OwnError,
            K::Application,
            Reply::tool_call("order", order()),
        ),
        Row::new(
            "a policy that contradicts itself",
            Contradiction,
            K::InvalidPolicy,
            Reply::tool_call("order", order()),
        )
        .costs(0, 0),
    ]
}
