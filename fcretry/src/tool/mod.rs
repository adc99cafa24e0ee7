//! Tools: what a model may call, and how what it calls becomes a value.

mod judge;
mod refusal;
mod spec;

pub(crate) use judge::{Judged, judge_content, judge_one_call};
pub use spec::{SpecError, ToolSpec, generic_name};

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    failure::{Failure, FailureKind, Violations},
    parse,
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
    /// The tool's name, `[a-zA-Z0-9_-]{1,64}`.
    fn name() -> Cow<'static, str>;

    /// What the model is told the tool is for.
    fn description() -> Option<&'static str> {
        None
    }

    /// What the application demands beyond the schema; derived from `#[tool(validate(..))]`.
    fn validate(&self, found: &mut Violations) {
        let _ = found;
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

    /// Reads arguments as a model wrote them: JSON, of the schema, and accepted by every hook.
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
        read::<Self>(arguments).map(|(value, _)| value)
    }
}

/// [`ToolCall::parse`], with the JSON value beside the typed one.
fn read<T: ToolCall>(arguments: &str) -> Result<(T, serde_json::Value), Failure> {
    let spec = T::spec().map_err(|error| {
        Failure::new(FailureKind::InvalidRequest).with_note(error.to_string()).with_source(error)
    })?;
    let (value, json) = parse::read::<T>(arguments, spec.checker())?;
    let mut found = Violations::new();
    value.validate(&mut found);
    if found.is_empty() {
        Ok((value, json))
    } else {
        Err(Failure::new(FailureKind::SemanticValidation).with_violations(found))
    }
}
