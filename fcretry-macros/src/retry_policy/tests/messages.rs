//! What a mistake is told, key by key.

use super::{PLAIN, expanded};
use crate::testing::mistakes;

#[test]
fn what_stands_in_the_place_of_a_kind_or_a_model_is_told_what_would_be_right() {
    let no_model = |text: &str| {
        format!("`{text}` is not the name of a model; write `fallback(\"gpt-4o-mini\")`")
    };
    for (attr, message) in [
        (r#"fallback(["a"])"#, no_model(r#"["a"]"#)),
        ("fallback(&MODEL)", no_model("&MODEL")),
        ("fallback(models::CHEAP)", no_model("models::CHEAP")),
        (
            "on(FailureKind::Timeout, retry)",
            "`FailureKind::Timeout` is called `timeout` here; write `on(timeout, ..)`".to_owned(),
        ),
        (
            "on(FailureKind::Timout, retry)",
            "unknown kind `Timout`; did you mean `timeout`?".to_owned(),
        ),
        (
            "on((timeout, rate_limit), retry)",
            "`(timeout , rate_limit)` is not one kind; \
             write an `on(..)` for each, e.g. `on(timeout, ..)`"
                .to_owned(),
        ),
        (
            "on(timeout | rate_limit, retry)",
            "`timeout | rate_limit` is not one kind; \
             write an `on(..)` for each, e.g. `on(timeout, ..)`"
                .to_owned(),
        ),
        (
            "on(rate_limit: retry)",
            "`rate_limit:` is not how a kind is given; write `on(rate_limit, retry)`".to_owned(),
        ),
        (
            r#"on(rate_limit, base = "2s")"#,
            "`base` belongs in the backoff; \
             write `backoff(exponential, base = \"1s\", max = \"30s\")`"
                .to_owned(),
        ),
        (
            "on(timeout, linear)",
            "`linear` belongs in the backoff; write `backoff(linear, base = \"1s\")`".to_owned(),
        ),
        (
            "on(rate_limit, max_attempts = 7)",
            "`max_attempts` is of all kinds together; write `retry = 7`".to_owned(),
        ),
        (
            r#"on(rate_limit, deadline = "1s")"#,
            "`deadline` is of the whole policy; write it beside the `on(..)`".to_owned(),
        ),
        (
            "max_attempts = 3i32",
            "`max_attempts = 3i32` has the suffix `i32`, which is not taken; \
             write `max_attempts = 3`"
                .to_owned(),
        ),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
}

#[test]
fn then_stands_beside_a_fallback_and_says_what_is_after_it() {
    for attr in [
        r#"on(refusal, fallback, then = "escalate"), fallback("a")"#,
        r#"on(timeout, retry, fallback, then = "fail"), fallback("a")"#,
        r#"on(circuit_open, then = "escalate")"#,
        r#"on(budget_exhausted, fallback, then = "fail"), fallback("a")"#,
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), Vec::<String>::new(), "{attr}");
    }
    let same = "`then = \"fallback\"` stands beside the action `fallback`, and both say the same; \
                keep one of them";
    for (attr, message) in [
        (r#"on(timeout, fallback, then = "fallback"), fallback("a")"#, same),
        (r#"on(timeout, retry, fallback, then = "fallback"), fallback("a")"#, same),
        (
            r#"on(refusal, then = "escalate")"#,
            "`then` has nothing to follow: `refusal` fails; write `on(refusal, escalate)`",
        ),
        (
            "on(refusal, fallback, delay_scale = 2.0), fallback(\"a\")",
            "`delay_scale` has nothing to act on beside `fallback`; remove it",
        ),
        (
            "on(timeout, fallback, backoff(linear)), fallback(\"a\")",
            "`backoff` has nothing to act on beside `fallback`; \
             write `retry` before it, or remove it",
        ),
        (
            "on(circuit_open, delay_scale = 2.0)",
            "`delay_scale` has nothing to act on: \
             `circuit_open` goes on with the next model at once; remove it",
        ),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
}

#[test]
fn what_the_attempts_do_not_suffice_for_is_refused() {
    for (attr, message) in [
        (
            r#"max_attempts = 1, fallback("a")"#,
            "`fallback` can never happen with `max_attempts = 1`; \
             write `max_attempts = 2` or more",
        ),
        (
            "max_attempts = 1, policy(p), on(refusal, fallback)",
            "`fallback` can never happen with `max_attempts = 1`; \
             write `max_attempts = 2` or more",
        ),
        (
            "max_attempts = 3, on(timeout, retry = 3)",
            "`retry = 3` is more than can follow the first of `max_attempts = 3`; \
             write `retry = 2` or less",
        ),
        (
            "max_attempts = 2, on(unknown_tool, repair = 9)",
            "`repair = 9` is more than can follow the first of `max_attempts = 2`; \
             write `repair = 1` or less",
        ),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
    for attr in ["max_attempts = 3, on(timeout, retry = 2)", "max_attempts = 2, on(timeout, retry)"]
    {
        assert_eq!(mistakes(expanded(attr, PLAIN)), Vec::<String>::new(), "{attr}");
    }
}

#[test]
fn the_times_of_a_stream_are_not_longer_than_what_holds_them() {
    let longer = |key: &str, of: &str, whole: &str| {
        format!(
            "`{key} = \"40s\"` of {of} is longer than `{whole}; write `{key} = \"30s\"` or less"
        )
    };
    for (attr, message) in [
        (
            r#"first_token = "40s", timeout = "30s", deadline = "30s""#,
            longer("first_token", "one stream", "timeout = \"30s\"` of one attempt"),
        ),
        (
            r#"idle = "40s", timeout = "30s""#,
            longer("idle", "one silence", "timeout = \"30s\"` of one attempt"),
        ),
        (
            r#"idle = "40s", deadline = "30s""#,
            longer("idle", "one silence", "deadline = \"30s\"` of all"),
        ),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
    // What is not given follows what is.
    let fits = r#"first_token = "30s", timeout = "30s""#;
    for attr in [fits, r#"timeout = "5s""#, r#"idle = "2m""#] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), Vec::<String>::new(), "{attr}");
    }
}

#[test]
fn what_is_of_the_account_falls_back_along_a_route() {
    let no_route = |key: &str, kind: &str| {
        format!(
            "`{key}` cannot help `{kind}` with another model of the same endpoint; \
             add `route(BACKUPS)` beside the `on(..)`, with another endpoint in it"
        )
    };
    for (attr, message) in [
        (r#"on(auth, fallback), fallback("a")"#, no_route("fallback", "auth")),
        (r#"on(quota_exhausted, then = "fallback")"#, no_route("then", "quota_exhausted")),
        (
            "on(timeout, fallback)",
            "`fallback` has no model to go to; \
             add `fallback(\"gpt-4o-mini\")` or `route(BACKUPS)` beside the `on(..)`"
                .to_owned(),
        ),
        (
            "route(BACKUPS), max_attempts = 1, on(timeout, fallback)",
            "`route` can never happen with `max_attempts = 1`; write `max_attempts = 2` or more"
                .to_owned(),
        ),
        ("route()", "`route(..)` holds no expression; write e.g. `route(BACKUPS)`".to_owned()),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
    for attr in [
        "on(auth, fallback), route(self.route)",
        r#"on(quota_exhausted, then = "escalate"), route(BACKUPS)"#,
        r#"on(auth, then = "escalate")"#,
        "on(timeout, retry, fallback), route(*BACKUPS)",
        r#"on(rate_limit, then = "fallback"), route(BACKUPS)"#,
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), Vec::<String>::new(), "{attr}");
    }
}
