//! Reference of the attributes. Nothing to call here.
//!
//! # `#[retry_policy(..)]`
//!
//! On an `async fn` that returns a `Result`: free, in an `impl`, generic, or in a trait. Every key is optional.
//! Durations are strings of a number and a unit: `"250ms"`, `"1.5s"`, `"2m"`, `"1h"`, `"1m30s"`; at most `"720h"`.
//!
//! | key | default | range | example |
//! |---|---|---|---|
//! | `max_attempts` | 4 | 1 to 100, all models and kinds together | `max_attempts = 6` |
//! | `timeout` | `"60s"` | more than 0; one attempt | `timeout = "30s"` |
//! | `deadline` | `"180s"` | more than 0; the whole call, waits included | `deadline = "90s"` |
//! | `backoff(strategy, ..)` | `exponential` | `exponential`, `linear`, `fibonacci`, `constant` | `backoff(linear, base = "2s")` |
//! | … `base` | `"1s"` | more than 0 | `base = "500ms"` |
//! | … `max` | `"30s"` | not below `base`; not with `constant` | `max = "10s"` |
//! | … `factor` | 2.0 | 1 to 10; `exponential` only | `factor = 1.5` |
//! | … `jitter` | `"full"` | `"full"`, `"equal"`, `"decorrelated"`, `"none"` | `jitter = "equal"` |
//! | `on(kind, ..)` | the table of [`FailureKind`](crate::FailureKind) | once per kind | `on(rate_limit, retry = 4)` |
//! | `fallback(..)` | none | models, in the order they are tried | `fallback("gpt-4o-mini")` |
//! | `recovery` | `"lossless"` | `"off"`, `"lossless"`, `"lenient"`; reading is strict in this version | `recovery = "off"` |
//! | `history` | 1 | 1 to 20 bad answers carried into a repair | `history = 2` |
//! | `max_feedback_chars` | 2000 | 100 to 100000, of an answer and of a list of violations each | `max_feedback_chars = 500` |
//! | `policy(EXPR)` | none | a [`RetryPolicy`](crate::RetryPolicy), or anything that borrows as one | `policy(self.policy)` |
//! | `crate` | `"::fcretry"` | the path of this crate, if it is re-exported | `crate = "my_app::fcretry"` |
//!
//! ## `on(kind, ..)`
//!
//! Replaces the whole rule of a kind. Actions are used in the order they are written:
//!
//! | action | what it does | for |
//! |---|---|---|
//! | `retry`, `retry = N` | the same request again after a wait, N times (1 to 50) | what may pass: not refusals, quotas, bad keys, bad requests |
//! | `repair`, `repair = N` | asks again with what was wrong fed back, N times (1 to 50) | bad answers: the first five kinds |
//! | `fallback` | the next model | all |
//! | `fail` | fails; stands alone | all |
//! | `escalate` | fails, and says in the report that a person must look; stands alone | all |
//!
//! Bare `retry` and `repair` take the kind's default count, or 2 where it has none. Modifiers:
//!
//! | modifier | default | range |
//! |---|---|---|
//! | `delay_scale` | the kind's: 3 for rate limits, 2 for overload, else 1; repairs do not wait unless this is given | 0 to 100 |
//! | `backoff(..)` | the policy's | as above |
//! | `max_tokens` | 4 times the first limit | `truncated` only: the most that the token limit grows to |
//! | `then` | `"fallback"` where there is an untried model, else `"fail"` | `"fallback"`, `"fail"`, `"escalate"`: what follows when the counts are used up |
//!
//! ## `policy(EXPR)`
//!
//! The expression is evaluated once per call, and may use the function's arguments. Keys beside it replace its
//! keys; `on(kind, ..)` replaces that kind's whole rule. A contradiction that shows only then is
//! [`InvalidPolicy`](crate::FailureKind::InvalidPolicy), before any request.
//!
//! ## The function
//!
//! - `attempt: &Attempt` is how the body learns what this attempt is. Callers do not pass it. It is found by the last segment of its type, or by
//!   `#[attempt]` on it. A function without it can resend; it can neither repair nor fall back.
//! - The error is [`fcretry::Error`](crate::Error), or any type that implements [`Classify`](crate::Classify) and `From<fcretry::Error>`.
//! - An argument that the body consumes cannot be there for the next attempt; the compiler says so. Borrow it, or clone it in the body.
//! - Not supported, each with a message that says what to do instead: an attempt with a named lifetime, `&mut self` lent out in the
//!   return type, methods under `#[async_trait]`.
//!
//! # `#[derive(ToolCall)]`
//!
//! On a struct with named fields, beside `serde::Deserialize` and `schemars::JsonSchema`.
//!
//! | key of `#[tool(..)]` | on | default | example |
//! |---|---|---|---|
//! | `name` | the type | the type's name in `snake_case`, with its type arguments if it has some | `name = "place_order"` |
//! | `description` | the type | its doc comment | `description = "Place an order."` |
//! | `validate(path, ..)` | the type | none | `validate(totals_add_up)`: `fn(&Order, &mut Violations)` |
//! | `validate(path, ..)` | a field | none | `validate(not_empty)`: `fn(&FieldType, &mut Violations)`, pointers below the field |
//! | `crate` | the type | `"::fcretry"` | `crate = "my_app::fcretry"` |
//!
//! A name is `[a-zA-Z0-9_-]{1,64}`, checked at compile time where it is known then. What the schema says is what is enforced: every constraint that `schemars` can
//! state, at every depth.
