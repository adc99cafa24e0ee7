use std::fmt;

use serde::Serialize;

use crate::answer::Answer;

/// What was asked and answered in an ask, where the policy says [`capture_content`](crate::RetryPolicyBuilder::capture_content).
///
/// Keys of providers are in none of it: they are never part of a request's body. `Debug` leaves the texts out; serialized, it is
/// whole.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Captured {
    /// The messages of the last request, with what was fed back, as JSON. `None` where it was made by hand without
    /// `Attempt::messages`.
    pub request: Option<String>,
    /// The last answer. `None` if none came.
    pub answer: Option<Answer>,
    /// What the provider said of the failure.
    pub message: Option<String>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("request_bytes", &self.request.as_deref().map(str::len))
            .field("answer", &self.answer)
            .field("message_bytes", &self.message.as_deref().map(str::len))
            .finish()
    }
}
