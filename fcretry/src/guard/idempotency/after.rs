use crate::failure::FailureKind;

/// What becomes of a key whose action gave an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum After {
    /// The error is permanent: every later caller gets it, as kind and message.
    Keep,
    /// Nothing was done, and asking again may help: the key is free. Who waited gets the error, who comes later runs the
    /// action.
    Free,
    /// The action may have been done, the error does not say: the key is unknown. At least once, it is free.
    Doubt,
}

impl After {
    /// What an error of this kind says of the action.
    ///
    /// | kept, because the same request will always fail so | free, because an answer said no or nothing was sent | in doubt, because the request went out and its answer was lost |
    /// |---|---|---|
    /// | `refusal`, `content_filter`, `context_overflow`, `model_not_found`, `invalid_request`, `application` | `rate_limit`, `model_overload`, `quota_exhausted`, `auth`, `circuit_open`, `budget_exhausted`, `invalid_policy`; bad answers of a model: `structural_parse`, `schema_validation`, `semantic_validation`, `unknown_tool`, `no_tool_call`, `truncated` | `timeout`, `transient_network`, `partial_stream`, `deadline_exceeded` |
    ///
    /// A quota or credentials that a person puts right are not the request's fault, so these are not kept.
    pub const fn default_for(kind: FailureKind) -> Self {
        use FailureKind as Kind;
        match kind {
            Kind::Refusal
            | Kind::ContentFilter
            | Kind::ContextOverflow
            | Kind::ModelNotFound
            | Kind::InvalidRequest
            | Kind::Application => Self::Keep,
            Kind::Timeout
            | Kind::TransientNetwork
            | Kind::PartialStream
            | Kind::DeadlineExceeded => Self::Doubt,
            Kind::StructuralParse
            | Kind::SchemaValidation
            | Kind::SemanticValidation
            | Kind::UnknownTool
            | Kind::NoToolCall
            | Kind::Truncated
            | Kind::RateLimit
            | Kind::ModelOverload
            | Kind::QuotaExhausted
            | Kind::Auth
            | Kind::CircuitOpen
            | Kind::BudgetExhausted
            | Kind::InvalidPolicy => Self::Free,
        }
    }
}
