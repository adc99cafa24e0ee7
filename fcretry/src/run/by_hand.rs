//! Asking by hand, of any provider.

use std::sync::Arc;

use super::{Ask, Attempt};
use crate::{
    answer::{Answer, Form},
    error::Error,
    feedback::Turn,
    tool::{ToolCall, ToolSet},
};

impl Attempt {
    /// What to add to the messages of a request made by hand: the bad answers of earlier attempts and what was
    /// wrong with them. Empty at first.
    pub fn turns(&self) -> Vec<Turn> {
        self.by_hand().feedback()
    }

    /// Reads the one call of a tool of `S` in an answer of any provider. Ends the ask that [`model`](Self::model) or
    /// [`turns`](Self::turns) began.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the answer; it is fed back in the next attempt.
    pub fn accept_answer<S: ToolSet>(&self, answer: Answer) -> Result<S, Error> {
        let (ask, answer) = self.answered_by_hand(answer);
        ask.offer(Form::Call, &ask.specs::<S>()?);
        // Whether a call was required is not ours to know: one in the content may be a sample.
        ask.judge_call(false, &answer)
    }

    /// Reads every call of a tool of `S` in an answer of any provider, in order; as
    /// [`accept_answer`](Self::accept_answer) otherwise. If some are bad, the others are kept, and what is fed back asks
    /// for the bad ones alone; the calls of the next answer are put into their places.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with any of the calls; it is fed back in the next attempt.
    pub fn accept_all_of_answer<S: ToolSet>(&self, answer: Answer) -> Result<Vec<S>, Error> {
        let (ask, answer) = self.answered_by_hand(answer);
        ask.offer(Form::Call, &ask.specs::<S>()?);
        ask.judge_calls(false, &answer)
    }

    /// Reads a `T` out of JSON text of any provider. Ends the ask that [`model`](Self::model) or
    /// [`turns`](Self::turns) began.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text; it is fed back in the next attempt.
    pub fn accept_text<T: ToolCall>(&self, text: impl Into<String>) -> Result<T, Error> {
        self.accept_content_of(Answer::text(text))
    }

    pub(crate) fn accept_content_of<T: ToolCall>(&self, answer: Answer) -> Result<T, Error> {
        let (ask, answer) = self.answered_by_hand(answer);
        ask.offer(Form::Content, &ask.specs::<T>()?);
        ask.judge_content(&answer)
    }

    fn answered_by_hand(&self, answer: Answer) -> (Ask<'_>, Arc<Answer>) {
        let ask = self.by_hand();
        let answer = Arc::new(answer);
        // What went through the guards was counted when they let it go.
        if !ask.close().is_some_and(|ask| ask.was_sent) {
            ask.sent();
            ask.spent_without_leave(answer.usage);
        }
        ask.took(answer.usage);
        ask.answered(&answer, None);
        (ask, answer)
    }
}
