//! The same in the words of the providers.

use fcretry::{FailureKind as K, testing::Reply};
use serde_json::{Value, json};

use super::order;
use crate::{ask::Form::Tool, row::Row};

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    let said = |fault, kind, status: u16, body: Value| {
        Row::new(fault, Tool, kind, Reply::status(status).error_body(body))
    };
    let good = || Reply::tool_call("order", order());
    vec![
        said(
            "OpenAI: insufficient_quota with 429",
            K::QuotaExhausted,
            429,
            json!({"error": {
            "message": "You exceeded your current quota", "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}}),
        ),
        said(
            "OpenAI: context_length_exceeded",
            K::ContextOverflow,
            400,
            json!({"error": {
            "message": "maximum context length", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}),
        ),
        said(
            "OpenAI: model_not_found",
            K::ModelNotFound,
            404,
            json!({"error": {
            "message": "The model does not exist", "type": "invalid_request_error", "param": null, "code": "model_not_found"}}),
        ),
        said(
            "Azure: content filter, inner error",
            K::ContentFilter,
            400,
            json!({"error": {
            "message": "The response was filtered", "param": "prompt", "code": "content_filter", "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
        ),
        said(
            "Azure: DeploymentNotFound",
            K::ModelNotFound,
            404,
            json!({"error": {
            "code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}),
        ),
        said(
            "Azure: retry after a day, in words",
            K::RateLimit,
            429,
            json!({"error": {
            "code": "429", "message": "Please retry after 86400 seconds."}}),
        )
        .at_once(),
        said(
            "OpenRouter: 402 as a number",
            K::QuotaExhausted,
            402,
            json!({"error": {"code": 402, "message": "Insufficient credits"}}),
        ),
        said(
            "OpenRouter: flagged input",
            K::ContentFilter,
            403,
            json!({"error": {
            "code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "..."}}}),
        ),
        said(
            "OpenRouter: 502 inside a 200",
            K::ModelOverload,
            200,
            json!({"error": {"code": 502, "message": "Provider returned error"}}),
        ),
        Row::new(
            "OpenRouter: error in a choice",
            Tool,
            K::RateLimit,
            Reply::status(200).error_body(json!({"choices": [{
            "finish_reason": "error", "error": {"code": 429, "message": "slow down"}}]})),
        ),
        said(
            "DeepSeek: 402 Insufficient Balance",
            K::QuotaExhausted,
            402,
            json!({"error": {
            "message": "Insufficient Balance", "type": "unknown_error", "param": null, "code": "invalid_request_error"}}),
        ),
        said(
            "DeepSeek: 422",
            K::InvalidRequest,
            422,
            json!({"error": {
            "message": "Invalid parameters", "type": "invalid_request_error", "param": null, "code": "invalid_request_error"}}),
        ),
        Row::new(
            "DeepSeek: insufficient_system_resource",
            Tool,
            K::ModelOverload,
            good().finish_reason("insufficient_system_resource"),
        ),
        said(
            "vLLM: context length in words",
            K::ContextOverflow,
            400,
            json!({
            "object": "error", "message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError", "param": null, "code": 400}),
        ),
        said(
            "vLLM: 404, no such model",
            K::ModelNotFound,
            404,
            json!({"error": {
            "message": "The model `x` does not exist.", "type": "NotFoundError", "param": null, "code": 404}}),
        ),
        Row::new(
            "vLLM: finish_reason abort",
            Tool,
            K::ModelOverload,
            good().finish_reason("abort"),
        ),
        said(
            "llama.cpp: Loading model",
            K::ModelOverload,
            503,
            json!({"error": {
            "code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        ),
        said(
            "llama.cpp: exceed_context_size_error",
            K::ContextOverflow,
            400,
            json!({"error": {
            "code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}),
        ),
        said(
            "llama.cpp: 501 not_supported_error",
            K::InvalidRequest,
            501,
            json!({"error": {
            "code": 501, "message": "This server does not support tools", "type": "not_supported_error"}}),
        ),
        said(
            "Ollama: model not found, a sentence",
            K::ModelNotFound,
            404,
            json!({"error": "model \"x\" not found, try pulling it first"}),
        ),
        said(
            "Ollama: the runner is gone",
            K::ModelOverload,
            500,
            json!({"error": "llama runner process has terminated: exit status 2"}),
        ),
        said(
            "Google: RESOURCE_EXHAUSTED in a list",
            K::RateLimit,
            429,
            json!([{"error": {
            "code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}]),
        ),
        said(
            "Groq: a call that it did not take",
            K::NoToolCall,
            400,
            json!({"error": {
            "message": "Failed to call a function.", "type": "invalid_request_error", "code": "tool_use_failed",
            "failed_generation": "Which colour shall the mugs have?"}}),
        ),
        said(
            "a gateway's {\"detail\": ..}",
            K::InvalidRequest,
            422,
            json!({"detail": [{"loc": ["body"], "msg": "Field required"}]}),
        ),
        said(
            "a gateway's {\"message\": ..}",
            K::RateLimit,
            429,
            json!({"message": "API rate limit exceeded"}),
        ),
        Row::read(
            "finish_reason eos, arguments as an object",
            Tool,
            good().patch(|body| {
                if let Some(call) =
                    body.pointer_mut("/choices/0/message/tool_calls/0/function/arguments")
                {
                    *call = json!({"customer": "Ann Larsen", "count": 2, "size": "small"});
                }
                if let Some(reason) = body.pointer_mut("/choices/0/finish_reason") {
                    *reason = json!("eos");
                }
            }),
        ),
    ]
}
