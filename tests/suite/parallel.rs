//! Several calls in one answer: the good ones are kept, and the bad ones are asked for again.

use fcretry::{
    Action, FailureKind, StoppedBy, Turn,
    answer::{Answer, Call},
    prelude::*,
    testing::{MockModel, Reply},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Mock, last_message};

/// Place an order.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct Place {
    customer: String,
}

/// Cancel an order. Neither `Clone` nor `Send`.
#[derive(Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
struct Cancel {
    #[schemars(range(min = 1))]
    number: u32,
    #[serde(skip)]
    #[schemars(skip)]
    _here: std::marker::PhantomData<*const ()>,
}

#[derive(Debug, PartialEq, ToolCall)]
enum Desk {
    Place(Place),
    Cancel(Cancel),
}

#[retry_policy(max_attempts = 6)]
async fn all(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
    attempt.chat(client, "m").user("go").call_all().await
}

fn place(customer: &str) -> (&'static str, Value) {
    ("place", json!({"customer": customer}))
}

fn cancel(number: impl Into<Value>) -> (&'static str, Value) {
    ("cancel", json!({"number": number.into()}))
}

fn calls(calls: impl IntoIterator<Item = (&'static str, Value)>) -> Reply {
    Reply::tool_calls(calls)
}

/// What the calls were, as they were made: `Ann 7`.
fn told(desk: &[Desk]) -> String {
    let words = desk.iter().map(|call| match call {
        Desk::Place(place) => place.customer.clone(),
        Desk::Cancel(cancel) => cancel.number.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Plays `replies`; what came of them, and the kinds of the failures on the way.
async fn play(
    replies: impl IntoIterator<Item = Reply>,
) -> (fcretry::Result<String>, Vec<FailureKind>, MockModel) {
    let model = MockModel::new(replies);
    let (result, report) = fcretry::report(all(&model.client())).await;
    let kinds = report.attempts.iter().filter_map(|attempt| attempt.kind).collect();
    assert_eq!(report.wire_requests as usize, report.attempts.len());
    assert_eq!(report.wire_requests as usize, model.request_count());
    (result.map(|desk| told(&desk)), kinds, model)
}

fn roles(model: &MockModel, request: usize) -> String {
    let requests = model.requests();
    let messages = requests[request].messages().iter();
    messages
        .map(|message| message["role"].as_str().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test(start_paused = true)]
async fn only_the_bad_calls_are_asked_for_again_and_the_order_is_kept() {
    let first = calls([place("Ann"), cancel(0), place("Bob"), cancel("x")]);
    let (result, kinds, model) = play([first, calls([cancel(8), cancel(9)])]).await;
    assert_eq!(result.unwrap(), "Ann 8 Bob 9");
    assert_eq!(kinds, [FailureKind::SchemaValidation]);
    assert_eq!(roles(&model, 1), "user assistant tool tool tool tool");
    let request = &model.requests()[1];
    let kept = "This call is right, and is kept: do not send it again.";
    assert_eq!([request.text_of_message(2), request.text_of_message(4)], [kept, kept]);
    let second = request.text_of_message(3);
    assert!(second.ends_with("/number: expected at least 1; got 0"), "{second}");
    let last = request.text_of_message(5);
    assert!(last.contains("/number: expected an integer; got \"x\""), "{last}");
    let request = "2 calls are still to be sent: send them in their order, each with all its \
                   arguments, corrected, and no other.";
    assert!(last.ends_with(request), "{last}");
}

#[tokio::test(start_paused = true)]
async fn what_is_right_of_each_answer_is_kept() {
    let (result, _, model) = play([
        calls([cancel(0), place("Ann"), cancel(0)]),
        calls([cancel(0), cancel(9)]),
        calls([cancel(8)]),
    ])
    .await;
    assert_eq!(result.unwrap(), "8 Ann 9");
    // Of the first answer only what is kept is still told, so that the history does not grow.
    assert_eq!(roles(&model, 2), "user assistant tool assistant tool tool");
    let request = &model.requests()[2];
    assert_eq!(request.messages()[1]["tool_calls"].as_array().unwrap().len(), 1);
    assert!(request.text_of_message(2).starts_with("This call is right"));
    assert!(request.text_of_message(4).contains("1 call is still to be sent"));
    assert!(request.text_of_message(5).starts_with("This call is right"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_sends_everything_again_stands_whole() {
    let again = calls([cancel(9), ("place", json!({"customer": "Ann"})), place("Bob")]);
    let (result, kinds, _) = play([calls([place("Ann"), place("Bob"), cancel(0)]), again]).await;
    assert_eq!(result.unwrap(), "9 Ann Bob");
    assert_eq!(kinds.len(), 1);
    // Bad as it is, it is judged anew.
    let (result, kinds, _) = play([
        calls([place("Ann"), cancel(0)]),
        calls([place("Ann"), cancel("x")]),
        calls([cancel(3)]),
    ])
    .await;
    assert_eq!(result.unwrap(), "Ann 3");
    assert_eq!(kinds.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kept_call_that_comes_again_fills_no_place() {
    // Beside what was asked for it is passed over, however it is written.
    let again = Reply::tool_calls([
        ("functions.Place", "{'customer': 'Ann',}"),
        ("cancel", r#"{"number": 8}"#),
    ]);
    let (result, _, _) = play([calls([place("Ann"), place("Bob"), cancel(0)]), again]).await;
    assert_eq!(result.unwrap(), "Ann Bob 8");
    // In place of it, it is not taken for it: nobody ordered twice.
    let (result, kinds, model) =
        play([calls([place("Ann"), cancel(0)]), calls([place("Ann")]), calls([cancel(7)])]).await;
    assert_eq!(result.unwrap(), "Ann 7");
    assert_eq!(kinds, [FailureKind::SchemaValidation; 2]);
    assert!(
        last_message(&model, 2).contains("expected exactly 1 call"),
        "{}",
        last_message(&model, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn two_equal_calls_may_both_be_meant() {
    let (result, _, _) =
        play([calls([place("Ann"), place("Ann"), cancel(0)]), calls([cancel(1)])]).await;
    assert_eq!(result.unwrap(), "Ann Ann 1");
    let again = calls([place("Ann"), place("Ann"), cancel(2)]);
    let (result, _, _) = play([calls([place("Ann"), place("Ann"), cancel(0)]), again]).await;
    assert_eq!(result.unwrap(), "Ann Ann 2");
}

#[tokio::test(start_paused = true)]
async fn as_many_calls_as_were_asked_for_are_expected_and_nothing_kept_is_lost() {
    let first = || calls([place("Ann"), cancel(0), cancel("x")]);
    for wrong in [calls([cancel(5)]), calls([cancel(5), cancel(6), cancel(7)])] {
        let (result, kinds, model) = play([first(), wrong, calls([cancel(8), cancel(9)])]).await;
        assert_eq!(result.unwrap(), "Ann 8 9");
        assert_eq!(kinds, [FailureKind::SchemaValidation; 2]);
        // The kept call is told again, and then the wrong number.
        let request = &model.requests()[2];
        assert!(roles(&model, 2).starts_with("user assistant tool assistant tool"));
        assert!(request.text_of_message(2).starts_with("This call is right, and is kept"));
        let told = request.text_of_message(4);
        assert!(
            told.contains("expected exactly 2 calls, those that were not right; got "),
            "{told}"
        );
        assert!(told.contains("2 calls are still to be sent"), "{told}");
    }
    // More than all is no answer that stands whole, whatever is in it.
    let more = calls([place("Ann"), cancel(1), cancel(2), cancel(3)]);
    let (result, kinds, _) = play([first(), more, calls([cancel(8), cancel(9)])]).await;
    assert_eq!((result.unwrap().as_str(), kinds.len()), ("Ann 8 9", 2));
    // As many as all, but without the kept one: it would be lost.
    let others = calls([cancel(1), cancel(2), cancel(3)]);
    let (result, kinds, _) = play([first(), others, calls([cancel(8), cancel(9)])]).await;
    assert_eq!((result.unwrap().as_str(), kinds.len()), ("Ann 8 9", 2));
}

#[tokio::test(start_paused = true)]
async fn prose_in_between_loses_nothing() {
    let (result, kinds, model) = play([
        calls([place("Ann"), cancel(0)]),
        Reply::text("Done, I hope."),
        Reply::status(503),
        calls([cancel(4)]),
    ])
    .await;
    assert_eq!(result.unwrap(), "Ann 4");
    assert_eq!(
        kinds,
        [FailureKind::SchemaValidation, FailureKind::NoToolCall, FailureKind::ModelOverload]
    );
    assert_eq!(roles(&model, 2), "user assistant tool assistant user");
    assert!(last_message(&model, 2).ends_with(
        "1 call is still to be sent: send it with all its arguments, corrected, and no other."
    ));
}

#[tokio::test(start_paused = true)]
async fn calls_that_cannot_be_replayed_are_quoted_and_the_good_ones_are_kept() {
    let first = Reply::tool_calls([
        ("place", r#"{"customer":"Ann"}"#),
        ("cancel", "{'number': 6 * 7}"),
        ("place", "{'customer': 'Bob'}"),
    ]);
    let (result, kinds, model) =
        play([first, Reply::tool_call("cancel", "{'number': 40 + 2}"), calls([cancel(42)])]).await;
    assert_eq!(result.unwrap(), "Ann 42 Bob");
    assert_eq!(kinds, [FailureKind::StructuralParse; 2]);
    assert_eq!(roles(&model, 1), "user user");
    let told = last_message(&model, 1);
    assert!(
        told.starts_with(
            "You sent this:\n```\ncancel {'number': 6 * 7}\n```\nThe arguments could not be read"
        ),
        "{told}"
    );
    let kept = "These calls are right, and are kept: do not send them again.\n\
                ```\nplace {\"customer\":\"Ann\"}\n```\n```\nplace {'customer': 'Bob'}\n```\n1 call is still to be sent";
    assert!(told.contains(kept), "{told}");
    // The same of the next answer, where they are no longer in it.
    assert_eq!(roles(&model, 2), "user user user");
    assert!(
        model.requests()[2].text_of_message(1).starts_with("These calls are right, and are kept")
    );
}

#[tokio::test(start_paused = true)]
async fn calls_written_into_the_content_are_kept_as_well() {
    let call = |name: &str, arguments: &str| {
        format!("<tool_call>{{\"name\": \"{name}\", \"arguments\": {arguments}}}</tool_call>")
    };
    let ann = call("place", r#"{"customer": "Ann"}"#);
    let (result, _, model) = play([
        Reply::text(format!("{ann}\n{}", call("cancel", r#"{"number": 0}"#))),
        // What is kept comes again where calls stand, and is known all the same.
        calls([place("Ann"), cancel(3)]),
    ])
    .await;
    assert_eq!(result.unwrap(), "Ann 3");
    let told = last_message(&model, 1);
    assert!(told.contains("These calls are right, and are kept"), "{told}");
    let (result, _, _) =
        play([calls([place("Ann"), cancel(0)]), Reply::text(call("cancel", r#"{"number": 4}"#))])
            .await;
    assert_eq!(result.unwrap(), "Ann 4");
}

#[tokio::test(start_paused = true)]
async fn a_bad_call_that_comes_again_starts_afresh_and_drops_what_was_kept() {
    let (result, _, model) = play([
        calls([place("Ann"), cancel(0)]),
        calls([cancel(0)]),
        calls([cancel(5), place("Eve")]),
    ])
    .await;
    assert_eq!(result.unwrap(), "5 Eve");
    let requests = model.requests();
    assert_eq!(requests[2].messages(), requests[0].messages());
    // Several tools: none can be named, and a call is required.
    assert_eq!(requests[2].body["tool_choice"], "required");
    assert_eq!(requests[2].body["tools"][0]["function"]["strict"], true);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_drops_what_was_kept() {
    #[retry_policy(on(schema_validation, repair = 1), fallback("b"))]
    async fn laddered(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
        attempt.chat(client, "a").user("go").call_all().await
    }
    let model = MockModel::new([
        calls([place("Ann"), cancel(0)]),
        calls([cancel("x")]),
        calls([cancel(5), place("Eve")]),
    ]);
    let (result, report) = fcretry::report(laddered(&model.client())).await;
    assert_eq!(told(&result.unwrap()), "5 Eve");
    assert_eq!(report.attempts[1].action, Some(Action::Fallback));
    assert_eq!(roles(&model, 2), "user");
}

#[tokio::test(start_paused = true)]
async fn a_resend_in_place_of_a_repair_keeps_nothing() {
    #[retry_policy(on(schema_validation, retry = 1))]
    async fn resent(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
        attempt.chat(client, "a").user("go").call_all().await
    }
    let model = MockModel::new([calls([place("Ann"), cancel(0)]), calls([cancel(5)])]);
    assert_eq!(told(&resent(&model.client()).await.unwrap()), "5");
}

#[tokio::test(start_paused = true)]
async fn what_the_body_rejects_is_asked_for_again_as_a_whole() {
    #[retry_policy]
    async fn checked(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
        let desk: Vec<Desk> = attempt.chat(client, "m").user("go").call_all().await?;
        if desk.contains(&Desk::Place(Place { customer: "Ann".into() })) {
            return Err(attempt.reject(Violation::new("", "there is no Ann")));
        }
        Ok(desk)
    }
    let model = MockModel::new([
        calls([place("Ann"), cancel(0)]),
        calls([cancel(1)]),
        calls([place("Bob"), cancel(2)]),
    ]);
    assert_eq!(told(&checked(&model.client()).await.unwrap()), "Bob 2");
    // All of what it rejects is told.
    assert_eq!(roles(&model, 2), "user assistant tool assistant tool");
    let request = &model.requests()[2];
    assert!(request.text_of_message(2).starts_with("Send this call again"));
    let last = last_message(&model, 2);
    assert!(last.ends_with("Send all the calls again, also those that were kept."), "{last}");
}

#[tokio::test(start_paused = true)]
async fn each_ask_keeps_its_own() {
    #[retry_policy(max_attempts = 6)]
    async fn twice(attempt: &Attempt, client: &Mock) -> fcretry::Result<String> {
        let first: Vec<Desk> = attempt.chat(client, "m").user("first").call_all().await?;
        let second: Vec<Desk> = attempt.chat(client, "m").user("second").call_all().await?;
        Ok(format!("{}, {}", told(&first), told(&second)))
    }
    let model = MockModel::new([
        calls([place("Ann"), cancel(0)]),
        calls([cancel(1)]),
        calls([cancel(0), place("Bob")]),
        // The first is asked as before, for the one that was bad.
        calls([cancel(2)]),
        calls([cancel(3)]),
    ]);
    assert_eq!(twice(&model.client()).await.unwrap(), "Ann 2, 3 Bob");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_holds_our_own_words_is_the_bad_one_of_several() {
    let leaked = place("This call is right, and is kept: do not send it again.");
    let (result, kinds, _) = play([
        calls([place("Ann"), cancel(0), cancel(0)]),
        calls([cancel(1), leaked]),
        calls([cancel(2)]),
    ])
    .await;
    assert_eq!(result.unwrap(), "Ann 1 2");
    assert_eq!(kinds, [FailureKind::SchemaValidation, FailureKind::SemanticValidation]);
}

#[tokio::test(start_paused = true)]
async fn the_usage_of_every_answer_is_counted() {
    let model = MockModel::new([
        calls([place("Ann"), cancel(0)]).usage(10, 20),
        calls([cancel(1)]).usage(30, 5),
    ]);
    let (result, report) = fcretry::report(all(&model.client())).await;
    assert!(result.is_ok());
    assert_eq!((report.usage.prompt_tokens, report.usage.completion_tokens), (40, 25));
    assert_eq!(report.attempts[0].violations[0].pointer, "/number");
    // What was put right in a kept call is put right in the end.
    let model = MockModel::new([calls([cancel("7"), cancel(0)]), calls([cancel(1)])]);
    let (result, report) = fcretry::report(all(&model.client())).await;
    assert_eq!(told(&result.unwrap()), "7 1");
    assert!(report.attempts[0].recovered.is_empty());
    assert_eq!(report.attempts[1].recovered.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_the_same_by_hand() {
    #[retry_policy]
    async fn by_hand(
        attempt: &Attempt,
        seen: &std::cell::RefCell<Vec<Turn>>,
    ) -> fcretry::Result<Vec<Desk>> {
        let turns = attempt.turns();
        let mut answer = Answer::default();
        if turns.is_empty() {
            answer.calls.push(Call::new("1", "place", r#"{"customer": "Ann"}"#));
            answer.calls.push(Call::new("2", "cancel", r#"{"number": 0}"#));
        } else {
            answer.calls.push(Call::new("3", "cancel", r#"{"number": 9}"#));
        }
        seen.borrow_mut().extend(turns);
        attempt.accept_all_of_answer(answer)
    }
    let seen = std::cell::RefCell::default();
    assert_eq!(told(&by_hand(&seen).await.unwrap()), "Ann 9");
    let turns = seen.into_inner();
    let [Turn::Assistant { calls, .. }, Turn::Tool { id, text }, Turn::Tool { .. }] =
        turns.as_slice()
    else {
        panic!("{turns:?}")
    };
    assert_eq!((calls.len(), id.as_str()), (2, "1"));
    assert!(text.starts_with("This call is right"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_a_bad_call_among_good_ones_is_read_to_its_end() {
    #[retry_policy(max_attempts = 6)]
    async fn streamed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Vec<Desk>> {
        attempt.chat(client, "m").user("go").stream().call_all().await
    }
    let words: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let long = || ("cancel", json!({"number": "no", "reason": words.join(" ")}));
    let model = MockModel::new([
        calls([place("Ann"), long(), place("Bob")]),
        calls([cancel(7)]),
        // Behind no other it is left at once, and all of it is asked for again.
        calls([long()]),
        calls([cancel(8)]),
    ]);
    let client = model.client();
    assert_eq!(told(&streamed(&client).await.unwrap()), "Ann 7 Bob");
    assert_eq!(roles(&model, 1), "user assistant tool tool tool");
    let (result, report) = fcretry::report(streamed(&client)).await;
    assert_eq!(told(&result.unwrap()), "8");
    assert!(report.attempts[0].streamed_tokens.unwrap() < 100, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_of_one_call_ends_as_any_does() {
    let model = MockModel::with(|request| match request.messages().len() {
        1 => calls([place("Ann"), cancel(0)]),
        n => calls([cancel(-i64::try_from(n).unwrap())]),
    });
    let (result, report) = fcretry::report(all(&model.client())).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::SchemaValidation);
    assert_eq!((report.wire_requests, report.stopped_by), (3, Some(StoppedBy::Count)));
    assert!(!format!("{error:?}").contains("Ann"), "{error:?}");
}
