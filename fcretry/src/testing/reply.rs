//! One reply of a script: what can be answered.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::{completion::Completion, misuse, stream::StreamFault};

/// One reply of a [`MockModel`](super::MockModel): what is answered, and how.
///
/// A constructor says what is answered; the methods after it change how.
///
/// | constructor | plays |
/// |---|---|
/// | [`tool_call`](Self::tool_call), [`tool_calls`](Self::tool_calls) | a completion that calls tools |
/// | [`text`](Self::text), [`json`](Self::json) | a completion with content |
/// | [`refusal`](Self::refusal), [`truncated`](Self::truncated) | a completion that gives no value |
/// | [`status`](Self::status), [`error`](Self::error) | an error, or any other HTTP answer |
/// | [`hang`](Self::hang), [`drop_connection`](Self::drop_connection) | no answer at all |
///
/// A request that asks for a stream gets a completion as server-sent events; errors stay plain answers.
///
/// ```
/// use fcretry::testing::Reply;
/// use serde_json::json;
///
/// Reply::tool_calls([("a", json!({"x": 1})), ("b", json!({}))]).usage(900, 40).cached(512);
/// Reply::json(json!({"total": 3})).delay("200ms").chunk_delay("5ms");
/// Reply::status(503).retry_after("1500ms").header("server", "llama.cpp");
/// Reply::status(200).body("<html>busy</html>", "text/html");
/// Reply::text("a long story").stream_cut_after(3);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a reply does nothing until a `MockModel` plays it"]
pub struct Reply {
    pub(super) kind: Kind,
    /// Set over the headers that the answer would have by itself.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) delay: Duration,
    pub(super) chunk_delay: Duration,
    pub(super) cut_body_after: Option<usize>,
    pub(super) stream_fault: Option<StreamFault>,
}

/// What a reply answers.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Completion(Box<Completion>),
    Plain(Plain),
    Hang,
    DropConnection,
}

/// An answer that is the same whatever was asked.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    pub(super) status: StatusCode,
    pub(super) content_type: HeaderValue,
    pub(super) body: Bytes,
}

impl Plain {
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            content_type: HeaderValue::from_static("application/json"),
            body: body.to_string().into(),
        }
    }
}

impl Reply {
    /// A call of one tool.
    ///
    /// A [`Value`] is written as JSON. Text is sent as it is, so that broken arguments can be played.
    pub fn tool_call(name: impl Into<String>, arguments: impl Into<Arguments>) -> Self {
        Self::tool_calls([(name, arguments)])
    }

    /// Several calls in one answer, each a name and its arguments.
    pub fn tool_calls<N, A>(calls: impl IntoIterator<Item = (N, A)>) -> Self
    where
        N: Into<String>,
        A: Into<Arguments>,
    {
        let calls = calls.into_iter().map(|(name, arguments)| (name.into(), arguments.into().0));
        Self::completion(Completion {
            calls: calls.collect(),
            ..Completion::finished("tool_calls")
        })
    }

    /// Prose.
    pub fn text(content: impl Into<String>) -> Self {
        Self::completion(Completion {
            content: Some(content.into()),
            ..Completion::finished("stop")
        })
    }

    /// Content that is this value, written as JSON.
    #[allow(clippy::needless_pass_by_value, reason = "scripts write `json!({..})` in place")]
    pub fn json(content: Value) -> Self {
        Self::text(content.to_string())
    }

    /// A refusal, in the field of the message that is meant for it.
    pub fn refusal(text: impl Into<String>) -> Self {
        Self::completion(Completion { refusal: Some(text.into()), ..Completion::finished("stop") })
    }

    /// A tool call that ran into the token limit: `arguments` as far as they came, and
    /// `finish_reason` is `length`. For content that was cut: `Reply::text(..).finish_reason("length")`.
    pub fn truncated(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::tool_call(name, arguments.into()).finish_reason("length")
    }

    /// An answer with this status. From 400 on it has the error body that usually comes with it, below
    /// it has none; [`error_body`](Self::error_body) and [`body`](Self::body) replace it.
    ///
    /// # Panics
    ///
    /// If `status` is not in 200..=999, the range of statuses that end a request.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        let code = final_status(status);
        if status < 400 {
            let content_type = HeaderValue::from_static("application/json");
            return Self::plain(Plain { status: code, content_type, body: Bytes::new() });
        }
        let (kind, error_code, message) = usual_error(status);
        Self::error(status, kind, error_code, message)
    }

    /// An error in the usual words: `{"error": {"message", "type", "param": null, "code"}}`.
    ///
    /// `code` is text, an integer as some servers send it, or `Value::Null`.
    ///
    /// ```
    /// # use fcretry::testing::Reply;
    /// Reply::error(400, "exceed_context_size_error", 400, "the request exceeds the context size");
    /// ```
    ///
    /// # Panics
    ///
    /// If `status` is not in 200..=999.
    #[track_caller]
    pub fn error(
        status: u16,
        kind: impl Into<String>,
        code: impl Into<Value>,
        message: impl Into<String>,
    ) -> Self {
        let body = error_body(&kind.into(), &code.into(), &message.into());
        Self::plain(Plain::json(final_status(status), &body))
    }

    /// Never an answer: the connection stays open until the client or the server goes.
    pub fn hang() -> Self {
        Self::of(Kind::Hang)
    }

    /// The connection is closed without an answer. In process this is an [`std::io::Error`] of the kind
    /// [`ConnectionReset`](std::io::ErrorKind::ConnectionReset).
    pub fn drop_connection() -> Self {
        Self::of(Kind::DropConnection)
    }

    pub(super) fn plain(plain: Plain) -> Self {
        Self::of(Kind::Plain(plain))
    }

    fn completion(completion: Completion) -> Self {
        Self::of(Kind::Completion(Box::new(completion)))
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            headers: Vec::new(),
            delay: Duration::ZERO,
            chunk_delay: Duration::ZERO,
            cut_body_after: None,
            stream_fault: None,
        }
    }
}

/// The arguments of a tool call: made from a [`Value`], which is written as JSON, or from text, which is
/// sent as it is.
///
/// Naming it is needed only where one list holds both:
///
/// ```
/// use fcretry::testing::{Arguments, Reply};
/// use serde_json::json;
///
/// Reply::tool_calls([
///     ("good", Arguments::from(json!({"x": 1}))),
///     ("cut", Arguments::from(r#"{"x": "#)),
/// ]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(String);

impl From<Value> for Arguments {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl From<&str> for Arguments {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Arguments {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The body of an error, in the usual words.
pub(super) fn error_body(kind: &str, code: &Value, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// An informational status does not end a request, and hyper refuses to send one as the answer.
#[track_caller]
fn final_status(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(code) if !code.is_informational() => code,
        _ => misuse(format_args!("`{status}` is not a final HTTP status: write 200 to 999")),
    }
}

/// Type, code and message of the error that usually comes with a status.
fn usual_error(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        401 => ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        402 => ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
        403 => ("invalid_request_error", "permission_denied", "You may not use this model."),
        404 => ("invalid_request_error", "model_not_found", "The model does not exist."),
        408 => ("timeout", "request_timeout", "The request timed out."),
        409 => ("conflict", "conflict", "The resource was changed by another request."),
        413 => ("invalid_request_error", "request_too_large", "The request is too large."),
        429 => ("requests", "rate_limit_exceeded", "Rate limit reached."),
        501 => ("invalid_request_error", "not_implemented", "This is not implemented."),
        500.. => ("server_error", "server_error", "The server had an error. Please try again."),
        _ => ("invalid_request_error", "invalid_request", "The request is not valid."),
    }
}
