//! What single keywords say.

use std::collections::HashSet;

use serde_json::{Number, Value};

use super::{
    compile::{Entries, NOTES},
    node::Numbers,
};
use crate::parse::formats;

pub(super) fn numbers(entries: &Entries) -> Numbers {
    let number = |keyword: &str| match entries.get(keyword) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    // Before 2019 the exclusive limits were marks on the others.
    let is_exclusive = |keyword: &str| entries.get(keyword) == Some(&Value::Bool(true));
    let limits = |keyword: &str, exclusive: &str| -> [Option<Number>; 2] {
        let limit = number(keyword);
        if is_exclusive(exclusive) { [None, limit] } else { [limit, number(exclusive)] }
    };
    let [minimum, above] = limits("minimum", "exclusiveMinimum");
    let [maximum, below] = limits("maximum", "exclusiveMaximum");
    Numbers {
        minimum,
        maximum,
        above,
        below,
        multiple_of: number("multipleOf"),
        range: entries.get("format").and_then(Value::as_str).and_then(formats::range),
        is_single: entries.get("format").is_some_and(|format| format == "float"),
    }
}

/// The words of a choice among words, each in a branch of its own or in a list of several.
pub(super) fn words(branches: Option<&Value>) -> Option<Vec<Value>> {
    let mut words = Vec::new();
    for branch in branches?.as_array()? {
        let entries = branch.as_object()?;
        for (keyword, value) in entries {
            match (keyword.as_str(), value) {
                ("const", Value::String(_)) => words.push(value.clone()),
                ("enum", Value::Array(listed)) => words.extend(listed.iter().cloned()),
                ("type", Value::String(name)) if name == "string" => {}
                (note, _) if NOTES.contains(&note) => {}
                _ => return None,
            }
        }
        let is_choice = entries.contains_key("const") != entries.contains_key("enum");
        is_choice.then_some(())?;
    }
    let distinct: HashSet<&str> = words.iter().filter_map(Value::as_str).collect();
    (!words.is_empty() && distinct.len() == words.len()).then_some(words)
}

/// The whole number that a limit of a size is, however it is written.
pub(super) fn count(limit: &Value) -> Option<u64> {
    let float = || limit.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and not negative; what is larger than any count ends at the largest"
    )]
    limit.as_u64().or_else(|| float().map(|float| float as u64))
}

pub(super) fn texts(list: Option<&Value>) -> Vec<String> {
    let names = list.and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}
