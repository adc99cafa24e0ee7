use std::sync::Arc;

use super::{ToolCall, read, refusal::is_refusal, target, validated};
use crate::{
    answer::{Answer, Finish},
    failure::{Failure, FailureKind, Violation},
    parse::{self, Log, Reading, Recovery, RecoveryKind, folded},
};

/// Reads the one call of `T` that was asked for. A refusal is looked for before anything is parsed, and an
/// answer that was cut is never completed. A call written into the content counts only if one was `required`.
pub(crate) fn judge_one_call<T: ToolCall>(
    answer: &Arc<Answer>,
    required: bool,
    recovery: Recovery,
) -> Result<Reading<T>, Failure> {
    whole(answer)
        .and_then(|()| match answer.calls.as_slice() {
            [] => no_call(answer, required, recovery),
            [first, others @ ..] => {
                if others.iter().any(|o| o.name != first.name || o.arguments != first.arguments) {
                    let one = Violation::schema("", "exactly one call, not several", None);
                    return Err(Failure::new(FailureKind::SchemaValidation)
                        .with_note("the model made several calls where one was asked for")
                        .with_violations(one.into()));
                }
                let mut log = Log::default();
                if first.name != T::name() {
                    if recovery == Recovery::Off || !is_spelling(&first.name, &T::name()) {
                        let note = format!("the only tool offered is `{}`", T::name());
                        return Err(Failure::new(FailureKind::UnknownTool).with_note(note));
                    }
                    log.value(RecoveryKind::ToolSpelling, "");
                }
                let mut reading = read::<T>(&first.arguments, recovery)?;
                log.append(reading.log);
                reading.log = log;
                Ok(reading)
            }
        })
        .map_err(|failure| failure.with_answer(Arc::clone(answer)))
}

/// Reads a `T` out of the content of an answer that was to be JSON.
pub(crate) fn judge_content<T: ToolCall>(
    answer: &Arc<Answer>,
    recovery: Recovery,
) -> Result<Reading<T>, Failure> {
    whole(answer)
        .and_then(|()| {
            let content = answer.content.as_deref().unwrap_or_default().trim();
            if is_refusal(content) {
                return Err(Failure::new(FailureKind::Refusal).with_note("in words"));
            }
            read::<T>(content, recovery)
        })
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
        // A larger limit does not help a model that has lost itself.
        Finish::Length if is_lost(answer) => Err(Failure::new(FailureKind::StructuralParse)
            .with_note("the answer runs on in white space or repetition")),
        Finish::Length => {
            Err(Failure::new(FailureKind::Truncated).with_note("finish_reason is `length`"))
        }
        Finish::Stop => Ok(()),
    }
}

fn is_lost(answer: &Answer) -> bool {
    let last = answer.calls.last().map(|call| call.arguments.as_str());
    last.or(answer.content.as_deref()).is_some_and(parse::is_runaway)
}

/// Models prefix the name of a tool and change its case; what is left must be the same.
fn is_spelling(called: &str, name: &str) -> bool {
    let bare = called.strip_prefix("functions.").unwrap_or(called);
    folded(bare) == folded(name)
}

fn no_call<T: ToolCall>(
    answer: &Answer,
    required: bool,
    recovery: Recovery,
) -> Result<Reading<T>, Failure> {
    let content = answer.content.as_deref().unwrap_or_default();
    if is_refusal(content) {
        let failure = Failure::new(FailureKind::Refusal);
        return Err(failure.with_note("in words, where a call was due"));
    }
    if required
        && recovery != Recovery::Off
        && let Some(read) = parse::read_call_in_content::<T>(content, target::<T>(recovery)?)
    {
        return read.and_then(validated);
    }
    let failure = Failure::new(FailureKind::NoToolCall);
    Err(if content.trim().is_empty() {
        failure.with_note("the answer is empty")
    } else {
        failure.with_note(format!("it answered in prose instead of calling `{}`", T::name()))
    })
}
