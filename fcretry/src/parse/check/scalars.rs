//! What is demanded of a value itself: type, choice, numbers, text.

use std::{cmp::Ordering, collections::HashSet, fmt::Write as _};

use serde_json::{Number, Value};

use super::multiple;
use crate::parse::{
    expected::one_of,
    formats,
    schema::{Kind, Kinds, Node, Numbers, Size, Text},
};

/// A value as far as it is looked at without its parts.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) enum Outside<'v> {
    Null,
    Bool(bool),
    Number(&'v Number),
    Text(&'v str),
    /// An array or an object, whole.
    Container(&'v Value),
}

impl<'v> Outside<'v> {
    pub(super) fn of(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(it) => Self::Bool(*it),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Container(value),
        }
    }

    pub(in crate::parse) fn kind(self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Boolean,
            Self::Number(number) => Kind::of_number(number),
            Self::Text(_) => Kind::String,
            Self::Container(value) => Kind::of(value),
        }
    }

    /// The value itself.
    pub(in crate::parse) fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(it) => Value::Bool(it),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.to_owned()),
            Self::Container(value) => value.clone(),
        }
    }

    /// Numbers are equal by value, however they are written.
    fn is(self, other: &Value) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == *b,
            (Self::Number(a), Value::Number(b)) => compare(a, b) == Ordering::Equal,
            (Self::Text(a), Value::String(b)) => a == b,
            (Self::Container(a), b) => a == b,
            _ => false,
        }
    }
}

/// One thing that is demanded and is not so.
pub(in crate::parse) enum Fault<'s> {
    Kinds(&'s Kinds),
    Constant(&'s Value),
    Options(&'s [Value]),
    Limit(&'static str, &'s Number),
    Multiple(&'s Number),
    Range(i128, i128),
    Single,
    Size(&'static str, u64, &'static str),
    Pattern(&'s str),
    Format(&'s str),
}

impl Fault<'_> {
    /// What is right instead.
    pub(in crate::parse) fn expected(&self) -> String {
        match self {
            Self::Kinds(kinds) => kinds.words(),
            Self::Constant(constant) => constant.to_string(),
            Self::Options(options) => one_of(options),
            Self::Limit(words, limit) => format!("{words} {limit}"),
            Self::Multiple(step) => format!("a multiple of {step}"),
            Self::Range(least, most) => format!("an integer from {least} to {most}"),
            Self::Single => "a number that 32 bits hold".to_owned(),
            Self::Size(words, limit, of) => format!("{words} {limit} {of}"),
            Self::Pattern(pattern) => format!("text that matches `{pattern}`"),
            Self::Format(format) => format!("text of the format `{format}`"),
        }
    }
}

/// Reports all that `node` demands of the value itself and that is not so.
pub(in crate::parse) fn faults<'s>(
    node: &'s Node,
    value: Outside<'_>,
    report: &mut impl FnMut(Fault<'s>),
) {
    if let Some(kinds) = &node.kinds
        && !kinds.has(value.kind())
    {
        // Whatever else is demanded is demanded of another type.
        return report(Fault::Kinds(kinds));
    }
    if let Some(constant) = &node.constant
        && !value.is(constant)
    {
        report(Fault::Constant(constant));
    }
    if let Some(options) = &node.options
        && !options.iter().any(|option| value.is(option))
    {
        report(Fault::Options(options));
    }
    match value {
        Outside::Number(number) => numbers(&node.numbers, number, report),
        Outside::Text(text) => of_text(&node.text, text, report),
        _ => {}
    }
}

fn of_text<'s>(demands: &'s Text, text: &str, report: &mut impl FnMut(Fault<'s>)) {
    let Text { length, pattern, format } = demands;
    if !length.is_any()
        && let Some(fault) = wrong_size(*length, text.chars().count(), "characters")
    {
        report(fault);
    }
    if let Some(pattern) = pattern
        && !pattern.is_match(text)
    {
        report(Fault::Pattern(pattern.as_str()));
    }
    if let Some(format) = format
        && !formats::is_text_of(format, text)
    {
        report(Fault::Format(format));
    }
}

fn numbers<'s>(demands: &'s Numbers, number: &Number, report: &mut impl FnMut(Fault<'s>)) {
    use Ordering::{Equal, Greater, Less};
    let Numbers { minimum, maximum, above, below, multiple_of, range, is_single } = demands;
    let limits: [(_, _, &[Ordering]); 4] = [
        (minimum, "at least", &[Greater, Equal]),
        (maximum, "at most", &[Less, Equal]),
        (above, "more than", &[Greater]),
        (below, "less than", &[Less]),
    ];
    let mut is_within = true;
    for (limit, words, allowed) in limits {
        if let Some(limit) = limit
            && !allowed.contains(&compare(number, limit))
        {
            is_within = false;
            report(Fault::Limit(words, limit));
        }
    }
    if let Some(step) = multiple_of
        && !is_multiple(number, step)
    {
        report(Fault::Multiple(step));
    }
    if *is_single && number.as_f64().is_some_and(|float| float.abs() > f64::from(f32::MAX)) {
        report(Fault::Single);
    }
    // The range of the type says nothing new where its limits are in the schema too.
    if is_within
        && let Some((least, most)) = *range
        && let Some(whole) = whole(number)
        && !(least..=most).contains(&whole)
    {
        report(Fault::Range(least, most));
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

/// Below this many times the step, a float tells well how near a number is to a multiple.
const NEAR: f64 = 1e9;

/// How far from a multiple, in steps, a sum of floats may be that is one: 0.1 + 0.2 is 0.30000000000000004.
const SLACK: f64 = 1e-6;

fn is_multiple(number: &Number, step: &Number) -> bool {
    if let (Some(number), Some(step)) = (whole(number), whole(step))
        && step != 0
    {
        return number % step == 0;
    }
    let (Some(float), Some(by)) = (number.as_f64(), step.as_f64()) else { return true };
    let times = float / by;
    if times.abs() >= NEAR {
        return multiple::is_nearly(number, step, SLACK);
    }
    let slack = (4.0 * f64::EPSILON * times.abs()).max(1e-9);
    // Near to none is none.
    float == 0.0 || (times.round() != 0.0 && (times - times.round()).abs() <= slack)
}

/// What is wrong with a count.
pub(in crate::parse) fn wrong_size(
    limits: Size,
    size: usize,
    of: &'static str,
) -> Option<Fault<'static>> {
    let size = size as u64;
    match (limits.least, limits.most) {
        (Some(least), _) if size < least => Some(Fault::Size("at least", least, of)),
        (_, Some(most)) if size > most => Some(Fault::Size("at most", most, of)),
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
