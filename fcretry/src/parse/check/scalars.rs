use std::{cmp::Ordering, collections::HashSet, fmt::Write as _};

use serde_json::{Number, Value};

use super::{Found, Walk, formats};
use crate::parse::{
    expected::{one_of, with_article},
    schema::Schema,
};

impl Walk<'_> {
    /// The keywords about a value itself: type, choice, numbers, text.
    pub(super) fn scalar(
        &self,
        schema: Schema<'_>,
        value: &Value,
        pointer: &str,
        found: &mut Found,
    ) -> bool {
        let mut right = true;
        let mut object = |expected: String| {
            right = false;
            found.add(pointer, || expected, Some(value));
        };
        if let Some(wanted) = wrong_type(schema, value) {
            object(wanted);
            return false;
        }
        if let Some(constant) = schema.get("const")
            && !is_equal(constant, value)
        {
            object(constant.to_string());
        }
        if let Some(options) = schema.get("enum").and_then(Value::as_array)
            && !options.iter().any(|option| is_equal(option, value))
        {
            object(one_of(options));
        }
        match value {
            Value::Number(number) => numbers(schema, number, &mut object),
            Value::String(text) => self.text(schema, text, &mut object),
            _ => {}
        }
        right
    }

    fn text(&self, schema: Schema<'_>, text: &str, object: &mut impl FnMut(String)) {
        if schema.get("minLength").is_some() || schema.get("maxLength").is_some() {
            let length = text.chars().count();
            let limits = ["minLength", "maxLength"];
            if let Some(expected) = wrong_size(schema, limits, length, "characters") {
                object(expected);
            }
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && self.patterns.get(pattern).is_some_and(|regex| !regex.is_match(text))
        {
            object(format!("text that matches `{pattern}`"));
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && !formats::is_text_of(format, text)
        {
            object(format!("text of the format `{format}`"));
        }
    }
}

/// What is expected instead, if the type is another.
fn wrong_type(schema: Schema<'_>, value: &Value) -> Option<String> {
    let is = |name: &str| match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => is_whole(number),
        _ => false,
    };
    match schema.get("type")? {
        Value::String(name) => (!is(name)).then(|| with_article(name)),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            let is_one = names.iter().any(|name| is(name));
            (!is_one)
                .then(|| names.iter().map(|n| with_article(n)).collect::<Vec<_>>().join(" or "))
        }
        _ => None,
    }
}

/// In JSON Schema 5.0 is an integer; no integer type of Rust reads it, so here it is none.
fn is_whole(number: &Number) -> bool {
    !number.is_f64()
}

fn numbers(schema: Schema<'_>, number: &Number, object: &mut impl FnMut(String)) {
    use Ordering::{Equal, Greater, Less};
    let limits: [(&str, &str, &[Ordering]); 4] = [
        ("minimum", "at least", &[Greater, Equal]),
        ("maximum", "at most", &[Less, Equal]),
        ("exclusiveMinimum", "more than", &[Greater]),
        ("exclusiveMaximum", "less than", &[Less]),
    ];
    let mut is_within = true;
    for (keyword, words, allowed) in limits {
        if let Some(Value::Number(limit)) = schema.get(keyword)
            && !allowed.contains(&compare(number, limit))
        {
            is_within = false;
            object(format!("{words} {limit}"));
        }
    }
    if let Some(Value::Number(step)) = schema.get("multipleOf")
        && !is_multiple(number, step)
    {
        object(format!("a multiple of {step}"));
    }
    // The range of the type says nothing new where its limits are in the schema too.
    if is_within
        && let Some(format) = schema.get("format").and_then(Value::as_str)
        && let Some((least, most)) = formats::range(format)
        && let Some(whole) = whole(number)
        && !(least..=most).contains(&whole)
    {
        object(format!("an integer from {least} to {most}"));
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn compare(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn is_multiple(number: &Number, step: &Number) -> bool {
    match (whole(number), whole(step)) {
        (Some(number), Some(step)) if step != 0 => number % step == 0,
        _ => {
            let (Some(number), Some(step)) = (number.as_f64(), step.as_f64()) else { return true };
            let times = number / step;
            // 0.3 is three times 0.1, which no float is.
            (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
        }
    }
}

/// Numbers are equal by value, however they are written.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Ordering::Equal,
        _ => a == b,
    }
}

/// What is expected instead, if a count is not within its two limits.
pub(super) fn wrong_size(
    schema: Schema<'_>,
    [least, most]: [&str; 2],
    size: usize,
    of: &str,
) -> Option<String> {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let size = size as u64;
    match (limit(least), limit(most)) {
        (Some(least), _) if size < least => Some(format!("at least {least} {of}")),
        (_, Some(most)) if size > most => Some(format!("at most {most} {of}")),
        _ => None,
    }
}

/// Whether no two items are equal, in time linear in their size.
pub(super) fn are_unique(items: &[Value]) -> bool {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().all(|item| {
        let mut canonical = String::new();
        write_canonical(item, &mut canonical);
        seen.insert(canonical)
    })
}

/// A text that equal values have in common, whatever the order of their keys.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in sorted {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Number(number) if number.as_f64().is_some_and(|f| f.fract() == 0.0) => {
            match whole(number) {
                Some(whole) => out.push_str(&whole.to_string()),
                None => {
                    let _ = write!(out, "{:.0}", number.as_f64().unwrap_or_default());
                }
            }
        }
        other => out.push_str(&other.to_string()),
    }
}
