use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer, de};

/// Declares the kinds once: the enum, its names and the two sentences every kind has.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $summary:literal, $advice:literal;)+) => {
        /// Why an attempt gave no value. Every kind has a rule of its own in a
        /// [`RetryPolicy`](crate::RetryPolicy).
        ///
        /// In attributes, configuration and reports a kind goes by its `snake_case` name
        /// ([`as_str`](Self::as_str)): `on(rate_limit, retry = 4)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum FailureKind {
            $($(#[$doc])* $variant,)+
        }

        impl FailureKind {
            /// Every kind, in the order of the table of defaults.
            pub const ALL: &'static [FailureKind] = &[$(FailureKind::$variant),+];

            /// How many kinds there are.
            pub(crate) const COUNT: usize = Self::ALL.len();

            /// The `snake_case` name, as used in `on(..)`, in configuration and in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(FailureKind::$variant => $name,)+ }
            }

            /// What happened, in a few words.
            pub(crate) const fn summary(self) -> &'static str {
                match self { $(FailureKind::$variant => $summary,)+ }
            }

            /// What a person can do about it; empty where the summary says it all.
            pub(crate) const fn advice(self) -> &'static str {
                match self { $(FailureKind::$variant => $advice,)+ }
            }
        }
    };
}

kinds! {
    /// The arguments are not JSON, and cannot be recovered without loss.
    StructuralParse = "structural_parse", "the arguments are not JSON", "";
    /// The arguments are JSON, but not of the schema: missing, wrong type, not in the enum, out of range, extra.
    SchemaValidation = "schema_validation", "the arguments do not fit the schema", "";
    /// The arguments fit the schema, but a validation hook or the body objects.
    SemanticValidation = "semantic_validation", "the arguments break a validation rule", "";
    /// The model called a tool that was not offered.
    UnknownTool = "unknown_tool", "the model called a tool that was not offered", "";
    /// Prose where a call was required, and not a refusal.
    NoToolCall = "no_tool_call", "the model did not call the tool",
        "check that the model and the server's chat template support tools";
    /// The answer was cut: `finish_reason = length`, or arguments that end mid-value.
    Truncated = "truncated", "the answer was cut off", "raise `max_completion_tokens`";
    /// The model refused: `message.refusal`, or text that is a refusal where a call was due.
    Refusal = "refusal", "the model refused", "";
    /// The provider's filter stopped the answer: `finish_reason = content_filter`, or a 400 that says so.
    ContentFilter = "content_filter", "the provider's content filter stopped the answer", "";
    /// No answer within the attempt's time.
    Timeout = "timeout", "no answer in time", "raise `timeout` or use a faster model";
    /// 429 that is not a quota.
    RateLimit = "rate_limit", "the server limits the rate", "send less, or name a fallback";
    /// 5xx but 501, 529, or an in-band overload error.
    ModelOverload = "model_overload", "the server is overloaded or failing",
        "try later, or name a fallback";
    /// Connect error, reset, cut body, 408, 409, 425.
    TransientNetwork = "transient_network", "the connection failed",
        "check that the server runs and the base URL is right";
    /// A stream without its finish reason and `[DONE]`, or an error midway. The part is never handed out.
    PartialStream = "partial_stream", "the stream ended before the answer did", "";
    /// 402, or 429 with a quota or billing code.
    QuotaExhausted = "quota_exhausted", "the account's quota is used up",
        "check the plan and billing of the account";
    /// 413, or a 400 that says the request is too long.
    ContextOverflow = "context_overflow", "the request is longer than the model's context",
        "shorten it, or use a model with a larger context";
    /// 401 and 403.
    Auth = "auth", "the server does not accept the credentials",
        "check the API key and what it may use";
    /// 404 that names a model.
    ModelNotFound = "model_not_found", "the server does not know the model",
        "check the model's name";
    /// Any other 3xx and 4xx, 501, and answers that are no chat completion at all.
    InvalidRequest = "invalid_request", "the server does not take the request",
        "check the base URL and the request";
    /// The body's own error.
    Application = "application", "the function failed", "";
    /// Our circuit breaker is open.
    CircuitOpen = "circuit_open", "the circuit breaker is open", "";
    /// The call's budget of money or tokens would be passed.
    BudgetExhausted = "budget_exhausted", "the budget of the call is used up", "";
    /// The call's deadline passed.
    DeadlineExceeded = "deadline_exceeded", "the deadline passed", "raise `deadline`";
    /// The policy contradicts itself; nothing was sent.
    InvalidPolicy = "invalid_policy", "the retry policy contradicts itself", "";
}

impl FailureKind {
    /// Whether this kind is about what the model answered, so that telling it what was wrong can help.
    pub const fn is_repairable(self) -> bool {
        matches!(
            self,
            Self::StructuralParse
                | Self::SchemaValidation
                | Self::SemanticValidation
                | Self::UnknownTool
                | Self::NoToolCall
        )
    }

    /// Whether the same request, sent again as it is, can ever succeed.
    pub const fn is_resendable(self) -> bool {
        !matches!(
            self,
            Self::Refusal
                | Self::ContentFilter
                | Self::QuotaExhausted
                | Self::ContextOverflow
                | Self::Auth
                | Self::ModelNotFound
                | Self::InvalidRequest
                | Self::CircuitOpen
                | Self::BudgetExhausted
                | Self::DeadlineExceeded
                | Self::InvalidPolicy
        )
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name is not that of a [`FailureKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind(String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a kind of failure; the kinds are", self.0)?;
        for (i, kind) in FailureKind::ALL.iter().enumerate() {
            write!(f, "{} `{kind}`", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for FailureKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

impl Serialize for FailureKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FailureKind {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_no_other() {
        for &kind in FailureKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("ratelimit".parse::<FailureKind>().is_err());
    }

    #[test]
    fn what_can_be_repaired_can_be_resent() {
        for kind in FailureKind::ALL {
            assert!(!kind.is_repairable() || kind.is_resendable(), "{kind}");
        }
    }
}
