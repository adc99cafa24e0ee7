//! Words around a value that say what it is: labels, names of tools, and what makes it a sample.

use std::sync::LazyLock;

use regex::Regex;

/// Labels that say that the arguments of a call follow.
pub(super) const CALL_LABELS: &[&str] = &[
    "action",
    "actioninput",
    "answer",
    "args",
    "arguments",
    "assistant",
    "call",
    "finalanswer",
    "function",
    "functioncall",
    "functionname",
    "input",
    "json",
    "name",
    "output",
    "parameters",
    "params",
    "payload",
    "request",
    "response",
    "tool",
    "toolcall",
    "toolinput",
    "toolname",
];

/// Labels that say that something else follows.
pub(super) const OTHER_LABELS: &[&str] = &[
    "example",
    "error",
    "human",
    "observation",
    "schema",
    "system",
    "tooloutput",
    "toolresponse",
    "toolresult",
    "user",
];

/// Words before a value that say that it is none, or not the one. Most say so only if nothing sets the value apart from
/// them: what a colon introduces is meant.
pub(super) static SAMPLE: LazyLock<Regex> = LazyLock::new(|| {
    let anyhow =
        r"(\be\.g\.|\bfor (example|instance)\b|\bthe (format|schema|structure) is\b)[^:]*:?";
    let governed = r"\b(such as|looks? like|could (be|send|use)|(previous|earlier|last) (call|attempt|answer)|((do|will|would|should|must|could) not|don't|won't|can't|cannot|never|instead of)( [\w`'_-]+){0,4})";
    pattern(&format!(r"(?i)({anyhow}|{governed})[ *`]*$"))
});

/// Words before a value that say that it is an example, which is one if something is asked behind it.
pub(super) static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(example|sample|usage|default|beispiel|ejemplo|exemple)\b|\u{4f8b}|replace \w+ with",
    )
});

/// Questions, and requests for what is missing.
pub(super) static QUESTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[?\u{ff1f}]|\b(please|bitte)\b"));

/// A value that is numbered as one of several.
pub(super) static ONE_OF_SEVERAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(option|alternative|variant|version|choice|possibility|candidate)\s*#?(\d+|[a-d])[*`]*\s*[:.)-]+[ *`]*$",
    )
});

/// Words behind a value that take it back.
pub(super) static TAKEN_BACK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[\s,;.\-\u{2013}\u{2014}(*`]*((oh |hmm, )?(wait|oops)[,.!]|actually, (no|it|the)\b|on second thought|sorry, (i|it)\b|this is (wrong|incorrect)|correction\b|no, (make|it|that|use|sorry)\b|scratch that|ignore (that|this|it)|(hmm, )?that is wrong|(failed|(is|would be) (wrong|invalid|incorrect|not))\b|<- ?replace|but the \w+ does not|or \S+ (if|when)\b)",
    )
});

/// A tool's name on a line of its own, or behind a label.
pub(super) static NAME_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[\s*#>`-]*((?i:action|function|tool|name|call|tool name|function name|tool call)[*`]*\s*[:=][\s*`]*)?([A-Za-z_][A-Za-z0-9_.-]*)[\s*`]*:?\s*$",
    )
});

/// A field and nothing but a literal on a line.
pub(super) static LITERAL_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^[A-Za-z_][A-Za-z0-9_-]*\s*[:=]\s*("[^"]*"|'[^']*'|-?\d[\d.]*|(?i:true|false|null|none)),?\s*$"#,
    )
});

/// A field and its value, and the name of the next on the same line.
pub(super) static FIELD_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(^|[\s,;>])([A-Za-z_][A-Za-z0-9_-]*)\s*[:=]\s*[^\s,;:]+[,;]\s*[A-Za-z_][A-Za-z0-9_-]*\s*:\s*$",
    )
});

/// A field and its value on a line.
pub(super) static FIELD_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[\s*>`-]*([A-Za-z_][A-Za-z0-9_-]*)[*`]*\s*:\s*\S"));

fn pattern(text: &str) -> Regex {
    #[allow(clippy::unwrap_used, reason = "constants, which tests compile")]
    Regex::new(text).unwrap()
}
