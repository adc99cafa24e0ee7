//! What holds for any text and any schema.

use std::fmt;

use fcretry::{
    Failure, FailureKind, Recovery, RecoveryKind,
    parse::{Parsed, Reader},
};
use serde_json::{Value, json};

use crate::memory;

/// Which part of reading is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Texts that are read without a schema.
    Reading,
    /// Texts that are read by a schema, and put right by it.
    Coercing,
    /// Values that are checked by a schema.
    Checking,
}

/// The name of the tool that wrappers give.
pub(crate) const TOOL: &str = "place_order";

/// Recoveries beyond a thousand are not kept; a few more are told apart.
const MOST: usize = 2100;

impl Target {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Reading, Self::Coercing, Self::Checking].into_iter().find(|t| t.to_string() == name)
    }

    /// What is broken for `text` and `schema`, if anything is.
    pub(crate) fn holds(self, text: &str, schema: &Value) -> Result<(), String> {
        match self {
            Self::Reading => reading(text, &Value::Bool(true), None),
            Self::Coercing => reading(text, schema, Some(TOOL)),
            Self::Checking => checking(text, schema),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Coercing => "coercing",
            Self::Checking => "checking",
        })
    }
}

fn ensure(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

/// At each level of recovery: what is exact is what `serde_json` reads, each level reads all that the one below does
/// and to the same value, and what was read reads back.
fn reading(text: &str, schema: &Value, tool: Option<&str>) -> Result<(), String> {
    let at = |recovery| match (Reader::new(schema), tool) {
        (Ok(reader), Some(tool)) => Ok(reader.tool(tool).recovery(recovery)),
        (Ok(reader), None) => Ok(reader.recovery(recovery)),
        (Err(failure), _) => Err(failure.to_string()),
    };
    let by_serde = serde_json::from_str::<Value>(text).ok();
    let mut below: Option<Parsed> = None;
    for recovery in [Recovery::Off, Recovery::Lossless, Recovery::Lenient] {
        let reader = at(recovery)?;
        match memory::bounded(text, || reader.read(text))? {
            Ok(parsed) => {
                sound(text, &parsed)?;
                if parsed.recovered.is_empty() {
                    ensure(by_serde.as_ref() == Some(&parsed.value), || {
                        format!("not what serde_json reads: exact {} at {recovery:?}", parsed.value)
                    })?;
                } else {
                    ensure(recovery != Recovery::Off, || {
                        "recovered, though off: it is".to_owned()
                    })?;
                }
                let is_unwrapped = parsed.recovered.iter().any(|r| r.kind == RecoveryKind::Wrapper);
                if let Some(below) = &below {
                    ensure(*below == parsed || (tool.is_some() && is_unwrapped), || {
                        format!("another value at {recovery:?}: {parsed:?}, not {below:?}")
                    })?;
                }
                reads_back(&reader, &parsed.value)?;
                given_up_nowhere(&reader, text)?;
                below = Some(parsed);
            }
            Err(failure) => {
                ensure(below.is_none(), || format!("read at less than {recovery:?}: {failure}"))?;
                told(text, &failure)?;
            }
        }
    }
    Ok(())
}

/// How many starts of a text are looked at.
const STARTS: usize = 8;

/// A text that is read is given up at none of its starts, unless it runs on for longer than anybody waits.
fn given_up_nowhere(reader: &Reader, text: &str) -> Result<(), String> {
    for (end, _) in text.char_indices().step_by(text.len() / STARTS + 1) {
        let start = text.get(..end).unwrap_or_default();
        let Err(failure) = reader.look_at_start(start) else { continue };
        let runs_on = failure.note().is_some_and(|note| note.contains("runs on"));
        ensure(runs_on, || format!("given up at {end}: {failure}"))?;
    }
    Ok(())
}

/// A value is no larger than the text that it was read from.
fn sound(text: &str, parsed: &Parsed) -> Result<(), String> {
    let (nodes, bytes) = size(&parsed.value);
    ensure(nodes <= text.len().max(1), || format!("more values than bytes: {nodes}"))?;
    ensure(bytes <= 3 * text.len(), || format!("more text than was read: {bytes}"))?;
    ensure(parsed.recovered.len() <= MOST, || "a log without end: it is".to_owned())
}

fn size(value: &Value) -> (usize, usize) {
    let (mut nodes, mut bytes) = (0, 0);
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        nodes += 1;
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => left.extend(items),
            Value::Object(entries) => {
                bytes += entries.keys().map(String::len).sum::<usize>();
                left.extend(entries.values());
            }
            _ => {}
        }
    }
    (nodes, bytes)
}

/// A refusal says where, and its place is one.
fn told(text: &str, failure: &Failure) -> Result<(), String> {
    let _ = format!("{failure} {failure:?}");
    if let Some(at) = failure.at() {
        ensure(text.is_char_boundary(at), || format!("no place in the text: {at}"))?;
        let snippet = failure.snippet().unwrap_or_default();
        ensure(text[at..].starts_with(snippet), || format!("not what stands there: {snippet:?}"))?;
    }
    let violations = failure.violations();
    ensure(violations.len() <= text.len().max(MOST), || {
        "violations without end: it is".to_owned()
    })?;
    ensure(failure.kind() != FailureKind::SchemaValidation || !violations.is_empty(), || {
        "a schema's failure without a violation: it is".to_owned()
    })
}

fn reads_back(reader: &Reader, value: &Value) -> Result<(), String> {
    let json = value.to_string();
    let again = reader.read(&json).map_err(|e| format!("not read again: {e} {json:.400}"))?;
    ensure(again.value == *value && again.recovered.is_empty(), || {
        format!("read again as another: {again:?}, not {json}")
    })
}

/// What is wrong with a value is told at a place of it, and the verdict is that of the same schema put differently.
fn checking(text: &str, schema: &Value) -> Result<(), String> {
    let Ok(any) = Reader::new(&Value::Bool(true)).and_then(|reader| reader.read(text)) else {
        return Ok(());
    };
    let (value, json) = (any.value.clone(), any.value.to_string());
    let judge = |schema: &Value| match Reader::new(schema) {
        Ok(reader) => Some(reader.recovery(Recovery::Off).read(&json)),
        Err(_) => None,
    };
    let Some(verdict) = judge(schema) else { return Ok(()) };
    let fits = verdict.is_ok();
    if let Err(failure) = &verdict {
        told(&json, failure)?;
        for violation in failure.violations() {
            let pointer = violation.pointer();
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            let is_there = value.pointer(pointer).or_else(|| value.pointer(parent)).is_some();
            ensure(is_there, || format!("no such place: {pointer:?} of {json}"))?;
        }
    }
    let Some(mut bare) = schema.as_object().cloned() else { return Ok(()) };
    // Inside another schema, a reference to the whole leads elsewhere.
    if schema.to_string().contains(r##""$ref":"#""##) {
        return Ok(());
    }
    let defs = bare.remove("$defs").unwrap_or_else(|| json!({}));
    let whole = Value::Object(bare);
    for (other, same) in [
        (json!({"not": whole}), false),
        (json!({"not": {"not": whole}}), true),
        (json!({"allOf": [whole, true]}), true),
        (json!({"anyOf": [false, whole]}), true),
        (json!({"oneOf": [whole, false]}), true),
        (json!({"if": whole, "else": false}), true),
        (json!({"$ref": "#/$defs/Whole"}), true),
    ] {
        let mut other = other;
        other["$defs"] = defs.clone();
        other["$defs"]["Whole"] = whole.clone();
        let Some(verdict) = judge(&other) else { return Err(format!("no schema: {other}")) };
        ensure(verdict.is_ok() == (fits == same), || {
            format!("the opposite verdict: {json} fits {fits}, and by {other} {}", verdict.is_ok())
        })?;
    }
    Ok(())
}
