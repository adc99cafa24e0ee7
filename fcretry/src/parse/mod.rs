//! Reading arguments: text → JSON → schema → type. Model output is hostile input: nothing here panics,
//! recurses without a bound, or takes more than linear time.
//!
//! Strict reading comes first and costs what `serde_json` does. Only what it does not take is read tolerantly
//! (`extract`, `tolerant`), and only what the schema does not take is coerced (`unwrap`, `coerce`).

mod check;
mod coerce;
mod direct;
mod duplicates;
mod expected;
mod extract;
mod formats;
mod pointer;
mod recovered;
mod schema;
mod strict;
mod tolerant;
mod unwrap;

pub(crate) use check::Checker;
pub(crate) use coerce::folded;
pub(crate) use direct::read as read_direct;
pub(crate) use recovered::Log;
pub use recovered::{Place, Recovered, Recovery, RecoveryKind};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::{
    schema::{Kind, Schema},
    strict::Unreadable,
    tolerant::Refusal,
};
use crate::failure::{Failure, FailureKind, Violation, Violations};

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
    /// A reader for `schema`: JSON Schema 2020-12 in the vocabulary that `schemars` writes.
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
    /// if they give it.
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
        let target = Target {
            name: self.name.as_deref(),
            checker: &self.checker,
            is_plain: false,
            recovery: self.recovery,
            keeps_json: true,
        };
        let (value, found, log) = syntax(text, target)?;
        let (value, log) = fitted(value, found, log, target)?;
        Ok(Parsed { value, recovered: log.into_vec() })
    }
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
    let (value, found, log) = syntax(text, target)?;
    decode(fitted(value, found, log, target)?)
}

/// Reads the call of the target's tool that `content` is, if it is one: a call written out, or, if the tool is `alone`,
/// the arguments with nothing around them but a fence or a tag. `None` if it is prose, whatever samples are in it.
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
    let mut call = found.value.clone();
    let mut notes = Log::default();
    unwrap::unwrap(&mut call, target.checker.schema(), target.name, &mut notes);
    let is_call = !notes.is_empty();
    let is_bare = alone && !found.is_in_prose && target.checker.check(&found.value).is_empty();
    if !is_call && !is_bare {
        return None;
    }
    let mut log = found.log;
    log.append(notes);
    log.value(RecoveryKind::CallInContent, "");
    Some(fitted(call, found.duplicates, log, target).and_then(decode))
}

/// The JSON value that `text` is or holds, with what is wrong with it already.
fn syntax(text: &str, target: Target<'_>) -> Result<(Value, Vec<Violation>, Log), Failure> {
    let Unreadable { kind, note } = match strict::value(text) {
        Ok((value, found)) => return Ok((value, found, Log::default())),
        Err(unreadable) => unreadable,
    };
    if target.recovery == Recovery::Off {
        return Err(Failure::new(kind).with_note(note));
    }
    if text.trim().is_empty() {
        let nothing = Value::Object(Map::new());
        let schema = target.checker.schema();
        let wants_object = schema.admits(Kind::Object) && !schema.admits(Kind::String);
        if !wants_object || !target.checker.check(&nothing).is_empty() {
            return Err(Failure::new(kind).with_note(note));
        }
        let mut log = Log::default();
        log.value(RecoveryKind::EmptyArguments, "");
        return Ok((nothing, Vec::new(), log));
    }
    // What can be read without a doubt is never read with one.
    let mut found = extract::find(text, false);
    if found.is_err() && target.recovery == Recovery::Lenient {
        found = extract::find(text, true).or(found);
    }
    match found {
        Ok(found) => Ok((found.value, found.duplicates, found.log)),
        Err(refusal) => Err(refused(text, refusal)),
    }
}

/// The value as the schema takes it, or everything that is wrong with it.
fn fitted(
    mut value: Value,
    duplicates: Vec<Violation>,
    mut log: Log,
    target: Target<'_>,
) -> Result<(Value, Log), Failure> {
    let mut found = target.checker.check(&value);
    if !found.is_empty() && target.recovery != Recovery::Off {
        let mut mended = mend(&value, target, true);
        // Without the tool's name a wrapper is one only if what is in it is right.
        if target.name.is_none() && !target.checker.check(&mended.0).is_empty() {
            mended = mend(&value, target, false);
        }
        let (inner, notes) = mended;
        if !notes.is_empty() {
            found = target.checker.check(&inner);
            value = inner;
            log.append(notes);
        }
    }
    // A schema that is not closed admits a wrapper as it admits anything, and the type would drop what is in it.
    if found.is_empty()
        && target.recovery != Recovery::Off
        && let Some(inner) = admitted_wrapper(&value, target, &mut log)
    {
        value = inner;
    }
    found.splice(0..0, duplicates);
    if found.is_empty() { Ok((value, log)) } else { Err(schema_failure(found)) }
}

/// The value with its wrappers off, if they are to be, and coerced.
fn mend(value: &Value, target: Target<'_>, unwrapped: bool) -> (Value, Log) {
    let schema: Schema<'_> = target.checker.schema();
    let (mut value, mut notes) = (value.clone(), Log::default());
    if unwrapped {
        unwrap::unwrap(&mut value, schema, target.name, &mut notes);
    }
    coerce::coerce(&mut value, schema, &mut notes);
    (value, notes)
}

/// The arguments inside a value that fits the schema and is a wrapper of this tool's all the same.
fn admitted_wrapper(value: &Value, target: Target<'_>, log: &mut Log) -> Option<Value> {
    let schema = target.checker.schema();
    let has_unknown = value.as_object()?.keys().any(|key| schema.property(key).is_none());
    // A schema that names no properties admits wrappers because it means any object.
    let names_some = schema.property_names().next().is_some();
    target.name.filter(|_| has_unknown && names_some)?;
    let mut inner = value.clone();
    let mut notes = Log::default();
    unwrap::unwrap(&mut inner, schema, target.name, &mut notes);
    if notes.is_empty() || !target.checker.check(&inner).is_empty() {
        return None;
    }
    log.append(notes);
    Some(inner)
}

fn decode<T: DeserializeOwned>((json, log): (Value, Log)) -> Result<Reading<T>, Failure> {
    match serde_path_to_error::deserialize::<_, T>(&json) {
        Ok(value) => Ok(Reading { value, json: Some(json), log }),
        // The type says more than its schema does, as with a hand-written `Deserialize`.
        Err(error) => {
            let pointer = pointer::pointer_of(error.path());
            let got = json.pointer(&pointer).cloned();
            let message = error.into_inner().to_string();
            Err(schema_failure(vec![Violation::decode(pointer, message, got)]))
        }
    }
}

fn refused(text: &str, refusal: Refusal) -> Failure {
    let Refusal { at, reason, cut } = refusal;
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let (kind, reason) = match cut {
        true if is_runaway(text) => {
            (FailureKind::StructuralParse, "the text runs on in white space or repetition")
        }
        true => (FailureKind::Truncated, reason),
        false => (FailureKind::StructuralParse, reason),
    };
    let snippet = text.get(at..).unwrap_or_default().chars().take(SNIPPET).collect::<String>();
    Failure::new(kind)
        .with_note(format!("{reason}, at line {line} column {column}"))
        .with_place(at, snippet)
}

/// How much of the text after the point of a refusal is kept for those who ask.
const SNIPPET: usize = 40;

/// A tail of this many bytes of white space, or of one short piece over and over, has no end that a larger limit
/// would reach.
const RUNAWAY: usize = 256;

/// The longest piece whose repetition is looked for.
const PIECE: usize = 32;

/// Whether the text ends in white space or repetition without end.
pub(crate) fn is_runaway(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(tail) = bytes.len().checked_sub(RUNAWAY).and_then(|start| bytes.get(start..)) else {
        return false;
    };
    tail.iter().all(u8::is_ascii_whitespace)
        || (1..=PIECE).any(|period| tail.iter().zip(tail.iter().skip(period)).all(|(a, b)| a == b))
}

fn schema_failure(found: Vec<Violation>) -> Failure {
    let violations: Violations = found.into_iter().collect();
    Failure::new(FailureKind::SchemaValidation).with_violations(violations)
}
