//! What stands around a value in a text: whether it makes the value a part of code, of a container that lost a
//! bracket, of a list of fields, or a sample.

use super::{
    cut, tags,
    words::{
        CALL_LABELS, EXAMPLE, FIELD_BEFORE, FIELD_LINE, LITERAL_LINE, NAME_LINE, ONE_OF_SEVERAL,
        OTHER_LABELS, QUESTION, SAMPLE, TAKEN_BACK,
    },
};
use crate::parse::{coerce::folded, tolerant::Refusal};

/// The text around a value, as far as it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'t> {
    pub(super) before: &'t str,
    /// What stands before it on its line.
    line: &'t str,
    /// The last line before that one that is not blank.
    line_before: &'t str,
    opener: char,
    has_backslash: bool,
    after: &'t str,
    /// What follows is all that follows.
    is_all: bool,
}

/// How many bytes before and behind a value are looked at, white space next to it aside: a text of many values is
/// not read over again for each.
const WINDOW: usize = 160;

/// The end of `text`.
pub(super) fn near_end(text: &str) -> &str {
    let start = text.trim_end().len().saturating_sub(WINDOW);
    (start..=text.len()).find_map(|start| text.get(start..)).unwrap_or_default()
}

/// The start of `text`.
pub(super) fn near_start(text: &str) -> &str {
    let blank = text.len() - text.trim_start().len();
    let end = blank.saturating_add(WINDOW).min(text.len());
    (0..=end).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

impl<'t> Surroundings<'t> {
    /// What stands around the part of `text` from `start` to `end`.
    pub(super) fn of(text: &'t str, start: usize, end: usize) -> Self {
        let before = near_end(text.get(..start).unwrap_or_default());
        let all_after = text.get(end..).unwrap_or_default();
        let after = near_start(all_after);
        let (lines, line) = before.rsplit_once('\n').unwrap_or(("", before));
        let line_before = lines.trim_end();
        let line_before = line_before.rsplit('\n').next().unwrap_or_default();
        let value = text.get(start..end).unwrap_or_default();
        Self {
            before,
            line,
            line_before,
            opener: value.chars().next().unwrap_or_default(),
            has_backslash: value.contains('\\'),
            after,
            is_all: after.len() == all_after.len(),
        }
    }

    /// Whether they make the value a part of something else, or no answer at all.
    pub(super) fn make_it_a_part(&self) -> bool {
        self.is_operand()
            || self.is_code()
            || self.is_member()
            || self.is_field()
            || self.is_in_a_string()
            || self.is_sample()
            || self.goes_on()
    }

    /// Refused as cut, if the text ends where something else was to follow.
    pub(super) fn is_cut(&self, text: &str) -> Result<(), Refusal> {
        if !self.is_all {
            return Ok(());
        }
        let after = self.after.trim();
        let last = after.lines().next_back().unwrap_or_default();
        let is_number = last.strip_suffix(['.', ')']).is_some_and(|n| n.parse::<u16>().is_ok());
        // Where a model is stopped before it makes up a result.
        let is_introduced = last.strip_suffix(':').is_some_and(|last| {
            last.len() > MAX_LABEL || !OTHER_LABELS.contains(&folded(last).as_str())
        });
        if after == "," || is_number || is_introduced {
            return cut(text, "the text ends where something else was to follow");
        }
        Ok(())
    }

    /// Whether a value stands on the other side of an operator before it.
    fn is_operand(&self) -> bool {
        let line = self.line.trim_end();
        // A star marks a list, or a word before it.
        let stars = line.matches('*').count();
        let is_times = line.ends_with('*') && stars % 2 == 1 && line.trim().len() != stars;
        // With a space behind it a mark ends a sentence.
        is_times
            || line.ends_with(['(', '=', '+', '[', '{', ',', '|', '&', '%', '$'])
            || line.ends_with(" ?")
            || self.before.ends_with(['!', '-', '/'])
            || (line.is_empty() && self.is_behind_an_open_line())
    }

    /// Whether the line before is one of code or data that goes on here.
    fn is_behind_an_open_line(&self) -> bool {
        let line = self.line_before.trim_end();
        let is_data = line.contains(['"', '\'', ':', '{', '[', '=']);
        line.ends_with(['(', '=', '[', '{']) || (line.ends_with(',') && is_data)
    }

    fn is_code(&self) -> bool {
        let line = self.line.trim();
        let is_index = self.opener == '['
            && self.before.ends_with(|c: char| {
                c.is_alphanumeric() || matches!(c, '_' | ']' | ')' | '"' | '\'')
            })
            && !tags::ends_in_token(self.before);
        let last = line.rsplit([' ', '\t']).next().unwrap_or_default();
        let is_returned = matches!(last, "return" | "yield" | "await" | "=>");
        let first = line.split([' ', '\t', '(']).next().unwrap_or_default();
        let opens_block = matches!(
            first,
            "class"
                | "interface"
                | "struct"
                | "enum"
                | "type"
                | "function"
                | "def"
                | "fn"
                | "const"
                | "let"
                | "var"
                | "if"
                | "for"
                | "while"
                | "switch"
                | "import"
                | "export"
        );
        // `f(x) {`, but not `some words (and more) {`.
        let called = line.strip_suffix(')').and_then(|line| line.rsplit_once('('));
        let is_call = called.is_some_and(|(name, _)| !name.ends_with([' ', '\t']));
        let is_selector = last.starts_with(['.', '#', '&']) && last.len() > 1;
        let is_glued = self.opener == '{'
            && self.before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && self.called().is_none();
        is_index
            || is_returned
            || (opens_block && !line.ends_with(':'))
            || is_call
            || is_selector
            || is_glued
            || self.before.trim_end().ends_with("lambda:")
    }

    /// Whether it stands behind a word without a mark between, as the block of a function does.
    pub(super) fn is_behind_a_word(&self) -> bool {
        let before = self.before.trim_end();
        before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')'))
    }

    /// Whether it is the value of a key that is quoted, or of one among others.
    fn is_member(&self) -> bool {
        self.before.trim_end().strip_suffix(':').is_some_and(|key| {
            let key = key.trim_end();
            let line = key.rsplit('\n').next().unwrap_or_default();
            let has_member = [":\"", ": \"", ":'", ": '"].iter().any(|mark| line.contains(mark));
            key.ends_with(['"', '\'']) || has_member
        })
    }

    /// What the line calls the value: `Arguments: {..}`.
    fn label(&self) -> Option<String> {
        let line = self.line.trim_end_matches(['*', '`', ' ', '\t', '_']);
        let label = line.strip_suffix([':', '='])?;
        let label = label.rsplit(['.', '!', '?']).next().unwrap_or_default();
        let label = label.trim_matches(|c: char| !c.is_alphanumeric());
        (label.len() <= MAX_LABEL).then(|| folded(label))
    }

    /// Whether it is one field of several, each on its line.
    fn is_field(&self) -> bool {
        let next = self.after.strip_prefix('\n').unwrap_or_default();
        let next = next.split('\n').next().unwrap_or_default();
        if LITERAL_LINE.is_match(next) || FIELD_BEFORE.is_match(last_chars(self.line)) {
            return true;
        }
        let Some(label) = self.label() else { return false };
        let words =
            self.line.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
        if CALL_LABELS.contains(&label.as_str()) || words.count() != 1 {
            return false;
        }
        [self.line_before, next].iter().any(|line| {
            let field = FIELD_LINE.captures(line).and_then(|found| found.get(1));
            field.is_some_and(|name| {
                let name = folded(name.as_str());
                ![CALL_LABELS, OTHER_LABELS].iter().any(|known| known.contains(&name.as_str()))
            })
        })
    }

    /// Whether it stands in a string of something else.
    fn is_in_a_string(&self) -> bool {
        ['"', '\''].into_iter().any(|quote| {
            let (opens, closes) = (self.before.ends_with(quote), self.after.starts_with(quote));
            if opens != closes {
                return true;
            }
            let before = self.line.trim_end_matches(quote).trim_end();
            let after = self.after.get(1..).and_then(|after| after.lines().next());
            let is_alone = before.is_empty() || before.ends_with(':');
            let is_last = after.is_none_or(|after| !after.contains(char::is_alphanumeric));
            // The escapes of a string of code are not the value's.
            opens && (self.has_backslash || !is_alone || !is_last)
        })
    }

    /// Whether the words before it, or behind it, say that it is not meant.
    pub(super) fn is_sample(&self) -> bool {
        let line = self.words_before().trim_end();
        if let Some((label, _)) = line.split_once([':', '='])
            && label.len() <= MAX_LABEL
        {
            let label = folded(label.trim_matches(|c: char| !c.is_alphanumeric()));
            if OTHER_LABELS.contains(&label.as_str()) {
                return true;
            }
        }
        let is_asked = || QUESTION.is_match(self.after_near());
        (EXAMPLE.is_match(last_chars(line)) && is_asked())
            || SAMPLE.is_match(last_chars(line))
            || TAKEN_BACK.is_match(self.after_near())
    }

    /// The words that lead to it: on its line, or on the one before, if that ends in a colon.
    fn words_before(&self) -> &'t str {
        let is_alone = self.line.trim().is_empty();
        if is_alone && self.line_before.trim_end().ends_with(':') {
            self.line_before
        } else {
            self.line
        }
    }

    /// Whether nothing else stands on its lines, or it is numbered as one of several: it is no sample then.
    pub(super) fn is_alone(&self) -> bool {
        if ONE_OF_SEVERAL.is_match(self.line) {
            return true;
        }
        let behind = self.after.split('\n').next().unwrap_or_default();
        self.line.trim().is_empty() && behind.trim().is_empty()
    }

    /// Whether its line starts with it, or a mark sets it apart.
    pub(super) fn is_apart(&self) -> bool {
        let line = self.line.trim_end();
        line.is_empty() || line.ends_with([':', '>', '*', '`', '\'', '"', '\u{ff1a}'])
    }

    /// The start of what follows.
    fn after_near(&self) -> &'t str {
        let end = self.after.char_indices().nth(NEAR).map_or(self.after.len(), |(at, _)| at);
        self.after.get(..end).unwrap_or_default()
    }

    /// The tool whose name stands right before it.
    pub(super) fn called(&self) -> Option<&'t str> {
        if let Some(called) = called_in_line(self.line).or(tags::called_by_token(self.line)) {
            return Some(called);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let glued = self.before.trim_end_matches("[ARGS]");
        let word =
            glued.get(glued.rfind(|c| !is_name(c)).map_or(0, |at| at + 1)..).unwrap_or_default();
        let start = glued.get(..glued.len() - word.len()).unwrap_or_default();
        if word.contains('_') || (start.ends_with(']') && !word.is_empty()) {
            return Some(word);
        }
        let is_label_alone =
            self.label().is_some_and(|label| CALL_LABELS.contains(&label.as_str()));
        if !self.line.trim().is_empty() && !is_label_alone {
            return None;
        }
        let found = NAME_LINE.captures(self.line_before)?;
        let name = found.get(2)?.as_str();
        // A word alone may be a heading.
        let is_labelled = found.get(1).is_some();
        let is_bare_label = CALL_LABELS.contains(&folded(name).as_str());
        ((is_labelled || name.contains(['_', '.'])) && !is_bare_label && !name.ends_with(':'))
            .then_some(name)
    }

    /// Whether what follows belongs to the same container or expression.
    pub(super) fn goes_on(&self) -> bool {
        let line = self.after.split('\n').next().unwrap_or_default();
        let inline = line.trim_start();
        let next = self.after.trim_start();
        let is_accessed = self.after.starts_with(['[', '('])
            || self
                .after
                .strip_prefix('.')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '_'));
        let is_subtracted = inline.strip_prefix('-').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '>' | '"' | '\''))
        });
        let is_operand = is_subtracted
            || inline.starts_with(['"', '|', '&', '+', '%', '?', '='])
            || (inline.starts_with('*') && !inline.starts_with("**"))
            || (inline.starts_with('/') && !inline.starts_with("//") && !inline.starts_with("/*"))
            || next.starts_with(['}', ']', ')', ':'])
            || starts_member(next);
        let is_listed = self.line.trim_start().starts_with("- ")
            && self.after.trim_start_matches([' ', '\t']).starts_with("\n- ");
        let is_conditional = (inline.starts_with("if ") && inline.contains(" else "))
            || (inline.starts_with("for ") && inline.contains(" in "))
            || inline.starts_with("else ");
        let is_cast =
            inline.strip_prefix("as ").is_some_and(|name| name.starts_with(char::is_uppercase));
        is_accessed
            || is_operand
            || is_listed
            || is_conditional
            || is_cast
            || has_sibling(next)
            || TAKEN_BACK.is_match(self.after_near())
    }
}

/// How many characters before and behind a value are near it.
const NEAR: usize = 80;

/// Longer is no label.
const MAX_LABEL: usize = 40;

/// The end of a line, as far as it is near.
fn last_chars(line: &str) -> &str {
    let start = line.char_indices().rev().nth(NEAR).map_or(0, |(at, _)| at);
    line.get(start..).unwrap_or_default()
}

/// The tool that a line names: `to=functions.get_weather`.
pub(super) fn called_in_line(line: &str) -> Option<&str> {
    let line = line.rsplit('\n').next().unwrap_or_default();
    let (_, name) = line.rsplit_once("functions.")?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    name.get(..end.unwrap_or(name.len())).filter(|name| !name.is_empty())
}

/// Whether a key and its colon follow.
fn starts_member(after: &str) -> bool {
    let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return false;
    };
    let inside = after.get(1..).unwrap_or_default();
    inside.find([quote, '\n']).is_some_and(|end| {
        let behind = inside.get(end + 1..).unwrap_or_default().trim_start();
        inside.get(end..).is_some_and(|rest| rest.starts_with(quote))
            && behind.starts_with([':', ',', '}', ']'])
    })
}

/// Whether a comma and another element or member follow.
fn has_sibling(after: &str) -> bool {
    after.strip_prefix(',').is_some_and(|rest| {
        let rest = rest.trim_start();
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let is_literal = ["null", "true", "false", "None", "True", "False"].contains(&&*word);
        let behind = rest.get(word.len()..).unwrap_or_default().trim_start();
        rest.is_empty()
            || is_literal
            || behind.starts_with([':', '='])
            || !word.starts_with(char::is_alphabetic)
    })
}
