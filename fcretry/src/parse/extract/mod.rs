//! Where in a text the value is: models put it into fences, tags and prose.

mod around;
mod fences;
mod scan;
mod tags;
mod words;

use serde_json::Value;

pub(super) use self::scan::is_placeholder;
use self::{around::Surroundings, scan::Scan};
use super::{
    recovered::{Log, RecoveryKind},
    tolerant::{self, Read, Refusal},
};
use crate::failure::Violation;

/// The value of a text.
#[derive(Debug)]
pub(super) struct Found<'t> {
    pub(super) value: Value,
    pub(super) log: Log,
    pub(super) duplicates: Vec<Violation>,
    /// Words stood around it, so that it may be a sample.
    pub(super) is_in_prose: bool,
    /// The tool that the text says it calls.
    pub(super) called: Option<&'t str>,
    /// A brace too many follows it, which may be one that stood too early: what a schema must tell.
    pub(super) doubt: Option<Refusal>,
    /// A member follows one that is an object, so that a brace too many may have stood too early.
    may_end_early: bool,
    /// Nothing else stood on its lines.
    is_alone: bool,
    /// The byte at which it stood, and the last at which it stood again.
    at: usize,
    last_at: usize,
    /// How often it stood there.
    pub(super) times: usize,
}

impl<'t> Found<'t> {
    fn new(read: Read, at: usize) -> Self {
        Self {
            value: read.value,
            log: read.log,
            duplicates: read.duplicates.found,
            is_in_prose: false,
            called: None,
            doubt: None,
            may_end_early: read.goes_on_after_object,
            is_alone: false,
            at,
            last_at: at,
            times: 1,
        }
    }

    fn marked(mut self, kind: RecoveryKind, at: usize) -> Self {
        self.log.syntax(kind, at);
        self
    }

    /// Moves its places by what stood before the part of the text that was read.
    fn shift(&mut self, by: usize) {
        self.log.shift(by);
        if let Some(doubt) = &mut self.doubt {
            doubt.at += by;
        }
    }

    fn calling(self, called: Option<&'t str>) -> Self {
        Self { called: self.called.or(called), ..self }
    }
}

const AFTER: &str = "text after the value";
const EARLY: &str = "a brace that closes nothing, or one before it that closes too early";
const PART: &str = "a part of something else";

fn refusal<T>(at: usize, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { at, reason, cut: false })
}

fn cut<T>(text: &str, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { at: text.len(), reason, cut: true })
}

/// Finds the one value in `text`. Two that differ are ambiguous, and refused: a choice would be a guess.
pub(super) fn find(text: &str, lenient: bool) -> Result<Found<'_>, Refusal> {
    let answer = without_reasoning(text)?;
    let before = text.len() - answer.len();
    match find_in(answer, lenient) {
        Ok(mut found) => {
            found.shift(before);
            if before > 0 {
                found.log.syntax(RecoveryKind::SurroundingText, 0);
            }
            let header = text.get(..before).unwrap_or_default();
            Ok(found.calling(around::called_in_line(header)))
        }
        Err(refusal) => Err(Refusal { at: refusal.at + before, ..refusal }),
    }
}

fn find_in(text: &str, lenient: bool) -> Result<Found<'_>, Refusal> {
    let refusal = match whole(text, lenient) {
        // Two backticks are the start of a fence, and no empty string.
        Ok(_) if text.trim() == "``" => return cut(text, "the text ends inside a fence"),
        // A code span of Markdown holds the value as it is, and a string of JavaScript another one.
        Ok(_) if is_code_span(text) => {
            Refusal { at: 0, reason: "a code span that is no value", cut: false }
        }
        Ok(found) => return Ok(found),
        Err(refusal) => refusal,
    };
    if let Some(found) = in_code_span(text).or_else(|| escaped(text)) {
        return Ok(found);
    }
    // What starts like the value and is not readable is not searched for something that is.
    let start = text.trim_start();
    let starts_like_it = start.starts_with(['{', '[']) && !tags::is_token(start);
    if starts_like_it && refusal.reason != AFTER && !scan::is_placeholder(start) {
        return Err(refusal);
    }
    let Scan { fenced, tagged, in_prose } = scan::scan(text, lenient)?;
    let mut kinds = [fenced, tagged, in_prose].into_iter().filter(|found| !found.is_empty());
    let nearest = kinds.next().unwrap_or_default();
    // What is marked is meant, whatever sample came before it; but not if that is no sample, or says the same of
    // something else. What comes after it may be meant instead.
    let (start, marked) = match nearest.first() {
        Some(first) => (first.at, first.value.clone()),
        None => (0, Value::Null),
    };
    let is_rival =
        |f: &Found<'_>| f.last_at > start || f.is_alone || has_common_key(&f.value, &marked);
    let rivals = kinds.flatten().filter(is_rival);
    one(nearest.into_iter().chain(rivals).collect())?.ok_or(Refusal { at: 0, ..refusal })
}

/// All values that are marked as calls, by tags or else by fences; none, if another stands in the text behind them.
pub(super) fn marked(text: &str) -> Option<Vec<Found<'_>>> {
    let answer = without_reasoning(text).ok()?;
    let Scan { fenced, tagged, in_prose } = scan::scan(answer, false).ok()?;
    let mut marked = if tagged.is_empty() { fenced } else { tagged };
    let start = marked.first()?.at;
    for found in &mut marked {
        found.shift(text.len() - answer.len());
    }
    in_prose.iter().all(|found| found.last_at < start).then_some(marked)
}

fn has_common_key(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return false };
    a.keys().any(|key| b.contains_key(key))
}

/// What follows the reasoning that a model put before its answer. Samples in it are no answers. Templates put
/// the opening tag into the prompt, so that the closing one may stand alone.
fn without_reasoning(text: &str) -> Result<&str, Refusal> {
    const ENDLESS: &str = "the reasoning does not end";
    let start = text.trim_start();
    if start.starts_with(['{', '[']) && !tags::is_token(start) {
        return Ok(text);
    }
    for tag in ["think", "thinking", "thought", "reasoning"] {
        if let Some((_, answer)) = text.rsplit_once(&format!("</{tag}>")) {
            return Ok(answer);
        }
        if start.starts_with(&format!("<{tag}>")) {
            return cut(text, ENDLESS);
        }
    }
    if let Some((_, answer)) = text.rsplit_once("[/THINK]") {
        return Ok(answer);
    }
    if start.starts_with("[THINK]") {
        return cut(text, ENDLESS);
    }
    // Channels, of which the last is the answer.
    if let Some((header, answer)) = text.rsplit_once("<|message|>") {
        let channel = header.rsplit("<|channel|>").next().unwrap_or_default();
        return if channel.trim_start().starts_with("analysis") {
            refusal(header.len(), "reasoning, and no answer")
        } else {
            Ok(answer)
        };
    }
    Ok(text)
}

/// The value that all of `text` is, with nothing around it but closing braces too many.
fn whole(text: &str, lenient: bool) -> Result<Found<'_>, Refusal> {
    let read = tolerant::read_as(text, 0, lenient)?;
    let value_end = read.end;
    let (end, comments) = tolerant::skip_gap(text, value_end);
    let rest = text.get(end..).unwrap_or_default();
    let mut found = Found::new(read, 0);
    found.log.append(comments);
    if !rest.is_empty() {
        if !(found.value.is_object() && is_noise(rest)) {
            return refusal(value_end, AFTER);
        }
        found.log.syntax(RecoveryKind::SurroundingText, value_end);
        if found.may_end_early && rest.contains('}') {
            found.doubt = Some(Refusal { at: value_end, reason: EARLY, cut: false });
        }
    }
    Ok(found)
}

fn is_code_span(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with('`') && start.trim_start_matches('`').starts_with(['{', '[', '"', '\''])
}

/// `` `{"a": 1}` ``
fn in_code_span(text: &str) -> Option<Found<'_>> {
    let trimmed = text.trim();
    let inner = trimmed.trim_start_matches('`');
    let marks = trimmed.len() - inner.len();
    // Three are a fence.
    let inner =
        inner.strip_suffix("`".repeat(marks).as_str()).filter(|_| (1..3).contains(&marks))?;
    let mut found = whole(inner, false).ok()?;
    found.shift(inner.as_ptr().addr() - text.as_ptr().addr());
    Some(found.marked(RecoveryKind::SurroundingText, 0))
}

/// `{\"a\": 1}`: the inside of a string that holds the value.
fn escaped(text: &str) -> Option<Found<'_>> {
    let inside = text.trim_start().strip_prefix(['{', '['])?.trim_start();
    if !inside.starts_with("\\\"") {
        return None;
    }
    let mut string = String::with_capacity(text.len() + 2);
    string.push('"');
    for c in text.trim().chars() {
        match c {
            '\n' => string.push_str("\\n"),
            '\r' => string.push_str("\\r"),
            '\t' => string.push_str("\\t"),
            c => string.push(c),
        }
    }
    string.push('"');
    let held: String = serde_json::from_str(&string).ok()?;
    let mut found = whole(&held, false).ok()?;
    // Its places are those of another text.
    found.log.move_to(0);
    let doubt = found.doubt.map(|doubt| Refusal { at: 0, ..doubt });
    let found = Found { called: None, doubt, ..found };
    Some(found.marked(RecoveryKind::DoubleEncoding, 0))
}

/// Braces too many behind an object. Any other bracket may be the end of a container whose start was lost.
fn is_noise(rest: &str) -> bool {
    rest.chars().all(|c| c.is_whitespace() || matches!(c, '}' | ';'))
}

/// The one value among the candidates; the same one several times is one, with whatever is wrong with any.
fn one(found: Vec<Found<'_>>) -> Result<Option<Found<'_>>, Refusal> {
    let mut found = found.into_iter();
    let Some(mut first) = found.next() else { return Ok(None) };
    for other in found {
        if other.value != first.value {
            return refusal(0, "several values that differ");
        }
        if other.called.is_some() && first.called.is_some() && other.called != first.called {
            return refusal(0, "calls of several tools");
        }
        first.duplicates.extend(other.duplicates);
        first.doubt = first.doubt.or(other.doubt);
    }
    Ok(Some(first))
}

#[cfg(test)]
mod tests;
