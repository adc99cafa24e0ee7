//! Where in a text the value is: models put it into fences, tags and prose.

use serde_json::{Map, Value};

use super::{
    recovered::{Log, RecoveryKind},
    tolerant::{self, Refusal},
};
use crate::failure::Violation;

/// The most layers of `{{ .. }}` that are taken off: they grow with every retry.
const MAX_LAYERS: usize = 8;

/// Longer between `<` and `>` is no tag.
const MAX_TAG: usize = 64;

/// The value of a text.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) log: Log,
    pub(super) duplicates: Vec<Violation>,
    /// Words stood around it, so that it may be a sample.
    pub(super) is_in_prose: bool,
    /// The byte at which it stood.
    at: usize,
}

/// Finds the one value in `text`. Two that differ are ambiguous, and refused: a choice would be a guess.
pub(super) fn find(text: &str, lenient: bool) -> Result<Found, Refusal> {
    let answer = without_reasoning(text)?;
    let before = text.len() - answer.len();
    match find_in(answer, lenient) {
        Ok(mut found) => {
            found.log.shift(before);
            if before > 0 {
                found.log.syntax(RecoveryKind::SurroundingText, 0);
            }
            Ok(found)
        }
        Err(refusal) => Err(Refusal { at: refusal.at + before, ..refusal }),
    }
}

fn find_in(text: &str, lenient: bool) -> Result<Found, Refusal> {
    let refusal = match whole(text, 0, text.len(), lenient) {
        // Two backticks are the start of a fence, and no empty string.
        Ok(_) if text.trim() == "``" => return cut_fence(text),
        // A code span of Markdown holds the value as it is, and a string of JavaScript another one.
        Ok(_) if text.trim().starts_with("`{") || text.trim().starts_with("`[") => {
            Refusal { at: 0, reason: "a code span that is no value", cut: false }
        }
        Ok(found) => return Ok(found),
        Err(refusal) => refusal,
    };
    if let Some(found) = without_braces(text).or_else(|| in_code_span(text)) {
        return Ok(found);
    }
    // What starts like the value and is not readable is not searched for something that is.
    let starts_like_it = text.trim_start().starts_with(['{', '[']);
    if starts_like_it && refusal.reason != AFTER && !is_placeholder(text.trim_start()) {
        return Err(refusal);
    }
    let Scan { fenced, tagged, in_prose } = scan(text, lenient)?;
    let mut kinds = [fenced, tagged, in_prose].into_iter().filter(|found| !found.is_empty());
    let nearest = kinds.next().unwrap_or_default();
    // What is marked is meant, whatever sample came before it; what comes after it may be meant instead.
    let start = nearest.first().map_or(0, |found| found.at);
    let later = kinds.flatten().filter(|found| found.at > start);
    one(nearest.into_iter().chain(later).collect())?.ok_or(Refusal { at: 0, ..refusal })
}

fn cut_fence<T>(text: &str) -> Result<T, Refusal> {
    Err(Refusal { at: text.len(), reason: "the text ends inside a fence", cut: true })
}

const AFTER: &str = "text after the value";

/// What follows the reasoning that a model put before its answer. Samples in it are no answers. Templates put
/// the opening tag into the prompt, so that the closing one may stand alone.
fn without_reasoning(text: &str) -> Result<&str, Refusal> {
    let start = text.trim_start();
    if start.starts_with(['{', '[']) {
        return Ok(text);
    }
    for tag in ["think", "thinking", "thought", "reasoning"] {
        if let Some((_, answer)) = text.rsplit_once(&format!("</{tag}>")) {
            return Ok(answer);
        }
        if start.starts_with(&format!("<{tag}>")) {
            return Err(Refusal {
                at: text.len(),
                reason: "the reasoning does not end",
                cut: true,
            });
        }
    }
    Ok(text)
}

/// The value that `text` is from `start` to `end`, with nothing around it but closing brackets too many.
fn whole(text: &str, start: usize, end: usize, lenient: bool) -> Result<Found, Refusal> {
    let part = text.get(..end).unwrap_or(text);
    let read = tolerant::read_as(part, start, lenient)?;
    let (end, comments) = tolerant::skip_gap(part, read.end);
    let rest = part.get(end..).unwrap_or_default();
    let mut log = read.log;
    log.append(comments);
    if !rest.is_empty() {
        if !(read.value.is_object() && is_noise(rest)) {
            return Err(Refusal { at: read.end, reason: AFTER, cut: false });
        }
        log.syntax(RecoveryKind::SurroundingText, read.end);
    }
    Ok(Found {
        value: read.value,
        log,
        duplicates: read.duplicates.found,
        is_in_prose: false,
        at: start,
    })
}

/// `` `{"a": 1}` ``
fn in_code_span(text: &str) -> Option<Found> {
    let inner = text.trim().strip_prefix('`')?.strip_suffix('`')?;
    let mut found = whole(inner, 0, inner.len(), false).ok()?;
    found.log.shift(inner.as_ptr().addr() - text.as_ptr().addr());
    found.log.syntax(RecoveryKind::SurroundingText, 0);
    Some(found)
}

/// Braces too many behind an object. Any other bracket may be the end of a container whose start was lost.
fn is_noise(rest: &str) -> bool {
    rest.chars().all(|c| c.is_whitespace() || matches!(c, '}' | ';'))
}

/// `{{"a": 1}}`, however many times.
fn without_braces(text: &str) -> Option<Found> {
    let mut inner = text.trim();
    for _ in 0..MAX_LAYERS {
        let stripped = inner.strip_prefix('{')?.strip_suffix('}')?.trim();
        if !stripped.starts_with('{') {
            return None;
        }
        inner = stripped;
        if let Ok(mut found) = whole(inner, 0, inner.len(), false) {
            let before = inner.as_ptr().addr() - text.as_ptr().addr();
            found.log.shift(before);
            found.log.syntax(RecoveryKind::Wrapper, 0);
            return Some(found);
        }
    }
    None
}

/// What a text holds, by how it is marked.
#[derive(Default)]
struct Scan {
    /// In code fences.
    fenced: Vec<Found>,
    /// Right behind a tag such as `<tool_call>` or `<|python_tag|>`.
    tagged: Vec<Found>,
    /// In prose.
    in_prose: Vec<Found>,
}

/// Looks through the text once, from the left: what stands inside a value is part of it, whatever it looks like.
/// A value that cannot be read ends the search, because what follows may be a part of it.
fn scan(text: &str, lenient: bool) -> Result<Scan, Refusal> {
    let mut scan = Scan::default();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(['`', '<', '{', '['])) {
        let open = at + open;
        let rest = text.get(open..).unwrap_or_default();
        at = if rest.starts_with("```") {
            let (found, end) = fence(text, open, lenient)?;
            scan.fenced.extend(found);
            end
        } else if rest.starts_with('<') {
            match tag(rest) {
                // One argument of several, each in a tag of its own.
                Some(_) if rest.starts_with("<parameter") || rest.starts_with("<arg") => {
                    return Err(Refusal { at: open, reason: PART, cut: false });
                }
                Some(content) => {
                    let (found, end) = value_at(text, open + content, lenient)?;
                    if goes_on(text, end) {
                        return Err(Refusal { at: end, reason: PART, cut: false });
                    }
                    scan.tagged.push(Found {
                        is_in_prose: false,
                        ..marked(found, RecoveryKind::Tags, open)
                    });
                    end
                }
                None => open + 1,
            }
        } else if rest.starts_with('`') || is_placeholder(rest) {
            open + 1
        } else {
            let (found, end) = value_at(text, open, lenient)?;
            if stands_inside(text, open, end) {
                return Err(Refusal { at: open, reason: PART, cut: false });
            }
            // `main() {}` is code.
            let before = text.get(..open).unwrap_or_default().trim_end();
            let is_code = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')'));
            if !(is_empty(&found.value) && is_code) {
                scan.in_prose.push(marked(found, RecoveryKind::SurroundingText, open));
            }
            end
        };
    }
    Ok(scan)
}

fn value_at(text: &str, start: usize, lenient: bool) -> Result<(Found, usize), Refusal> {
    let read = tolerant::read_as(text, start, lenient)?;
    let duplicates = read.duplicates.found;
    let found =
        Found { value: read.value, log: read.log, duplicates, is_in_prose: true, at: start };
    Ok((found, read.end))
}

fn marked(mut found: Found, kind: RecoveryKind, at: usize) -> Found {
    found.log.syntax(kind, at);
    found
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

const PART: &str = "a part of something else";

/// Whether what stands around a value makes it a part: of code, or of a container that lost a bracket.
fn stands_inside(text: &str, start: usize, end: usize) -> bool {
    let all_before = text.get(..start).unwrap_or_default();
    let before = all_before.trim_end();
    // With a space behind it a mark ends a sentence.
    let is_operand = before.ends_with(['(', '=', '*', '+', '[', '{', ',', '|', '&', '%'])
        || before.ends_with(" ?")
        || all_before.ends_with(['!', '-', '/']);
    let is_index = text.get(start..).is_some_and(|rest| rest.starts_with('['))
        && all_before
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ']' | ')' | '"' | '\''));
    let is_lambda = before.ends_with("lambda:");
    let is_member = before.strip_suffix(':').is_some_and(|key| {
        let key = key.trim_end();
        let line = key.rsplit('\n').next().unwrap_or_default();
        let has_member = [":\"", ": \"", ":'", ": '"].iter().any(|mark| line.contains(mark));
        key.ends_with(['"', '\'']) || has_member
    });
    // A string of code, whose escapes are not the value's.
    let is_quoted = all_before.ends_with(['"', '\''])
        && text.get(start..end).is_some_and(|value| value.contains('\\'));
    is_operand || is_index || is_lambda || is_member || is_quoted || goes_on(text, end)
}

/// Whether what follows a value belongs to the same container or expression.
fn goes_on(text: &str, end: usize) -> bool {
    let all_after = text.get(end..).unwrap_or_default();
    let after = all_after.trim_start();
    let is_accessed = all_after.starts_with(['[', '('])
        || all_after
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '_'));
    let is_operand = after.starts_with(['}', ']', ')', ':', '"', '|', '&', '+', '*', '%', '?']);
    let is_listed = all_after.trim_start_matches([' ', '\t']).starts_with("\n- ");
    let is_conditional = ["if ", "for ", "else "].iter().any(|word| after.starts_with(word));
    let has_sibling = after.strip_prefix(',').is_some_and(|rest| {
        let rest = rest.trim_start();
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let is_literal = ["null", "true", "false", "None", "True", "False"].contains(&&*word);
        let behind = rest.get(word.len()..).unwrap_or_default().trim_start();
        !rest.is_empty()
            && (is_literal
                || behind.starts_with([':', '='])
                || !word.starts_with(char::is_alphabetic))
    });
    is_accessed || is_operand || is_listed || is_conditional || has_sibling
}

/// The value in the code fence that opens at `open`, and where the fence ends. One that is not readable is refused, if
/// it looks like data; code is skipped.
fn fence(text: &str, open: usize, lenient: bool) -> Result<(Option<Found>, usize), Refusal> {
    let after = text.get(open + 3..).unwrap_or_default();
    // The rest of the opening line names a language, if it is a word.
    let language: usize = after
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
        .map(char::len_utf8)
        .sum();
    let start = open + 3 + language;
    let rest = text.get(start..).unwrap_or_default();
    if !rest.trim_start().starts_with(['{', '[']) {
        let end = rest.find("```").map_or(text.len(), |close| start + close + 3);
        return Ok((None, end));
    }
    // The value says where it ends: a fence may stand in one of its strings.
    let (found, end) = value_at(text, start, lenient)?;
    let tail = text.get(end..).unwrap_or_default();
    let close = tail.find("```").unwrap_or(tail.len());
    let noise = tail.get(..close).unwrap_or_default();
    let is_clean = noise.trim().is_empty() || (found.value.is_object() && is_noise(noise));
    if !is_clean {
        return Err(Refusal { at: end, reason: AFTER, cut: false });
    }
    let found = Found { is_in_prose: false, ..marked(found, RecoveryKind::Fence, open) };
    Ok((Some(found), (end + close + 3).min(text.len())))
}

/// Where the content of the tag that opens here starts, if that is one with a value right behind it.
fn tag(rest: &str) -> Option<usize> {
    let inside = rest.get(1..)?;
    let close = inside.find(['>', '<', '\n', '{']).filter(|end| (1..=MAX_TAG).contains(end))?;
    let name = inside.get(..close)?;
    let content = inside.strip_prefix(name)?.strip_prefix('>')?;
    content.trim_start().starts_with(['{', '[']).then_some(close + 2)
}

/// `{name}` and `[1]` in prose: brackets around words, without anything that a value is made of.
fn is_placeholder(text: &str) -> bool {
    let close = if text.starts_with('{') { '}' } else { ']' };
    let inside = text.get(1..).unwrap_or_default();
    // A list of numbers is one; a number alone is a citation.
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '$');
    inside.find(|c| !is_word(c)).is_some_and(|end| {
        (1..=MAX_TAG).contains(&end)
            && inside.get(end..).is_some_and(|rest| rest.starts_with(close))
    })
}

/// The one value among the candidates; the same one several times is one, with whatever is wrong with any.
fn one(found: Vec<Found>) -> Result<Option<Found>, Refusal> {
    let mut found = found.into_iter();
    let Some(mut first) = found.next() else { return Ok(None) };
    for other in found {
        if other.value != first.value {
            return Err(Refusal { at: 0, reason: "several values that differ", cut: false });
        }
        first.duplicates.extend(other.duplicates);
    }
    Ok(Some(first))
}

#[cfg(test)]
mod tests;
