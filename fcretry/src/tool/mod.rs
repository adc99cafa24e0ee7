//! Tools: what a model may call, and how what it calls becomes a value.

mod judge;
mod parallel;
mod refusal;
mod set;
mod spec;
mod strict_schema;
#[cfg(feature = "openai")]
mod watch;

pub(crate) use judge::{judge_content, judge_one_call};
pub(crate) use parallel::{Judged, Kept, Rest, Written, judge_calls};
pub(crate) use refusal::RefusalDetector;
pub use refusal::is_refusal;
pub(crate) use set::distinct_specs;
pub use set::{RawCall, ToolSet, assert_distinct};
pub use spec::{SpecCell, SpecError, ToolSpec, generic_name};
#[cfg(feature = "openai")]
pub(crate) use watch::Watch;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    failure::{Failure, FailureKind, Violations},
    parse::{self, Reading, Recovery, Target},
};

/// The arguments of a tool: a type with a schema, a parser and validation hooks.
///
/// Derived with [`#[derive(ToolCall)]`](macro@crate::ToolCall) beside `Deserialize` and `JsonSchema`.
///
/// ```
/// use fcretry::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Look up the weather.
/// #[derive(Deserialize, JsonSchema, ToolCall)]
/// struct Weather {
///     /// A city's name.
///     city: String,
/// }
///
/// assert_eq!(Weather::name(), "weather");
/// assert_eq!(Weather::parse(r#"{"city": "Oslo"}"#)?.city, "Oslo");
///
/// let failure = Weather::parse(r#"{"city": 5}"#).err().unwrap();
/// assert_eq!(failure.kind(), FailureKind::SchemaValidation);
/// assert_eq!(failure.violations()[0].pointer(), "/city");
/// # Ok::<(), fcretry::Failure>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the arguments of a tool",
    label = "this type has no `ToolCall`",
    note = "put `#[derive(serde::Deserialize, schemars::JsonSchema, fcretry::ToolCall)]` on it"
)]
pub trait ToolCall: DeserializeOwned + JsonSchema + 'static {
    /// The tool's name, where it is known at compile time.
    #[doc(hidden)]
    const NAME: Option<&'static str> = None;

    /// The tool's name, `[a-zA-Z0-9_-]{1,64}`.
    fn name() -> Cow<'static, str>;

    /// What the model is told the tool is for.
    fn description() -> Option<&'static str> {
        None
    }

    /// How far reading goes for this tool, whatever the policy says; from `#[tool(recovery = "off")]`. `None` leaves it
    /// to the policy.
    fn recovery() -> Option<Recovery> {
        None
    }

    /// What the application demands beyond the schema; derived from `#[tool(validate(..))]`.
    fn validate(&self, found: &mut Violations) {
        let _ = found;
    }

    /// Where the spec is kept, if the type has a place of its own.
    #[doc(hidden)]
    fn spec_cell() -> Option<&'static SpecCell> {
        None
    }

    /// Name, description and schema; built once per type.
    ///
    /// # Errors
    ///
    /// The name or the schema is none that a provider takes.
    fn spec() -> Result<&'static ToolSpec, SpecError>
    where
        Self: Sized,
    {
        spec::cached::<Self>()
    }

    /// Reads arguments as a model wrote them: JSON or what can be read as JSON without loss (or as
    /// [`recovery`](Self::recovery) says), of the schema, and accepted by every hook.
    ///
    /// # Errors
    ///
    /// [`Truncated`](FailureKind::Truncated), [`StructuralParse`](FailureKind::StructuralParse),
    /// [`SchemaValidation`](FailureKind::SchemaValidation) or
    /// [`SemanticValidation`](FailureKind::SemanticValidation), the last two with every violation.
    fn parse(arguments: &str) -> Result<Self, Failure>
    where
        Self: Sized,
    {
        let target = target::<Self>(How::default())?;
        match parse::read_direct::<Self>(arguments, target) {
            Ok(value) => match objections(&value) {
                None => Ok(value),
                Some(failure) => Err(failure),
            },
            Err(_) => validated(parse::read_through_value(arguments, target)?).map(|r| r.value),
        }
    }
}

/// How answers are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// How far reading goes, for tools that do not say so themselves.
    pub(crate) recovery: Recovery,
    /// Whether the JSON is asked for, too.
    pub(crate) keeps_json: bool,
    /// What takes words for a refusal.
    pub(crate) refusals: RefusalDetector,
}

/// Reads arguments, and runs every hook.
fn read<T: ToolCall>(arguments: &str, how: How) -> Result<Reading<T>, Failure> {
    validated(parse::read_typed(arguments, target::<T>(how)?)?)
}

/// What the arguments of `T` are read as.
#[inline]
fn target<T: ToolCall>(how: How) -> Result<Target<'static>, Failure> {
    match T::spec() {
        Ok(spec) => Ok(spec.target(T::recovery().unwrap_or(how.recovery), how.keeps_json)),
        Err(error) => {
            let failure = Failure::new(FailureKind::InvalidRequest);
            Err(failure.with_note(error.to_string()).with_source(error))
        }
    }
}

fn validated<T: ToolCall>(reading: Reading<T>) -> Result<Reading<T>, Failure> {
    objections(&reading.value).map_or(Ok(reading), Err)
}

/// What the hooks object to.
fn objections<T: ToolCall>(value: &T) -> Option<Failure> {
    let mut found = Violations::new();
    value.validate(&mut found);
    let failure = || Failure::new(FailureKind::SemanticValidation);
    (!found.is_empty()).then(|| failure().with_violations(found))
}
