//! What a file with a function call in it needs: `use fcretry::prelude::*;`.

pub use crate::{Attempt, Classify, FailureKind, ToolCall, Violation, Violations, retry_policy};
