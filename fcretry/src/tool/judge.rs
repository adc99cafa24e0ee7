use std::sync::Arc;

use super::{How, RawCall, ToolCall, ToolSet, ToolSpec, distinct_specs, read, set::Source};
use crate::{
    answer::{Answer, Call, Finish, MAX_CALLS},
    failure::{Failure, FailureKind, Violation},
    parse::{self, Reading},
};

/// Reads the one call that was asked for. A refusal is looked for before anything is parsed, and an answer
/// that was cut is never completed. A call written into the content counts only if one was `required`.
pub(crate) fn judge_one_call<S: ToolSet>(
    answer: &Arc<Answer>,
    required: bool,
    how: How,
) -> Result<Reading<S>, Failure> {
    whole(answer)
        .and_then(|()| match answer.calls.as_slice() {
            [] => no_call(answer, required, how),
            [first, others @ ..] => {
                let is_another = |o: &Call| o.name != first.name || o.arguments != first.arguments;
                if others.iter().any(is_another) {
                    return Err(several());
                }
                let mut read = read_calls(first, how)?;
                match read.pop() {
                    Some(reading) if read.is_empty() => Ok(reading),
                    _ => Err(several()),
                }
            }
        })
        .map_err(|failure| failure.with_answer(Arc::clone(answer)))
}

/// Reads a `T` out of the content of an answer that was to be JSON.
pub(crate) fn judge_content<T: ToolCall>(
    answer: &Arc<Answer>,
    how: How,
) -> Result<Reading<T>, Failure> {
    whole(answer)
        .and_then(|()| {
            let content = answer.content.as_deref().unwrap_or_default().trim();
            if how.refusals.detects(content) {
                return Err(Failure::new(FailureKind::Refusal).with_note("in words"));
            }
            read::<T>(content, how)
        })
        .map_err(|failure| failure.with_answer(Arc::clone(answer)))
}

/// Whether the model said all it was going to, and did not refuse.
pub(super) fn whole(answer: &Answer) -> Result<(), Failure> {
    if answer.refusal.as_deref().is_some_and(|refusal| !refusal.trim().is_empty()) {
        return Err(Failure::new(FailureKind::Refusal));
    }
    if answer.calls.len() > MAX_CALLS {
        let failure = Failure::new(FailureKind::StructuralParse);
        return Err(failure.with_note("the answer runs on in calls"));
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
        Finish::Stopped => Err(Failure::new(FailureKind::PartialStream)),
    }
}

fn is_lost(answer: &Answer) -> bool {
    let last = answer.calls.last().map(|call| call.arguments.as_str());
    last.or(answer.content.as_deref()).is_some_and(parse::is_runaway)
}

fn several() -> Failure {
    let one = Violation::schema("", "exactly one call, not several", None);
    Failure::new(FailureKind::SchemaValidation)
        .with_note("the model made several calls where one was asked for")
        .with_violations(one.into())
}

/// A tool that models make up to make several calls at once.
pub(super) const PARALLEL: &str = "multi_tool_use.parallel";

/// Reads a call, or those that a made-up one holds, each judged alone; equal ones are one.
fn read_calls<S: ToolSet>(call: &Call, how: How) -> Result<Vec<Reading<S>>, Failure> {
    let source = Source::Call { name: &call.name, arguments: &call.arguments };
    if let Some(read) = S::read_call(&RawCall { source, how }) {
        return read.map(|reading| vec![reading]);
    }
    let mut held =
        if call.name.ends_with(PARALLEL) { parse::calls_in(&call.arguments) } else { Vec::new() };
    held.dedup_by(|call, before| call.repeats(before));
    if held.is_empty() {
        return Err(unknown::<S>());
    }
    each(held.iter().map(|call| {
        let source = Source::Among { call, in_content: false };
        S::read_call(&RawCall { source, how }).unwrap_or_else(|| Err(unknown::<S>()))
    }))
}

/// What each call was read as, or what is wrong with the bad ones.
fn each<R>(calls: impl Iterator<Item = Result<R, Failure>>) -> Result<Vec<R>, Failure> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (i, read) in calls.enumerate() {
        match read {
            Ok(reading) => good.push(reading),
            Err(failure) => bad.push((i, failure)),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(Failure::of_calls(bad)) }
}

pub(super) fn unknown<S: ToolSet>() -> Failure {
    let note = format!("the tools offered are {}", offered_of::<S>());
    Failure::new(FailureKind::UnknownTool).with_note(note)
}

fn offered_of<S: ToolSet>() -> String {
    offered(&distinct_specs::<S>().unwrap_or_default())
}

/// The names of the tools, in words.
pub(super) fn offered(specs: &[&ToolSpec]) -> String {
    let names: Vec<_> = specs.iter().map(|spec| format!("`{}`", spec.name())).collect();
    names.join(", ")
}

/// The call that was written into the content, if one was `required`.
pub(super) fn no_call<S: ToolSet>(
    answer: &Answer,
    required: bool,
    how: How,
) -> Result<Reading<S>, Failure> {
    let text = answer.content.as_deref().unwrap_or_default();
    if how.refusals.detects(text) {
        let failure = Failure::new(FailureKind::Refusal);
        return Err(failure.with_note("in words, where a call was due"));
    }
    if required {
        let alone = distinct_specs::<S>().is_ok_and(|specs| specs.len() == 1);
        let source = Source::Content { text, alone };
        if let Some(read) = S::read_call(&RawCall { source, how }) {
            return read;
        }
    }
    let failure = Failure::new(FailureKind::NoToolCall);
    Err(if text.trim().is_empty() {
        failure.with_note("the answer is empty")
    } else {
        failure.with_note(format!("it answered in prose instead of calling {}", offered_of::<S>()))
    })
}
