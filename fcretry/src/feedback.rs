//! What a model is told about a bad answer. Its text is quoted as data, in a user or tool message, and
//! never put into a system message.

use std::{fmt::Write as _, sync::Arc};

use serde_json::Value;

use crate::{
    answer::{Answer, Call},
    failure::{Failure, FailureKind, Violation, Violations},
};

/// The most characters of one value that a violation's line quotes.
const QUOTED_VALUE: usize = 200;

/// A line shorter than this may stand in a value by chance.
const TELLING: usize = 20;

/// A bad answer and what was wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    answer: Arc<Answer>,
    failure: Failure,
}

/// A message to add to the conversation, in terms of no provider.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Turn {
    /// What the model said, as it was.
    Assistant {
        /// Its text.
        content: Option<String>,
        /// Its calls.
        calls: Vec<Call>,
    },
    /// The result of one of its calls.
    Tool {
        /// The call's id.
        id: String,
        /// What was wrong with it.
        text: String,
    },
    /// What is said to it outside a call.
    User(String),
}

impl Exchange {
    /// The exchange that ended in `failure`, if it was about an answer.
    pub(crate) fn of(failure: &Failure) -> Option<Self> {
        let answer = Arc::clone(failure.shared_answer()?);
        Some(Self { answer, failure: failure.clone() })
    }
}

/// The messages that tell a model about `exchange`. `tools` are the names offered; none where JSON content was
/// asked for. Quotes and lists are cut to `limit` characters each.
pub(crate) fn turns(exchange: &Exchange, tools: &[&str], limit: usize) -> Vec<Turn> {
    let Exchange { answer, failure } = exchange;
    let text = format!("{}\n{}", complaint(failure, tools, limit), request(tools));
    if can_be_replayed(&answer.calls) {
        let mut turns =
            vec![Turn::Assistant { content: answer.content.clone(), calls: answer.calls.clone() }];
        turns.extend(
            answer.calls.iter().map(|call| Turn::Tool { id: call.id.clone(), text: text.clone() }),
        );
        return turns;
    }
    if answer.calls.is_empty() {
        let said = answer.content.as_deref().map(|content| cut(content, limit)).unwrap_or_default();
        let mut turns = Vec::new();
        if !said.trim().is_empty() {
            turns.push(Turn::Assistant { content: Some(said), calls: Vec::new() });
        }
        turns.push(Turn::User(text));
        return turns;
    }
    // Servers reject a history with calls whose arguments are not JSON, so they are quoted.
    let mut told = complaint(failure, tools, limit);
    for call in &answer.calls {
        let _ =
            write!(told, "\nYou sent these arguments:\n{}", fenced(&cut(&call.arguments, limit)));
    }
    vec![Turn::User(format!("{told}\n{}", request(tools)))]
}

fn can_be_replayed(calls: &[Call]) -> bool {
    let is_object = |call: &Call| {
        serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments).is_ok()
    };
    !calls.is_empty() && calls.iter().all(|call| !call.id.is_empty() && is_object(call))
}

/// What was wrong: a sentence, then every violation on a line.
fn complaint(failure: &Failure, tools: &[&str], limit: usize) -> String {
    let what = if tools.is_empty() { "The JSON" } else { "The arguments" };
    let mut text = match failure.kind() {
        FailureKind::StructuralParse | FailureKind::Truncated => {
            let why = failure.note().unwrap_or("it could not be read");
            format!("{what} could not be read: {why}.")
        }
        FailureKind::UnknownTool => {
            format!("There is no such tool. The tools are: {}.", list(tools))
        }
        FailureKind::NoToolCall if tools.is_empty() => "The answer holds no JSON.".to_owned(),
        FailureKind::NoToolCall => {
            "A tool call is required; text alone is not accepted.".to_owned()
        }
        _ if failure.violations().is_empty() => format!("{what} were not accepted."),
        _ => format!("{what} were not accepted, because of:"),
    };
    let mut room = limit;
    for (i, violation) in failure.violations().iter().enumerate() {
        let line = line(violation);
        match room.checked_sub(line.chars().count() + 3) {
            Some(rest) => room = rest,
            // At least one is told, however long.
            None if i == 0 => room = 0,
            None => {
                let _ = write!(text, "\n- and {} more", failure.violations().len() - i);
                break;
            }
        }
        let _ = write!(text, "\n- {}", cut(&line, limit));
    }
    text
}

fn request(tools: &[&str]) -> String {
    match tools {
        [] => "Send the whole JSON again, corrected, and nothing else.".to_owned(),
        [tool] => format!("Call `{tool}` again with all its arguments, corrected."),
        _ => format!("Call one of {} again with all its arguments, corrected.", list(tools)),
    }
}

fn list(tools: &[&str]) -> String {
    let named: Vec<_> = tools.iter().map(|tool| format!("`{tool}`")).collect();
    named.join(", ")
}

/// Where, what was expected, what was got.
fn line(violation: &Violation) -> String {
    let place =
        if violation.pointer().is_empty() { "the whole value" } else { violation.pointer() };
    let said = violation.expected();
    if violation.is_semantic() {
        return format!("{place}: {said}");
    }
    match violation.got() {
        Some(got) => {
            format!("{place}: expected {said}; got {}", cut(&got.to_string(), QUOTED_VALUE))
        }
        None => format!("{place}: expected {said}; got nothing"),
    }
}

/// At most `limit` characters of `text`, and a mark where more followed.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}… (cut)", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `text` between fences that it cannot close.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{text}\n{fence}")
}

/// Where in `value` a string repeats what was fed back.
pub(crate) fn leaks(exchanges: &[Exchange], value: &Value) -> Violations {
    let mut found = Violations::new();
    if exchanges.is_empty() {
        return found;
    }
    let mut lines: Vec<String> =
        exchanges.iter().flat_map(|e| e.failure.violations()).map(line).collect();
    lines.extend(
        ["were not accepted, because of:", "again with all its arguments, corrected"]
            .map(str::to_owned),
    );
    lines.retain(|line| line.len() >= TELLING);
    search(value, &lines, &mut found);
    found
}

fn search(value: &Value, lines: &[String], found: &mut Violations) {
    match value {
        Value::String(text) if lines.iter().any(|line| text.contains(line.as_str())) => {
            found.push("", "holds the text of an error message; the value itself belongs here");
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                found.at(format!("/{i}"), |found| search(item, lines, found));
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                found.at(format!("/{key}"), |found| search(item, lines, found));
            }
        }
        _ => {}
    }
}

/// The failure of an answer that repeats what was fed back.
pub(crate) fn leaked(leaks: Violations) -> Failure {
    Failure::new(FailureKind::SemanticValidation)
        .with_note("the answer repeats the text of an error message")
        .with_violations(leaks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exchange(kind: FailureKind, calls: &[(&str, &str)], violations: Vec<Violation>) -> Exchange {
        let calls = calls.iter().map(|(id, args)| Call::new(*id, "place_order", *args)).collect();
        let answer = Answer { calls, ..Answer::default() };
        let failure = Failure::new(kind)
            .with_violations(violations.into_iter().collect())
            .with_answer(Arc::new(answer));
        Exchange::of(&failure).unwrap()
    }

    #[test]
    fn json_arguments_are_replayed_and_every_call_gets_its_result() {
        let calls = [("1", r#"{"total": "x"}"#), ("2", "{}")];
        let wrong = Violation::schema("/total", "a number", Some(json!("x")));
        let turns = turns(
            &exchange(FailureKind::SchemaValidation, &calls, vec![wrong]),
            &["place_order"],
            2000,
        );
        let text = "The arguments were not accepted, because of:\n- /total: expected a number; got \"x\"\n\
                    Call `place_order` again with all its arguments, corrected.";
        let [Turn::Assistant { calls, .. }, first, second] = turns.as_slice() else {
            panic!("{turns:?}")
        };
        assert_eq!(calls.len(), 2);
        assert_eq!(*first, Turn::Tool { id: "1".into(), text: text.into() });
        assert!(matches!(second, Turn::Tool { id, .. } if id == "2"));
    }

    #[test]
    fn arguments_that_are_no_json_are_quoted_in_a_user_message() {
        let calls = [("1", "{'a': ```}")];
        let turns =
            turns(&exchange(FailureKind::StructuralParse, &calls, vec![]), &["place_order"], 2000);
        let [Turn::User(text)] = turns.as_slice() else { panic!("{turns:?}") };
        assert!(text.contains("````\n{'a': ```}\n````"), "{text}");
    }

    #[test]
    fn what_is_fed_back_is_bounded() {
        let long = "x".repeat(100_000);
        let violations: Vec<_> =
            (0..1000).map(|i| Violation::new(format!("/{i}"), &long)).collect();
        let exchange = exchange(FailureKind::SemanticValidation, &[("1", &long)], violations);
        let [Turn::User(text)] = &turns(&exchange, &["t"], 500)[..] else { panic!() };
        assert!(text.chars().count() < 1500, "{}", text.chars().count());
        assert!(text.contains("and 999 more"), "{text}");
    }

    #[test]
    fn a_value_that_holds_our_own_words_is_found() {
        let wrong = Violation::new("/total", "the items sum to 45.50, not 54.50");
        let exchanges = [exchange(FailureKind::SemanticValidation, &[("1", "{}")], vec![wrong])];
        let answer = json!({"notes": ["ok", "fixed: /total: the items sum to 45.50, not 54.50"], "total": 1});
        let found = leaks(&exchanges, &answer);
        assert_eq!(found.iter().map(Violation::pointer).collect::<Vec<_>>(), ["/notes/1"]);
        assert!(leaks(&exchanges, &json!({"notes": ["the total is 45.50"]})).is_empty());
        assert!(leaks(&[], &answer).is_empty());
    }
}
