/// About how many tokens a request will take, before it is sent.
///
/// An adapter takes one for every four bytes of messages and tools (of a picture in them, nothing), and for the answer the
/// request's own token limit, if it has one. What was estimated is replaced by the usage, once that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// Of the request.
    pub prompt_tokens: u64,
    /// Of the answer, at most; 0 if that is not known.
    pub completion_tokens: u64,
}

impl Estimate {
    /// So many for the request and its answer.
    pub const fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens }
    }

    /// Request and answer together.
    pub const fn total(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// So many for both together.
impl From<u64> for Estimate {
    fn from(tokens: u64) -> Self {
        Self::new(tokens, 0)
    }
}
