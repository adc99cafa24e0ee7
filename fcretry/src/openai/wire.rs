//! What a server's error says, in all the dialects of "OpenAI-compatible". An error code in the body goes before
//! the status; words of a message are read only where there is no code.

use std::time::SystemTime;

use http::HeaderMap;
use serde_json::Value;

use crate::failure::{Failure, FailureKind, retry_after};

/// The most of a provider's message that is kept, in characters.
const KEPT_MESSAGE: usize = 4000;

/// The provider's id of an exchange.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"]
        .iter()
        .find_map(|name| header(headers, name))
        .filter(|id| id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic()))
        .map(str::to_owned)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The failure that an error answer is. `status` is `None` where it was lost.
pub(super) fn failure(status: Option<u16>, headers: &HeaderMap, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let error = ErrorBody::read(&text);
    let kind = error.kind(status);
    let mut failure = Failure::new(kind);
    if let Some(param) = &error.param {
        failure = failure.with_param(param.clone());
    }
    if let Some(status) = status {
        failure = failure.with_status(status);
    }
    if let Some(code) = &error.code {
        failure = failure.with_code(code.clone());
    }
    if !error.message.is_empty() {
        let message: String = error.message.chars().take(KEPT_MESSAGE).collect();
        failure = failure.with_provider_message(message);
    }
    if let Some(id) = request_id(headers) {
        failure = failure.with_request_id(id);
    }
    let wait = retry_after(
        header(headers, "retry-after-ms"),
        header(headers, "retry-after"),
        SystemTime::now(),
    );
    if let Some(wait) = wait {
        failure = failure.with_retry_after(wait);
    }
    match note(kind, status, &text) {
        Some(note) => failure.with_note(note),
        None => failure,
    }
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
    let start = body.trim_start().get(..32).unwrap_or(body.trim_start()).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

/// The error object of a body, whatever it is called there.
#[derive(Debug, Default)]
struct ErrorBody {
    code: Option<String>,
    /// A code that is a number is a status: of an upstream server, or the same once more.
    number: Option<u16>,
    error_type: Option<String>,
    param: Option<String>,
    message: String,
}

impl ErrorBody {
    fn read(text: &str) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(text) else {
            // The words of a web page are about anything.
            let message = if is_html(text) { "" } else { text.trim() };
            return Self { message: message.to_owned(), ..Self::default() };
        };
        // Google's servers put the object into a list.
        let body = body.get(0).unwrap_or(&body);
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let text_of = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| error.get(*key)?.as_str());
            found.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let code = error.get("code");
        let numeric = |code: &Value| {
            code.as_u64()
                .or_else(|| code.as_str()?.parse().ok())
                .and_then(|n| u16::try_from(n).ok())
        };
        let inner = error.pointer("/innererror/code").and_then(Value::as_str);
        // Some servers give the list of what is wrong instead of a sentence.
        let described = || {
            let found = ["message", "detail"].iter().find_map(|key| error.get(*key));
            found.filter(|m| !m.is_null()).map(Value::to_string)
        };
        let message = error
            .as_str()
            .map(str::to_owned)
            .or_else(|| text_of(&["message", "detail", "msg"]))
            .or_else(described);
        let is_word = |code: &String| code.parse::<u16>().is_err();
        let outer = text_of(&["code"]).filter(is_word).or_else(|| text_of(&["status"]));
        Self {
            code: inner
                .filter(|code| kind_of_code(code).is_some())
                .map(str::to_owned)
                .or(outer)
                .filter(|code| !GENERIC.contains(&code.to_ascii_lowercase().as_str())),
            number: code.and_then(numeric).filter(|n| (300..600).contains(n)),
            error_type: text_of(&["type"]),
            param: text_of(&["param"]),
            message: message.unwrap_or_default(),
        }
    }

    fn kind(&self, status: Option<u16>) -> FailureKind {
        let by_code = self.code.as_deref().and_then(kind_of_code);
        if let Some(kind) = by_code.or_else(|| self.error_type.as_deref().and_then(kind_of_code)) {
            return kind;
        }
        let status = self.number.or(status);
        let by_status = status.map_or(FailureKind::InvalidRequest, kind_of_status);
        if self.code.is_some() { by_status } else { self.kind_of_words(status, by_status) }
    }

    /// Where there is no code, a message is all there is.
    fn kind_of_words(&self, status: Option<u16>, by_status: FailureKind) -> FailureKind {
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match status {
            Some(404) if says(&["model"]) => FailureKind::ModelNotFound,
            Some(400 | 422 | 500) | None
                if says(&[
                    "context length",
                    "context window",
                    "context size",
                    "maximum context",
                    "prompt is too long",
                    "input is too long",
                ]) =>
            {
                FailureKind::ContextOverflow
            }
            Some(400)
                if says(&["content management policy", "content filter", "content_filter"]) =>
            {
                FailureKind::ContentFilter
            }
            Some(429)
                if says(&["insufficient balance", "exceeded your current quota", "billing"]) =>
            {
                FailureKind::QuotaExhausted
            }
            _ => by_status,
        }
    }
}

/// Codes that say no more than the status, so that words may.
const GENERIC: &[&str] =
    &["invalid_request_error", "invalid_argument", "bad_request", "error", "failed", "unknown"];

/// Codes and types that say more than the status. Generic ones (`invalid_request_error`, `api_error`) are left
/// to it: OpenAI sends the first with 400, 401, 403 and 404 alike.
fn kind_of_code(code: &str) -> Option<FailureKind> {
    use FailureKind as K;
    Some(match code.to_ascii_lowercase().as_str() {
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "quota_exceeded"
        | "insufficient_balance"
        | "insufficient_credits"
        | "insufficient_user_quota"
        | "exceeded_current_quota_error"
        | "payment_required" => K::QuotaExhausted,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limit_reached_error"
        | "rate_limited"
        | "too_many_requests"
        | "toomanyrequests"
        | "resource_exhausted" => K::RateLimit,
        "content_filter"
        | "content_policy_violation"
        | "responsibleaipolicyviolation"
        | "data_inspection_failed" => K::ContentFilter,
        "context_length_exceeded"
        | "exceed_context_size_error"
        | "context_window_exceeded"
        | "request_too_large" => K::ContextOverflow,
        "invalid_api_key"
        | "incorrect_api_key"
        | "authentication_error"
        | "invalid_authentication_error"
        | "authenticationerror"
        | "permission_error"
        | "permission_denied"
        | "permissiondenied"
        | "unauthenticated"
        | "unauthorized"
        | "account_deactivated" => K::Auth,
        "model_not_found" | "model_not_exist" | "model_not_available" | "deploymentnotfound" => {
            K::ModelNotFound
        }
        "overloaded_error"
        | "overloaded"
        | "server_overloaded"
        | "engine_overloaded"
        | "engine_overloaded_error"
        | "server_error"
        | "internal_server_error"
        | "internal_error"
        | "service_unavailable"
        | "unavailable"
        | "unavailable_error"
        | "slow_down" => K::ModelOverload,
        "timeout_error" | "deadline_exceeded" => K::Timeout,
        _ => return None,
    })
}

fn kind_of_status(status: u16) -> FailureKind {
    use FailureKind as K;
    match status {
        401 | 403 => K::Auth,
        402 => K::QuotaExhausted,
        408 | 409 | 425 => K::TransientNetwork,
        413 => K::ContextOverflow,
        429 => K::RateLimit,
        501 => K::InvalidRequest,
        500..=599 => K::ModelOverload,
        _ => K::InvalidRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> FailureKind {
        failure(Some(status), &HeaderMap::new(), body.as_bytes()).kind()
    }

    #[test]
    fn a_code_goes_before_the_status() {
        use FailureKind as K;
        let coded = |code: &str| {
            format!(r#"{{"error":{{"message":"m","type":null,"param":null,"code":{code}}}}}"#)
        };
        assert_eq!(kind(429, &coded(r#""insufficient_quota""#)), K::QuotaExhausted);
        assert_eq!(kind(429, &coded(r#""rate_limit_exceeded""#)), K::RateLimit);
        assert_eq!(kind(400, &coded(r#""content_filter""#)), K::ContentFilter);
        assert_eq!(kind(400, &coded(r#""context_length_exceeded""#)), K::ContextOverflow);
        assert_eq!(kind(401, &coded("401")), K::Auth);
        assert_eq!(kind(200, &coded("429")), K::RateLimit);
        assert_eq!(kind(200, &coded(r#""502""#)), K::ModelOverload);
        assert_eq!(kind(404, &coded(r#""model_not_found""#)), K::ModelNotFound);
    }

    #[test]
    fn every_status_has_its_kind() {
        use FailureKind as K;
        for (status, expected) in [
            (301, K::InvalidRequest),
            (400, K::InvalidRequest),
            (401, K::Auth),
            (402, K::QuotaExhausted),
            (403, K::Auth),
            (404, K::InvalidRequest),
            (408, K::TransientNetwork),
            (409, K::TransientNetwork),
            (413, K::ContextOverflow),
            (422, K::InvalidRequest),
            (425, K::TransientNetwork),
            (429, K::RateLimit),
            (500, K::ModelOverload),
            (501, K::InvalidRequest),
            (503, K::ModelOverload),
            (529, K::ModelOverload),
        ] {
            for body in ["", "<html>oops</html>", "{}", "null", "[]", "7"] {
                assert_eq!(kind(status, body), expected, "{status} {body}");
            }
        }
    }

    #[test]
    fn words_count_only_where_there_is_no_code() {
        use FailureKind as K;
        let ollama = r#"{"error":{"message":"model \"x\" not found","type":"not_found_error","param":null,"code":null}}"#;
        assert_eq!(kind(404, ollama), K::ModelNotFound);
        let vllm = r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#;
        assert_eq!(kind(404, vllm), K::ModelNotFound);
        let generic = r#"{"error":{"message":"maximum context length is 65536","code":"invalid_request_error"}}"#;
        assert_eq!(kind(400, generic), K::ContextOverflow);
        let page = "<html><body>Too many requests. Billing questions?</body></html>";
        assert_eq!(kind(429, page), K::RateLimit);
        let azure = r#"{"error":{"code":"content_filter","innererror":{"code":"Unheard"}}}"#;
        assert_eq!(kind(400, azure), K::ContentFilter);
        let coded = r#"{"error":{"message":"maximum context length","code":"invalid_value"}}"#;
        assert_eq!(kind(400, coded), K::InvalidRequest);
        let worded = r#"{"error":"the request exceeds the available context size"}"#;
        assert_eq!(kind(400, worded), K::ContextOverflow);
        let google = r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#;
        assert_eq!(kind(429, google), K::RateLimit);
        let llama =
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
        assert_eq!(kind(503, llama), K::ModelOverload);
    }
}
