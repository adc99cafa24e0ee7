use std::sync::Arc;

use serde_json::Value;

use super::{ToolCall, read, refusal::is_refusal};
use crate::{
    answer::{Answer, Finish},
    failure::{Failure, FailureKind, Violation},
};

/// A value that a model gave, with the JSON it was read from.
pub(crate) struct Judged<T> {
    pub(crate) value: T,
    pub(crate) json: Value,
}

/// Reads the one call of `T` that was asked for. A refusal is looked for before anything is parsed, and an
/// answer that was cut is never completed.
pub(crate) fn judge_one_call<T: ToolCall>(answer: &Arc<Answer>) -> Result<Judged<T>, Failure> {
    whole(answer)
        .and_then(|()| match answer.calls.as_slice() {
            [] => Err(no_call::<T>(answer)),
            [first, others @ ..] => {
                if others.iter().any(|o| o.name != first.name || o.arguments != first.arguments) {
                    let one = Violation::schema("", "exactly one call, not several", None);
                    return Err(Failure::new(FailureKind::SchemaValidation)
                        .with_note("the model made several calls where one was asked for")
                        .with_violations(one.into()));
                }
                if first.name != T::name() {
                    let note = format!("the only tool offered is `{}`", T::name());
                    return Err(Failure::new(FailureKind::UnknownTool).with_note(note));
                }
                read::<T>(&first.arguments)
            }
        })
        .map(|(value, json)| Judged { value, json })
        .map_err(|failure| failure.with_answer(Arc::clone(answer)))
}

/// Reads a `T` out of the content of an answer that was to be JSON.
pub(crate) fn judge_content<T: ToolCall>(answer: &Arc<Answer>) -> Result<Judged<T>, Failure> {
    whole(answer)
        .and_then(|()| {
            let content = answer.content.as_deref().unwrap_or_default().trim();
            if is_refusal(content) {
                return Err(Failure::new(FailureKind::Refusal).with_note("in words"));
            }
            read::<T>(content)
        })
        .map(|(value, json)| Judged { value, json })
        .map_err(|failure| failure.with_answer(Arc::clone(answer)))
}

/// Whether the model said all it was going to, and did not refuse.
fn whole(answer: &Answer) -> Result<(), Failure> {
    if answer.refusal.as_deref().is_some_and(|refusal| !refusal.trim().is_empty()) {
        return Err(Failure::new(FailureKind::Refusal));
    }
    match answer.finish {
        Finish::ContentFilter => {
            Err(Failure::new(FailureKind::ContentFilter)
                .with_note("finish_reason is `content_filter`"))
        }
        Finish::Length => {
            Err(Failure::new(FailureKind::Truncated).with_note("finish_reason is `length`"))
        }
        Finish::Stop => Ok(()),
    }
}

fn no_call<T: ToolCall>(answer: &Answer) -> Failure {
    match answer.content.as_deref() {
        Some(content) if is_refusal(content) => {
            Failure::new(FailureKind::Refusal).with_note("in words, where a call was due")
        }
        Some(content) if !content.trim().is_empty() => Failure::new(FailureKind::NoToolCall)
            .with_note(format!("it answered in prose instead of calling `{}`", T::name())),
        _ => Failure::new(FailureKind::NoToolCall).with_note("the answer is empty"),
    }
}
