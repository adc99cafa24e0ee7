//! The kinds of failure, and what a rule may do about each.

use std::fmt;

/// One kind: its name in the attribute, its variant of `FailureKind`, and what it allows.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) variant: &'static str,
    class: Class,
}

/// Kinds that allow the same actions.
#[derive(Clone, Copy)]
enum Class {
    /// There is an answer, and it is wrong: it can be asked for again, or corrected.
    Answer,
    /// The answer is cut: it can be asked for again with a higher limit.
    Truncated,
    /// There is no answer: it can be asked for again.
    Transport,
    /// The body's own error; it fails unless a rule says that it may be retried.
    Application,
    /// The same request gets the same failure, for the reason given.
    Final(&'static str),
    /// As `Final`, but another endpoint or a larger model can help.
    Elsewhere(&'static str),
    /// A guard of ours refused, so that nothing was sent.
    Guard,
    /// The call ends, for the reason given.
    Fixed(&'static str),
}

use Class::{Answer, Application, Elsewhere, Final, Fixed, Guard, Transport, Truncated};

const SAME: &str = "the same request would only fail again";

/// Every kind, in the order of `FailureKind`.
pub(crate) const KINDS: &[Kind] = &[
    kind("structural_parse", "StructuralParse", Answer),
    kind("schema_validation", "SchemaValidation", Answer),
    kind("semantic_validation", "SemanticValidation", Answer),
    kind("unknown_tool", "UnknownTool", Answer),
    kind("no_tool_call", "NoToolCall", Answer),
    kind("truncated", "Truncated", Truncated),
    kind("refusal", "Refusal", Final("the same request would only be refused again")),
    kind("content_filter", "ContentFilter", Final(SAME)),
    kind("timeout", "Timeout", Transport),
    kind("rate_limit", "RateLimit", Transport),
    kind("model_overload", "ModelOverload", Transport),
    kind("transient_network", "TransientNetwork", Transport),
    kind("partial_stream", "PartialStream", Transport),
    kind(
        "quota_exhausted",
        "QuotaExhausted",
        Elsewhere("a spent quota does not come back by asking"),
    ),
    kind("context_overflow", "ContextOverflow", Elsewhere(SAME)),
    kind("auth", "Auth", Elsewhere("the same key would only be turned away again")),
    kind("model_not_found", "ModelNotFound", Elsewhere(SAME)),
    kind("invalid_request", "InvalidRequest", Final(SAME)),
    kind("application", "Application", Application),
    kind("circuit_open", "CircuitOpen", Guard),
    kind("budget_exhausted", "BudgetExhausted", Guard),
    kind("deadline_exceeded", "DeadlineExceeded", Fixed("no time is left for anything else")),
    kind("invalid_policy", "InvalidPolicy", Fixed("a contradictory policy cannot be followed")),
];

const fn kind(name: &'static str, variant: &'static str, class: Class) -> Kind {
    Kind { name, variant, class }
}

impl Kind {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The kind of this name, in the attribute or in `FailureKind`.
    pub(crate) fn meant(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name || kind.variant == name)
    }

    /// The names of the kinds that a rule can be given for.
    pub(crate) fn names() -> Vec<&'static str> {
        KINDS.iter().filter(|kind| kind.ends_the_call().is_none()).map(|kind| kind.name).collect()
    }

    /// Why no rule can be given for this kind, if none can.
    pub(crate) fn ends_the_call(&self) -> Option<&'static str> {
        match self.class {
            Fixed(why) => Some(why),
            _ => None,
        }
    }

    /// Whether this kind fails where no rule says otherwise, so that there is nothing to modify.
    pub(crate) fn fails_by_default(&self) -> bool {
        match self.class {
            Answer | Truncated | Transport | Guard | Elsewhere(_) => false,
            Application | Final(_) | Fixed(_) => true,
        }
    }

    /// What this kind does where no rule says otherwise, if it asks nothing again that could wait.
    pub(crate) fn acts_at_once(&self) -> Option<&'static str> {
        match self.class {
            Answer | Truncated | Transport => None,
            Guard => Some("goes on with the next model at once"),
            Elsewhere(_) => Some("goes on elsewhere at once, or fails"),
            Application | Final(_) | Fixed(_) => Some("fails"),
        }
    }

    /// Whether this kind is of the endpoint's account, so that none of its models can help.
    pub(crate) fn is_of_the_endpoint(&self) -> bool {
        matches!(self.variant, "QuotaExhausted" | "Auth")
    }

    /// Whether it is repaired where no rule says otherwise.
    pub(crate) fn is_repaired_by_default(&self) -> bool {
        matches!(self.class, Answer)
    }

    /// Whether no other model follows a `retry` where the rule does not say so.
    pub(crate) fn stays_by_default(&self) -> bool {
        matches!(self.class, Application)
    }

    /// What its waits are multiplied by where no rule says otherwise.
    pub(crate) fn delay_scale(&self) -> f64 {
        match self.name {
            "rate_limit" => 3.0,
            "model_overload" => 2.0,
            _ => 1.0,
        }
    }

    pub(crate) fn takes_max_tokens(&self) -> bool {
        matches!(self.class, Truncated)
    }

    /// Why `action` cannot help, and the rule that would be right; `None` if it can.
    pub(crate) fn refuses(&self, action: ActionKind) -> Option<(&'static str, String)> {
        let name = self.name;
        let give_up = format!("on({name}, fallback)` or `on({name}, escalate)");
        match (action, self.class) {
            (ActionKind::Resume, _) if self.variant != "PartialStream" => {
                Some(("there is no stream to go on with", "on(partial_stream, resume)".to_owned()))
            }
            (ActionKind::Retry, Final(why) | Elsewhere(why)) => Some((why, give_up)),
            (ActionKind::Retry | ActionKind::Repair, Guard) => {
                Some(("nothing was sent that could be sent again", give_up))
            }
            (ActionKind::Repair, Final(_) | Elsewhere(_)) => {
                Some(("there is no answer that could be corrected", give_up))
            }
            (ActionKind::Repair, Transport) => Some((
                "there is no answer that could be corrected",
                format!("on({name}, retry = 2)"),
            )),
            (ActionKind::Repair, Truncated) => Some((
                "a cut answer is asked for again with a higher limit",
                format!("on({name}, retry = 1)"),
            )),
            (ActionKind::Repair, Application) => Some((
                "the error is the body's own, and nothing the model could correct",
                format!("on({name}, retry = 2)"),
            )),
            _ => None,
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Retry,
    /// As a retry, for the rest of a stream that broke off.
    Resume,
    Repair,
    Fallback,
    Fail,
    Escalate,
}

impl ActionKind {
    pub(crate) const ALL: &[Self] =
        &[Self::Retry, Self::Resume, Self::Repair, Self::Fallback, Self::Fail, Self::Escalate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Repair => "repair",
            Self::Fallback => "fallback",
            Self::Fail => "fail",
            Self::Escalate => "escalate",
        }
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Whether the model is asked again for the same thing.
    pub(crate) fn asks_again(self) -> bool {
        matches!(self, Self::Retry | Self::Resume | Self::Repair)
    }

    /// Whether the call ends here, so that nothing can stand beside it.
    pub(crate) fn ends_the_call(self) -> bool {
        matches!(self, Self::Fail | Self::Escalate)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_named_after_its_variant() {
        for kind in KINDS {
            assert_eq!(crate::tool_call::name::snake_case(kind.variant), kind.name);
        }
    }

    #[test]
    fn what_fails_the_same_way_again_is_never_retried() {
        let retried: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.ends_the_call().is_none())
            .filter(|kind| kind.refuses(ActionKind::Retry).is_none())
            .map(|kind| kind.name)
            .collect();
        assert_eq!(
            retried,
            [
                "structural_parse",
                "schema_validation",
                "semantic_validation",
                "unknown_tool",
                "no_tool_call",
                "truncated",
                "timeout",
                "rate_limit",
                "model_overload",
                "transient_network",
                "partial_stream",
                "application",
            ]
        );
    }

    #[test]
    fn what_a_guard_refuses_goes_on_with_the_next_model() {
        for name in ["circuit_open", "budget_exhausted"] {
            let kind = Kind::find(name).expect("a kind");
            assert!(!kind.fails_by_default());
            assert_eq!(kind.acts_at_once(), Some("goes on with the next model at once"));
        }
    }

    #[test]
    fn what_another_endpoint_can_help_goes_there_where_no_rule_says_otherwise() {
        let elsewhere: Vec<_> = KINDS
            .iter()
            .filter(|kind| matches!(kind.class, Elsewhere(_)))
            .map(|kind| (kind.name, kind.is_of_the_endpoint()))
            .collect();
        assert_eq!(
            elsewhere,
            [
                ("quota_exhausted", true),
                ("context_overflow", false),
                ("auth", true),
                ("model_not_found", false)
            ]
        );
        assert!(elsewhere.iter().all(|(name, _)| Kind::find(name).is_some_and(|kind| {
            !kind.fails_by_default() && kind.refuses(ActionKind::Retry).is_some()
        })));
    }

    #[test]
    fn only_wrong_answers_are_repaired() {
        let repaired: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.ends_the_call().is_none())
            .filter(|kind| kind.refuses(ActionKind::Repair).is_none())
            .map(|kind| kind.name)
            .collect();
        assert_eq!(
            repaired,
            [
                "structural_parse",
                "schema_validation",
                "semantic_validation",
                "unknown_tool",
                "no_tool_call",
            ]
        );
    }
}
