//! Chat completions as servers write them, made into what the typed parser takes.

use async_openai::types::chat::{CompletionUsage, CreateChatCompletionResponse};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::wire;
use crate::{
    answer::Finish,
    failure::{Failure, FailureKind},
    usage::Usage,
};

/// The body of a successful answer, as the typed parser takes it: unchanged if it does, put right if it
/// strays in a known way, else the failure that it is. Nothing that the model said is changed.
pub(super) fn mended(body: &[u8], status: u16, headers: &HeaderMap) -> Result<Vec<u8>, Failure> {
    let is_typed = serde_json::from_slice::<CreateChatCompletionResponse>(body).is_ok();
    let value = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        Err(error) => return Err(undecodable(body, &error).with_status(status)),
    };
    if let Some(error) = wire::error_in(&value) {
        return Err(wire::in_band(error, status, headers));
    }
    let Some(choice) = value.pointer("/choices/0") else {
        let note = if value.get("choices").is_some() {
            return Err(Failure::new(FailureKind::ModelOverload)
                .with_status(status)
                .with_note("the answer has no choices"));
        } else {
            "the answer is no chat completion"
        };
        return Err(Failure::new(FailureKind::InvalidRequest).with_status(status).with_note(note));
    };
    if let Some(error) = wire::error_in(choice) {
        return Err(wire::in_band(error, status, headers));
    }
    if choice.get("finish_reason").and_then(Value::as_str).is_some_and(gave_up) {
        return Err(Failure::new(FailureKind::ModelOverload)
            .with_status(status)
            .with_note("the model gave up before the answer was whole"));
    }
    if is_typed {
        return Ok(body.to_vec());
    }
    let rebuilt = rebuilt(&value).to_string().into_bytes();
    match serde_json::from_slice::<CreateChatCompletionResponse>(&rebuilt) {
        Ok(_) => Ok(rebuilt),
        Err(_) => Err(Failure::new(FailureKind::InvalidRequest)
            .with_status(status)
            .with_note("the answer is no chat completion")),
    }
}

/// Whether a finish reason says that the answer was not finished, for no fault of the model's. The words are
/// `DeepSeek`'s, `OpenRouter`'s, and vLLM's for an engine that goes down.
pub(super) fn gave_up(finish_reason: &str) -> bool {
    matches!(finish_reason, "insufficient_system_resource" | "error" | "abort" | "aborted")
}

/// An answer that says `text`.
pub(super) fn saying(text: &str) -> Vec<u8> {
    let message = json!({ "role": "assistant", "content": text });
    rebuilt(&json!({ "choices": [{ "message": message, "finish_reason": "stop" }] }))
        .to_string()
        .into_bytes()
}

fn undecodable(body: &[u8], error: &serde_json::Error) -> Failure {
    let text = String::from_utf8_lossy(body);
    if text.trim().is_empty() {
        return Failure::new(FailureKind::TransientNetwork).with_note("the answer is empty");
    }
    if error.is_eof() {
        return Failure::new(FailureKind::TransientNetwork).with_note("the answer was cut off");
    }
    let note = if wire::is_html(&text) {
        "the answer is a web page, not an API's"
    } else {
        "the answer is not JSON"
    };
    Failure::new(FailureKind::InvalidRequest).with_note(note)
}

/// The completion from what every server gives, in the form of the specification.
fn rebuilt(value: &Value) -> Value {
    let choices =
        value.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut completion = json!({
        "id": text(value, "id"),
        "object": "chat.completion",
        "created": value.get("created").and_then(whole).unwrap_or_default(),
        "model": text(value, "model"),
        "choices": choices.iter().enumerate().map(|(i, c)| rebuilt_choice(i, c)).collect::<Vec<_>>(),
    });
    if let Some(usage) = value.get("usage").and_then(Value::as_object).and_then(rebuilt_usage)
        && let Some(fields) = completion.as_object_mut()
    {
        fields.insert("usage".to_owned(), usage);
    }
    completion
}

/// What servers mean by a finish reason.
pub(super) fn finish_of(word: &str) -> Finish {
    match word {
        "length" | "max_tokens" | "model_length" | "MAX_TOKENS" => Finish::Length,
        "content_filter" | "SAFETY" | "safety" | "sensitive" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}

fn rebuilt_choice(index: usize, choice: &Value) -> Value {
    let message = choice.get("message").unwrap_or(&Value::Null);
    let calls: Vec<Value> = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(i, call)| rebuilt_call(i, call))
        .collect();
    let finish = choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
    let finish = match finish_of(finish) {
        Finish::Length => "length",
        Finish::ContentFilter => "content_filter",
        _ if !calls.is_empty() => "tool_calls",
        _ => "stop",
    };
    let mut rebuilt = Map::new();
    rebuilt.insert("role".to_owned(), json!("assistant"));
    rebuilt.insert("content".to_owned(), message.get("content").and_then(text_in).into());
    if let Some(refusal) = message.get("refusal").and_then(Value::as_str) {
        rebuilt.insert("refusal".to_owned(), json!(refusal));
    }
    if !calls.is_empty() {
        rebuilt.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    json!({ "index": index, "message": rebuilt, "finish_reason": finish })
}

/// Text, or the text of a list of parts.
pub(super) fn text_in(content: &Value) -> Option<String> {
    match content {
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect())
        }
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The arguments of a call as text, whatever they were written as.
pub(super) fn arguments_in(function: &Value) -> String {
    match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(value) => value.to_string(),
    }
}

fn rebuilt_call(index: usize, call: &Value) -> Value {
    let function = call.get("function").unwrap_or(call);
    let id = match call.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!("call_{index}"),
    };
    json!({
        "id": id,
        "type": "function",
        "function": { "name": text(function, "name"), "arguments": arguments_in(function) },
    })
}

/// The counts, where both are there: tokens that are not counted are not none.
fn rebuilt_usage(usage: &Map<String, Value>) -> Option<Value> {
    let count = |key: &str| usage.get(key).and_then(whole);
    let (prompt, completion) = (count("prompt_tokens")?, count("completion_tokens")?);
    let detail = |of: &str, key: &str| usage.get(of)?.get(key).and_then(whole);
    Some(json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": {
            "cached_tokens": detail("prompt_tokens_details", "cached_tokens"),
        },
        "completion_tokens_details": {
            "reasoning_tokens": detail("completion_tokens_details", "reasoning_tokens"),
        },
    }))
}

/// The usage that an answer or a chunk says, if it says one.
pub(super) fn usage_in(value: &Value) -> Option<Usage> {
    let rebuilt = rebuilt_usage(value.get("usage")?.as_object()?)?;
    let usage: CompletionUsage = serde_json::from_value(rebuilt).ok()?;
    Some(Usage::from(&usage))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A count or a time, also where it is written as 5.0.
fn whole(value: &Value) -> Option<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit")]
    let from_float = |f: f64| (0.0..=f64::from(u32::MAX)).contains(&f).then_some(f as u32);
    match value.as_u64() {
        Some(n) => u32::try_from(n).ok(),
        None => value.as_f64().and_then(from_float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(
        change: impl FnOnce(&mut Value),
    ) -> Result<CreateChatCompletionResponse, Failure> {
        let mut value = json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": null,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}],
            }}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        });
        change(&mut value);
        let mended = mended(value.to_string().as_bytes(), 200, &HeaderMap::new())?;
        Ok(serde_json::from_slice(&mended).unwrap())
    }

    #[test]
    fn what_is_of_the_specification_is_left_alone() {
        let body = json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
            ], "unknown": {"kept": true},
        });
        let text = serde_json::to_vec_pretty(&body).unwrap();
        assert_eq!(mended(&text, 200, &HeaderMap::new()).unwrap(), text);
    }

    #[test]
    fn known_strayings_are_put_right_and_the_arguments_stay() {
        fn call(v: &mut Value) -> &mut Map<String, Value> {
            v["choices"][0]["message"]["tool_calls"][0].as_object_mut().unwrap()
        }
        let strayings: [fn(&mut Value); 8] = [
            |v| v["choices"][0]["finish_reason"] = json!("eos"),
            |v| v["choices"][0]["finish_reason"] = json!(""),
            |v| v["service_tier"] = json!("on_demand"),
            |v| drop(call(v).remove("type")),
            |v| drop(call(v).remove("id")),
            |v| call(v)["function"]["arguments"] = json!({"a": 1}),
            |v| v["created"] = json!(1.5),
            |v| drop(v.as_object_mut().unwrap().remove("id")),
        ];
        for (i, stray) in strayings.into_iter().enumerate() {
            let read = completion(stray).unwrap_or_else(|failure| panic!("{i}: {failure}"));
            let calls = read.choices[0].message.tool_calls.as_deref().unwrap();
            let call = serde_json::to_value(&calls[0]).unwrap();
            let arguments = call["function"]["arguments"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"a": 1}), "{i}");
            assert_eq!(read.usage.unwrap().total_tokens, 7, "{i}");
        }
    }

    #[test]
    fn usage_keeps_its_details_and_no_counts_are_no_usage() {
        let details = completion(|v| {
            v["service_tier"] = json!("on_demand");
            v["usage"]["prompt_tokens_details"] = json!({"cached_tokens": 2});
        });
        let usage = details.unwrap().usage.unwrap();
        assert_eq!(usage.prompt_tokens_details.unwrap().cached_tokens, Some(2));
        let none = completion(|v| {
            v["service_tier"] = json!("on_demand");
            v["usage"] = json!({});
        });
        assert!(none.unwrap().usage.is_none());
    }

    #[test]
    fn an_error_inside_a_success_is_one() {
        use FailureKind as K;
        let kind = |body: &str| mended(body.as_bytes(), 200, &HeaderMap::new()).unwrap_err().kind();
        assert_eq!(kind(r#"{"error": {"code": 429, "message": "slow down"}}"#), K::RateLimit);
        assert_eq!(kind(r#"{"error": {"message": "boom"}, "choices": []}"#), K::ModelOverload);
        assert_eq!(
            kind(r#"{"choices": [{"error": {"code": 502, "message": "x"}}]}"#),
            K::ModelOverload
        );
        for nothing in ["null", "false", "\"\"", "{}", "[]"] {
            let body = format!(r#"{{"error": {nothing}, "choices": [{{"message": {{}}}}]}}"#);
            assert!(mended(body.as_bytes(), 200, &HeaderMap::new()).is_ok(), "{nothing}");
        }
        for gave_up in ["insufficient_system_resource", "error", "abort"] {
            let body = format!(r#"{{"choices": [{{"finish_reason": "{gave_up}"}}]}}"#);
            assert_eq!(kind(&body), K::ModelOverload, "{gave_up}");
        }
        assert_eq!(kind(""), K::TransientNetwork);
        assert_eq!(kind(r#"{"id": "c", "choi"#), K::TransientNetwork);
        assert_eq!(kind("<html><body>login</body></html>"), K::InvalidRequest);
        assert_eq!(kind("{}"), K::InvalidRequest);
        assert_eq!(kind(r#"{"choices": []}"#), K::ModelOverload);
    }
}
