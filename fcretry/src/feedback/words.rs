//! What was wrong with an answer, in words.

use std::fmt::Write as _;

use super::Offer;
use crate::{
    answer::Form,
    failure::{Failure, FailureKind, Violation},
};

/// The most characters of one value that a violation's line quotes.
const QUOTED_VALUE: usize = 200;

/// What was wrong: a sentence, then every violation on a line.
pub(super) fn complaint(failure: &Failure, offer: &Offer, limit: usize) -> String {
    let what = match offer.form {
        Form::Call => "The arguments",
        Form::Content => "The JSON",
    };
    let mut text = match (failure.kind(), offer.form) {
        (FailureKind::StructuralParse | FailureKind::Truncated, _) => {
            let why = failure.note().unwrap_or("it could not be read");
            format!("{what} could not be read: {why}.")
        }
        (FailureKind::UnknownTool, _) => {
            format!("There is no such tool. The tools are: {}.", list(&offer.tools))
        }
        (FailureKind::NoToolCall, Form::Content) => "The answer holds no JSON.".to_owned(),
        (FailureKind::NoToolCall, Form::Call) => {
            "A tool call is required; text alone is not accepted.".to_owned()
        }
        _ if failure.violations().is_empty() => format!("{what} were not accepted."),
        _ => format!("{what} {NOT_ACCEPTED}"),
    };
    let lines = lines(failure, limit);
    for (call, line) in &lines {
        let _ = write!(text, "\n- {}{line}", numbered(*call));
    }
    match failure.violations().len().saturating_sub(lines.len()) {
        0 => {}
        more => {
            let _ = write!(text, "\n- and {more} more");
        }
    }
    text
}

/// Said of an answer whose stream was left.
pub(super) const STOPPED: &str =
    "\nReading stopped there; the rest of the answer was not looked at.";
pub(super) const NOT_ACCEPTED: &str = "were not accepted, because of:";
pub(super) const AGAIN: &str = "again with all its arguments, corrected.";

pub(super) fn request(offer: &Offer) -> String {
    match (offer.form, offer.tools.as_slice()) {
        (Form::Content, _) => "Send the whole JSON again, corrected, and nothing else.".to_owned(),
        (Form::Call, [tool]) => format!("Call `{tool}` {AGAIN}"),
        (Form::Call, tools) => format!("Call one of {} {AGAIN}", list(tools)),
    }
}

fn list(tools: &[String]) -> String {
    let named: Vec<_> = tools.iter().map(|tool| format!("`{tool}`")).collect();
    named.join(", ")
}

/// A line for each violation, as many as fit into `limit` characters; one at least, however long it was. Of several
/// calls, each with the number of the call that it is about.
pub(super) fn lines(failure: &Failure, limit: usize) -> Vec<(Option<usize>, String)> {
    let mut lines = Vec::new();
    let mut room = limit;
    for (call, violation) in by_call(failure) {
        let line = cut(&line(violation), limit);
        match room.checked_sub(numbered(call).len() + line.chars().count() + 3) {
            Some(rest) => room = rest,
            None if lines.is_empty() => room = 0,
            None => break,
        }
        lines.push((call, line));
    }
    lines
}

/// All violations, each with the call that it is about, if the answer has several.
fn by_call(failure: &Failure) -> Vec<(Option<usize>, &Violation)> {
    let is_alone = failure.shared_answer().is_some_and(|answer| answer.calls.len() == 1);
    match failure.calls() {
        [] => failure.violations().iter().map(|violation| (None, violation)).collect(),
        // It may be one that is made up, and hold several.
        [(_, only)] if is_alone => by_call(only),
        calls => {
            let each = |(at, failure): &'_ (usize, Failure)| (*at, failure.violations().len());
            let numbers = calls.iter().map(each).flat_map(|(at, of)| std::iter::repeat_n(at, of));
            numbers.map(Some).zip(failure.violations()).collect()
        }
    }
}

/// What says which call a line is about: people count from one.
fn numbered(call: Option<usize>) -> String {
    call.map(|at| format!("call {}, ", at + 1)).unwrap_or_default()
}

/// Where, what was expected, what was got.
fn line(violation: &Violation) -> String {
    let place = match violation.pointer() {
        "" => "the whole value".to_owned(),
        pointer => cut(pointer, QUOTED_VALUE),
    };
    let said = violation.expected();
    if violation.is_in_words() {
        return format!("{place}: {said}");
    }
    match violation.got() {
        Some(got) => {
            format!("{place}: expected {said}; got {}", cut(&got.to_string(), QUOTED_VALUE))
        }
        None => format!("{place}: expected {said}; got nothing"),
    }
}

/// At most `limit` characters of `text`, and a mark where more followed.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}… (cut)", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `text` between fences that it cannot close.
pub(super) fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{text}\n{fence}")
}
