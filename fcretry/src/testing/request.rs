//! A request as the model got it.

use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::time::Instant;

use super::misuse;

/// A request for a completion that a [`MockModel`](super::MockModel) got.
///
/// Its `Debug` output leaves out the values of headers that carry a key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method, which is `POST`.
    pub method: Method,
    /// The path of the URL, such as `/v1/chat/completions`.
    pub path: String,
    /// The headers, as they arrived.
    pub headers: HeaderMap,
    /// The body. One that is not JSON, which is answered with a 400, is kept as its text.
    pub body: Value,
    /// When it arrived, by the clock of `tokio::time`.
    pub at: Instant,
}

impl RecordedRequest {
    /// The model that was asked; empty if the request names none.
    pub fn model(&self) -> &str {
        self.body.get("model").and_then(Value::as_str).unwrap_or_default()
    }

    /// The messages; empty if the request has none.
    pub fn messages(&self) -> &[Value] {
        list(&self.body, "messages")
    }

    /// The names of the tools that were offered, in their order.
    pub fn tool_names(&self) -> Vec<&str> {
        let names = list(&self.body, "tools").iter().map(|tool| tool.pointer("/function/name"));
        names.flatten().filter_map(Value::as_str).collect()
    }

    /// The text of the message at `index`: its content, or the text parts of it one after the other.
    /// Empty if the message has no text, as one with nothing but tool calls.
    ///
    /// # Panics
    ///
    /// If there is no such message: a test that looks for text in it should not pass.
    #[track_caller]
    pub fn text_of_message(&self, index: usize) -> String {
        let messages = self.messages();
        let Some(message) = messages.get(index) else {
            misuse(format_args!(
                "there is no message {index}; the request has {}, counted from 0",
                messages.len()
            ))
        };
        match message.get("content") {
            Some(Value::String(text)) => text.clone(),
            _ => list(message, "content")
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str))
                .collect(),
        }
    }

    /// Whether the answer was asked for as a stream.
    pub fn is_stream(&self) -> bool {
        self.body.get("stream").and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether a stream is to end with the usage.
    pub(super) fn wants_stream_usage(&self) -> bool {
        let wanted = self.body.pointer("/stream_options/include_usage");
        wanted.and_then(Value::as_bool).unwrap_or_default()
    }

    /// Marks the headers that carry keys, so that printing them shows no value.
    pub(super) fn hide_keys(headers: &mut HeaderMap) {
        for name in ["authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"] {
            if let http::header::Entry::Occupied(mut entry) = headers.entry(name) {
                entry.iter_mut().for_each(|value| value.set_sensitive(true));
            }
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
