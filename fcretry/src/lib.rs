#![cfg_attr(all(feature = "openai", feature = "testing"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "openai", feature = "testing")),
    doc = "Typed, validated function calls from language models, at a bounded cost."
)]

// Examples in the documentation are a user's code, and the expansions name the crate by its own name.
extern crate self as fcretry;

mod adaptive;
pub mod answer;
#[cfg(feature = "anyhow")]
mod anyhow;
mod around;
pub mod attributes;
mod batch;
pub mod cost;
#[cfg(feature = "dashboard")]
pub mod dashboard;
mod duration;
mod error;
mod failure;
mod feedback;
pub mod guard;
mod handle;
mod marks;
#[cfg(feature = "metrics")]
pub mod metrics;
mod millis;
#[cfg(feature = "openai")]
pub mod openai;
pub mod parse;
mod policy;
pub mod prelude;
mod purse;
mod report;
mod run;
mod short;
pub mod stats;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod tool;
mod usage;

pub use adaptive::{Adaptive, Learned};
pub use around::{Inherit, inherit};
pub use batch::{
    Batch, BatchReport, Checkpoint, CheckpointError, Keep, NotKept, Record, Records, Totals, batch,
};
pub use cost::{Cost, Planner, Prices};
pub use error::{Error, Result};
pub use failure::{
    Classify, Failure, FailureKind, UnknownKind, Violation, Violations, retry_after,
};
pub use fcretry_macros::{ToolCall, retry_policy};
pub use feedback::Turn;
pub use handle::{Attach, Handle};
pub use parse::{Place, Recovered, Recovery, RecoveryKind};
pub use policy::{
    Action, Backoff, InvalidPolicy, Jitter, RetryPolicy, RetryPolicyBuilder, Rule, StoppedBy,
    Strategy, Then,
};
pub use report::{AttemptReport, Captured, Report, ViolationReport, report};
pub use run::{
    AsRoute, Attempt, AttemptEvent, DecisionEvent, Endpoint, FinishEvent, Guarded, Observer,
    Outcome, Route, Run,
};
pub use stats::Stats;
pub use tool::{SpecError, ToolCall, ToolSet, ToolSpec, is_refusal};
pub use usage::Usage;

/// What expansions name. Not for use by hand: it changes without notice, and the macro crate's version is pinned to this one's.
#[doc(hidden)]
pub mod __private {
    pub use std::{borrow::Cow, string::ToString, vec::Vec};

    pub use schemars::JsonSchema;
    pub use serde::de::DeserializeOwned;

    pub use crate::{
        failure::FailureKind,
        handle::by,
        parse::Reading,
        parse::Recovery,
        policy::{Backoff, Jitter, RetryPolicy, Rule, Then},
        run::{
            Call, Drive, Driven, Lent, NoDegrade, OrElse, Outcome, Round, StaticPolicy, Substitute,
            Wait, part, settle, settle_or, stub_attempt,
        },
        tool::{RawCall, SpecCell, assert_distinct, generic_name},
    };
}
