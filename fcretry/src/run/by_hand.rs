//! Asking by hand, of any provider.

use std::sync::Arc;

use super::Attempt;
use crate::{
    answer::Answer,
    error::Error,
    feedback::{Form, Turn},
    tool::ToolCall,
};

impl Attempt {
    /// What to add to the messages of a request made by hand: the bad answers of earlier attempts and what was
    /// wrong with them. Empty at first.
    pub fn turns(&self) -> Vec<Turn> {
        self.by_hand().feedback()
    }

    /// Reads the call of `T` in an answer of any provider. Ends the ask that [`model`](Self::model) or
    /// [`turns`](Self::turns) began.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the answer; it is fed back in the next attempt.
    pub fn accept_answer<T: ToolCall>(&self, answer: Answer) -> Result<T, Error> {
        self.accept_as(Form::Call, answer)
    }

    /// Reads a `T` out of JSON text of any provider. Ends the ask that [`model`](Self::model) or
    /// [`turns`](Self::turns) began.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text; it is fed back in the next attempt.
    pub fn accept_text<T: ToolCall>(&self, text: impl Into<String>) -> Result<T, Error> {
        self.accept_as(Form::Content, Answer::text(text))
    }

    pub(crate) fn accept_as<T: ToolCall>(&self, form: Form, answer: Answer) -> Result<T, Error> {
        let ask = self.by_hand();
        ask.offer::<T>(form);
        let answer = Arc::new(answer);
        ask.sent();
        ask.answered(&answer, None);
        ask.close();
        // Whether a call was required is not ours to know: one in the content may be a sample.
        ask.judge(form, false, &answer)
    }
}
