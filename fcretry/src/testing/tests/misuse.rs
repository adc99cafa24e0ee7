use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use serde_json::json;

use super::{super::*, ask, question};

#[test]
fn durations_are_exact() {
    for (text, nanos) in [
        ("0s", 0),
        ("1500ms", 1_500_000_000),
        ("1.5s", 1_500_000_000),
        (" 2s ", 2_000_000_000),
        ("1m30s", 90_000_000_000),
        ("2h0.001s", 7_200_001_000_000),
        ("0.1ms", 100_000),
    ] {
        assert_eq!(Delay::from(text).duration(), Duration::from_nanos(nanos), "{text}");
        assert_eq!(Delay::from(text.to_owned()), Delay::from(Duration::from_nanos(nanos)));
    }
}

/// The message of the panic, which has to be there.
fn complaint<T>(mistake: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(mistake)) else { panic!("taken as right") };
    *panic.downcast::<String>().expect("a message")
}

#[test]
fn durations_that_are_none_are_refused_with_the_remedy() {
    for text in [
        "",
        " ",
        "2",
        "s",
        "2 s",
        "-2s",
        "2sec",
        "2d",
        "1..5s",
        "1.s",
        ".5s",
        "1.2.3s",
        "2s3",
        "٣s",
        "99999999999999999999s",
        "0.1234567890123s",
        "9999999999h",
    ] {
        let message = complaint(|| Delay::from(text));
        assert!(message.contains(&format!("`{text}`")) && message.contains("\"2s\""), "{message}");
    }
}

#[test]
fn mistakes_in_a_script_are_named() {
    for (message, part) in [
        (complaint(|| Reply::status(42)), "`42` is not a final HTTP status"),
        (complaint(|| Reply::status(101)), "`101` is not a final HTTP status"),
        (complaint(|| Reply::error(1000, "t", "c", "m")), "`1000`"),
        (complaint(|| Reply::status(429).retry_after("soon")), "`soon` is not a duration"),
        (complaint(|| Reply::status(429).header("a b", "c")), "`a b` is not the name of a header"),
        (complaint(|| Reply::status(429).id("a\nb")), "x-request-id"),
        (complaint(|| Reply::status(200).body("x", "a\nb")), "content-type"),
        (complaint(|| Reply::status(204).body("x", "text/plain")), "a 204 has no body"),
        (complaint(|| Reply::status(429).usage(1, 2)), "`usage` is for a completion"),
        (complaint(|| Reply::hang().patch(|_| ())), "`patch` is for a completion"),
        (complaint(|| Reply::status(500).stream_cut_after(1)), "`stream_cut_after`"),
        (complaint(|| Reply::text("x").error_body(json!({}))), "`error_body` is for"),
        (complaint(|| Reply::hang().cut_body_after(1)), "`cut_body_after`"),
        (complaint(|| MockModel::mix(1, Reply::hang(), [(1.5, Reply::hang())])), "not 1.5"),
        (complaint(|| MockModel::mix(1, Reply::hang(), [(f64::NAN, Reply::hang())])), "not NaN"),
        (
            complaint(|| {
                MockModel::mix(1, Reply::hang(), [(0.6, Reply::hang()), (0.6, Reply::hang())])
            }),
            "add up to 1.2",
        ),
        (
            complaint(|| MockModel::with(|_| Reply::hang()).then_repeat(Reply::hang())),
            "`then_repeat` is for a script",
        ),
    ] {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

#[tokio::test]
async fn a_script_that_was_not_played_as_written_is_noticed() {
    let model = MockModel::new([Reply::text("a")]).for_model("own", [Reply::text("b")]);
    assert!(complaint(|| model.assert_exhausted()).contains("not asked for: 2"));
    ask(&model, &question("own")).await.unwrap();
    ask(&model, &question("m")).await.unwrap();
    model.assert_exhausted();
    ask(&model, &question("m")).await.unwrap();
    assert!(complaint(|| model.assert_exhausted()).contains("used up: 1"));
}

#[tokio::test]
async fn a_message_that_is_not_there_has_no_text() {
    let model = MockModel::repeat(Reply::text("fine"));
    ask(&model, &question("m")).await.unwrap();
    let request = &model.requests()[0];
    assert!(complaint(|| request.text_of_message(1)).contains("no message 1; the request has 1,"));
}
