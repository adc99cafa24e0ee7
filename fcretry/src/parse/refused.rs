//! How a refusal is told.

use super::tolerant::Refusal;
use crate::failure::{Failure, FailureKind};

/// The failure that a refusal is: where and why, and the start of what stands there.
pub(super) fn refused(text: &str, refusal: Refusal) -> Failure {
    let Refusal { at, reason, cut } = refusal;
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let (kind, reason) = match cut {
        true if is_runaway(text) => {
            (FailureKind::StructuralParse, "the text runs on in white space or repetition")
        }
        true => (FailureKind::Truncated, reason),
        false => (FailureKind::StructuralParse, reason),
    };
    Failure::new(kind)
        .with_note(format!("{reason}, at line {line} column {column}"))
        .with_place(at, snippet(text, at))
}

/// The failure that a refusal of one of many values in a text is. To count the lines before each would take more than
/// linear time.
pub(super) fn doubted(text: &str, refusal: Refusal) -> Failure {
    let Refusal { at, reason, cut: _ } = refusal;
    Failure::new(FailureKind::StructuralParse)
        .with_note(format!("{reason}, at byte {at}"))
        .with_place(at, snippet(text, at))
}

fn snippet(text: &str, at: usize) -> String {
    text.get(at..).unwrap_or_default().chars().take(SNIPPET).collect()
}

/// How much of the text after the point of a refusal is kept for those who ask.
const SNIPPET: usize = 40;

/// A tail of this many bytes of white space, or of one short piece over and over, has no end that a larger limit
/// would reach.
const RUNAWAY: usize = 256;

/// The longest piece whose repetition is looked for.
const PIECE: usize = 32;

/// Whether the text ends in white space or repetition without end.
pub(crate) fn is_runaway(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(tail) = bytes.len().checked_sub(RUNAWAY).and_then(|start| bytes.get(start..)) else {
        return false;
    };
    tail.iter().all(u8::is_ascii_whitespace)
        || (1..=PIECE).any(|period| tail.iter().zip(tail.iter().skip(period)).all(|(a, b)| a == b))
}
