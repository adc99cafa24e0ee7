//! Tags and control tokens, which models put around a call.

/// Longer between `<` and `>` is no tag.
pub(super) const MAX_TAG: usize = 64;

/// Tags around what is no answer.
const NO_ANSWER: &[&str] = &[
    "!--",
    "analysis",
    "context",
    "draft",
    "error",
    "example",
    "examples",
    "observation",
    "reasoning",
    "reflection",
    "schema",
    "scratchpad",
    "system",
    "think",
    "thinking",
    "thought",
    "tool_response",
    "tool_result",
    "user",
];

/// Tags around one argument of several.
const ONE_OF_SEVERAL: &[&str] = &["parameter", "arg", "arg_key", "arg_value"];

/// Tags around a call or its arguments, whatever else is tagged beside them.
const CALLS: &[&str] = &[
    "action",
    "action_input",
    "answer",
    "args",
    "arguments",
    "call",
    "function",
    "function_call",
    "function_calls",
    "input",
    "invoke",
    "json",
    "output",
    "parameters",
    "response",
    "tool",
    "tool_call",
    "tool_calls",
    "tool_code",
    "tool_input",
    "tool_use",
    "toolcall",
    "functioncall",
];

/// A tag, and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'t> {
    name: &'t str,
    /// Where what it holds starts, from where the tag does.
    pub(super) content: usize,
    /// The tool that it names.
    pub(super) called: Option<&'t str>,
}

impl<'t> Tag<'t> {
    /// The tag at the start of `rest`, if it is one.
    pub(super) fn at(rest: &'t str) -> Option<Self> {
        let inside = rest.get(1..)?;
        if inside.starts_with("!--") {
            return Some(Self { name: "!--", content: 4, called: None });
        }
        let close = inside.find(['>', '<', '\n', '{']).filter(|end| (1..=MAX_TAG).contains(end))?;
        // `<function=name{..}`
        let is_open = inside.starts_with("function=") && inside.get(close..)?.starts_with('{');
        let is_closed = inside.get(close..)?.starts_with('>');
        let inside = inside.get(..close).filter(|_| is_closed || is_open)?;
        let end = inside.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(end);
        let is_function = matches!(name, "function" | "invoke" | "tool" | "tool_call");
        let called =
            attributes.rsplit('=').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
        let called = Some(called).filter(|name| is_function && !name.is_empty());
        // A tag of several words that says nothing of calls is a tool's name.
        let is_tool = name.contains('_') && !name.starts_with(['|', '/']) && !is_known(name);
        let called = called.or(Some(name).filter(|_| is_tool));
        Some(Self { name, content: close + 1 + usize::from(is_closed), called })
    }

    /// Whether what it holds is no answer, or a part of one.
    pub(super) fn is_no_call(self, before: &str, after: &str) -> bool {
        let name = self.name.to_ascii_lowercase();
        if NO_ANSWER.contains(&name.as_str()) || ONE_OF_SEVERAL.contains(&name.as_str()) {
            return true;
        }
        // Of a tag that says nothing, others beside it make it one field of several.
        !is_known(&name)
            && !name.starts_with('|')
            && [before, after].iter().any(|text| has_other_elements(text, self.name))
    }

    pub(super) fn is_closing(self) -> bool {
        self.name.starts_with('/')
    }

    /// Whether a call is due behind it.
    pub(super) fn opens_call(self) -> bool {
        CALLS.contains(&self.name.to_ascii_lowercase().as_str())
    }
}

fn is_known(name: &str) -> bool {
    [CALLS, NO_ANSWER, ONE_OF_SEVERAL].iter().any(|known| known.contains(&name))
}

/// Whether an element of another name ends in the text, other than those around a call.
fn has_other_elements(text: &str, name: &str) -> bool {
    text.split("</").skip(1).any(|rest| {
        let other = rest.split('>').next().unwrap_or_default();
        other != name && !CALLS.contains(&other.to_ascii_lowercase().as_str())
    })
}

/// The tool that follows `[TOOL_CALLS]`.
pub(super) fn called_by_token(line: &str) -> Option<&str> {
    let (_, name) = line.rsplit_once("[TOOL_CALLS]")?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
    name.get(..end.unwrap_or(name.len())).filter(|name| !name.is_empty())
}

/// `[TOOL_CALLS]`, `[ARGS]`: a control token in brackets at the start of `rest`.
pub(super) fn is_token(rest: &str) -> bool {
    let word = rest.strip_prefix('[').unwrap_or_default();
    word.find(|c: char| !(c.is_ascii_uppercase() || c == '_' || c == '/'))
        .is_some_and(|end| end > 2 && word.get(end..).is_some_and(|rest| rest.starts_with(']')))
}

/// Whether the text before a value ends in such a token.
pub(super) fn ends_in_token(before: &str) -> bool {
    before.ends_with("functools")
        || before.trim_end().strip_suffix(']').is_some_and(|before| {
            let word = before.rsplit('[').next().unwrap_or_default();
            word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
}
