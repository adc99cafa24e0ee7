//! Between the words of this crate and the types of `async-openai`.

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls,
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestToolMessage, ChatCompletionRequestUserMessage, ChatCompletionTool,
    ChatCompletionTools, CompletionUsage, CreateChatCompletionResponse, FinishReason, FunctionCall,
    FunctionObject, ResponseFormat, ResponseFormatJsonSchema,
};

use crate::{
    answer::{Answer, Call, Finish, MAX_CALLS},
    feedback::Turn,
    tool::ToolSpec,
    usage::Usage,
};

impl From<&CreateChatCompletionResponse> for Answer {
    /// The first choice, in terms of no provider.
    fn from(response: &CreateChatCompletionResponse) -> Self {
        let mut answer =
            Self { usage: response.usage.as_ref().map(Usage::from), ..Self::default() };
        let Some(choice) = response.choices.first() else { return answer };
        answer.content.clone_from(&choice.message.content);
        answer.refusal.clone_from(&choice.message.refusal);
        answer.finish = match choice.finish_reason {
            Some(FinishReason::Length) => Finish::Length,
            Some(FinishReason::ContentFilter) => Finish::ContentFilter,
            _ => Finish::Stop,
        };
        let calls = choice.message.tool_calls.as_deref().unwrap_or_default();
        answer.calls = calls
            .iter()
            .filter_map(|call| match call {
                ChatCompletionMessageToolCalls::Function(call) => {
                    Some(Call::new(&call.id, &call.function.name, &call.function.arguments))
                }
                ChatCompletionMessageToolCalls::Custom(_) => None,
            })
            // One more than there may be says that there are too many.
            .take(MAX_CALLS + 1)
            .collect();
        answer
    }
}

impl From<&CompletionUsage> for Usage {
    fn from(usage: &CompletionUsage) -> Self {
        let cached = usage.prompt_tokens_details.as_ref().and_then(|d| d.cached_tokens);
        let reasoning = usage.completion_tokens_details.as_ref().and_then(|d| d.reasoning_tokens);
        Self {
            prompt_tokens: usage.prompt_tokens.into(),
            completion_tokens: usage.completion_tokens.into(),
            cached_tokens: cached.unwrap_or_default().into(),
            reasoning_tokens: reasoning.unwrap_or_default().into(),
        }
    }
}

impl From<Turn> for ChatCompletionRequestMessage {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Assistant { content, calls } => {
                let calls: Vec<_> = calls.into_iter().map(tool_call).collect();
                ChatCompletionRequestAssistantMessage {
                    content: content.map(Into::into),
                    tool_calls: (!calls.is_empty()).then_some(calls),
                    ..Default::default()
                }
                .into()
            }
            Turn::Tool { id, text } => {
                ChatCompletionRequestToolMessage { content: text.into(), tool_call_id: id }.into()
            }
            Turn::User(text) => ChatCompletionRequestUserMessage::from(text).into(),
        }
    }
}

fn tool_call(call: Call) -> ChatCompletionMessageToolCalls {
    ChatCompletionMessageToolCalls::Function(ChatCompletionMessageToolCall {
        id: call.id,
        function: FunctionCall { name: call.name, arguments: call.arguments },
    })
}

/// The tool as it is offered; constrained to its schema, if that has a strict form.
pub(super) fn tool(spec: &ToolSpec, constrained: bool) -> ChatCompletionTools {
    let strict = if constrained { spec.strict_schema().ok() } else { None };
    ChatCompletionTools::Function(ChatCompletionTool {
        function: FunctionObject {
            name: spec.name().to_owned(),
            description: spec.description().map(str::to_owned),
            strict: strict.as_ref().map(|_| true),
            parameters: Some(strict.unwrap_or_else(|| spec.schema().clone())),
        },
    })
}

/// The format that makes the content JSON of the tool's schema; to the letter, if constrained and there is a strict form.
pub(super) fn json_schema(spec: &ToolSpec, constrained: bool) -> ResponseFormat {
    let strict = if constrained { spec.strict_schema().ok() } else { None };
    ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema {
            name: spec.name().to_owned(),
            description: spec.description().map(str::to_owned),
            strict: strict.as_ref().map(|_| true),
            schema: strict.unwrap_or_else(|| spec.schema().clone()),
        },
    }
}
