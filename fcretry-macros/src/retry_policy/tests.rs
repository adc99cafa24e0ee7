use proc_macro2::TokenStream;
use syn::Item;

use super::expand;
use crate::testing::{assert_snapshot, half_typed, items, mistakes, one_removed, tokens};

mod messages;
mod table;

const EVERY_KEY: &str = r#"
    max_attempts = 6,
    timeout = "30s",
    first_token = "5s",
    idle = "10s",
    deadline = "1m30s",
    backoff(exponential, base = "1s", max = "30s", factor = 2.0, jitter = "full"),
    on(rate_limit, retry = 4, delay_scale = 3.0, then = "fallback"),
    on(truncated, retry, max_tokens = 4096),
    on(schema_validation, repair, retry = 1, fallback),
    on(refusal, escalate),
    on(auth, fail),
    on(timeout, backoff(linear, base = "500ms", jitter = "none")),
    fallback("gpt-4o-mini", "deepseek-v3.2"),
    route(self.route),
    recovery = "lossless",
    degrade(cached::<T>),
    observer(self.observer),
    budget(usd = 0.05, tokens = 20_000),
    prices(self.prices),
    capture_content,
    adapt(LEARNED),
    breaker(self.breaker),
    throttle(LIMITS),
    retry_budget(&self.retries),
    idempotency(email, order.id),
    history = 2,
    max_feedback_chars = 2_000,
    crate = "::fcretry",
"#;

const CONSTANT: &str = r#"
    deadline = "10s", on(application, retry = 2, backoff(constant, base = "1.5s")),
    on(invalid_request, fallback), backoff(fibonacci), fallback("gpt-4o-mini")
"#;

/// Keys whose lists hold expressions.
const EXPRESSIONS: &str =
    r"adapt(self.models), policy(strict(1)), throttle(LIMITS), max_attempts = 2";

const PLAIN: &str = "
    async fn extract(attempt: &Attempt, email: &str) -> fcretry::Result<Order> {
        attempt.ask(email).await
    }
";

const RICH: &str = r#"
    /// Extracts.
    #[allow(clippy::unused_async)]
    pub(crate) async unsafe fn extract<'a, T: Debug, const N: usize>(
        &mut self,
        #[attempt] mut this: &Try,
        (a, b): (u8, &'a [T; N]),
        show: impl Fn(&str) -> String,
    ) -> Result<(Box<dyn Display>, Vec<impl Display>), OrderError>
    where
        T: 'a,
    {
        #![allow(unused)]
        let order = this.ask(a).await?;
        if order.is_empty() {
            return Err(OrderError::Empty);
        }
        Ok((Box::new(order), vec![show("b")]))
    }
"#;

const WITHOUT_ATTEMPT: &str = "async fn extract(email: &str) -> Result<usize> { Ok(email.len()) }";

const BODILESS: &str = "
    pub async fn extract(&self, #[attempt] this: &Try, email: &str) -> fcretry::Result<Order>;
";

/// What `#[async_trait]` leaves of an async method.
const REWRITTEN: &str = "
    fn extract<'life0, 'life1, 'async_trait>(
        email: &'life0 str,
        attempt: &'life1 Attempt,
    ) -> Pin<Box<dyn Future<Output = fcretry::Result<u32>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
    {
        Box::pin(async move { attempt.ask(email).await })
    }
";

const WRONG: &str = "
    fn extract(&mut self, #[attempt] a: Attempt, b: &mut Attempt) -> &str { self.0 }
";

fn expanded(attr: &str, item: &str) -> TokenStream {
    expand(tokens(attr), tokens(item))
}

/// Asserts that the function is there, whatever the attribute is.
fn keeps_the_function(attr: TokenStream, item: &str) {
    let shown = attr.to_string();
    let kept = items(expand(attr, tokens(item)))
        .iter()
        .any(|item| matches!(item, Item::Fn(item) if item.sig.ident == "extract"));
    assert!(kept, "#[retry_policy({shown})] lost the function");
}

#[test]
fn every_half_typed_attribute_keeps_the_function() {
    for attr in [EVERY_KEY, CONSTANT, EXPRESSIONS] {
        let attr = tokens(attr);
        for item in [PLAIN, RICH, WITHOUT_ATTEMPT, WRONG] {
            for state in half_typed(&attr).into_iter().chain(one_removed(&attr)) {
                keeps_the_function(state, item);
            }
        }
    }
}

#[test]
fn every_half_typed_function_expands() {
    for item in [PLAIN, RICH, WITHOUT_ATTEMPT, WRONG, BODILESS, REWRITTEN] {
        let item = tokens(item);
        for state in half_typed(&item).into_iter().chain(one_removed(&item)) {
            // That there is an expansion is all that can be asked for: half a function is none.
            let _ = expand(tokens("max_attempts = 3, foo"), state);
        }
    }
}

#[test]
fn a_right_attribute_has_no_mistakes() {
    for attr in ["", EVERY_KEY, CONSTANT] {
        for item in [PLAIN, RICH] {
            assert_eq!(mistakes(expanded(attr, item)), Vec::<String>::new(), "{attr} {item}");
        }
    }
}

#[test]
fn a_function_is_expanded_into_a_loop() {
    assert_snapshot("simple", expanded("", WITHOUT_ATTEMPT));
    assert_snapshot("rich", expanded(EVERY_KEY, RICH));
}

#[test]
fn a_wrong_attribute_leaves_the_public_function() {
    assert_snapshot("wrong_attribute", expanded("max_attempts = 0, timeot = 30", PLAIN));
    assert_snapshot("wrong_attempt", expanded("", &PLAIN.replace("&Attempt", "Attempt")));
    assert_snapshot("not_async", expanded("", WRONG));
    assert_snapshot("rewritten", expanded("", REWRITTEN));
}

#[test]
fn the_body_stands_once_and_unchanged() {
    let body = tokens(RICH).into_iter().last().expect("a body").to_string();
    let inner = body.trim_matches(['{', '}']).trim();
    let rest = inner.strip_prefix("#! [allow (unused)]").expect("an inner attribute").trim();
    for attr in ["", "max_attempts = 0"] {
        let expansion = expanded(attr, RICH).to_string();
        assert_eq!(expansion.matches(rest).count(), 1, "{expansion}");
    }
}

#[test]
fn every_mistake_is_reported_in_one_compile() {
    let found = mistakes(expanded(
        r#"max_attempts = 0, timeout = 30, timeot = "1s", on(rate_limt, retry), on(auth, retry),
           backoff(base = "2s", max = "1s"), fallback()"#,
        "async fn extract(attempt: Attempt) {}",
    ));
    assert_eq!(
        found,
        [
            "`max_attempts = 0` never asks the model; write `max_attempts = 1` or more",
            "`timeout = 30` has no unit; write `timeout = \"30s\"` if seconds are meant",
            "unknown key `timeot`; did you mean `timeout`?",
            "unknown kind `rate_limt`; did you mean `rate_limit`?",
            "`fallback()` names no model; write `fallback(\"gpt-4o-mini\")`, or leave it out",
            "`Attempt` by value is not the body's to have; take `&Attempt`",
            "`extract` must return a `Result`, e.g. `-> fcretry::Result<..>`",
            "`max = \"1s\"` is below `base = \"2s\"`; write `max = \"2s\"` or more",
            "`retry` cannot help `auth`: the same key would only be turned away again; \
             write `on(auth, fallback)` or `on(auth, escalate)`",
        ]
    );
}

#[test]
fn one_mistake_is_reported_once() {
    for attr in [
        // A bad value is not also a missing one.
        r#"fallback(""), on(timeout, retry, fallback)"#,
        r#"on(timeout, retry = "x")"#,
        r#"on(timout, delay_scale = 1.0, fallback), fallback("a")"#,
        r#"backoff(linear, max = "0s", base = "60s")"#,
        "on(refusal, fail, retry)",
        "on(rate_limit, rety = 3)",
        "backoff(exponential = 3, factor = 2.0)",
        r#"timeout = "1 minute", deadline = "1s""#,
        "max_attempts = 1, max_attempts = 0, on(timeout, retry)",
        r#"falback("a"), on(timeout, retry, fallback)"#,
        r#"fallback["a"], on(timeout, retry, then = "fallback")"#,
        "on()",
        "on(+)",
        "on(deadline_exceeded)",
        "on(FailureKind::Timeout, retry)",
        "on((timeout, rate_limit), retry)",
        "on(rate_limit: retry)",
        "on(rate_limit: retry = 4, retry)",
        "on(refusal, max_tokens = 5)",
        "on(timeout, repair)",
        r#"max_attempts = 1, fallback("a"), on(timeout, fallback)"#,
    ] {
        let found = mistakes(expanded(attr, PLAIN));
        let expected = if attr.starts_with("max_attempts = 1, max_") { 3 } else { 1 };
        assert_eq!(found.len(), expected, "{attr}: {found:#?}");
    }
}

#[test]
fn a_budget_names_a_limit() {
    for (attr, message) in [
        ("budget", "`budget` takes a list; write `budget(usd = 0.05)`"),
        ("budget()", "`budget()` names no limit; write `budget(usd = 0.05)`"),
        ("budget(20_000)", "`20_000` stands without a key; write `budget(usd = 0.05)`"),
        (
            "budget(usd = 0)",
            "`usd = 0` is not in the range 0.000001 to 1000000; write `usd = 0.000001` or more",
        ),
        ("capture_content = true", "`capture_content` takes no value; write `capture_content`"),
        ("tokens = 20_000", "`tokens` belongs in the budget; write `budget(usd = 0.05)`"),
    ] {
        assert_eq!(mistakes(expanded(attr, PLAIN)), [message], "{attr}");
    }
    assert_eq!(mistakes(expanded("budget(tokens = 20_000)", WITHOUT_ATTEMPT)), [""; 0]);
}

#[test]
fn a_function_without_an_attempt_is_told_to_take_one() {
    let found = mistakes(expanded(
        r#"on(schema_validation, repair, fallback), fallback("gpt-4o-mini")"#,
        WITHOUT_ATTEMPT,
    ));
    assert_eq!(
        found,
        [
            "`fallback` needs the attempt, which says which model to ask; \
             add `attempt: &Attempt` to `extract`",
            "`repair` needs the attempt, which carries what was wrong to the model; \
             add `attempt: &Attempt` to `extract`",
            "`fallback` needs the attempt, which says which model to ask; \
             add `attempt: &Attempt` to `extract`",
        ]
    );
    for (attr, key) in [
        ("history = 2", "history"),
        (r#"first_token = "5s""#, "first_token"),
        (r#"idle = "5s""#, "idle"),
        ("max_feedback_chars = 500", "max_feedback_chars"),
        ("on(truncated, retry, max_tokens = 100)", "max_tokens"),
        ("on(timeout, fallback)", "fallback"),
        ("route(BACKUPS)", "route"),
        (r#"on(timeout, retry, then = "fallback")"#, "then"),
    ] {
        let found = mistakes(expanded(attr, WITHOUT_ATTEMPT));
        assert_eq!(found.len(), 1, "{attr}: {found:#?}");
        assert!(found[0].starts_with(&format!("`{key}` needs the attempt, which ")), "{found:#?}");
    }
}

#[test]
fn a_declaration_loses_the_attempt_and_nothing_else() {
    let declared = expanded("", BODILESS).to_string();
    let public = "pub async fn extract(&self, email: &str,) -> fcretry::Result<Order> ;";
    assert!(declared.starts_with(&tokens(public).to_string()), "{declared}");
}

#[test]
fn an_item_of_another_kind_that_names_a_function_type_is_none() {
    for item in ["type T = fn(u8);", "static T: fn(u8) = f;", "const T: fn() = f;", "trait A { }"] {
        let found = mistakes(expanded("", item));
        assert_eq!(found, ["`#[retry_policy]` goes on an `async fn`"], "{item}");
    }
}

#[test]
fn only_the_marked_attempt_is_one_if_one_is_marked() {
    let item = "async fn extract(quiz: &quiz::Attempt, attempt: &Attempt) -> Result<u8> { x }";
    let found = mistakes(expanded("", item));
    assert_eq!(
        found,
        ["a second attempt: each run of the body has one; keep one `attempt: &Attempt`, \
          or mark the right one with `#[attempt]`"]
    );
    let marked = item.replace("attempt: &", "#[attempt] attempt: &");
    let expansion = expanded("", &marked).to_string();
    assert_eq!(mistakes(expanded("", &marked)), Vec::<String>::new());
    assert!(expansion.starts_with("async fn extract (quiz : & quiz :: Attempt ,)"), "{expansion}");
}

#[test]
fn an_attempt_is_not_there_on_a_condition() {
    let item = "async fn extract(#[cfg(test)] attempt: &Attempt) -> Result<u8> { x }";
    let found = mistakes(expanded("", item));
    assert_eq!(found, ["the attempt is always there; remove the `#[cfg]`"]);
}
