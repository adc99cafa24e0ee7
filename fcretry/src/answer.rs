//! What a model said, in terms of no provider.

use std::fmt;

use serde::Serialize;

use crate::usage::Usage;

/// More calls than this in one answer are made without end.
pub(crate) const MAX_CALLS: usize = 1000;

/// One answer of a model. `Debug` leaves the content out; serialized, it is whole.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The text of the message, if any.
    pub content: Option<String>,
    /// The refusal, where the provider has a field for it.
    pub refusal: Option<String>,
    /// The calls the model made, in order.
    pub calls: Vec<Call>,
    /// Why the model stopped.
    pub finish: Finish,
    /// The tokens it took, if the provider said.
    pub usage: Option<Usage>,
}

impl Answer {
    /// An answer that is text alone.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: Some(content.into()), ..Self::default() }
    }

    /// Tokens of the answer: as the provider counts them, else four bytes each.
    pub(crate) fn completion_tokens(&self) -> u64 {
        let texts = self.content.iter().chain(&self.refusal).map(String::len);
        let calls = self.calls.iter().map(|call| call.name.len() + call.arguments.len());
        let bytes: usize = texts.chain(calls).sum();
        self.usage.map_or(bytes as u64 / 4, |usage| usage.completion_tokens)
    }

    /// The answer whose content had `begun` before this one went on.
    #[cfg(feature = "openai")]
    pub(crate) fn continuing(self, begun: Option<String>) -> Self {
        let Some(begun) = begun else { return self };
        let content = Some(begun + self.content.as_deref().unwrap_or_default());
        Self { content, ..self }
    }

    /// Whether `other` says the same, whatever ids and usage it carries.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        // Where a stream was left is a matter of its pieces.
        let is_left = self.finish == Finish::Stopped && other.finish == Finish::Stopped;
        let is_same =
            |a: &str, b: &str| a == b || (is_left && (a.starts_with(b) || b.starts_with(a)));
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
        let pairs = self.calls.iter().zip(&other.calls);
        is_same(&text(&self.content), &text(&other.content))
            && is_same(&text(&self.refusal), &text(&other.refusal))
            && self.calls.len() == other.calls.len()
            && pairs
                .into_iter()
                .all(|(a, b)| a.name == b.name && is_same(&a.arguments, &b.arguments))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("content_bytes", &self.content.as_deref().map(str::len))
            .field("refused", &self.refusal.is_some())
            .field("calls", &self.calls)
            .field("finish", &self.finish)
            .field("usage", &self.usage)
            .finish()
    }
}

/// A call that a model made, before its arguments are read. `Debug` leaves the arguments out; serialized, it is whole.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// The provider's id of the call.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
}

impl Call {
    /// A call of the tool `name`.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into() }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("argument_bytes", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finish {
    /// It was done, or the provider gave a reason of its own invention, or none.
    #[default]
    Stop,
    /// It reached the token limit; the answer is not whole.
    Length,
    /// The provider's filter stopped it.
    ContentFilter,
    /// It had not stopped: its stream was left, because what had come could not become right any more.
    Stopped,
}

/// The form that an answer is asked for in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// A call of the tool.
    #[default]
    Call,
    /// JSON in the content.
    Content,
}
