//! Watches an answer while it arrives, and says when nothing good can come of it any more: what follows would be
//! paid for, waited for and thrown away.

use std::sync::Arc;

use super::{
    ToolSpec,
    judge::{PARALLEL, offered},
    refusal::RefusalDetector,
    set::is_spelling,
};
use crate::{
    answer::{Answer, Call, Finish, Form},
    failure::{Failure, FailureKind},
    parse::{self, Recovery},
};

/// Prose of this many characters, with no sign of a call in it, where one is required: more than a model says
/// before it calls. Twice as much where the model may choose.
const PROSE: usize = 320;

/// How models begin to think aloud. Templates put the tag that opens it into the prompt, so that only the closing one
/// comes, with the answer behind it.
const THINKING: &[&str] = &[
    "alright",
    "first, i",
    "hmm",
    "i need to",
    "i should",
    "let me",
    "let's ",
    "looking",
    "okay",
    "ok, ",
    "so, ",
    "so the",
    "the user",
    "thinking",
    "thought",
    "to answer",
    "we are",
    "we have",
    "we need",
    "嗯",
    "好的",
    "首先",
    "用户",
];

/// Where anything of it in the text may be the start of a value or of a call.
const SIGNS: &[char] = &['{', '[', '<', '`'];

/// A text is looked at again when it has grown by so many bytes, or by so large a part of itself, whichever is more: all
/// the looks together cost a small multiple of its length.
const STEP: usize = 16;
const PART: usize = 16;

/// A text longer than this is looked at half as often: a look keeps its thread busy for as long as it takes.
const LONG: usize = 64 * 1024;

/// What an answer may be, as far as that shows before it is whole.
#[derive(Debug)]
pub(crate) struct Watch {
    form: Form,
    specs: Vec<&'static ToolSpec>,
    recovery: Recovery,
    refusals: RefusalDetector,
    /// A call is required of the model.
    required: bool,
    /// More than one call may come.
    several: bool,
    /// The most bytes that an answer within the token limit may have.
    most: Option<usize>,
    content: Looked,
    refusal: Looked,
    calls: Vec<Looked>,
}

/// How long a text was when it was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Looked(usize);

impl Looked {
    /// Whether a text of this length is to be looked at.
    fn is_due(&mut self, length: usize) -> bool {
        let part = if self.0 > LONG { PART / 2 } else { PART };
        let is_due = length >= self.0 + STEP.max(self.0 / part);
        if is_due {
            self.0 = length;
        }
        is_due
    }
}

/// No token has more bytes than this on average over an answer.
const TOKEN: usize = 32;

impl Watch {
    /// For an answer of `form`, with calls of these tools or content of the one there is.
    pub(crate) fn new(
        form: Form,
        specs: Vec<&'static ToolSpec>,
        recovery: Recovery,
        refusals: RefusalDetector,
        required: bool,
        several: bool,
        max_tokens: Option<u32>,
    ) -> Self {
        let most = max_tokens.and_then(|n| usize::try_from(n).ok()?.checked_mul(TOKEN));
        Self {
            form,
            specs,
            recovery,
            refusals,
            required,
            several,
            most,
            content: Looked::default(),
            refusal: Looked::default(),
            calls: Vec::new(),
        }
    }

    /// Why the answer is given up, if it is: with what has come of it.
    pub(crate) fn look(&mut self, answer: &Answer) -> Option<Failure> {
        let refusal = answer.refusal.as_deref().unwrap_or_default();
        let refused = if self.refusal.is_due(refusal.len()) { is_refused(refusal) } else { None };
        let failure = refused.or_else(|| self.calls(answer)).or_else(|| {
            let is_alone = answer.calls.is_empty();
            answer.content.as_deref().filter(|_| is_alone).and_then(|text| self.content(text))
        });
        let failure = failure.or_else(|| self.length(answer))?;
        let stopped = Answer { finish: Finish::Stopped, ..answer.clone() };
        Some(failure.with_answer(Arc::new(stopped)))
    }

    fn calls(&mut self, answer: &Answer) -> Option<Failure> {
        self.calls.resize(answer.calls.len(), Looked::default());
        let looked = self.calls.iter_mut().zip(&answer.calls).enumerate();
        let due: Vec<usize> = looked
            .filter_map(|(i, (looked, call))| looked.is_due(call.arguments.len()).then_some(i))
            .collect();
        due.into_iter().find_map(|i| {
            let call = answer.calls.get(i)?;
            // Of several calls the good ones are kept: those before a bad one are worth reading to the end for.
            let is_among = self.several && i > 0 && !parse::is_runaway(&call.arguments);
            self.call(call).filter(|_| !is_among)
        })
    }

    /// A call whose arguments have begun, so that its name is whole.
    fn call(&self, call: &Call) -> Option<Failure> {
        if self.form == Form::Content {
            return None;
        }
        let is_it = |spec: &&&ToolSpec| {
            spec.name() == call.name
                || (self.recovery_of(spec) != Recovery::Off && is_spelling(&call.name, spec.name()))
        };
        match self.specs.iter().find(is_it) {
            Some(spec) => self.arguments(spec, &call.arguments),
            None if call.name.ends_with(PARALLEL) => None,
            None => {
                let note = format!("the tools offered are {}", offered(&self.specs));
                Some(Failure::new(FailureKind::UnknownTool).with_note(note))
            }
        }
    }

    fn recovery_of(&self, spec: &ToolSpec) -> Recovery {
        spec.recovery().unwrap_or(self.recovery)
    }

    fn arguments(&self, spec: &ToolSpec, text: &str) -> Option<Failure> {
        parse::hopeless(text, spec.target(self.recovery_of(spec), false))
    }

    fn content(&mut self, text: &str) -> Option<Failure> {
        if !self.content.is_due(text.len()) {
            return None;
        }
        let start = text.trim_start();
        if start.starts_with('{') {
            // In front of a call it may be anything.
            let (Form::Content, [spec]) = (self.form, self.specs.as_slice()) else { return None };
            return self.arguments(spec, text);
        }
        if start.is_empty() || start.contains(SIGNS) || is_thinking(start) {
            return None;
        }
        let most = if self.required || self.form == Form::Content { PROSE } else { 2 * PROSE };
        if start.chars().count() < most {
            return None;
        }
        // A sentence that has not ended may go on as something else; and before a call a model may say what it cannot do.
        if whole_sentences(start).is_some_and(|text| self.refusals.detects(text)) {
            let failure = Failure::new(FailureKind::Refusal);
            return Some(failure.with_note("in words, where a call was due"));
        }
        let (kind, note) = match self.form {
            Form::Call => {
                (FailureKind::NoToolCall, "it answers in prose instead of calling a tool")
            }
            Form::Content => (FailureKind::StructuralParse, "it answers in prose instead of JSON"),
        };
        Some(Failure::new(kind).with_note(note))
    }

    /// More than the token limit allows: the server does not keep it.
    fn length(&self, answer: &Answer) -> Option<Failure> {
        let texts = [&answer.content, &answer.refusal];
        let content: usize = texts.into_iter().flatten().map(String::len).sum();
        let calls: usize = answer.calls.iter().map(|call| call.arguments.len()).sum();
        let failure = || Failure::new(FailureKind::StructuralParse);
        let is_more = content + calls > self.most?;
        is_more.then(|| failure().with_note("the answer is longer than its token limit allows"))
    }
}

/// Whether the text may be what a model thinks before it answers.
fn is_thinking(text: &str) -> bool {
    let opening: String = text.chars().take(16).flat_map(char::to_lowercase).collect();
    THINKING.iter().any(|start| opening.starts_with(start))
}

/// The refusal in the field for it. A sentence is enough to know; it is kept for those who ask.
fn is_refused(refusal: &str) -> Option<Failure> {
    if refusal.trim().is_empty() {
        return None;
    }
    let is_told = refusal.len() >= PROSE || whole_sentences(refusal).is_some();
    is_told.then(|| Failure::new(FailureKind::Refusal))
}

/// The text up to the end of its last sentence.
fn whole_sentences(text: &str) -> Option<&str> {
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n' | '。' | '！' | '？');
    text.rmatch_indices(ends).next().and_then(|(at, end)| text.get(..at + end.len()))
}
