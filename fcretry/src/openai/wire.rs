//! What a server's error says, in all the dialects of "OpenAI-compatible". An error code in the body goes before
//! the status; words of a message are read only where there is no code.

mod body;
mod codes;
#[cfg(test)]
mod tests;
mod wait;

use http::HeaderMap;
use serde_json::{Value, json};

use self::body::ErrorBody;
use crate::{
    answer::Answer,
    failure::{Failure, FailureKind},
    guard::throttle::ServerLimits,
};

/// The most of a provider's message that is kept, in characters.
const KEPT_MESSAGE: usize = 4000;

/// The provider's id of an exchange.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .filter(|id| id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic()))
        .map(str::to_owned)
}

/// What the provider says of its limits.
pub(super) fn limits(headers: &HeaderMap) -> ServerLimits {
    let texts =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    ServerLimits::read(texts)
}

/// The failure that an error answer is. `status` is `None` where it was lost.
pub(super) fn failure(status: Option<u16>, headers: &HeaderMap, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let error = ErrorBody::read(&text);
    let kind = error.kind(status).unwrap_or(FailureKind::InvalidRequest);
    let failure = told(kind, status, headers, error);
    match note(kind, status, &text) {
        Some(note) => failure.with_note(note),
        None => failure,
    }
}

/// The error inside an answer, if there is one: some servers leave its place empty.
pub(super) fn error_in(answer: &Value) -> Option<&Value> {
    answer.get("error").filter(|error| match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(errors) => !errors.is_empty(),
        _ => true,
    })
}

/// The failure that an error inside an answer is, be it whole or a stream, whose `status` says that it succeeded.
pub(super) fn in_band(error: &Value, status: u16, headers: &HeaderMap) -> Failure {
    let error = ErrorBody::of(&json!({ "error": error }));
    // A server that failed after it had begun to answer has taken the request.
    let kind = error.kind(None).unwrap_or(FailureKind::ModelOverload);
    told(kind, Some(status), headers, error)
        .with_note("an error inside an answer that says it succeeded")
}

/// The text of a bad call that the server kept back: Groq judges calls itself, and answers a bad one with a 400.
pub(super) fn failed_call(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = body.pointer("/error/failed_generation")?.as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn told(kind: FailureKind, status: Option<u16>, headers: &HeaderMap, error: ErrorBody) -> Failure {
    let mut failure = Failure::new(kind);
    if let Some(wait) = wait::told(kind, headers, &error) {
        failure = failure.with_retry_after(wait);
    }
    if let Some(status) = status {
        failure = failure.with_status(status);
    }
    if let Some(id) = request_id(headers) {
        failure = failure.with_request_id(id);
    }
    if let Some(param) = error.param {
        failure = failure.with_param(param);
    }
    if let Some(code) = error.code {
        failure = failure.with_code(code);
    }
    if let Some(text) = error.failed_call {
        failure = failure.with_answer(Answer::text(text).into());
    }
    if error.message.is_empty() {
        return failure;
    }
    let message: String = error.message.chars().take(KEPT_MESSAGE).collect();
    failure.with_provider_message(message)
}

/// What the body says about where it comes from.
fn note(kind: FailureKind, status: Option<u16>, body: &str) -> Option<&'static str> {
    if is_html(body) && kind != FailureKind::ModelOverload {
        return Some("the body is a web page, not an API's answer");
    }
    if status == Some(404) && kind == FailureKind::InvalidRequest {
        return Some("there is nothing at this path; base URLs mostly end in `/v1`");
    }
    None
}

pub(super) fn is_html(body: &str) -> bool {
    let body = body.trim_start_matches('\u{feff}').trim_start();
    let start: String = body.chars().take(16).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<!--", "<h1", "<title"]
        .iter()
        .any(|opening| start.starts_with(opening))
}
