use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use super::{FailureKind, Violation, Violations};
use crate::answer::Answer;

/// How many violations a message lists; the rest are counted.
const SHOWN_VIOLATIONS: usize = 5;

/// Why an attempt gave no value, with everything that is known of it.
///
/// Cheap to clone. `Debug` and `Display` leave out what came from the model or the provider in words:
/// that is behind [`answer`](Self::answer), [`provider_message`](Self::provider_message) and the
/// accessors of [`Violation`].
#[derive(Clone)]
pub struct Failure(Arc<Detail>);

#[derive(Clone)]
struct Detail {
    kind: FailureKind,
    note: Option<Cow<'static, str>>,
    status: Option<u16>,
    code: Option<String>,
    param: Option<String>,
    provider_message: Option<String>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    violations: Vec<Violation>,
    answer: Option<Arc<Answer>>,
    /// Where reading stopped, and what stood there.
    place: Option<(usize, String)>,
    /// Of several calls, what is wrong with which.
    calls: Vec<(usize, Failure)>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// A failure of which only the kind is known.
    pub fn new(kind: FailureKind) -> Self {
        Self(Arc::new(Detail {
            kind,
            note: None,
            status: None,
            code: None,
            param: None,
            provider_message: None,
            retry_after: None,
            request_id: None,
            violations: Vec::new(),
            answer: None,
            place: None,
            calls: Vec::new(),
            source: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Detail)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The failure of an answer of which these calls, by their place in it, are bad. It is of the first one's
    /// kind, and has the violations of all.
    pub(crate) fn of_calls(bad: Vec<(usize, Self)>) -> Self {
        let kind = bad.first().map_or(FailureKind::SchemaValidation, |(_, first)| first.kind());
        let violations = bad.iter().flat_map(|(_, failure)| failure.violations().iter().cloned());
        let note = match bad.as_slice() {
            [(_, only)] => only.0.note.clone(),
            several => Some(format!("{} of the calls are bad", several.len()).into()),
        };
        let violations = violations.collect();
        Self::new(kind).with(|detail| {
            detail.note = note;
            detail.violations = violations;
            detail.calls = bad;
        })
    }

    /// Of several calls, what is wrong with which.
    pub(crate) fn calls(&self) -> &[(usize, Self)] {
        &self.0.calls
    }

    /// The same failure as another kind.
    pub(crate) fn with_kind(self, kind: FailureKind) -> Self {
        if self.kind() == kind { self } else { self.with(|detail| detail.kind = kind) }
    }

    /// Whether this is that failure, and not one like it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The same failure, with what `known` knows more of it.
    pub(crate) fn filled_from(self, known: &Self) -> Self {
        if self.is_same(known) {
            return self;
        }
        let known = &known.0;
        self.with(|detail| {
            detail.status = detail.status.or(known.status);
            detail.retry_after = detail.retry_after.or(known.retry_after);
            detail.code = detail.code.take().or_else(|| known.code.clone());
            detail.request_id = detail.request_id.take().or_else(|| known.request_id.clone());
            detail.answer = detail.answer.take().or_else(|| known.answer.clone());
            if detail.violations.is_empty() {
                detail.violations.clone_from(&known.violations);
                detail.calls.clone_from(&known.calls);
            }
        })
    }

    /// Adds what happened, in our words. It is shown in logs: nothing of prompts or answers belongs here.
    pub fn with_note(self, note: impl Into<Cow<'static, str>>) -> Self {
        self.with(|detail| detail.note = Some(note.into()))
    }

    /// Adds the HTTP status.
    pub fn with_status(self, status: u16) -> Self {
        self.with(|detail| detail.status = Some(status))
    }

    /// Adds the provider's code. Codes are words, so anything longer than 64 characters or with
    /// other than letters, digits, `_`, `-` and `.` is left out.
    pub fn with_code(self, code: impl Into<String>) -> Self {
        let code = code.into();
        let is_word = (1..=64).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if is_word { self.with(|detail| detail.code = Some(code)) } else { self }
    }

    /// Adds the parameter of the request that the provider objects to.
    pub fn with_param(self, param: impl Into<String>) -> Self {
        self.with(|detail| detail.param = Some(param.into()))
    }

    /// Adds the provider's message. It is never shown unless asked for.
    pub fn with_provider_message(self, message: impl Into<String>) -> Self {
        self.with(|detail| detail.provider_message = Some(message.into()))
    }

    /// Adds how long the server asked us to wait.
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.with(|detail| detail.retry_after = Some(wait))
    }

    /// Adds the provider's id of the request.
    pub fn with_request_id(self, id: impl Into<String>) -> Self {
        self.with(|detail| detail.request_id = Some(id.into()))
    }

    /// Adds what is wrong with the arguments.
    pub fn with_violations(self, violations: Violations) -> Self {
        self.with(|detail| detail.violations = violations.into_vec())
    }

    pub(crate) fn with_answer(self, answer: Arc<Answer>) -> Self {
        self.with(|detail| detail.answer = Some(answer))
    }

    pub(crate) fn with_place(self, at: usize, snippet: String) -> Self {
        self.with(|detail| detail.place = Some((at, snippet)))
    }

    /// Adds the error this failure was seen as.
    pub fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|detail| detail.source = Some(Arc::new(source)))
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// What happened, in our words, where there is more to say than the kind does.
    pub fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// The HTTP status, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Whether the server answered that it will not do it: such a request costs nothing.
    pub(crate) fn is_turned_down(&self) -> bool {
        self.status().is_some_and(|status| (400..500).contains(&status) && status != 408)
    }

    /// The provider's code, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The parameter of the request that the provider objects to.
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// What the provider said. Providers quote prompts and keys: think before logging it.
    pub fn provider_message(&self) -> Option<&str> {
        self.0.provider_message.as_deref()
    }

    /// How long the server asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The provider's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What is wrong with the arguments; all of it.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The byte of the text at which reading stopped, where a text could not be read.
    pub fn at(&self) -> Option<usize> {
        self.0.place.as_ref().map(|(at, _)| *at)
    }

    /// What stood where reading stopped. It is the model's text: think before logging it.
    pub fn snippet(&self) -> Option<&str> {
        self.0.place.as_ref().map(|(_, snippet)| snippet.as_str())
    }

    /// What the model said, where it said something.
    pub fn answer(&self) -> Option<&Answer> {
        self.0.answer.as_deref()
    }

    pub(crate) fn shared_answer(&self) -> Option<&Arc<Answer>> {
        self.0.answer.as_ref()
    }

    /// Status, code and wait, as they stand in parentheses behind the summary.
    fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        if let Some(status) = self.0.status {
            facts.push(format!("status {status}"));
        }
        if let Some(code) = &self.0.code {
            facts.push(format!("code {code}"));
        }
        if let Some(wait) = self.0.retry_after {
            facts.push(format!("retry after {wait:?}"));
        }
        if let Some(id) = &self.0.request_id {
            facts.push(format!("request {id}"));
        }
        facts
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &*self.0;
        f.write_str(detail.kind.summary())?;
        let facts = self.facts();
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        if let Some(note) = &detail.note {
            write!(f, ": {note}")?;
        }
        for (i, violation) in detail.violations.iter().take(SHOWN_VIOLATIONS).enumerate() {
            write!(f, "{} {violation}", if i == 0 && detail.note.is_none() { ":" } else { ";" })?;
        }
        match detail.violations.len().saturating_sub(SHOWN_VIOLATIONS) {
            0 => {}
            more => write!(f, "; and {more} more")?,
        }
        if !detail.kind.advice().is_empty() {
            write!(f, "; {}", detail.kind.advice())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &*self.0;
        f.debug_struct("Failure")
            .field("kind", &detail.kind)
            .field("note", &detail.note)
            .field("status", &detail.status)
            .field("code", &detail.code)
            .field("retry_after", &detail.retry_after)
            .field("request_id", &detail.request_id)
            .field("violations", &detail.violations)
            .field("answer", &detail.answer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_happened_and_what_to_do_and_no_more() {
        let failure = Failure::new(FailureKind::RateLimit)
            .with_status(429)
            .with_code("rate_limit_exceeded")
            .with_provider_message("CANARY: org-123 used 10 of 10")
            .with_retry_after(Duration::from_secs(2));
        assert_eq!(
            failure.to_string(),
            "the server limits the rate (status 429, code rate_limit_exceeded, retry after 2s); \
             send less, or name a fallback"
        );
        assert!(!format!("{failure:?}").contains("CANARY"));
        assert_eq!(failure.provider_message(), Some("CANARY: org-123 used 10 of 10"));
    }

    #[test]
    fn a_code_that_is_a_sentence_is_no_code() {
        let failure = Failure::new(FailureKind::Auth).with_code("the key sk-123 is wrong");
        assert_eq!(failure.code(), None);
    }
}
