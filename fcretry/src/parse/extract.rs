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
}

/// Finds the one value in `text`. Two that differ are ambiguous, and refused: a choice would be a guess.
pub(super) fn find(text: &str, lenient: bool) -> Result<Found, Refusal> {
    let answer = without_reasoning(text)?;
    let before = text.len() - answer.len();
    match find_in(answer, lenient) {
        Ok(mut found) => {
            found.log.shift(before);
            Ok(found)
        }
        Err(refusal) => Err(Refusal { at: refusal.at + before, ..refusal }),
    }
}

fn find_in(text: &str, lenient: bool) -> Result<Found, Refusal> {
    let refusal = match whole(text, 0, text.len(), lenient) {
        Ok(found) => return Ok(found),
        Err(refusal) => refusal,
    };
    if let Some(found) = without_braces(text) {
        return Ok(found);
    }
    // What starts like the value and is not readable is not searched for something that is.
    let starts_like_it = text.trim_start().starts_with(['{', '[']);
    if starts_like_it && refusal.reason != AFTER && !is_placeholder(text.trim_start()) {
        return Err(refusal);
    }
    match one(fenced(text, lenient)?)? {
        Some(found) => Ok(found),
        None => match one(tagged(text, lenient)?)? {
            Some(found) => Ok(found),
            None => one(in_prose(text, lenient)?)?.ok_or(Refusal { at: 0, ..refusal }),
        },
    }
}

const AFTER: &str = "text after the value";

/// What follows the reasoning that a model put before its answer. Samples in it are no answers.
fn without_reasoning(text: &str) -> Result<&str, Refusal> {
    for tag in ["think", "thinking", "reasoning"] {
        let opening = format!("<{tag}>");
        if !text.trim_start().starts_with(&opening) {
            continue;
        }
        let closing = format!("</{tag}>");
        return match text.split_once(&closing) {
            Some((_, answer)) => Ok(answer),
            None => {
                Err(Refusal { at: text.len(), reason: "the reasoning does not end", cut: true })
            }
        };
    }
    Ok(text)
}

/// The value that `text` is from `start` to `end`, with nothing around it but closing brackets too many.
fn whole(text: &str, start: usize, end: usize, lenient: bool) -> Result<Found, Refusal> {
    let part = text.get(..end).unwrap_or(text);
    let read = tolerant::read_as(part, start, lenient)?;
    let rest = part.get(tolerant::skip_gap(part, read.end)..).unwrap_or_default();
    let mut log = read.log;
    if !rest.is_empty() {
        let is_closed = read.value.is_object() || read.value.is_array();
        let is_noise =
            rest.chars().all(|c| c.is_whitespace() || matches!(c, '}' | ']' | ')' | ';'));
        if !(is_closed && is_noise) {
            return Err(Refusal { at: read.end, reason: AFTER, cut: false });
        }
        log.syntax(RecoveryKind::SurroundingText, read.end);
    }
    Ok(Found { value: read.value, log, duplicates: read.duplicates.found, is_in_prose: false })
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

/// The values in code fences. A fence whose content is not readable is refused, if it looks like data.
fn fenced(text: &str, lenient: bool) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(fence) = text.get(at..).and_then(|rest| rest.find("```")) {
        let open = at + fence;
        let after = text.get(open + 3..).unwrap_or_default();
        // The rest of the opening line names a language, if it is a word.
        let language: usize = after
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
            .map(char::len_utf8)
            .sum();
        let start = open + 3 + language;
        let closed = text.get(start..).and_then(|rest| rest.find("```"));
        let end = closed.map_or(text.len(), |close| start + close);
        let content = text.get(start..end).unwrap_or_default().trim_start();
        if content.starts_with(['{', '[']) {
            let mut read = whole(text, start, end, lenient).map_err(|refusal| {
                // Inside a closed fence nothing was cut off.
                Refusal { cut: refusal.cut && closed.is_none(), ..refusal }
            })?;
            read.log.syntax(RecoveryKind::Fence, open);
            found.push(read);
        }
        at = end + 3;
    }
    Ok(found)
}

/// The values right behind a tag such as `<tool_call>` or `<|python_tag|>`.
fn tagged(text: &str, lenient: bool) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')).map(|tag| at + tag) {
        at = open + 1;
        let inside = text.get(at..).unwrap_or_default();
        let Some(close) = inside.find(['>', '<', '\n', '{']).filter(|end| *end <= MAX_TAG) else {
            continue;
        };
        let is_tag = inside.as_bytes().get(close) == Some(&b'>') && close > 0;
        let start = at + close + 1;
        let content = text.get(start..).unwrap_or_default();
        if !is_tag || !content.trim_start().starts_with(['{', '[']) {
            continue;
        }
        let read = tolerant::read_as(text, start, lenient)?;
        at = read.end;
        let mut log = read.log;
        log.syntax(RecoveryKind::Tags, open);
        found.push(Found {
            value: read.value,
            log,
            duplicates: read.duplicates.found,
            is_in_prose: false,
        });
    }
    Ok(found)
}

/// The objects and lists in prose.
fn in_prose(text: &str, lenient: bool) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(['{', '['])).map(|c| at + c) {
        let rest = text.get(open..).unwrap_or_default();
        if is_placeholder(rest) {
            at = open + 1;
            continue;
        }
        let before = text.get(..open).unwrap_or_default().trim_end();
        if before.ends_with(['(', '=', '*', '+', '[', '{']) {
            return Err(Refusal { at: open, reason: "a value inside code", cut: false });
        }
        // One that cannot be read may hold others that can: they would be parts of it, and not the value.
        let read = tolerant::read_as(text, open, lenient)?;
        at = read.end;
        // `main() {}` is code, and `[]` a list in a sentence.
        if read.value.as_object().is_some_and(Map::is_empty)
            || read.value.as_array().is_some_and(Vec::is_empty)
        {
            continue;
        }
        let mut log = read.log;
        log.syntax(RecoveryKind::SurroundingText, open);
        found.push(Found {
            value: read.value,
            log,
            duplicates: read.duplicates.found,
            is_in_prose: true,
        });
    }
    Ok(found)
}

/// `{name}` and `[1]` in prose: brackets around words, without anything that a value is made of.
fn is_placeholder(text: &str) -> bool {
    let mut inside = text.chars().skip(1).take(MAX_TAG);
    inside.find(|c| matches!(c, '{' | '}' | '[' | ']' | '"' | '\'' | ':' | '\n')).is_some_and(|c| {
        matches!(c, '}' | ']') && !text.starts_with("{}") && !text.starts_with("[]")
    })
}

/// The one value among the candidates; the same one several times is one.
fn one(mut found: Vec<Found>) -> Result<Option<Found>, Refusal> {
    if found.is_empty() {
        return Ok(None);
    }
    let first = found.remove(0);
    if found.iter().any(|other| other.value != first.value) {
        return Err(Refusal { at: 0, reason: "several values that differ", cut: false });
    }
    Ok(Some(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        find(text, false).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}")).value
    }

    fn reason(text: &str) -> Refusal {
        find(text, false).map(|found| panic!("{text}: {:?}", found.value)).unwrap_err()
    }

    #[test]
    fn a_value_is_found_in_what_models_put_around_it() {
        let expected = json!({"a": 1});
        for text in [
            "{\"a\": 1}",
            "  {'a': 1,} \n",
            "```json\n{\"a\": 1}\n```",
            "Here you are:\n```\n{\"a\": 1}\n```\nAnything else?",
            "``` {\"a\": 1}",
            "<tool_call>\n{\"a\": 1}\n</tool_call>",
            "<|python_tag|>{\"a\": 1}",
            "<function=order>{\"a\": 1}</function>",
            "Sure! {\"a\": 1} is what you want.",
            "Fill in {name} like [1] says: {\"a\": 1}",
            "place_order\n{\"a\": 1}",
            "{{\"a\": 1}}",
            "{{{ {\"a\": 1} }}}",
            "{\"a\": 1}}",
            "{\"a\": 1} // done",
            "first {\"a\": 1}, and again {\"a\": 1}",
            "{\"a\": 1} Hope this helps!",
            "{\"a\": 1}<|im_end|>",
            "<think>Maybe {\"a\": 2}?</think>\n{\"a\": 1}",
            "I read {\"b\": 2} as an example.\n```json\n{\"a\": 1}\n```",
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        for text in [
            "{\"a\": 1} or {\"a\": 2}",
            "{\"a\": 1}{\"a\": 2}",
            "```\n{\"a\": 1}\n```\n```\n{\"a\": 2}\n```",
            "<tool_call>{\"a\": 1}</tool_call><tool_call>{\"a\": 2}</tool_call>",
            "[{\"a\": 1}] then {\"a\": 1}",
        ] {
            assert!(!reason(text).cut, "{text}");
        }
    }

    #[test]
    fn a_part_of_what_cannot_be_read_is_not_the_value() {
        for text in [
            "{\"a\": 1/6, \"b\": {\"a\": 1}}",
            "so: {\"a\": some(), \"b\": {\"a\": 1}}",
            "```\n{\"a\": x, \"b\": {\"a\": 1}}\n``` {\"a\": 1}",
            "{\"a\": 1{\"a\": 2",
            "order({\"a\": 1})",
            "args = {\"a\": 1}",
            "call(**{'a': 1})",
            "const x = {a: 1};",
        ] {
            reason(text);
        }
    }

    #[test]
    fn what_is_cut_is_never_completed() {
        for text in [
            "{\"a\": 1",
            "{\"a\": \"x",
            "```json\n{\"a\": [1, 2",
            "Sure: {\"a\": 1, \"b\"",
            "<tool_call>{\"a\": {\"b\": 1}",
            "<think>so {\"a\": 1}",
        ] {
            assert!(reason(text).cut, "{text}");
        }
    }

    #[test]
    fn prose_alone_is_no_value() {
        for text in ["", "hello", "I would call {order} with [1].", "```rust\nfn main() {}\n```"] {
            assert!(!find(text, false).is_ok_and(|found| found.value.is_object()), "{text}");
        }
    }
}
