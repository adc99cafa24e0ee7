//! Looks through a text for the values in it.

use serde_json::{Map, Value};

use super::{
    AFTER, EARLY, Found, PART, Surroundings,
    around::{near_end, near_start},
    cut,
    fences::Fences,
    is_noise, refusal,
    tags::{self, MAX_TAG, Tag},
};
use crate::parse::{
    recovered::RecoveryKind,
    tolerant::{self, Refusal},
};

/// What a text holds, by how it is marked.
#[derive(Default)]
pub(super) struct Scan<'t> {
    /// In code fences.
    pub(super) fenced: Vec<Found<'t>>,
    /// Right behind a tag such as `<tool_call>` or `<|python_tag|>`.
    pub(super) tagged: Vec<Found<'t>>,
    /// In prose.
    pub(super) in_prose: Vec<Found<'t>>,
}

/// Looks through the text once, from the left: what stands inside a value is part of it, whatever it looks like.
/// A value that cannot be read ends the search, because what follows may be a part of it.
pub(super) fn scan(text: &str, lenient: bool) -> Result<Scan<'_>, Refusal> {
    let mut scan = Scan::default();
    let mut at = 0;
    // Brackets that were passed over, and are still open.
    let mut passed = 0_usize;
    let mut is_fenced = false;
    let mut fences = None;
    let marks = ['`', '<', '{', '[', '}', ']'];
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(marks)) {
        let open = at + open;
        let rest = text.get(open..).unwrap_or_default();
        at = if rest.starts_with("```") {
            // A fence around tags was gone into, and ends here.
            if std::mem::take(&mut is_fenced) {
                open + 3
            } else {
                let fences = fences.get_or_insert_with(|| Fences::of(text));
                let (found, end) = fence(text, open, fences, lenient)?;
                is_fenced = found.is_none() && text.get(end..).is_some_and(is_tagged);
                keep(&mut scan.fenced, found);
                end
            }
        } else if rest.starts_with('<') {
            let tag = Tag::at(rest).filter(|tag| !tag.is_closing());
            let content = tag.and_then(|tag| text.get(open + tag.content..)).unwrap_or_default();
            match tag {
                Some(tag) if starts_value(content) => {
                    let (found, end) = tagged(text, open, tag, lenient)?;
                    keep(&mut scan.tagged, Some(found));
                    end
                }
                Some(tag) if tag.opens_call() && content.trim_start().is_empty() => {
                    return cut(text, "the text ends before a call");
                }
                _ => open + 1,
            }
        } else if rest.starts_with(['}', ']']) {
            // What it closes lost its start, and what was found may be a part of it.
            let Some(left) = passed.checked_sub(1) else { return refusal(open, PART) };
            passed = left;
            open + 1
        } else if rest.starts_with('`') {
            open + 1
        } else if is_placeholder(rest) || tags::is_token(rest) {
            passed += 1;
            open + 1
        } else {
            let (found, end) = value_at(text, open, lenient)?;
            let around = Surroundings::of(text, open, end);
            around.is_cut(text)?;
            let is_token = tags::ends_in_token(around.before);
            // A list within a sentence is one of its words.
            let is_word = found.value.is_array() && !is_token && !around.is_apart();
            if is_word || around.make_it_a_part() {
                return refusal(open, PART);
            }
            // `main() {}` is code.
            if !(is_empty(&found.value) && around.is_behind_a_word()) {
                let kind =
                    if is_token { RecoveryKind::Tags } else { RecoveryKind::SurroundingText };
                let called = around.called();
                let found = Found { is_in_prose: !is_token, is_alone: around.is_alone(), ..found };
                let found = found.calling(called).marked(kind, open);
                let kept = if is_token { &mut scan.tagged } else { &mut scan.in_prose };
                keep(kept, Some(found));
            }
            end
        };
    }
    Ok(scan)
}

/// Adds a candidate; one that is there again and again is one.
fn keep<'t>(candidates: &mut Vec<Found<'t>>, found: Option<Found<'t>>) {
    let Some(found) = found else { return };
    match candidates.last_mut() {
        Some(last) if last.value == found.value && last.called == found.called => {
            last.duplicates.extend(found.duplicates);
            last.doubt = last.doubt.or(found.doubt);
            last.last_at = found.at;
            last.times += 1;
        }
        _ => candidates.push(found),
    }
}

fn value_at(text: &str, start: usize, lenient: bool) -> Result<(Found<'_>, usize), Refusal> {
    let read = tolerant::read_as(text, start, lenient)?;
    let end = read.end;
    Ok((Found::new(read, start), end))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// The value right behind a tag, and where what belongs to it ends.
fn tagged<'t>(
    text: &'t str,
    open: usize,
    tag: Tag<'t>,
    lenient: bool,
) -> Result<(Found<'t>, usize), Refusal> {
    let (found, end) = value_at(text, open + tag.content, lenient)?;
    let rest = text.get(end..).unwrap_or_default();
    let before = near_end(text.get(..open).unwrap_or_default());
    if tag.is_no_call(before, near_start(rest)) {
        return refusal(open, PART);
    }
    let noise = rest.get(..rest.find('<').unwrap_or(rest.len())).unwrap_or_default();
    let (found, end) = without_noise(found, end, noise);
    let around = Surroundings::of(text, open, end);
    around.is_cut(text)?;
    if around.goes_on() {
        return refusal(end, PART);
    }
    let called = tag.called.or_else(|| around.called());
    Ok((found.calling(called).marked(RecoveryKind::Tags, open), end))
}

/// The value without the braces too many behind it, if there is nothing else.
fn without_noise<'t>(mut found: Found<'t>, end: usize, noise: &str) -> (Found<'t>, usize) {
    if noise.trim().is_empty() || !found.value.is_object() || !is_noise(noise) {
        return (found, end);
    }
    if found.may_end_early && noise.contains('}') {
        found.doubt = Some(Refusal { at: end, reason: EARLY, cut: false });
    }
    (found, end + noise.len())
}

/// The value in the code fence that opens at `open`, and where the fence ends. One that is not readable is refused, if
/// it looks like data; code is skipped.
fn fence<'t>(
    text: &'t str,
    open: usize,
    fences: &Fences,
    lenient: bool,
) -> Result<(Option<Found<'t>>, usize), Refusal> {
    let rest = text.get(open..).unwrap_or_default();
    let marks = rest.len() - rest.trim_start_matches('`').len();
    let close_mark = rest.get(..marks).unwrap_or_default();
    // Where the mark is next in the text from there on.
    let close_in = |part: &str, at: usize| {
        if fences.recur(at, marks) { part.find(close_mark) } else { None }
    };
    let after = text.get(open + marks..).unwrap_or_default();
    // The rest of the opening line names a language, if it is a word.
    let spaces = after.len() - after.trim_start_matches([' ', '\t']).len();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    let named = after.get(spaces..).unwrap_or_default();
    let language = named.find(|c: char| !is_word(c)).unwrap_or(named.len());
    let start = open + marks + spaces + language;
    let content = text.get(start..).unwrap_or_default();
    if content.trim_start().is_empty() {
        // One that names a language opens; a bare one at the end closes what the prompt had opened.
        return if language > 0 {
            cut(text, "the text ends inside a fence")
        } else {
            Ok((None, text.len()))
        };
    }
    if is_tagged(content) {
        return Ok((None, start));
    }
    if !starts_value(content) {
        // What no fence closes is text like any other.
        let end = close_in(content, start).map_or(start, |close| start + close + marks);
        return Ok((None, end));
    }
    // The value says where it ends: a fence may stand in one of its strings.
    let (found, end) = value_at(text, start, lenient)?;
    let tail = text.get(end..).unwrap_or_default();
    let close = close_in(tail, end).unwrap_or(tail.len());
    let noise = tail.get(..close).unwrap_or_default();
    let (found, behind) = without_noise(found, end, noise);
    if behind != end + noise.len() && !noise.trim().is_empty() {
        return refusal(end, AFTER);
    }
    let closed = (end + close + marks).min(text.len());
    let around = Surroundings::of(text, open, closed);
    if around.is_sample() {
        return refusal(open, PART);
    }
    let found = found.calling(around.called()).marked(RecoveryKind::Fence, open);
    Ok((Some(found), closed))
}

/// Whether a container starts here, or a string that holds one.
fn starts_value(content: &str) -> bool {
    let start = content.trim_start();
    let inside = start.strip_prefix('"').unwrap_or(start);
    inside.starts_with(['{', '[']) && !tags::is_token(start)
}

fn is_tagged(content: &str) -> bool {
    content.trim_start().starts_with('<')
}

/// `{name}` and `[1]` in prose: brackets around words, without anything that a value is made of.
pub(in crate::parse) fn is_placeholder(text: &str) -> bool {
    let close = if text.starts_with('{') { '}' } else { ']' };
    let inside = text.get(1..).unwrap_or_default();
    // A list of numbers is one; a number alone is a citation.
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '$');
    inside.find(|c| !is_word(c)).is_some_and(|end| {
        (1..=MAX_TAG).contains(&end)
            && inside.get(end..).is_some_and(|rest| rest.starts_with(close))
    })
}
