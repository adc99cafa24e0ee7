use std::{sync::Arc, time::Duration};

use super::{
    Backoff, InvalidPolicy, RetryPolicyBuilder, Rule,
    data::Data,
    defaults::{BACKOFF, DEADLINE, HISTORY, IDLE, MAX_ATTEMPTS, MAX_FEEDBACK_CHARS, TIMEOUT},
};
use crate::{cost::Cost, failure::FailureKind, parse::Recovery};

/// What is done about every kind of failure, and the limits around it. Data only.
///
/// ```
/// use std::time::Duration;
/// use fcretry::{FailureKind, RetryPolicy, Rule};
///
/// let policy = RetryPolicy::builder()
///     .max_attempts(6)
///     .deadline(Duration::from_secs(90))
///     .on(FailureKind::RateLimit, Rule::new().retry(4).delay_scale(3.0))
///     .fallback("gpt-4o-mini")
///     .build()?;
/// assert_eq!(policy.max_attempts(), 6);
/// # Ok::<(), fcretry::InvalidPolicy>(())
/// ```
///
/// Read from configuration and written to it with `serde`, in the words of the attribute: see
/// [`attributes`](crate::attributes#from-configuration). Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RetryPolicy(Arc<Data>);

impl RetryPolicy {
    /// Starts from the defaults.
    pub fn builder() -> RetryPolicyBuilder {
        Self::default().to_builder()
    }

    /// Starts from this policy. A rule given then replaces this policy's whole rule for its kind.
    pub fn to_builder(&self) -> RetryPolicyBuilder {
        RetryPolicyBuilder::of(Data::clone(&self.0))
    }

    /// How often the body runs at most, all models and kinds together. Default 4.
    pub fn max_attempts(&self) -> u32 {
        self.0.max_attempts.unwrap_or(MAX_ATTEMPTS)
    }

    /// How long one attempt may take. Default 60 s.
    pub fn timeout(&self) -> Duration {
        self.0.timeout.unwrap_or(TIMEOUT)
    }

    /// How long a streamed answer may take to begin. Default `None`: as long as the attempt may take.
    pub fn first_token(&self) -> Option<Duration> {
        self.0.first_token
    }

    /// How long a streamed answer may be silent once it has begun. Default 30 s.
    pub fn idle(&self) -> Duration {
        self.0.idle.unwrap_or(IDLE)
    }

    /// How long the call may take, waits included. Default 180 s.
    pub fn deadline(&self) -> Duration {
        self.0.deadline.unwrap_or(DEADLINE)
    }

    /// The waits before resends.
    pub fn backoff(&self) -> &Backoff {
        self.0.backoff.as_ref().unwrap_or(&BACKOFF)
    }

    /// The models to go on with at the ask's own endpoint, in order. Default none.
    pub fn fallback(&self) -> &[String] {
        &self.0.fallback
    }

    /// How tolerantly answers are read. Default [`Recovery::Lossless`].
    pub fn recovery(&self) -> Recovery {
        self.0.recovery.unwrap_or_default()
    }

    /// How many bad answers are carried into a repair. Default 1.
    pub fn history(&self) -> usize {
        self.0.history.unwrap_or(HISTORY)
    }

    /// The most of one bad answer, and of one list of violations, that is fed back, in characters. Default 2000.
    pub fn max_feedback_chars(&self) -> usize {
        self.0.max_feedback_chars.unwrap_or(MAX_FEEDBACK_CHARS)
    }

    /// How many tokens the call may spend, with the calls inside it. Default `None`: as many as it takes.
    pub fn budget_tokens(&self) -> Option<u64> {
        self.0.budget_tokens
    }

    /// How much the call may spend, with the calls inside it. Default `None`: as much as it takes.
    pub fn budget_usd(&self) -> Option<Cost> {
        self.0.budget_usd?.ok()
    }

    /// Whether reports have what was asked and answered. Default `false`.
    pub fn captures_content(&self) -> bool {
        self.0.capture_content
    }

    /// The rule for `kind`.
    pub(crate) fn rule(&self, kind: FailureKind) -> Option<&Rule> {
        self.0.rules.get(kind.index()).map(|slot| &slot.rule)
    }

    /// Whether a rule that was given for `kind` says that another model or endpoint follows.
    pub(crate) fn names_fallback(&self, kind: FailureKind) -> bool {
        let given = self.0.rules.get(kind.index()).and_then(|slot| slot.given.as_ref());
        given.is_some_and(Rule::names_fallback)
    }

    /// Whether one of its waits depends on the wait before it.
    pub(crate) fn waits_remember(&self) -> bool {
        let of_rules = self.0.rules.iter().filter_map(|slot| slot.rule.backoff.as_ref());
        of_rules.chain([self.backoff()]).any(Backoff::remembers)
    }

    /// What is wrong with the policy where it is followed without a route: rules that lead nowhere.
    pub(crate) fn fault_without_a_route(&self) -> Option<InvalidPolicy> {
        let faults = &self.0.unrouted;
        (!faults.is_empty()).then(|| InvalidPolicy::new(faults.clone()))
    }

    pub(super) fn of(data: Data) -> Self {
        Self(Arc::new(data))
    }

    /// What was given.
    pub(super) fn data(&self) -> &Data {
        &self.0
    }
}

/// Equal are those that do the same, whether or not it is what a policy does by default.
impl PartialEq for RetryPolicy {
    fn eq(&self, other: &Self) -> bool {
        // Without `..`, so that a new key is not forgotten here.
        let Data {
            max_attempts: _,
            timeout: _,
            first_token,
            idle: _,
            deadline: _,
            backoff: _,
            fallback,
            recovery: _,
            history: _,
            max_feedback_chars: _,
            budget_tokens,
            budget_usd: _,
            capture_content,
            rules: _,
            unrouted: _,
        } = &*self.0;
        self.max_attempts() == other.max_attempts()
            && self.timeout() == other.timeout()
            && *first_token == other.first_token()
            && self.idle() == other.idle()
            && self.deadline() == other.deadline()
            && self.backoff() == other.backoff()
            && fallback == other.fallback()
            && self.recovery() == other.recovery()
            && self.history() == other.history()
            && self.max_feedback_chars() == other.max_feedback_chars()
            && *budget_tokens == other.budget_tokens()
            && self.budget_usd() == other.budget_usd()
            && *capture_content == other.captures_content()
            && FailureKind::ALL.iter().all(|&kind| self.rule(kind) == other.rule(kind))
    }
}
