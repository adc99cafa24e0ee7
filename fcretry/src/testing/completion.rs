//! The body of a chat completion.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value, json};

use super::RecordedRequest;

/// `created` of the first answer. Answers count on from here instead of reading the clock, so that two runs
/// of a script send the same bytes.
const FIRST_CREATED: u64 = 1_750_000_000;

/// What a model answers with.
#[derive(Debug, Clone)]
pub(super) struct Completion {
    pub(super) content: Option<String>,
    pub(super) refusal: Option<String>,
    /// Name and text of the arguments.
    pub(super) calls: Vec<(String, String)>,
    pub(super) finish_reason: String,
    pub(super) model: Option<String>,
    pub(super) usage: TokenUsage,
    pub(super) patches: Vec<Patch>,
}

/// The tokens an answer says it used.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenUsage {
    pub(super) counts: TokenCounts,
    pub(super) cached: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

#[derive(Debug, Clone, Default)]
pub(super) enum TokenCounts {
    #[default]
    FromLengths,
    Given {
        prompt: u64,
        completion: u64,
    },
    Withheld,
}

/// A change to the finished body.
#[derive(Clone)]
pub(super) struct Patch(Arc<dyn Fn(&mut Value) + Send + Sync>);

impl Patch {
    pub(super) fn new(patch: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(patch))
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patch(..)")
    }
}

impl Completion {
    /// An empty answer.
    pub(super) fn finished(reason: &str) -> Self {
        Self {
            content: None,
            refusal: None,
            calls: Vec::new(),
            finish_reason: reason.to_owned(),
            model: None,
            usage: TokenUsage::default(),
            patches: Vec::new(),
        }
    }

    /// The body that answers `request`, the `number`-th that the model got.
    pub(super) fn body(&self, number: u64, request: &RecordedRequest) -> Value {
        let requested = Some(request.model()).filter(|name| !name.is_empty());
        let mut body = json!({
            "id": format!("chatcmpl-{number}"),
            "object": "chat.completion",
            "created": FIRST_CREATED.saturating_add(number),
            "model": self.model.as_deref().or(requested).unwrap_or("mock"),
            "choices": [{
                "index": 0,
                "message": self.message(number),
                "logprobs": null,
                "finish_reason": self.finish_reason,
            }],
        });
        if let (Some(body), Some(usage)) = (body.as_object_mut(), self.usage_of(request)) {
            body.insert("usage".to_owned(), usage);
        }
        for Patch(patch) in &self.patches {
            patch(&mut body);
        }
        body
    }

    fn message(&self, number: u64) -> Value {
        let mut message = Map::new();
        message.insert("role".to_owned(), "assistant".into());
        message.insert("content".to_owned(), self.content.clone().into());
        message.insert("refusal".to_owned(), self.refusal.clone().into());
        if !self.calls.is_empty() {
            let calls = self.calls.iter().enumerate().map(|(index, (name, arguments))| {
                json!({
                    "id": format!("call_{number}_{index}"),
                    "type": "function",
                    "function": {"name": name, "arguments": arguments},
                })
            });
            message.insert("tool_calls".to_owned(), calls.collect());
        }
        message.into()
    }

    fn usage_of(&self, request: &RecordedRequest) -> Option<Value> {
        let TokenUsage { counts, cached, reasoning } = &self.usage;
        let (prompt, completion) = match *counts {
            TokenCounts::Withheld => return None,
            TokenCounts::Given { prompt, completion } => (prompt, completion),
            // The details are parts of the counts, so counts of our own make room for them.
            TokenCounts::FromLengths => (
                tokens(request.messages().iter().map(characters).sum()).max(cached.unwrap_or(0)),
                tokens(self.characters()).saturating_add(reasoning.unwrap_or(0)),
            ),
        };
        let mut usage = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt.saturating_add(completion),
        });
        if let Some(usage) = usage.as_object_mut() {
            if let Some(cached) = cached {
                let details = json!({"cached_tokens": cached});
                usage.insert("prompt_tokens_details".to_owned(), details);
            }
            if let Some(reasoning) = reasoning {
                let details = json!({"reasoning_tokens": reasoning});
                usage.insert("completion_tokens_details".to_owned(), details);
            }
        }
        Some(usage)
    }

    fn characters(&self) -> usize {
        let texts = self.content.iter().chain(&self.refusal);
        let calls = self.calls.iter().flat_map(|(name, arguments)| [name, arguments]);
        texts.chain(calls).map(|text| text.chars().count()).sum()
    }
}

/// About four characters a token, and never nothing.
fn tokens(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(4).max(1)).unwrap_or(u64::MAX)
}

/// The characters of all texts in a message, wherever they stand: content, parts, calls and their ids.
fn characters(message: &Value) -> usize {
    match message {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(characters).sum(),
        Value::Object(fields) => fields.values().map(characters).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
