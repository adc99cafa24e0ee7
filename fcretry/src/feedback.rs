//! What a model is told about a bad answer. Its text is quoted as data, in a user or tool message, and
//! never put into a system message.

mod leaks;
mod parts;
mod words;

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    answer::{Answer, Call, Finish, Form},
    failure::Failure,
    tool::Written,
};
pub(crate) use leaks::{leaked, leaks, told};
pub(crate) use parts::Parts;
use words::{AGAIN, NOT_ACCEPTED, STOPPED, complaint, cut, fenced, lines, request};

/// A bad answer and what was wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    answer: Arc<Answer>,
    failure: Failure,
    parts: Parts,
}

/// What an ask offered, and in which form it wants the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) form: Form,
    /// The names of the tools.
    pub(crate) tools: Vec<String>,
}

/// A message to add to the conversation, in terms of no provider. `Debug` leaves the text out.
#[derive(Clone, PartialEq)]
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

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assistant { calls, .. } => {
                f.debug_struct("Assistant").field("calls", calls).finish_non_exhaustive()
            }
            Self::Tool { .. } => f.debug_struct("Tool").finish_non_exhaustive(),
            Self::User(_) => f.debug_struct("User").finish_non_exhaustive(),
        }
    }
}

impl Exchange {
    /// The exchange that ended in `failure`, if it was about an answer.
    pub(crate) fn of(failure: &Failure, parts: Parts) -> Option<Self> {
        let answer = Arc::clone(failure.shared_answer()?);
        Some(Self { answer, failure: failure.clone(), parts })
    }

    /// What to send in place of the answer.
    fn request(&self, offer: &Offer) -> String {
        self.parts.request().unwrap_or_else(|| request(offer))
    }

    /// What was wrong with which calls of the answer, if each was judged alone. Of a made-up call where one was asked for,
    /// the failure knows the calls in it, which are none of the answer's.
    fn by_call(&self) -> &[(usize, Failure)] {
        if self.parts.calls.is_empty() { &[] } else { self.failure.calls() }
    }

    /// What was wrong with the call at this place of the answer, if it was judged alone.
    fn of_call(&self, place: usize) -> Option<&Failure> {
        self.by_call().iter().find(|(at, _)| *at == place).map(|(_, own)| own)
    }

    fn can_be_replayed(&self, limit: usize) -> bool {
        let Self { answer, parts, .. } = self;
        let content = answer.content.as_deref().map(str::len).unwrap_or_default();
        answer.finish != Finish::Stopped
            && parts.are_native()
            && is_replayable(&answer.calls, content, limit)
    }
}

/// The messages that tell a model about `exchanges`.
pub(crate) fn history(exchanges: &[Exchange], offer: &Offer, limit: usize) -> Vec<Turn> {
    let before = exchanges.first().map(|first| first.parts.told_before(limit)).unwrap_or_default();
    let told = exchanges.iter().flat_map(|exchange| turns(exchange, offer, limit));
    before.into_iter().chain(told).collect()
}

/// The messages that tell a model about `exchange`. What is quoted of the answer, and the list of violations,
/// are `limit` characters each at most.
fn turns(exchange: &Exchange, offer: &Offer, limit: usize) -> Vec<Turn> {
    let Exchange { answer, failure, parts: _ } = exchange;
    let mut complaint = complaint(failure, offer, limit);
    if answer.finish == Finish::Stopped {
        complaint.push_str(STOPPED);
    }
    let request = exchange.request(offer);
    if exchange.can_be_replayed(limit) {
        return replayed(exchange, &complaint, &request, offer, limit);
    }
    if !exchange.by_call().is_empty() {
        return vec![Turn::User(quoted(exchange, &request, offer, limit))];
    }
    if answer.calls.is_empty() {
        let said = answer.content.as_deref().map(|content| cut(content, limit)).unwrap_or_default();
        let mut turns = Vec::new();
        if !said.trim().is_empty() {
            turns.push(Turn::Assistant { content: Some(said), calls: Vec::new() });
        }
        turns.push(Turn::User(format!("{complaint}\n{request}")));
        return turns;
    }
    // Servers reject a history with calls whose arguments are not JSON, and one that is too long would not be
    // whole: such calls are quoted.
    let mut told = complaint;
    let mut room = limit;
    for call in &answer.calls {
        let quote = cut(&call.arguments, room);
        room = room.saturating_sub(quote.chars().count() + 1);
        let _ = write!(told, "\nYou sent these arguments:\n{}", fenced(&quote));
        if room == 0 {
            break;
        }
    }
    vec![Turn::User(format!("{told}\n{request}"))]
}

/// The calls as they were made, each with its result.
fn replayed(
    exchange: &Exchange,
    complaint: &str,
    request: &str,
    offer: &Offer,
    limit: usize,
) -> Vec<Turn> {
    let Exchange { answer, parts, .. } = exchange;
    let last_bad = exchange.by_call().last().map(|(place, _)| *place);
    let share = share(exchange, limit);
    let mut turns =
        vec![Turn::Assistant { content: answer.content.clone(), calls: answer.calls.clone() }];
    for (i, call) in answer.calls.iter().enumerate() {
        let text = match exchange.of_call(i) {
            // What to send is said once where it is of them all.
            Some(own) if parts.open.is_some() && last_bad != Some(i) => {
                self::complaint(own, offer, share)
            }
            Some(own) => format!("{}\n{request}", self::complaint(own, offer, share)),
            None if last_bad.is_some() => parts::KEPT.to_owned(),
            None if i == 0 => format!("{complaint}\n{request}"),
            None => "Not accepted, for the reason given above.".to_owned(),
        };
        turns.push(Turn::Tool { id: call.id.clone(), text });
    }
    turns
}

/// What each of several bad calls may take of the room for what was wrong.
fn share(exchange: &Exchange, limit: usize) -> usize {
    (limit / exchange.by_call().len().max(1)).max(LEAST)
}

/// The least that is told of a bad call, in characters.
const LEAST: usize = 100;

/// The bad calls of an answer that cannot be replayed, each with what was wrong with it, and the good ones.
fn quoted(exchange: &Exchange, request: &str, offer: &Offer, limit: usize) -> String {
    let mut told = String::new();
    let mut room = limit;
    let share = share(exchange, limit);
    for (i, call) in exchange.parts.calls.iter().enumerate() {
        let Some(own) = exchange.of_call(i) else { continue };
        // Of calls without number the first ones tell enough.
        if told.len() > 4 * limit {
            told.push_str("The others were not accepted either.\n");
            break;
        }
        if room > 0 {
            // The arguments alone where there is one call, and no doubt which it is.
            let quote = match call {
                Written::Call(call) if exchange.parts.calls.len() == 1 => {
                    cut(&call.arguments, room)
                }
                call => cut(&parts::in_words(call), room),
            };
            room = room.saturating_sub(quote.chars().count());
            let _ = writeln!(told, "You sent this:\n{}", fenced(&quote));
        }
        let _ = writeln!(told, "{}", complaint(own, offer, share));
    }
    if exchange.parts.open.is_some() {
        let is_bad = |i| exchange.of_call(i).is_some();
        exchange.parts.quote_good(&mut told, is_bad, limit);
        told.push('\n');
    }
    told + request
}

/// Whether a server takes these calls in a history, and they are whole there.
fn is_replayable(calls: &[Call], beside: usize, limit: usize) -> bool {
    let is_object = |call: &Call| {
        serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments).is_ok()
    };
    let arguments: usize = calls.iter().map(|call| call.arguments.len()).sum();
    !calls.is_empty()
        && arguments.saturating_add(beside) <= limit
        && calls.iter().all(|call| !call.id.is_empty() && is_object(call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FailureKind, Violation};
    use serde_json::json;

    pub(super) fn exchange(
        kind: FailureKind,
        calls: &[(&str, &str)],
        violations: Vec<Violation>,
    ) -> Exchange {
        let calls = calls.iter().map(|(id, args)| Call::new(*id, "place_order", *args)).collect();
        let answer = Answer { calls, ..Answer::default() };
        let failure = Failure::new(kind)
            .with_violations(violations.into_iter().collect())
            .with_answer(Arc::new(answer));
        Exchange::of(&failure, Parts::default()).unwrap()
    }

    pub(super) fn offer() -> Offer {
        Offer { form: Form::Call, tools: vec!["place_order".to_owned()] }
    }

    #[test]
    fn arguments_that_are_too_long_to_repeat_are_quoted_in_part() {
        let long = format!(r#"{{"note": "{}"}}"#, "x".repeat(10_000));
        let wrong = Violation::new("/note", "is too long");
        let exchange =
            exchange(FailureKind::SemanticValidation, &[("1", &long), ("2", &long)], vec![wrong]);
        let turns = turns(&exchange, &offer(), 500);
        let [Turn::User(text)] = turns.as_slice() else { panic!("{turns:?}") };
        assert!(text.chars().count() < 900, "{}", text.chars().count());
    }

    #[test]
    fn json_arguments_are_replayed_and_every_call_gets_its_result() {
        let calls = [("1", r#"{"total": "x"}"#), ("2", "{}")];
        let wrong = Violation::schema("/total", "a number", Some(json!("x")));
        let turns =
            turns(&exchange(FailureKind::SchemaValidation, &calls, vec![wrong]), &offer(), 2000);
        let text = "The arguments were not accepted, because of:\n- /total: expected a number; got \"x\"\n\
                    Call `place_order` again with all its arguments, corrected.";
        let [Turn::Assistant { calls, .. }, first, second] = turns.as_slice() else {
            panic!("{turns:?}")
        };
        assert_eq!(calls.len(), 2);
        assert_eq!(*first, Turn::Tool { id: "1".into(), text: text.into() });
        assert!(matches!(second, Turn::Tool { id, text } if id == "2" && text.len() < 50));
    }

    #[test]
    fn arguments_that_are_no_json_are_quoted_in_a_user_message() {
        let calls = [("1", "{'a': ```}")];
        let turns = turns(&exchange(FailureKind::StructuralParse, &calls, vec![]), &offer(), 2000);
        let [Turn::User(text)] = turns.as_slice() else { panic!("{turns:?}") };
        assert!(text.contains("````\n{'a': ```}\n````"), "{text}");
    }

    #[test]
    fn what_is_fed_back_is_bounded() {
        let long = "x".repeat(100_000);
        let violations: Vec<_> =
            (0..1000).map(|i| Violation::new(format!("/{i}"), &long)).collect();
        let exchange = exchange(FailureKind::SemanticValidation, &[("1", &long)], violations);
        let [Turn::User(text)] = &turns(&exchange, &offer(), 500)[..] else { panic!() };
        assert!(text.chars().count() < 1500, "{}", text.chars().count());
        assert!(text.contains("and 999 more"), "{text}");
    }
}
