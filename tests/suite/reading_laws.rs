//! Laws of reading that hold for any value: what is written without loss comes back equal, and what is not is
//! refused, or comes back equal by luck, but never as another value.

pub(crate) mod damage;
pub(crate) mod values;

use std::fmt::Debug;

use fcretry::{
    Failure, FailureKind,
    parse::{Parsed, Reader},
};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};
use serde_json::{Value, json};

use damage::{Damage as D, write};
use values::{arguments, container, leaves, schema_of, value};

/// Holds `law` against `cases` values of `strategy`, the same in every run; the smallest that breaks it, if one does.
fn broken_by<S: Strategy>(
    cases: u32,
    strategy: &S,
    law: impl Fn(S::Value) -> Result<(), TestCaseError>,
) -> Option<String>
where
    S::Value: Debug,
{
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5eed),
        max_shrink_iters: 4096,
        ..Config::default()
    };
    match TestRunner::new(config).run(strategy, law) {
        Ok(()) => None,
        Err(TestError::Fail(reason, input)) => Some(format!("{reason}\n    from {input:?}")),
        Err(TestError::Abort(reason)) => Some(reason.to_string()),
    }
}

fn holds<S: Strategy>(cases: u32, strategy: &S, law: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: Debug,
{
    if let Some(broken) = broken_by(cases, strategy, law) {
        panic!("{broken}");
    }
}

fn read(text: &str, schema: &Value) -> Result<Parsed, Failure> {
    Reader::new(schema).unwrap().read(text)
}

fn read_any(text: &str) -> Result<Parsed, Failure> {
    read(text, &Value::Bool(true))
}

/// Whether `text` is refused or, if `or_equal`, read as `original`.
fn never_another(text: &str, original: Option<&Value>) -> Result<(), TestCaseError> {
    match read_any(text) {
        Ok(parsed) if Some(&parsed.value) != original => Err(TestCaseError::fail(format!(
            "read as {} ({:?})\n    text {text:?}",
            parsed.value, parsed.recovered
        ))),
        _ => Ok(()),
    }
}

#[test]
fn json_comes_back_unchanged_and_the_same_twice() {
    holds(1024, &value(), |value| {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let parsed =
                read_any(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
            prop_assert_eq!(&parsed.value, &value, "{}", text);
            prop_assert!(parsed.recovered.is_empty(), "{:?}", parsed.recovered);
            let again = read_any(&parsed.value.to_string()).unwrap();
            prop_assert_eq!(again, parsed);
        }
        Ok(())
    });
}

/// `value`, written with `damages`, reads back equal and is flagged.
fn survives(value: &Value, damages: &[D]) -> Result<(), TestCaseError> {
    let text = write(value, damages);
    let schema = if damages.iter().any(|d| d.is_of_values()) {
        schema_of(value, damages.contains(&D::EnumSpelling))
    } else {
        Value::Bool(true)
    };
    let fault =
        |what: String| TestCaseError::fail(format!("{damages:?}: {what}\n    text {text:?}"));
    let parsed = read(&text, &schema).map_err(|failure| {
        let violations: Vec<_> = failure.violations().iter().map(ToString::to_string).collect();
        fault(format!("refused: {failure} {violations:?}"))
    })?;
    if parsed.value != *value {
        return Err(fault(format!("read as {}", parsed.value)));
    }
    let is_damaged = serde_json::from_str::<Value>(&text).ok().as_ref() != Some(value);
    if parsed.recovered.is_empty() == is_damaged {
        return Err(fault(format!("flagged {:?}", parsed.recovered)));
    }
    given_up_nowhere(&text, &schema).map_err(&fault)?;
    let again = read(&parsed.value.to_string(), &schema).map_err(|e| fault(e.to_string()))?;
    if again.value != parsed.value || !again.recovered.is_empty() {
        return Err(fault(format!("and then as {again:?}")));
    }
    Ok(())
}

/// A text that reads well is given up at none of its starts.
fn given_up_nowhere(text: &str, schema: &Value) -> Result<(), String> {
    let reader = Reader::new(schema).unwrap();
    let named = Reader::new(schema).unwrap().tool("the_tool");
    let every = text.len() / 12 + 1;
    for (i, (end, _)) in text.char_indices().enumerate() {
        if i % every == 0 {
            for reader in [&reader, &named] {
                let start = &text[..end];
                reader
                    .look_at_start(start)
                    .map_err(|failure| format!("given up at {end}: {failure}, {start:?}"))?;
            }
        }
    }
    Ok(())
}

/// What breaks each combination that reads back otherwise.
fn not_surviving(cases: u32, combinations: &[Vec<D>]) -> String {
    let broken = combinations.iter().filter_map(|damages| {
        if damages.iter().any(|d| d.is_around()) {
            broken_by(cases, &arguments(), |value| survives(&value, damages))
        } else {
            broken_by(cases, &container(), |value| survives(&value, damages))
        }
    });
    broken.collect::<Vec<_>>().join("\n")
}

/// All combinations of one or two damages, of which the last is `around` the value or not.
fn combinations(size: usize, around: bool) -> Vec<Vec<D>> {
    let of_one = D::ALL.iter().map(|damage| vec![*damage]);
    let of_two = D::ALL
        .iter()
        .enumerate()
        .flat_map(|(i, one)| D::ALL[i + 1..].iter().map(|other| vec![*one, *other]));
    let all: Vec<Vec<D>> = if size == 1 { of_one.collect() } else { of_two.collect() };
    all.into_iter().filter(|damages| damages.iter().any(|d| d.is_around()) == around).collect()
}

#[test]
fn what_one_damage_leaves_whole_reads_back_equal() {
    let broken = not_surviving(256, &combinations(1, false));
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn what_two_damages_leave_whole_reads_back_equal() {
    let broken = not_surviving(48, &combinations(2, false));
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn what_something_was_put_around_reads_back_equal() {
    let broken = not_surviving(256, &combinations(1, true));
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn what_something_was_put_around_and_another_damage_leaves_whole_reads_back_equal() {
    let mut combinations = combinations(2, true);
    // A string in prose is a quotation.
    combinations.retain(|damages| *damages != [D::Encoded, D::Prose]);
    let broken = not_surviving(48, &combinations);
    assert!(broken.is_empty(), "{broken}");
}

/// The ways of writing in which what is lost must show.
const WRITTEN: &[&[D]] = &[
    &[],
    &[D::SingleQuotes, D::PythonLiterals],
    &[D::UnquotedKeys, D::TrailingCommas, D::MissingCommas],
    &[D::Braces],
];

/// The same, with something around the value, or comments in it.
const WRITTEN_AROUND: &[&[D]] = &[
    &[D::LineComments, D::BlockComments],
    &[D::Fence],
    &[D::Tags],
    &[D::Prose],
    &[D::Prose, D::Fence],
];

/// Whether `value`, written so, is refused wherever it is cut.
fn is_never_completed(value: &Value, written: &[&[D]]) -> Result<(), TestCaseError> {
    for damages in written {
        if damages.iter().any(|d| d.is_around()) && !value.is_object() {
            continue;
        }
        let text = write(value, damages);
        let start = text.find(['{', '[']).unwrap();
        let end = text.rfind(if value.is_object() { '}' } else { ']' }).unwrap();
        for (at, _) in text.char_indices().filter(|(at, _)| (start..=end).contains(at)) {
            never_another(&text[..at], None)?;
        }
    }
    Ok(())
}

#[test]
fn what_is_cut_is_refused_wherever_it_is_cut() {
    holds(128, &container(), |value| is_never_completed(&value, WRITTEN));
}

#[test]
fn what_is_cut_and_has_something_around_it_is_refused() {
    holds(256, &arguments(), |value| is_never_completed(&value, WRITTEN_AROUND));
}

/// What is no value, but stands where one is due.
const UNKNOWABLE: &[&str] = &[
    "1/6",
    "6*12+2",
    "1 + 1",
    "5 -3",
    "2 ** 8",
    "(1 + 2)",
    "x",
    "undefined",
    "two words",
    "item.price",
    "data[\"x\"]",
    "data['x']",
    "total(1)",
    "<year>",
    "{year}",
    "{{year}}",
    "${year}",
    "...",
    "[...]",
    "NaN",
    "-Infinity",
    "1e",
    "--1",
    "0x",
    "1_",
    "07",
    "30 days",
    "30px",
    "12:30",
    "2024-01-01",
    "3.14.15",
    "$5",
    "5%",
    "\"a\" + \"b\"",
    "\"a\".upper()",
    "\"a\" * 3",
    "f\"{x}\"",
    "b'x'",
    "1 if x else 2",
    "[n for n in m]",
    "{1, 2}",
    "{\"x\"}",
    "",
];

/// Whether `value`, written so, is refused with each of [`UNKNOWABLE`] at `leaf`.
fn is_never_guessed(value: &Value, leaf: &str, written: &[&[D]]) -> Result<(), TestCaseError> {
    const HOLE: &str = "@@";
    let mut value = value.clone();
    *value.pointer_mut(leaf).unwrap() = json!(HOLE);
    let is_in_list = value.pointer(leaf.rsplit_once('/').unwrap().0).unwrap().is_array();
    for damages in written {
        let text = write(&value, damages);
        for quote in ["\"", "'"] {
            let hole = format!("{quote}{HOLE}{quote}");
            if text.matches(&hole).count() != 1 {
                continue;
            }
            for unknowable in UNKNOWABLE.iter().filter(|it| !(is_in_list && it.is_empty())) {
                never_another(&text.replace(&hole, unknowable), None)?;
            }
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_known_is_refused_in_the_place_of_any_leaf() {
    holds(192, &(arguments(), any::<Index>()), |(value, which)| {
        let leaves = leaves(&value);
        is_never_guessed(&value, &leaves[which.index(leaves.len())], WRITTEN)
    });
}

#[test]
fn what_cannot_be_known_is_refused_with_something_around_it() {
    holds(192, &(arguments(), any::<Index>()), |(value, which)| {
        let leaves = leaves(&value);
        is_never_guessed(&value, &leaves[which.index(leaves.len())], WRITTEN_AROUND)
    });
}

/// The quotes, brackets and separators of JSON text, with where they are.
fn marks(json: &str) -> Vec<(usize, char)> {
    let mut marks = Vec::new();
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, c) in json.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => {
                in_string = !in_string;
                marks.push((at, c));
            }
            '{' | '}' | '[' | ']' | ':' | ',' if !in_string => marks.push((at, c)),
            _ => {}
        }
    }
    marks
}

/// `json` without the mark at `at`, and with another of its kind there, never reads as another value.
fn mark_matters(json: &str, at: usize, mark: char, original: &Value) -> Result<(), TestCaseError> {
    let (before, after) = (&json[..at], &json[at + 1..]);
    let is_digit = |c: char| c.is_ascii_digit();
    // `[1,2]` without its comma is `[12]`, and nobody can know.
    if !(mark == ',' && before.ends_with(is_digit) && after.starts_with(is_digit)) {
        never_another(&format!("{before}{after}"), Some(original))?;
    }
    let same_way = ["{[(", "}])"].into_iter().find(|marks| marks.contains(mark));
    for other in same_way.unwrap_or_default().chars().filter(|other| *other != mark) {
        never_another(&format!("{before}{other}{after}"), Some(original))?;
    }
    Ok(())
}

#[test]
fn a_mark_lost_or_swapped_never_makes_another_value() {
    holds(512, &arguments(), |value| {
        let json = value.to_string();
        let marks = marks(&json);
        let is_bracket = |c: char| "{}[]".contains(c);
        let brackets = marks.iter().filter(|(_, mark)| is_bracket(*mark)).count();
        // With brackets in strings, a lost quote lets them out: see below.
        let are_quotes_safe = json.matches(is_bracket).count() == brackets;
        for (at, mark) in marks.into_iter().skip(1) {
            if mark != '"' || are_quotes_safe {
                mark_matters(&json, at, mark, &value)?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_mark_lost_at_the_edge_or_before_a_bracket_never_makes_another_value() {
    holds(512, &container(), |value| {
        let json = value.to_string();
        marks(&json).into_iter().try_for_each(|(at, mark)| mark_matters(&json, at, mark, &value))
    });
}

#[test]
fn a_value_fits_its_own_schema() {
    holds(512, &value(), |value| {
        for is_choice in [false, true] {
            let parsed = read(&value.to_string(), &schema_of(&value, is_choice))
                .map_err(|failure| TestCaseError::fail(format!("{failure:?}")))?;
            prop_assert_eq!(&parsed.value, &value);
            prop_assert!(parsed.recovered.is_empty());
        }
        Ok(())
    });
}

/// `old`, as values of other types.
fn retyped(old: &Value) -> Vec<Value> {
    let mut others = vec![json!(null), json!(true), json!("word"), json!(""), json!([]), json!({})];
    others.extend([json!(7), json!(0.5), json!([7]), json!({"a": 7}), json!("7 or so")]);
    // What holds the same, and may be put right.
    others.push(json!(old.to_string()));
    if let Some(whole) = old.as_i64().and_then(|n| i32::try_from(n).ok()) {
        others.push(json!(f64::from(whole)));
    }
    let kind = |value: &Value| match value {
        Value::Number(number) => if number.is_f64() { "number" } else { "integer" }.to_owned(),
        other => format!("{:?}", std::mem::discriminant(other)),
    };
    // A whole number is a number.
    others.retain(|new| kind(new) != kind(old) && !(new.is_number() && kind(old) == "number"));
    others
}

#[test]
fn a_leaf_of_another_type_is_told_by_its_pointer_or_put_right() {
    let marked = (value(), any::<Index>());
    holds(384, &marked, |(value, which)| {
        let leaves = leaves(&value);
        let leaf = &leaves[which.index(leaves.len())];
        let old = value.pointer(leaf).unwrap();
        let reader = Reader::new(&schema_of(&value, false)).unwrap();
        for new in retyped(old) {
            let mut changed = value.clone();
            *changed.pointer_mut(leaf).unwrap() = new;
            let text = changed.to_string();
            match reader.read(&text) {
                Ok(parsed) => {
                    prop_assert_eq!(&parsed.value, &value, "{}", text);
                    prop_assert!(!parsed.recovered.is_empty(), "{}", text);
                }
                Err(failure) => {
                    prop_assert_eq!(failure.kind(), FailureKind::SchemaValidation, "{}", text);
                    let found = failure.violations();
                    prop_assert!(!found.is_empty(), "{}", text);
                    for violation in found {
                        // Of a list that should be empty, an item may be what is told.
                        let at = violation.pointer();
                        prop_assert!(at.starts_with(leaf.as_str()), "{} {}", at, text);
                    }
                }
            }
        }
        Ok(())
    });
}
