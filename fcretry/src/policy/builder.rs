use std::time::Duration;

use super::{
    Backoff, InvalidPolicy, RetryPolicy, Rule, check,
    data::{Data, Slot},
    defaults::filled_in,
};
use crate::{cost::Cost, failure::FailureKind, parse::Recovery};

/// Builds a [`RetryPolicy`]. What is not set keeps its default, and follows what is: a deadline shorter than the default timeout is
/// no contradiction, one shorter than a timeout that was set is.
#[derive(Clone, Debug)]
pub struct RetryPolicyBuilder {
    policy: Data,
    /// Given since.
    rules: Vec<(FailureKind, Rule)>,
}

impl RetryPolicyBuilder {
    pub(super) fn of(policy: Data) -> Self {
        Self { policy, rules: Vec::new() }
    }

    /// How often the body runs at most, 1 to 100, all models and kinds together.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.policy.max_attempts = Some(attempts);
        self
    }

    /// How long one attempt may take; more than 0.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// How long a streamed answer may take to begin; more than 0, not longer than a timeout given.
    pub fn first_token(mut self, time: Duration) -> Self {
        self.policy.first_token = Some(time);
        self
    }

    /// How long a streamed answer may be silent once it has begun; more than 0, not longer than a timeout given.
    pub fn idle(mut self, silence: Duration) -> Self {
        self.policy.idle = Some(silence);
        self
    }

    /// How long the call may take, waits included; more than 0.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = Some(deadline);
        self
    }

    /// The waits before resends.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = Some(backoff);
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
        self.policy.recovery = Some(recovery);
        self
    }

    /// How many bad answers are carried into a repair, 1 to 20.
    pub fn history(mut self, answers: usize) -> Self {
        self.policy.history = Some(answers);
        self
    }

    /// The most of one bad answer, and of one list of violations, that is fed back, 100 to 100 000 characters.
    pub fn max_feedback_chars(mut self, chars: usize) -> Self {
        self.policy.max_feedback_chars = Some(chars);
        self
    }

    /// How many tokens the call may spend, with the calls inside it, 1 to 1 000 000 000. A request that would pass it is not
    /// sent: see [`TokenBudget`](crate::guard::TokenBudget).
    pub fn budget_tokens(mut self, tokens: u64) -> Self {
        self.policy.budget_tokens = Some(tokens);
        self
    }

    /// How many dollars the call may spend, with the calls inside it, 0.000001 to 1 000 000. What the answer to a request can
    /// cost is looked at before it is sent, with the prices of the call: a request that would pass the budget is not sent, nor
    /// one to a model without a price. A request without a token limit is estimated without its answer: set one, so that the
    /// budget holds. See [`CostBudget`](crate::guard::CostBudget).
    pub fn budget_usd(mut self, usd: f64) -> Self {
        self.policy.budget_usd = Some(Cost::from_usd(usd).map_err(|_| usd));
        self
    }

    /// Whether reports have what was asked and answered, and what providers said: see [`Captured`](crate::Captured).
    pub fn capture_content(mut self, captures: bool) -> Self {
        self.policy.capture_content = captures;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything about it that is out of range or contradicts something else in it, by the rules of the attribute.
    pub fn build(self) -> Result<RetryPolicy, InvalidPolicy> {
        self.build_after(Vec::new())
    }

    /// The policy, if it has no fault beside `faults`, with which it was read. What could not be read may be what another key
    /// needs: of that nothing is said then.
    pub(super) fn build_after(self, mut faults: Vec<String>) -> Result<RetryPolicy, InvalidPolicy> {
        let Self { mut policy, rules } = self;
        let is_partial = !faults.is_empty();
        for (i, (kind, _)) in rules.iter().enumerate() {
            if rules.iter().take(i).any(|(earlier, _)| earlier == kind) {
                faults.push(format!("`on({kind})` is given twice; keep one of them"));
            }
        }
        for (kind, rule) in rules {
            if let Some(slot) = policy.rules.get_mut(kind.index()) {
                // The default actions, unmodified, are as good as no rule: they take one back.
                let given = Some(rule.clone()).filter(|rule| *rule != Rule::default_actions());
                *slot = Slot { given, rule: filled_in(kind, rule) };
            }
        }
        check::check(&policy, is_partial, &mut faults);
        policy.unrouted = check::without_a_route(&policy);
        if faults.is_empty() {
            Ok(RetryPolicy::of(policy))
        } else {
            Err(InvalidPolicy::new(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Step, Then};

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
