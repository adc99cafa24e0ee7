use std::{sync::Arc, time::Duration};

use super::{
    Backoff, InvalidPolicy, Rule,
    decide::kills_the_endpoint,
    defaults::{BARE_COUNT, default_rule},
    rule::Step,
};
use crate::{failure::FailureKind, parse::Recovery};

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
/// Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryPolicy(Arc<Data>);

#[derive(Clone, Debug, PartialEq)]
struct Data {
    max_attempts: u32,
    timeout: Duration,
    first_token: Option<Duration>,
    idle: Duration,
    deadline: Duration,
    backoff: Backoff,
    fallback: Vec<String>,
    recovery: Recovery,
    history: usize,
    max_feedback_chars: usize,
    /// One rule for each kind, in the order of [`FailureKind::ALL`], counts filled in.
    rules: Vec<Slot>,
    /// What is wrong with it where it is followed without a route.
    unrouted: Vec<String>,
}

/// Where a rule is from. The table's own need no check, and go where there is no fallback.
#[derive(Clone, Debug, PartialEq)]
enum Slot {
    Default(Rule),
    Given(Rule),
}

use Slot::Given;

impl Default for Data {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            timeout: Duration::from_secs(60),
            first_token: None,
            idle: Duration::from_secs(30),
            deadline: Duration::from_secs(180),
            backoff: Backoff::default(),
            fallback: Vec::new(),
            recovery: Recovery::default(),
            history: 1,
            max_feedback_chars: 2000,
            rules: FailureKind::ALL.iter().map(|&kind| Slot::Default(default_rule(kind))).collect(),
            unrouted: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// Starts from the defaults.
    pub fn builder() -> RetryPolicyBuilder {
        Self::default().to_builder()
    }

    /// Starts from this policy. A rule given then replaces this policy's whole rule for its kind.
    pub fn to_builder(&self) -> RetryPolicyBuilder {
        RetryPolicyBuilder { policy: Data::clone(&self.0), rules: Vec::new() }
    }

    /// How often the body runs at most, all models and kinds together. Default 4.
    pub fn max_attempts(&self) -> u32 {
        self.0.max_attempts
    }

    /// How long one attempt may take. Default 60 s.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// How long a streamed answer may take to begin. Default `None`: as long as the attempt may take.
    pub fn first_token(&self) -> Option<Duration> {
        self.0.first_token
    }

    /// How long a streamed answer may be silent once it has begun. Default 30 s.
    pub fn idle(&self) -> Duration {
        self.0.idle
    }

    /// How long the call may take, waits included. Default 180 s.
    pub fn deadline(&self) -> Duration {
        self.0.deadline
    }

    /// The waits before resends.
    pub fn backoff(&self) -> &Backoff {
        &self.0.backoff
    }

    /// The models to go on with at the ask's own endpoint, in order. Default none.
    pub fn fallback(&self) -> &[String] {
        &self.0.fallback
    }

    /// How tolerantly answers are read. Default [`Recovery::Lossless`].
    pub fn recovery(&self) -> Recovery {
        self.0.recovery
    }

    /// How many bad answers are carried into a repair. Default 1.
    pub fn history(&self) -> usize {
        self.0.history
    }

    /// The most of one bad answer, and of one list of violations, that is fed back, in characters. Default 2000.
    pub fn max_feedback_chars(&self) -> usize {
        self.0.max_feedback_chars
    }

    /// The rule for `kind`.
    pub(crate) fn rule(&self, kind: FailureKind) -> Option<&Rule> {
        self.0.rules.get(kind.index()).map(|slot| match slot {
            Slot::Default(rule) | Given(rule) => rule,
        })
    }

    /// Whether a rule that was given for `kind` says that another model or endpoint follows.
    pub(crate) fn names_fallback(&self, kind: FailureKind) -> bool {
        let slot = self.0.rules.get(kind.index());
        slot.is_some_and(|slot| matches!(slot, Given(rule) if rule.names_fallback()))
    }

    /// What is wrong with the policy where it is followed without a route: rules that lead nowhere.
    pub(crate) fn fault_without_a_route(&self) -> Option<InvalidPolicy> {
        let faults = &self.0.unrouted;
        (!faults.is_empty()).then(|| InvalidPolicy::new(faults.clone()))
    }
}

/// Builds a [`RetryPolicy`]; what is not set keeps its default.
#[derive(Clone, Debug)]
pub struct RetryPolicyBuilder {
    policy: Data,
    rules: Vec<(FailureKind, Rule)>,
}

impl RetryPolicyBuilder {
    /// How often the body runs at most, 1 to 100, all models and kinds together.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.policy.max_attempts = attempts;
        self
    }

    /// How long one attempt may take; more than 0.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// How long a streamed answer may take to begin; more than 0, not longer than a timeout given.
    pub fn first_token(mut self, time: Duration) -> Self {
        self.policy.first_token = Some(time);
        self
    }

    /// How long a streamed answer may be silent once it has begun; more than 0, not longer than a timeout given.
    pub fn idle(mut self, silence: Duration) -> Self {
        self.policy.idle = silence;
        self
    }

    /// How long the call may take, waits included; more than 0.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = deadline;
        self
    }

    /// The waits before resends.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = backoff;
        self
    }

    /// The whole rule for `kind`, in place of its default.
    pub fn on(mut self, kind: FailureKind, rule: Rule) -> Self {
        self.rules.push((kind, rule));
        self
    }

    /// One more model to go on with.
    pub fn fallback(mut self, model: impl Into<String>) -> Self {
        self.policy.fallback.push(model.into());
        self
    }

    /// The models to go on with, in place of those named so far.
    pub fn fallbacks<M: Into<String>>(mut self, models: impl IntoIterator<Item = M>) -> Self {
        self.policy.fallback = models.into_iter().map(Into::into).collect();
        self
    }

    /// How tolerantly answers are read.
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.policy.recovery = recovery;
        self
    }

    /// How many bad answers are carried into a repair, 1 to 20.
    pub fn history(mut self, answers: usize) -> Self {
        self.policy.history = answers;
        self
    }

    /// The most of one bad answer, and of one list of violations, that is fed back, 100 to 100 000 characters.
    pub fn max_feedback_chars(mut self, chars: usize) -> Self {
        self.policy.max_feedback_chars = chars;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything about it that is out of range or contradicts something else in it.
    pub fn build(self) -> Result<RetryPolicy, InvalidPolicy> {
        let Self { mut policy, rules } = self;
        let mut faults = limit_faults(&policy);
        faults.extend(policy.backoff.fault().map(|fault| format!("`backoff`: {fault}")));
        for (i, (kind, _)) in rules.iter().enumerate() {
            if rules.iter().take(i).any(|(earlier, _)| earlier == kind) {
                faults.push(format!("`on({kind}, ..)` is given twice"));
            }
        }
        for (kind, rule) in rules {
            faults.extend(rule.fault(kind).map(|fault| format!("`on({kind}, ..)`: {fault}")));
            if let Some(slot) = policy.rules.get_mut(kind.index()) {
                *slot = Given(filled_in(kind, rule));
            }
        }
        policy.unrouted = faults_without_a_route(&policy);
        if !faults.is_empty() {
            return Err(InvalidPolicy::new(faults));
        }
        Ok(RetryPolicy(Arc::new(policy)))
    }
}

fn limit_faults(policy: &Data) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    check((1..=100).contains(&policy.max_attempts), "`max_attempts` is 1 to 100");
    check(!policy.timeout.is_zero(), "`timeout` is more than 0");
    check(policy.first_token.is_none_or(|time| !time.is_zero()), "`first_token` is more than 0");
    check(!policy.idle.is_zero(), "`idle` is more than 0");
    check(!policy.deadline.is_zero(), "`deadline` is more than 0");
    check((1..=20).contains(&policy.history), "`history` is 1 to 20");
    check(
        (100..=100_000).contains(&policy.max_feedback_chars),
        "`max_feedback_chars` is 100 to 100000",
    );
    check(policy.fallback.iter().all(|m| !m.is_empty()), "a `fallback` model has no name");
    faults
}

/// The rules that need a route. Those of a policy that this one was made from are in it too: a fallback they name may
/// be gone.
fn faults_without_a_route(policy: &Data) -> Vec<String> {
    let mut faults = Vec::new();
    for (&kind, rule) in FailureKind::ALL.iter().zip(&policy.rules) {
        let Given(rule) = rule else { continue };
        if !rule.names_fallback() {
            continue;
        }
        if policy.fallback.is_empty() {
            faults.push(format!(
                "`on({kind}, ..)`: there is no fallback model to go to, and no route"
            ));
        } else if kills_the_endpoint(kind) {
            faults.push(format!(
                "`on({kind}, ..)`: only another endpoint can help, and there is no route"
            ));
        }
    }
    faults
}

/// The rule with the kind's defaults where it leaves a choice open.
fn filled_in(kind: FailureKind, mut rule: Rule) -> Rule {
    let default = default_rule(kind);
    if rule.keep_steps {
        rule.steps.clone_from(&default.steps);
    }
    let count_of = |repair: bool| {
        let found = default.steps.iter().find_map(|step| match step {
            Step::Retry(count) if !repair => *count,
            Step::Repair(count) if repair => *count,
            _ => None,
        });
        found.or(Some(BARE_COUNT))
    };
    for step in &mut rule.steps {
        match step {
            Step::Retry(count) | Step::Resume(count) if count.is_none() => *count = count_of(false),
            Step::Repair(count) if count.is_none() => *count = count_of(true),
            _ => {}
        }
    }
    // A rate limit stays a rate limit however often it is retried: the scale is the kind's.
    rule.delay_scale = rule.delay_scale.or(default.delay_scale);
    rule
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Then;

    #[test]
    fn every_fault_is_named_at_once() {
        let error = RetryPolicy::builder()
            .max_attempts(0)
            .backoff(Backoff::linear().max(Duration::from_millis(1)))
            .on(FailureKind::Refusal, Rule::new().retry(1))
            .on(FailureKind::RateLimit, Rule::new().retry(51).then(Then::Fallback))
            .build()
            .unwrap_err();
        assert_eq!(error.faults().len(), 4, "{error}");
    }

    #[test]
    fn whether_a_fallback_leads_anywhere_shows_when_it_is_known_if_there_is_a_route() {
        let faults = |builder: RetryPolicyBuilder| -> Vec<String> {
            let fault = builder.build().unwrap().fault_without_a_route();
            fault.map(|fault| fault.faults().to_vec()).unwrap_or_default()
        };
        let rule = || Rule::new().retry(1).then(Then::Fallback);
        let policy = || RetryPolicy::builder().on(FailureKind::Timeout, rule());
        assert_eq!(faults(policy()).len(), 1);
        assert!(faults(policy().fallback("b")).is_empty());
        // A model of the same endpoint has the same key.
        let policy = || RetryPolicy::builder().on(FailureKind::Auth, Rule::new().fallback());
        assert_eq!(faults(policy().fallback("b")).len(), 1);
        assert!(faults(RetryPolicy::builder().fallback("b")).is_empty());
        // The fallback of the policy that this one is made from is gone.
        let base = RetryPolicy::builder().on(FailureKind::Timeout, rule()).fallback("b");
        let none: [&str; 0] = [];
        assert_eq!(faults(base.build().unwrap().to_builder().fallbacks(none)).len(), 1);
    }

    #[test]
    fn a_bare_action_takes_the_kind_s_count_and_scale() {
        let policy = RetryPolicy::builder()
            .on(FailureKind::RateLimit, Rule::new().retry_default())
            .on(FailureKind::Application, Rule::new().retry_default())
            .build()
            .unwrap();
        let rule = policy.rule(FailureKind::RateLimit).unwrap();
        assert_eq!(rule.steps, [Step::Retry(Some(3))]);
        assert_eq!(rule.delay_scale, Some(3.0));
        assert_eq!(policy.rule(FailureKind::Application).unwrap().steps, [Step::Retry(Some(2))]);
    }
}
