//! Reading arguments: text → JSON → schema → type. Model output is hostile input: nothing here panics,
//! recurses without a bound, or takes more than linear time.

mod check;
mod expected;
mod strict;

pub(crate) use check::Checker;
pub(crate) use strict::Unreadable;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, FailureKind, Violation, Violations};

/// Reads `text` as a `T` of the checker's schema. All violations come at once.
pub(crate) fn read<T: DeserializeOwned>(
    text: &str,
    checker: &Checker,
) -> Result<(T, Value), Failure> {
    let (value, mut found) = match strict::value(text) {
        Ok(read) => read,
        Err(Unreadable { kind, note }) => return Err(Failure::new(kind).with_note(note)),
    };
    found.extend(checker.check(&value));
    if !found.is_empty() {
        return Err(schema_failure(found));
    }
    match serde_path_to_error::deserialize::<_, T>(&value) {
        Ok(read) => Ok((read, value)),
        // The type says more than its schema does, as with a hand-written `Deserialize`.
        Err(error) => {
            let pointer = strict::pointer_of(error.path());
            let got = value.pointer(&pointer).cloned();
            let expected = strict::without_quotes(&error.into_inner().to_string());
            Err(schema_failure(vec![Violation::schema(pointer, expected, got)]))
        }
    }
}

fn schema_failure(found: Vec<Violation>) -> Failure {
    let violations: Violations = found.into_iter().collect();
    Failure::new(FailureKind::SchemaValidation).with_violations(violations)
}
