//! A completion as server-sent events.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::body::{End, PlayedBody};

/// Texts come in at least four pieces where they have as many characters, and in pieces of at most 16.
const PIECES: usize = 4;
const LONGEST_PIECE: usize = 16;

/// Where and how a stream breaks off.
#[derive(Debug, Clone)]
pub(super) struct StreamFault {
    pub(super) after: usize,
    pub(super) end: StreamEnd,
}

#[derive(Debug, Clone)]
pub(super) enum StreamEnd {
    /// The connection breaks.
    Cut,
    /// The stream ends in good order, too early.
    Early,
    /// Nothing more comes.
    Hang,
    /// This event is the last.
    Error(Value),
}

/// The stream that brings `body`, or as much of it as `fault` lets through.
pub(super) fn stream(body: &Value, with_usage: bool, fault: Option<&StreamFault>) -> PlayedBody {
    let Chunks { mut chunks, before_finish } = Chunks::of(body, with_usage);
    let Some(StreamFault { after, end }) = fault else {
        let mut events: Vec<_> = chunks.iter().map(event).collect();
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        return PlayedBody::stream(events, End::Complete);
    };
    chunks.truncate((*after).min(before_finish));
    let end = match end {
        StreamEnd::Cut => End::Cut,
        StreamEnd::Early => End::Complete,
        StreamEnd::Hang => End::Hang,
        StreamEnd::Error(error) => {
            chunks.push(error.clone());
            End::Complete
        }
    };
    PlayedBody::stream(chunks.iter().map(event).collect(), end)
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// The chunks of a completion. They are cut from its finished body, so that a body that was patched off the
/// specification makes a stream that is off it in the same way.
struct Chunks {
    chunks: Vec<Value>,
    /// How many come before the first finish reason.
    before_finish: usize,
}

impl Chunks {
    fn of(body: &Value, with_usage: bool) -> Self {
        let Some(choices) = body.get("choices").and_then(Value::as_array) else {
            // Not a completion any more: an error inside a 200, say.
            return Self { chunks: vec![body.clone()], before_finish: 0 };
        };
        let usage = body.get("usage").filter(|_| with_usage);
        let chunk = |choices: Value, usage: Option<&Value>| {
            let mut chunk = envelope(body);
            chunk.insert("choices".to_owned(), choices);
            if let Some(usage) = usage {
                chunk.insert("usage".to_owned(), usage.clone());
            }
            Value::Object(chunk)
        };
        // OpenAI sends `"usage": null` in every chunk of a stream that will end with the usage.
        let no_usage_yet = usage.map(|_| &Value::Null);

        let mut chunks = Vec::new();
        let mut before_finish = None;
        for (position, choice) in choices.iter().enumerate() {
            let index = choice.get("index").cloned().unwrap_or_else(|| position.into());
            let of_choice = |delta: Value, finish: Value| {
                let choice = json!({
                    "index": index, "delta": delta, "logprobs": null, "finish_reason": finish,
                });
                chunk(json!([choice]), no_usage_yet)
            };
            let message = choice.get("message").and_then(Value::as_object);
            for delta in message.into_iter().flat_map(deltas) {
                chunks.push(of_choice(delta, Value::Null));
            }
            before_finish.get_or_insert(chunks.len());
            let finish = choice.get("finish_reason").cloned().unwrap_or(Value::Null);
            chunks.push(of_choice(json!({}), finish));
        }
        if usage.is_some() {
            chunks.push(chunk(json!([]), usage));
        }
        Self { before_finish: before_finish.unwrap_or(0), chunks }
    }
}

/// What every chunk repeats.
fn envelope(body: &Value) -> Map<String, Value> {
    let fields = body.as_object().into_iter().flatten();
    let mut envelope: Map<_, _> = fields
        .filter(|(key, _)| !matches!(key.as_str(), "choices" | "usage"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(object) = envelope.get_mut("object") {
        *object = "chat.completion.chunk".into();
    }
    envelope
}

/// A message bit by bit: the role, then each field, long texts in pieces.
fn deltas(message: &Map<String, Value>) -> Vec<Value> {
    let mut first = Map::new();
    if let Some(role) = message.get("role") {
        first.insert("role".to_owned(), role.clone());
    }
    let content = message.get("content").filter(|content| content.is_string());
    first.insert("content".to_owned(), content.map_or(Value::Null, |_| "".into()));

    let mut deltas = vec![first.into()];
    for (key, value) in message.iter().filter(|(key, _)| *key != "role") {
        match value {
            Value::Null => {}
            Value::String(text) => deltas.extend(pieces(text).map(|piece| json!({key: piece}))),
            Value::Array(calls) if key == "tool_calls" => {
                deltas.extend(calls.iter().enumerate().flat_map(|(i, call)| call_deltas(i, call)));
            }
            other => deltas.push(json!({key: other})),
        }
    }
    deltas
}

/// A tool call: first all but its arguments, then these in pieces. Arguments that are not text come whole.
fn call_deltas(index: usize, call: &Value) -> Vec<Value> {
    let mut first = json!({"index": index});
    if let (Some(first), Some(call)) = (first.as_object_mut(), call.as_object()) {
        first.extend(call.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let index = first.get("index").cloned().unwrap_or(Value::Null);
    let mut text = String::new();
    if let Some(Value::String(arguments)) = first.pointer_mut("/function/arguments") {
        text = std::mem::take(arguments);
    }
    let rest = pieces(&text)
        .map(|piece| json!({"index": index, "function": {"arguments": piece}}))
        .collect::<Vec<_>>();
    std::iter::once(first).chain(rest).map(|call| json!({"tool_calls": [call]})).collect()
}

/// Cuts between characters, never inside one: each piece has to be text by itself.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let length = text.chars().count().div_ceil(PIECES).clamp(1, LONGEST_PIECE);
    let mut characters = text.chars();
    std::iter::from_fn(move || {
        let piece: String = characters.by_ref().take(length).collect();
        (!piece.is_empty()).then_some(piece)
    })
}
