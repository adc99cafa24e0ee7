//! What is read out of an answer in one piece is read out of it as a stream, whatever it looks like on the way: no answer
//! that is worth something is given up.

use fcretry::{
    prelude::*,
    testing::{MockModel, Reply},
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    reading_laws::{
        damage::{Damage, write},
        values::text,
    },
    support::Mock,
};

/// Keep a note.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, ToolCall)]
#[schemars(deny_unknown_fields)]
struct Note {
    name: String,
    #[schemars(range(min = 1))]
    count: u8,
    size: Option<Size>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    ExtraLarge,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Text { text: String },
    Number { value: f64 },
}

#[retry_policy(max_attempts = 1, timeout = "10m", deadline = "1h")]
async fn note(
    attempt: &Attempt,
    client: &Mock,
    form: Form,
    streams: bool,
) -> fcretry::Result<Note> {
    let chat = attempt.chat(client, "m").user("go");
    let chat = if streams { chat.stream() } else { chat };
    match form {
        Form::Call => chat.call().await,
        Form::Content => chat.extract().await,
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Call,
    Content,
}

/// Where the arguments stand in the answer.
#[derive(Clone, Copy, Debug)]
enum Place {
    Call,
    CallAfterWords,
    Wrapped,
    Content,
    Fenced,
    Tagged,
    ThoughtBefore,
}

const PLACES: &[(Form, Place)] = &[
    (Form::Call, Place::Call),
    (Form::Call, Place::CallAfterWords),
    (Form::Call, Place::Wrapped),
    (Form::Call, Place::Content),
    (Form::Call, Place::Fenced),
    (Form::Call, Place::Tagged),
    (Form::Call, Place::ThoughtBefore),
    (Form::Content, Place::Content),
    (Form::Content, Place::Fenced),
    (Form::Content, Place::ThoughtBefore),
];

fn reply(place: Place, arguments: &str) -> Reply {
    let words = "I can't see a date. I will keep the note as it is, though.";
    let call = format!("{{\"name\": \"note\", \"arguments\": {arguments}}}");
    match place {
        Place::Call => Reply::tool_call("note", arguments),
        Place::CallAfterWords => Reply::tool_call("note", arguments).with_content(words),
        Place::Wrapped => Reply::tool_call("note", call),
        Place::Content => Reply::text(arguments),
        Place::Fenced => Reply::text(format!("Here it is:\n```json\n{arguments}\n```")),
        Place::Tagged => Reply::text(format!("{words}\n<tool_call>{call}</tool_call>")),
        Place::ThoughtBefore => {
            let thought =
                "Okay, the user wants a note. {maybe} I can't help but wonder. ".repeat(20);
            Reply::text(format!("{thought}</think>\n{arguments}"))
        }
    }
}

/// Arguments, some of which are wrong.
fn arguments() -> impl Strategy<Value = Value> {
    let line = prop_oneof![
        3 => text().prop_map(|text| json!({"kind": "text", "text": text})),
        3 => (-9..99_i32).prop_map(|n| json!({"kind": "number", "value": f64::from(n) / 4.0})),
        1 => Just(json!({"kind": "picture", "text": "x"})),
    ];
    let sizes = ["small", "extra_large", "Extra-Large", "null", "huge"].map(Value::from);
    let size = select(sizes.to_vec());
    let count = prop_oneof![6 => (1..200_u32).prop_map(Value::from), 1 => Just(json!("7")), 1 => Just(json!(0))];
    (text(), count, size, proptest::collection::vec(line, 0..4)).prop_map(|(name, count, size, lines)| {
        json!({"name": name, "count": count, "size": size, "lines": lines})
    })
}

#[test]
fn what_is_a_value_in_one_piece_is_one_as_a_stream() {
    let config = Config {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5eed),
        ..Config::default()
    };
    let damages = proptest::collection::vec(select(&Damage::ALL[..]), 0..3);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let values = std::cell::Cell::new(0);
    let law = |(value, damages, (form, place)): (Value, Vec<Damage>, (Form, Place))| {
        let reply = reply(place, &write(&value, &damages));
        let ask = |streams| {
            let model = MockModel::new([reply.clone()]);
            runtime.block_on(async { note(&model.client(), form, streams).await })
        };
        let (whole, streamed) = (ask(false), ask(true));
        values.set(values.get() + u32::from(whole.is_ok()));
        match (whole, streamed) {
            (Ok(whole), Ok(streamed)) => prop_assert_eq!(whole, streamed),
            (Ok(_), Err(error)) => prop_assert!(false, "given up: {}", error),
            (Err(_), Ok(value)) => prop_assert!(false, "a value out of nothing: {:?}", value),
            (Err(_), Err(_)) => {}
        }
        Ok(())
    };
    if let Err(broken) = TestRunner::new(config).run(&(arguments(), damages, select(PLACES)), law) {
        panic!("{broken}");
    }
    assert!(values.get() > 120, "of so few the law says little: {}", values.get());
}
