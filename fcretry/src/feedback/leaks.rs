//! What a model was told, where it comes back in a value: small models copy the text of an error into a field.

use serde_json::Value;

use super::{AGAIN, Exchange, NOT_ACCEPTED, Offer, lines, parts, request};
use crate::failure::{Failure, FailureKind, Violations};

/// A line shorter than this may stand in a value by chance.
const TELLING: usize = 20;

/// The lines a model was told about `exchanges`, of those that tell enough to be recognised.
pub(crate) fn told(exchanges: &[Exchange], offer: &Offer, limit: usize) -> Vec<String> {
    if exchanges.is_empty() {
        return Vec::new();
    }
    let lines = exchanges.iter().flat_map(|exchange| lines(&exchange.failure, limit));
    let mut told: Vec<String> = lines.map(|(_, line)| line).collect();
    told.extend([NOT_ACCEPTED.to_owned(), AGAIN.to_owned(), request(offer)]);
    told.extend(parts::TELLING.iter().copied().map(str::to_owned));
    told.retain(|line| line.len() >= TELLING);
    told
}

/// Where in `value` a string repeats what the model was told.
pub(crate) fn leaks(told: &[String], value: &Value) -> Violations {
    let mut found = Violations::new();
    if !told.is_empty() {
        search(value, told, &mut found);
    }
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
    use serde_json::json;

    use super::*;
    use crate::{
        failure::Violation,
        feedback::tests::{exchange, offer},
    };

    #[test]
    fn a_value_that_holds_our_own_words_is_found() {
        let wrong = Violation::new("/total", "the items sum to 45.50, not 54.50");
        let exchanges = [exchange(FailureKind::SemanticValidation, &[("1", "{}")], vec![wrong])];
        let answer = json!({"notes": ["ok", "fixed: /total: the items sum to 45.50, not 54.50"], "total": 1});
        let told = told(&exchanges, &offer(), 2000);
        let found = leaks(&told, &answer);
        assert_eq!(found.iter().map(Violation::pointer).collect::<Vec<_>>(), ["/notes/1"]);
        assert!(leaks(&told, &json!({"notes": ["the total is 45.50"]})).is_empty());
        assert!(leaks(&[], &answer).is_empty());
    }
}
