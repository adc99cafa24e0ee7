use std::time::Duration;

use super::{Backoff, Rule, defaults::default_rule};
use crate::{cost::Cost, failure::FailureKind, parse::Recovery};

/// What a policy holds: what was given. What was not has its default, and follows what was: a deadline shorter than the
/// default timeout is no contradiction, one shorter than a timeout given is.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) max_attempts: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) first_token: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) deadline: Option<Duration>,
    pub(super) backoff: Option<Backoff>,
    pub(super) fallback: Vec<String>,
    pub(super) recovery: Option<Recovery>,
    pub(super) history: Option<usize>,
    pub(super) max_feedback_chars: Option<usize>,
    pub(super) budget_tokens: Option<u64>,
    /// What was given instead, if that is no amount.
    pub(super) budget_usd: Option<Result<Cost, f64>>,
    pub(super) capture_content: bool,
    /// One rule for each kind, in the order of [`FailureKind::ALL`].
    pub(super) rules: Vec<Slot>,
    /// What is wrong with it where it is followed without a route.
    pub(super) unrouted: Vec<String>,
}

/// The rule for one kind.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// As it was given, if it was. The table's own need no check, and go where there is no fallback.
    pub(super) given: Option<Rule>,
    /// With the counts filled in.
    pub(super) rule: Rule,
}

impl Default for Data {
    fn default() -> Self {
        let slot = |&kind| Slot { given: None, rule: default_rule(kind) };
        Self {
            max_attempts: None,
            timeout: None,
            first_token: None,
            idle: None,
            deadline: None,
            backoff: None,
            fallback: Vec::new(),
            recovery: None,
            history: None,
            max_feedback_chars: None,
            budget_tokens: None,
            budget_usd: None,
            capture_content: false,
            rules: FailureKind::ALL.iter().map(slot).collect(),
            unrouted: Vec::new(),
        }
    }
}

impl Data {
    /// The rules that were given.
    pub(super) fn given_rules(&self) -> impl Iterator<Item = (FailureKind, &Rule)> {
        let slots = FailureKind::ALL.iter().copied().zip(&self.rules);
        slots.filter_map(|(kind, slot)| Some((kind, slot.given.as_ref()?)))
    }
}
