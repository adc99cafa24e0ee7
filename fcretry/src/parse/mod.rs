//! Reading arguments: text → JSON → schema → type. Model output is hostile input: nothing here panics,
//! recurses without a bound, or takes more than linear time.
//!
//! Strict reading comes first and costs what `serde_json` does. Only what it does not take is read tolerantly
//! (`extract`, `tolerant`), and only what the schema does not take is coerced (`unwrap`, `coerce`).

mod arriving;
mod check;
mod coerce;
mod direct;
mod duplicates;
mod expected;
mod extract;
mod fit;
mod formats;
mod pointer;
mod recovered;
mod refused;
mod schema;
mod several;
mod strict;
mod tolerant;
mod unwrap;

pub(crate) use arriving::hopeless;
pub(crate) use check::Checker;
pub(crate) use coerce::folded;
pub(crate) use direct::read as read_direct;
pub(crate) use recovered::Log;
pub use recovered::{Place, Recovered, Recovery, RecoveryKind};
pub(crate) use refused::is_runaway;
pub(crate) use several::{CallInText, calls_in};

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::{
    fit::{decode, fitted, syntax},
    refused::refused,
};
use crate::failure::{Failure, FailureKind};

/// A value that was read, with the JSON it was read from and what was put right on the way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reading<T> {
    pub(crate) value: T,
    /// Only where it was asked for, or was made on the way.
    pub(crate) json: Option<Value>,
    pub(crate) log: Log,
}

impl<T> Reading<T> {
    /// The same reading of a value made from this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Reading<U> {
        let Self { value, json, log } = self;
        Reading { value: make(value), json, log }
    }
}

/// What arguments are read as.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The tool's name, which wrappers must give; without it there are none.
    pub(crate) name: Option<&'a str>,
    pub(crate) checker: &'a Checker,
    /// The schema demands no more than the type does.
    pub(crate) is_plain: bool,
    pub(crate) recovery: Recovery,
    /// Whether the JSON is asked for, too.
    pub(crate) keeps_json: bool,
}

/// Reads `text` as a value of a schema that is known only at run time; [`Reader`] does it many times.
///
/// ```
/// use fcretry::{RecoveryKind, parse};
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
///     "required": ["city"],
/// });
/// let read = parse::read("```json\n{'city': 'Oslo', 'days': \"3\"}\n```", &schema)?;
/// assert_eq!(read.value, json!({"city": "Oslo", "days": 3}));
/// assert_eq!(read.recovered.len(), 5); // two keys and a value in single quotes, a fence, a number
///
/// let failure = parse::read("{\"city\": 6 * 7}", &schema).unwrap_err();
/// assert_eq!(failure.at(), Some(11));
/// # Ok::<(), fcretry::Failure>(())
/// ```
///
/// # Errors
///
/// What is wrong with the text, as for [`ToolCall::parse`](crate::ToolCall::parse); or
/// [`InvalidRequest`](FailureKind::InvalidRequest), if the schema cannot be enforced.
pub fn read(text: &str, schema: &Value) -> Result<Parsed, Failure> {
    Reader::new(schema)?.read(text)
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// The value, as the schema takes it.
    pub value: Value,
    /// What was put right on the way; nothing, if the text was JSON of the schema as it stood.
    pub recovered: Vec<Recovered>,
}

/// Reads texts as values of one schema.
#[derive(Debug)]
pub struct Reader {
    checker: Checker,
    name: Option<String>,
    recovery: Recovery,
}

impl Reader {
    /// A reader for `schema`: JSON Schema 2020-12, formats asserted, in the vocabulary that `schemars` writes. Also
    /// understood: tuples and exclusive limits as older drafts write them, `nullable` as in `OpenAPI`, and types as Python's
    /// tool lists name them (`dict`, `float`). A `pattern` must be one of a linear engine, without look-around.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](FailureKind::InvalidRequest) with the place of what cannot be enforced.
    pub fn new(schema: &Value) -> Result<Self, Failure> {
        match Checker::new(schema.clone()) {
            Ok(checker) => Ok(Self { checker, name: None, recovery: Recovery::default() }),
            Err(fault) => {
                Err(Failure::new(FailureKind::InvalidRequest)
                    .with_note(format!("the schema: {fault}")))
            }
        }
    }

    /// The name of the tool whose arguments are read: wrappers such as `{"name": .., "arguments": ..}` are taken off
    /// if they give it, and a text that calls another tool is refused. Without a name, a wrapper is taken off if what is
    /// in it is right and it is not.
    pub fn tool(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How far reading goes. Default [`Recovery::Lossless`].
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, with every violation of the schema.
    pub fn read(&self, text: &str) -> Result<Parsed, Failure> {
        let target = self.target();
        let (value, log) = fitted(syntax(text, target)?, target)?;
        Ok(Parsed { value, recovered: log.into_vec() })
    }

    /// Looks at the `start` of a text of which more is to come: whether the whole can still be read, as far as that shows. What
    /// can be read is never given up at any of its starts, unless it runs on in white space (256 bytes between values, 4 KiB in a
    /// string) or repetition (16 KiB); what cannot may be given up late, or only by [`read`](Self::read).
    ///
    /// Each look costs the length of `start`: for a linear sum, look again when it has grown by a share of its length.
    ///
    /// ```
    /// use fcretry::parse::Reader;
    /// use serde_json::json;
    ///
    /// let reader = Reader::new(&json!({"properties": {"days": {"type": "integer"}, "city": {}}}))?;
    /// assert!(reader.look_at_start("{'days': \"3").is_ok());
    /// assert!(reader.look_at_start("{'days': \"3\", ").is_ok());
    /// let failure = reader.look_at_start("{'days': \"three\", ").unwrap_err();
    /// assert_eq!(failure.violations()[0].pointer(), "/days");
    /// # Ok::<(), fcretry::Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Why it cannot be read any more, whatever follows.
    pub fn look_at_start(&self, start: &str) -> Result<(), Failure> {
        hopeless(start, self.target()).map_or(Ok(()), Err)
    }

    fn target(&self) -> Target<'_> {
        Target {
            name: self.name.as_deref(),
            checker: &self.checker,
            is_plain: false,
            recovery: self.recovery,
            keeps_json: true,
        }
    }
}

/// Whether the schema demands no more of a value than `T` does.
pub(crate) fn is_plain<T: DeserializeOwned>(checker: &Checker) -> bool {
    direct::says_no_more::<T>(checker.schema())
}

/// Reads `text` as a `T`. All violations come at once.
pub(crate) fn read_typed<T: DeserializeOwned>(
    text: &str,
    target: Target<'_>,
) -> Result<Reading<T>, Failure> {
    if !target.keeps_json
        && let Ok(value) = read_direct(text, target)
    {
        return Ok(Reading { value, json: None, log: Log::default() });
    }
    read_through_value(text, target)
}

/// Reads `text` by way of a value, which can be put right, or explained.
pub(crate) fn read_through_value<T: DeserializeOwned>(
    text: &str,
    target: Target<'_>,
) -> Result<Reading<T>, Failure> {
    decode(fitted(syntax(text, target)?, target)?)
}

/// Reads the call of the target's tool that `content` is, if it is one: a call written out, or, if the tool is `alone`,
/// the arguments with nothing around them but a fence, a tag or a wrapper. `None` if it is prose, whatever samples are
/// in it.
pub(crate) fn read_call_in_content<T: DeserializeOwned>(
    content: &str,
    target: Target<'_>,
    alone: bool,
) -> Option<Result<Reading<T>, Failure>> {
    let found = match extract::find(content, false) {
        Ok(found) if found.value.is_object() || found.value.is_array() => found,
        // A call that was begun and is cut is no prose.
        Err(refusal) if refusal.cut && content.trim_start().starts_with(['{', '[', '`', '<']) => {
            return Some(Err(refused(content, refusal)));
        }
        _ => return None,
    };
    let may_be_unnamed = alone && !found.is_in_prose;
    let mut draft = CallInText::of(content, found).call_of(target, may_be_unnamed)?;
    draft.log.value(RecoveryKind::CallInContent, "");
    Some(fitted(draft, target).and_then(decode))
}

/// Reads one of several calls that stand in one text, if it names the target's tool.
pub(crate) fn read_written<T: DeserializeOwned>(
    call: &CallInText,
    target: Target<'_>,
    in_content: bool,
) -> Option<Result<Reading<T>, Failure>> {
    let mut draft = call.call_of(target, false)?;
    if in_content {
        draft.log.value(RecoveryKind::CallInContent, "");
    }
    Some(fitted(draft, target).and_then(decode))
}
