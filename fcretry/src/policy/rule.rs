use std::fmt;

use serde::{Deserialize, Serialize};

use super::Backoff;

/// What follows when a rule's count is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Then {
    /// Go on with the next model, if there is an untried one; else fail.
    Fallback,
    /// Fail.
    Fail,
    /// Fail, and tell the observer that a person must look.
    Escalate,
}

/// One step of a rule. A count of `None` is the kind's default count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Retry(Option<u32>),
    /// As a retry; for the rest of the answer, where the endpoint can go on with it.
    Resume(Option<u32>),
    Repair(Option<u32>),
    /// Ask once more, with the function forced by name.
    Constrain,
    Fallback,
    Fail,
    Escalate,
}

impl Step {
    /// The name in attributes and configuration.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Resume(_) => "resume",
            Self::Repair(_) => "repair",
            Self::Constrain => "constrain",
            Self::Fallback => "fallback",
            Self::Fail => "fail",
            Self::Escalate => "escalate",
        }
    }

    /// Whether the model is asked again for the same thing.
    pub(super) const fn asks_again(self) -> bool {
        matches!(self, Self::Retry(_) | Self::Resume(_) | Self::Repair(_) | Self::Constrain)
    }

    /// Whether the call ends here.
    pub(super) const fn ends_the_call(self) -> bool {
        matches!(self, Self::Fail | Self::Escalate)
    }
}

impl Then {
    pub(super) const ALL: &[Self] = &[Self::Fallback, Self::Fail, Self::Escalate];

    /// The name in attributes and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Fail => "fail",
            Self::Escalate => "escalate",
        }
    }
}

/// What a policy does about one kind of failure: steps in the order they are used, each with its count.
///
/// ```
/// use fcretry::{Rule, Then};
///
/// let rule = Rule::new().repair(2).retry(1).then(Then::Fail);
/// let patient = Rule::new().retry(5).delay_scale(3.0);
/// # let _ = (rule, patient);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub(super) steps: Vec<Step>,
    pub(super) then: Option<Then>,
    pub(super) delay_scale: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) backoff: Option<Backoff>,
    /// Keep the kind's default steps; only the modifiers were given.
    pub(super) keep_steps: bool,
}

impl Rule {
    /// A rule with no step yet; a rule left so fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fail at once.
    pub fn fail() -> Self {
        Self::new().step(Step::Fail)
    }

    /// Fail at once, and tell the observer that a person must look.
    pub fn escalate() -> Self {
        Self::new().step(Step::Escalate)
    }

    /// The default steps of the kind, to be modified. Unmodified, it takes back a rule of the policy that is built from.
    pub fn default_actions() -> Self {
        Self { keep_steps: true, ..Self::default() }
    }

    pub(super) fn of_steps(steps: Vec<Step>) -> Self {
        Self { steps, ..Self::default() }
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Then send the same request again, up to `count` times (1 to 50), after a wait.
    pub fn retry(self, count: u32) -> Self {
        self.step(Step::Retry(Some(count)))
    }

    /// Then send the same request again, as often as the default of the kind says (2 where it has none).
    pub fn retry_default(self) -> Self {
        self.step(Step::Retry(None))
    }

    /// Then send the request again, up to `count` times (1 to 50), after a wait; where the endpoint is known to
    /// [continue](crate::openai::Continuation) what it has begun, and the answer is JSON content, for the rest of it. For
    /// [`PartialStream`](crate::FailureKind::PartialStream).
    pub fn resume(self, count: u32) -> Self {
        self.step(Step::Resume(Some(count)))
    }

    /// Then ask for the rest, as often as the default of the kind says.
    pub fn resume_default(self) -> Self {
        self.step(Step::Resume(None))
    }

    /// Then ask again with what was wrong fed back, up to `count` times (1 to 50), without a wait.
    pub fn repair(self, count: u32) -> Self {
        self.step(Step::Repair(Some(count)))
    }

    /// Then ask again with what was wrong fed back, as often as the default of the kind says.
    pub fn repair_default(self) -> Self {
        self.step(Step::Repair(None))
    }

    /// Then go on with the next model.
    pub fn fallback(self) -> Self {
        self.step(Step::Fallback)
    }

    /// What follows when the counts are used up. Default: the next model if there is an untried one,
    /// else fail.
    pub fn then(mut self, then: Then) -> Self {
        self.then = Some(then);
        self
    }

    /// Multiplies the waits, 0 to 100. Gives a repair the wait it does not have.
    pub fn delay_scale(mut self, scale: f64) -> Self {
        self.delay_scale = Some(scale);
        self
    }

    /// The most that `max_completion_tokens` may grow to after a cut answer. Default: 4 times the first limit.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// A backoff of its own.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Whether the rule names a fallback of its own, which must then be there.
    pub(super) fn names_fallback(&self) -> bool {
        self.then == Some(Then::Fallback)
            || (!self.keep_steps && self.steps.contains(&Step::Fallback))
    }

    pub(super) fn has_loop(&self) -> bool {
        self.steps.iter().any(|step| step.asks_again())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
