//! A value and a schema: the value as the schema takes it, put right where that is without loss, or everything that is
//! wrong with it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Log, Reading, Recovery, RecoveryKind, Target, coerce, extract, pointer,
    refused::refused,
    schema::{Kind, Schema},
    strict::{self, Unreadable},
    unwrap,
};
use crate::failure::{Failure, FailureKind, Violation, Violations};

/// A value that was read, and not yet held against the schema.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) value: Value,
    /// What is wrong with it already.
    pub(super) found: Vec<Violation>,
    pub(super) log: Log,
    /// What only a schema can decide.
    pub(super) doubt: Option<Failure>,
}

/// The JSON value that `text` is or holds.
pub(super) fn syntax(text: &str, target: Target<'_>) -> Result<Draft, Failure> {
    let Unreadable { kind, note } = match strict::value(text) {
        Ok((value, found)) => {
            return Ok(Draft { value, found, log: Log::default(), doubt: None });
        }
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
        return Ok(Draft { value: nothing, found: Vec::new(), log, doubt: None });
    }
    // What can be read without a doubt is never read with one.
    let mut found = extract::find(text, false);
    if found.is_err() && target.recovery == Recovery::Lenient {
        found = extract::find(text, true).or(found);
    }
    let found = found.map_err(|refusal| refused(text, refusal))?;
    match (target.name, found.called) {
        (Some(name), Some(called)) if !unwrap::is_name(called, Some(name)) => {
            let note = "the text calls another tool than the one that is read";
            Err(Failure::new(FailureKind::UnknownTool).with_note(note))
        }
        _ => Ok(drafted(text, found)),
    }
}

pub(super) fn drafted(text: &str, found: extract::Found<'_>) -> Draft {
    let doubt = found.doubt.map(|refusal| refused(text, refusal));
    Draft { value: found.value, found: found.duplicates, log: found.log, doubt }
}

/// The value as the schema takes it, or everything that is wrong with it.
pub(super) fn fitted(draft: Draft, target: Target<'_>) -> Result<(Value, Log), Failure> {
    let Draft { mut value, found: duplicates, mut log, doubt } = draft;
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
    if found.is_empty() && target.recovery != Recovery::Off && may_be_wrapper(&value, target) {
        match admitted(&value, target, &mut log) {
            Ok(None) => {}
            Ok(Some(inner)) => value = inner,
            Err(of_the_inner) => found = of_the_inner,
        }
    }
    found.splice(0..0, duplicates);
    if !found.is_empty() {
        return Err(schema_failure(found));
    }
    match doubt {
        // Each key is where the schema has it.
        Some(doubt) if !has_only_properties(&value, target) => Err(doubt),
        _ => Ok((value, log)),
    }
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

/// Whether the value has keys that the schema admits and does not name.
fn may_be_wrapper(value: &Value, target: Target<'_>) -> bool {
    let schema = target.checker.schema();
    // A schema that names no properties admits wrappers because it means any object.
    let mut keys = value.as_object().into_iter().flat_map(Map::keys);
    schema.names_keys() && keys.any(|key| !schema.knows(key))
}

/// The arguments inside a value that fits the schema and is a wrapper all the same; what is wrong with them.
fn admitted(
    value: &Value,
    target: Target<'_>,
    log: &mut Log,
) -> Result<Option<Value>, Vec<Violation>> {
    let schema = target.checker.schema();
    let (inner, notes) = mend(value, target, true);
    let is_wrapped = notes.has(RecoveryKind::Wrapper);
    let found = if is_wrapped { target.checker.check(&inner) } else { Vec::new() };
    match (target.name, is_wrapped) {
        (_, true) if found.is_empty() => {
            // Without the tool's name, only what has nothing of the tool outside and nothing else inside.
            let is_outside = |key: &String| !schema.knows(key);
            let is_certain = target.name.is_some()
                || (value.as_object().is_some_and(|entries| entries.keys().all(is_outside))
                    && inner.as_object().is_some_and(|entries| !entries.is_empty())
                    && has_only_properties(&inner, target));
            if !is_certain {
                return Ok(None);
            }
            log.append(notes);
            Ok(Some(inner))
        }
        (Some(_), true) => Err(found),
        (Some(name), false) if unwrap::is_call(value, schema) => {
            let expected = format!("the arguments of `{name}`, and no call around them");
            Err(vec![Violation::schema("", expected, Some(value.clone()))])
        }
        _ => Ok(None),
    }
}

fn has_only_properties(value: &Value, target: Target<'_>) -> bool {
    let schema = target.checker.schema();
    value.as_object().is_some_and(|entries| entries.keys().all(|k| schema.property(k).is_some()))
}

pub(super) fn decode<T: DeserializeOwned>(
    (json, log): (Value, Log),
) -> Result<Reading<T>, Failure> {
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

fn schema_failure(found: Vec<Violation>) -> Failure {
    let violations: Violations = found.into_iter().collect();
    Failure::new(FailureKind::SchemaValidation).with_violations(violations)
}
