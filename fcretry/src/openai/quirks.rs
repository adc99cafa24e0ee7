//! What endpoints object to. "OpenAI-compatible" servers differ in a few parameters; one that objects is asked
//! once more without what it objects to, and remembered by its base URL for as long as the program runs.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionToolChoiceOption,
    CreateChatCompletionRequest, ResponseFormat, ToolChoiceOptions,
};

use crate::failure::{Failure, FailureKind};

/// More endpoints than this are not remembered: a program that makes up base URLs must not grow for ever.
const REMEMBERED: usize = 1024;

/// What one endpoint does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "what an endpoint lacks, each by itself")]
pub(super) struct Quirks {
    /// A required tool call: `auto` is sent instead.
    no_required_choice: bool,
    /// `max_completion_tokens`: `max_tokens` is sent instead.
    old_token_limit: bool,
    /// A JSON schema for the content: a JSON object is asked for, and the schema told in words.
    no_json_schema: bool,
    /// Options of a stream, such as that it ends with the usage.
    no_stream_options: bool,
}

/// What servers say of a parameter that they do not know, and not of its value.
const UNKNOWN_CODES: &[&str] = &["unsupported_parameter", "unsupported_value", "unknown_parameter"];
const UNKNOWN_WORDS: &[&str] = &[
    "unsupported",
    "not supported",
    "does not support",
    "doesn't support",
    "unrecognized",
    "unknown",
    "unavailable",
    "not permitted",
    "extra inputs",
    "extra_forbidden",
    "not allowed",
];

static KNOWN: Mutex<Option<HashMap<String, Quirks>>> = Mutex::new(None);

impl Quirks {
    /// What is known of `model` at the endpoint at `base_url`: behind one address there may be servers of several kinds.
    pub(super) fn of(base_url: &str, model: &str) -> Self {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let learned = known.as_ref().and_then(|known| known.get(&key(base_url, model))).copied();
        learned.unwrap_or_else(|| Self {
            // Its documentation knows `max_tokens` alone, and it takes what it does not know in silence.
            old_token_limit: base_url.contains("//api.deepseek.com"),
            ..Self::default()
        })
    }

    /// What else to leave out after the endpoint objected to `request` with `failure`; `None` if it is no objection
    /// that a change can meet. A value that is out of range or a schema that is wrong is none: the parameter is known.
    pub(super) fn after(
        self,
        request: &CreateChatCompletionRequest,
        failure: &Failure,
    ) -> Option<Self> {
        if failure.kind() != FailureKind::InvalidRequest
            || !matches!(failure.status(), Some(400 | 422))
        {
            return None;
        }
        let message = failure.provider_message().unwrap_or_default().to_ascii_lowercase();
        let is_unknown = failure.code().is_some_and(|code| UNKNOWN_CODES.contains(&code))
            || UNKNOWN_WORDS.iter().any(|word| message.contains(word));
        if !is_unknown {
            return None;
        }
        let names = |parameter: &str| {
            failure.param().is_some_and(|param| param.starts_with(parameter))
                || message.contains(parameter)
        };
        let mut learned = self;
        if names("tool_choice") && Self::requires_a_call(request) {
            learned.no_required_choice = true;
        }
        if names("max_completion_tokens") && request.max_completion_tokens.is_some() {
            learned.old_token_limit = true;
        } else if names("max_tokens") && self.old_token_limit {
            learned.old_token_limit = false;
        }
        if names("stream_options") && request.stream_options.is_some() {
            learned.no_stream_options = true;
        }
        if names("response_format")
            && matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. }))
        {
            learned.no_json_schema = true;
        }
        (learned != self).then_some(learned)
    }

    /// Remembers what `model` at the endpoint at `base_url` does not take, once it has taken the rest.
    pub(super) fn remember(self, base_url: &str, model: &str) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        let key = key(base_url, model);
        if known.len() < REMEMBERED || known.contains_key(&key) {
            let learned = known.entry(key).or_default();
            *learned = learned.and(self);
        }
    }

    /// What either has learned: two asks may at the same time. The name of the limit is the last word's.
    fn and(self, other: Self) -> Self {
        Self {
            no_required_choice: self.no_required_choice || other.no_required_choice,
            old_token_limit: other.old_token_limit,
            no_json_schema: self.no_json_schema || other.no_json_schema,
            no_stream_options: self.no_stream_options || other.no_stream_options,
        }
    }

    /// Writes `request` as the endpoint takes it.
    pub(super) fn apply(self, request: &mut CreateChatCompletionRequest) {
        if self.no_required_choice && Self::requires_a_call(request) {
            request.tool_choice =
                Some(ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Auto));
        }
        if self.old_token_limit {
            #[allow(deprecated, reason = "the name that this endpoint knows")]
            if let Some(limit) = request.max_completion_tokens.take() {
                request.max_tokens = Some(limit);
            }
        }
        if self.no_stream_options {
            request.stream_options = None;
        }
        if self.no_json_schema {
            tell_schema(request);
        }
    }

    /// Whether the request leaves the model no choice but to call a tool.
    pub(super) fn requires_a_call(request: &CreateChatCompletionRequest) -> bool {
        matches!(
            request.tool_choice,
            Some(
                ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Required)
                    | ChatCompletionToolChoiceOption::Function(_)
            )
        )
    }
}

fn key(base_url: &str, model: &str) -> String {
    format!("{base_url} {model}")
}

/// Tells a schema that the content is to follow in words, and asks for a JSON object.
pub(super) fn tell_schema(request: &mut CreateChatCompletionRequest) {
    let Some(ResponseFormat::JsonSchema { json_schema }) = &request.response_format else { return };
    let told = format!(
        "Answer with one JSON object and nothing else. It follows this JSON schema:\n{}",
        json_schema.schema
    );
    request.messages.insert(0, ChatCompletionRequestSystemMessage::from(told).into());
    request.response_format = Some(ResponseFormat::JsonObject);
}
