use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, CreateChatCompletionRequest,
};
use serde_json::{Map, Value};

use super::quirks::tell_schema;

/// How an endpoint is asked to go on with an answer that it has begun: the part is the last message, of the assistant,
/// and something beside it says that it is not finished. Most endpoints cannot, and begin another answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuation {
    /// vLLM: `continue_final_message` without `add_generation_prompt`.
    Vllm,
    /// `DeepSeek`, at its base URL that ends in `/beta`: `prefix` in the message.
    DeepSeek,
}

impl Continuation {
    /// How the endpoint at `base_url` does it, if its address alone says so.
    pub(super) fn of(base_url: &str) -> Option<Self> {
        let is_deepseek = base_url.contains("//api.deepseek.com/beta");
        is_deepseek.then_some(Self::DeepSeek)
    }

    /// Asks for the rest of `part`. A format would make the rest a whole value of its own, so it is told in words.
    pub(super) fn ask(part: &str, request: &mut CreateChatCompletionRequest) {
        tell_schema(request);
        request.response_format = None;
        let begun = ChatCompletionRequestAssistantMessage {
            content: Some(part.to_owned().into()),
            ..Default::default()
        };
        request.messages.push(begun.into());
    }

    /// Adds to the body of such a request what the typed request has no place for.
    pub(super) fn mark(self, body: &mut Map<String, Value>) {
        match self {
            Self::Vllm => {
                body.insert("continue_final_message".to_owned(), true.into());
                body.insert("add_generation_prompt".to_owned(), false.into());
            }
            Self::DeepSeek => {
                let messages = body.get_mut("messages").and_then(Value::as_array_mut);
                let last = messages.and_then(|messages| messages.last_mut()?.as_object_mut());
                if let Some(last) = last {
                    last.insert("prefix".to_owned(), true.into());
                }
            }
        }
    }
}
