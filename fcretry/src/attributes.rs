//! Reference of the attributes. Nothing to call here.
//!
//! # `#[retry_policy(..)]`
//!
//! On an `async fn` with a body that returns a `Result`: free, generic, in an `impl`, or provided by a trait. Every key is optional.
//! Durations are strings of a number and a unit: `"250ms"`, `"1.5s"`, `"2m"`, `"1h"`, `"1m30s"`; at most `"720h"`.
//!
//! | key | default | range | example |
//! |---|---|---|---|
//! | `max_attempts` | 4 | 1 to 100, all models and kinds together; with 1, nothing that follows a first attempt can be said | `max_attempts = 6` |
//! | `timeout` | `"60s"` | more than 0; one attempt, not longer than `deadline` if both are given | `timeout = "30s"` |
//! | `first_token` | none | more than 0; of a streamed answer: until it begins, not longer than a `timeout` beside it | `first_token = "5s"` |
//! | `idle` | `"30s"` | more than 0; of a streamed answer: the longest silence after that, not longer than a `timeout` beside it | `idle = "10s"` |
//! | `deadline` | `"180s"` | more than 0; the whole call, waits included | `deadline = "90s"` |
//! | `backoff(strategy, ..)` | `exponential` | `exponential`, `linear`, `fibonacci`, `constant` | `backoff(linear, base = "2s")` |
//! | … `base` | `"1s"` | more than 0, less than `deadline` | `base = "500ms"` |
//! | … `max` | `"30s"` | not below `base`; not with `constant` | `max = "10s"` |
//! | … `factor` | 2.0 | 1 to 10; `exponential` only | `factor = 1.5` |
//! | … `jitter` | `"full"` | `"full"`, `"equal"`, `"decorrelated"`, `"none"` | `jitter = "equal"` |
//! | `on(kind, ..)` | the table of [`FailureKind`](crate::FailureKind) | once per kind; not for `deadline_exceeded` and `invalid_policy`, which always fail | `on(rate_limit, retry = 4)` |
//! | `fallback(..)` | none | models, in the order they are tried; not with `max_attempts = 1` | `fallback("gpt-4o-mini")` |
//! | `degrade(path)` | none | a function `fn(&E) -> T` of the function's own types | `degrade(cached_order)` |
//! | `observer(EXPR)` | none | an [`Observer`](crate::Observer): a `static`, a `LazyLock`, an `Arc`, or a reference to one | `observer(PAGER)`, `observer(self.pager)` |
//! | `route(EXPR)` | none | a [`Route`](crate::Route) of endpoints that are tried after the models, or what [leads to one](crate::AsRoute); not with `max_attempts = 1` | `route(BACKUPS)`, `route(self.route)` |
//! | `recovery` | `"lossless"` | `"off"`, `"lossless"`, `"lenient"`: how far [reading](crate::Recovery) goes, for tools that do not say so themselves | `recovery = "off"` |
//! | `history` | 1 | 1 to 20 bad answers carried into a repair; less than a `max_attempts` beside it | `history = 2` |
//! | `max_feedback_chars` | 2000 | 100 to 100000, of an answer and of a list of violations each | `max_feedback_chars = 500` |
//! | `budget(usd = X, tokens = N)` | none | dollars, 0.000001 to 1000000, tokens, 1 to 1000000000, or both: what the call may spend, with the [calls inside it](#budget) | `budget(usd = 0.05)` |
//! | `prices(EXPR)` | those of the call around it, else [`Prices::builtin`](crate::Prices::builtin) | a [`Prices`](crate::Prices): a `static`, a `LazyLock`, an `Arc`, or a reference to one | `prices(PRICES)` |
//! | `adapt(EXPR)` | none | an [`Adaptive`](crate::Adaptive), in the same ways: which way out of a failure costs least is learned, of those that its rule leaves open | `adapt(LEARNED)` |
//! | `capture_content` | off | stands alone: the report has [what was asked and answered](crate::Captured), and what providers said | `capture_content` |
//! | `breaker(EXPR)` | none | a [`Breaker`](crate::guard::Breaker), such as a [`CircuitBreaker`](crate::guard::CircuitBreaker): a `static`, a `LazyLock`, an `Arc`, or a reference to one; see [guards](#guards) | `breaker(OPENAI)` |
//! | `throttle(EXPR)` | a batch's, if the call is in one | a [`Limiter`](crate::guard::Limiter), such as a [`Throttle`](crate::guard::Throttle), in the same ways | `throttle(LIMITS)` |
//! | `retry_budget(EXPR)` | none | [`Retries`](crate::guard::Retries), such as a [`RetryBudget`](crate::guard::RetryBudget), in the same ways | `retry_budget(self.retries)` |
//! | `idempotency(..)` | a random key per call | 1 to 16 expressions that are `Serialize`, of which the call's [key](crate::Attempt::idempotency_key) is made | `idempotency(customer, order.id)` |
//! | `policy(EXPR)` | none | a [`RetryPolicy`](crate::RetryPolicy), or anything that borrows as one | `policy(self.policy)`, `policy(*POLICY)` |
//! | `crate` | `"::fcretry"` | the path of this crate, if it is re-exported | `crate = "my_app::fcretry"` |
//!
//! ## `on(kind, ..)`
//!
//! Its actions replace those of the kind's default rule, and are used in the order they are written. With modifiers only, the
//! default actions are kept and modified.
//!
//! | action | what it does | for |
//! |---|---|---|
//! | `retry`, `retry = N` | the same request again after a wait, N times (1 to 50) | what may pass: not refusals, filters, quotas, bad keys or requests, `circuit_open`, `budget_exhausted` |
//! | `resume`, `resume = N` | as `retry`; where the answer is JSON content and the endpoint is [known to continue](crate::openai::Continuation) one, for its rest. The whole is judged at the end | `partial_stream` |
//! | `repair`, `repair = N` | asks again with what was wrong fed back, N times (1 to 50) | bad answers: the first five kinds |
//! | `fallback` | the next model or endpoint that can help | all; `auth` and `quota_exhausted` only with a `route`, as another model of the endpoint has the same account |
//! | `fail` | fails; stands alone | all |
//! | `escalate` | fails, and says in the report that a person must look; stands alone | all |
//!
//! Bare `retry` and `repair` take the kind's default count, or 2 where it has none. The counts of a rule are together below a
//! `max_attempts` given beside it, as only `max_attempts - 1` attempts can follow the first; with `max_attempts = 1` neither
//! stands. The waits of a count, as short as the jitter leaves them, end before the deadline does. Modifiers of a `retry` or
//! `repair`:
//!
//! | modifier | default | range |
//! |---|---|---|
//! | `delay_scale` | the kind's, whatever the actions: 3 for rate limits, 2 for overload, else 1; repairs do not wait unless this or `backoff` is given | 0 to 100 |
//! | `backoff(..)` | the policy's | as above |
//! | `max_tokens` | 4 times the first limit | 1 to 10000000, `truncated` only: the most that the token limit grows to |
//! | `then` | `"fallback"` after a `retry` or `repair`, but `"fail"` for `application` | `"fallback"`, `"fail"`, `"escalate"`: what follows when the counts are used up, or beside `fallback`, when no untried model is left |
//!
//! Without an untried model, `"fallback"` fails. A function without an attempt modifies the default actions only of kinds that are
//! resent by default.
//!
//! ## `fallback(..)` and `route(EXPR)`
//!
//! The candidates of a call are the ask's own model, then the `fallback` models at the ask's own endpoint, then the endpoints of the
//! route, each with its own client and model. They are tried in this order, and one that was passed over is not come back
//! to. By default:
//!
//! | kind | goes on with |
//! |---|---|
//! | `quota_exhausted`, `auth` | the next candidate at another endpoint; nothing at this one is asked any more in the call |
//! | `model_not_found` | the next candidate at another endpoint; with `on(model_not_found, fallback)`, also the next model at this one |
//! | `context_overflow` | the next candidate whose [context](crate::Endpoint::context) is known, and larger; with `on(context_overflow, fallback)`, also one whose context is not known |
//! | `refusal`, `content_filter`, `invalid_request`, `application` | nothing, unless a rule says so |
//! | all others | the next candidate, when the counts are used up, or the last attempt is due |
//!
//! At each candidate counts, history, token limits and constraints start again, from the original messages. The route's
//! expression is evaluated once per call, to an owned handle: `self.route` does not stay borrowed.
//!
//! ## Calls inside a call
//!
//! An annotated function that is awaited in the body of another ends with the outer call's deadline, draws on its budget, and
//! its attempts are in the outer call's report, before the attempt that made them. [`inherit`](crate::inherit) carries this
//! over into a task of its own.
//!
//! ## Budget
//!
//! Before each request, what it will take is estimated: a token for every four bytes of its messages and tools, and for the
//! answer its own token limit, if it has one. A request with which the call would pass its budget is not sent: that is
//! [`BudgetExhausted`](crate::FailureKind::BudgetExhausted), which uses no attempt, and goes on with the next candidate or
//! fails. Afterwards it is the usage that is spent, of failed attempts too; where none came, the estimate; of a stream that
//! was left, the estimate of the request and what had come; of a request that the server turned down, nothing. A call inside
//! another spends of both budgets.
//!
//! Of dollars it is the same, with what these tokens cost by the call's [prices](crate::Prices): nothing cached, and an answer as
//! long as its limit. A model without a known price is not asked: give it a price, or 0. A request without a token limit is
//! estimated without its answer, so that a tight budget wants a limit, too.
//!
//! ## Guards
//!
//! What calls share, so that a bad minute stays a bad minute. They act at each request, in the order breaker, retry budget, budget,
//! throttle, and count apart what they are asked about: a model at a server. What they refuse is not sent and uses no attempt, and
//! waiting for them is not of the attempt's `timeout`, but of the `deadline`. Nothing is held between attempts.
//!
//! - `breaker`: an endpoint that fails is left alone for a while. Open, it sends the call to its next candidate at once; where there
//!   is none, the call fails as [`CircuitOpen`](crate::FailureKind::CircuitOpen), with the time until the next probe as its
//!   `retry_after`. Overload, timeouts, broken connections and streams count each time, a call whose repairs are used up counts once, and
//!   refusals, rate limits and single bad answers never.
//! - `throttle`: requests wait for their turn by rate, tokens and calls in flight, first come first served. One whose turn comes after
//!   the deadline is refused at once, as a [`RateLimit`](crate::FailureKind::RateLimit): the call goes to its next candidate, or fails with
//!   the time until then. What the server says in its headers (`x-ratelimit-*`, `Retry-After`) is heeded for all calls.
//!   Whoever had to wait asks the breaker again.
//! - `retry_budget`: resends stay a small share of what is sent. One that is too many is not made, nor waited for; the call goes to its next
//!   candidate, or fails with the failure that was to be retried, `stopped_by` `retry_budget`. Repairs and resends of cut answers are free.
//!
//! ```
//! use async_openai::{Client, config::OpenAIConfig};
//! use fcretry::{guard::{CircuitBreaker, RetryBudget, Throttle}, prelude::*};
//!
//! static OPENAI: CircuitBreaker = CircuitBreaker::new();
//! static LIMITS: Throttle = Throttle::new(50.0, 2_000_000).in_flight(200);
//! static RETRIES: RetryBudget = RetryBudget::new();
//!
//! /// Record a city.
//! #[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
//! struct City { name: String }
//!
//! #[retry_policy(breaker(OPENAI), throttle(LIMITS), retry_budget(RETRIES), fallback("gpt-4o-mini"))]
//! async fn city(
//!     attempt: &Attempt,
//!     client: &Client<OpenAIConfig>,
//!     text: &str,
//! ) -> fcretry::Result<City> {
//!     attempt.chat(client, "gpt-4o").user(text).call().await
//! }
//! ```
//!
//! [`Run`](crate::Run) takes the same guards without the attribute, an [`Endpoint`](crate::Endpoint) of a route its own, which come before
//! the call's, and [`Attempt::guard`](crate::Attempt::guard) lets them guard a request that is made by hand. A function without an attempt
//! makes no requests, and takes none of these keys.
//!
//! ## `idempotency(..)`
//!
//! The call's key is a hash of the JSON of what is named, of the module and the function, taken before the first attempt: the same call made
//! again has the same key, also in another process. Nothing is derived without this key, since two equal calls may both be meant.
//! What has no JSON is an [`InvalidPolicy`](crate::FailureKind::InvalidPolicy), before any request.
//!
//! Every request carries a key of its own in the header `Idempotency-Key`, made of the call's: kept when it is sent again as it was, another
//! when it asks for something else. Few providers look at it; a side effect of the body happens once by
//! [`once`](crate::guard::Idempotency::once).
//!
//! ## `policy(EXPR)`
//!
//! The expression is evaluated once per call, and may use the function's arguments. A `LazyLock` is dereferenced, `policy(*POLICY)`.
//! Keys beside it replace its keys; `on(kind, ..)` replaces its rule for that kind, and what the `on` leaves open is the kind's
//! default, not this policy's. A contradiction that shows only then is
//! [`InvalidPolicy`](crate::FailureKind::InvalidPolicy), before any request.
//!
//! ### From configuration
//!
//! A [`RetryPolicy`](crate::RetryPolicy) is read from TOML, JSON or any other format that describes itself, and written to it, in
//! the words of the attribute and by its rules; an error names every mistake with its key. Only what is given is written. The
//! keys `degrade`, `observer`, the guards', `idempotency` and `crate` are the function's, and no part of a policy.
//!
//! - `backoff` is a table: `backoff = { strategy = "linear", base = "2s" }`.
//! - `budget` is a table: `budget = { tokens = 20000 }`.
//! - `fallback` is a list: `fallback = ["gpt-4o-mini"]`.
//! - `on` is a table of the kinds. A rule is one action, `"escalate"` or `{ retry = 4 }`; a list of them in the order in which they are
//!   used, `["repair", { retry = 1 }, "fallback"]`; or a table of an action and its modifiers, in which a bare action is `true` and
//!   several are the list `actions`. Without an action the default ones are modified.
//!
//! ```
//! let policy: fcretry::RetryPolicy = serde_json::from_str(
//!     r#"{
//!         "max_attempts": 6,
//!         "timeout": "30s",
//!         "backoff": {"strategy": "exponential", "base": "1s"},
//!         "on": {
//!             "rate_limit": {"retry": 4, "delay_scale": 3.0, "then": "fallback"},
//!             "schema_validation": ["repair", {"retry": 1}],
//!             "unknown_tool": {"actions": [{"repair": 2}, "retry"], "then": "escalate"},
//!             "timeout": {"retry": true, "backoff": {"strategy": "constant"}},
//!             "model_overload": {"delay_scale": 4.0},
//!             "refusal": "escalate"
//!         },
//!         "fallback": ["gpt-4o-mini"]
//!     }"#,
//! )?;
//! assert_eq!(policy.max_attempts(), 6);
//!
//! let mistaken = serde_json::from_str::<fcretry::RetryPolicy>(r#"{"timout": "3s", "history": 0}"#);
//! assert_eq!(
//!     mistaken.unwrap_err().to_string(),
//!     "unknown key `timout`; did you mean `timeout`?; \
//!      `history = 0` is not in the range 1 to 20; write `history = 1` or more",
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! ## `degrade(path)`
//!
//! Where the call would fail, the function named makes a value of the error, whose report is complete by then. The report says so
//! (`degraded`); its `kind` and `stopped_by` are those of the failure. [`InvalidPolicy`](crate::FailureKind::InvalidPolicy) is
//! an error all the same.
//!
//! ```
//! use fcretry::prelude::*;
//!
//! # #[derive(Debug, PartialEq)]
//! # struct Order { customer: Option<String> }
//! fn to_be_asked(error: &fcretry::Error) -> Order {
//!     println!("{}", error.report());
//!     Order { customer: None }
//! }
//!
//! #[retry_policy(degrade(to_be_asked))]
//! async fn order() -> fcretry::Result<Order> {
//!     Err(FailureKind::Refusal.into())
//! }
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! assert_eq!(order().await.unwrap(), Order { customer: None });
//! # });
//! ```
//!
//! ## `observer(EXPR)`
//!
//! The expression is evaluated once per call, before the first attempt, and may use the function's arguments. What is attached is
//! an owned handle: `observer(self.pager)` leaves nothing of `self` borrowed. See [`Observer`](crate::Observer) for what is told.
//!
//! ## The function
//!
//! - `attempt: &Attempt` is how the body learns what this attempt is. Callers do not pass it. It is found by the last segment of its type, or by
//!   `#[attempt]` on it; then others of that name are arguments. A function without it can resend; it can neither repair nor fall
//!   back, and keys that need either are refused. A trait declares the method without the attempt, and without the attribute.
//! - The error is [`fcretry::Error`](crate::Error), or any type that implements [`Classify`](crate::Classify) and `From<fcretry::Error>`.
//! - An argument that the body consumes cannot be there for the next attempt; the compiler says so. Borrow it, or clone it in the body.
//! - Attempts borrow the arguments, so the future is `Send` only if each that the body uses is `Sync`, also those passed by value.
//! - `#[tracing::instrument]` goes below `#[retry_policy]`: one span for the call, whose `fields(..)` cannot name the attempt. Above
//!   it, the body moves its arguments, and cannot run again.
//! - Not supported, each with a message that says what to do instead: an attempt with a named lifetime, `&mut self` or a `&mut`
//!   argument lent out in the return type, methods under `#[async_trait]`. An `impl Trait` returned from `&mut self` captures it (edition
//!   2024): write `impl Trait + use<..>` without its lifetime, or return an owned value.
//!
//! # `#[derive(ToolCall)]`
//!
//! On a struct with named fields, beside `serde::Deserialize` and `schemars::JsonSchema`: the arguments of a tool. On an
//! enum whose variants each hold a tool, with nothing beside it: a [`ToolSet`](crate::ToolSet), of which the model calls one or,
//! with `call_all`, several. On an enum with `#[tool(single)]`: the arguments of one tool, as of a struct.
//!
//! | key of `#[tool(..)]` | on | default | example |
//! |---|---|---|---|
//! | `name` | the type | the type's name in `snake_case`, with its type arguments if it has some | `name = "place_order"` |
//! | `description` | the type | its doc comment | `description = "Place an order."` |
//! | `recovery` | the type | the policy's | `recovery = "off"`: how far [reading](crate::Recovery) goes for this tool, whatever the policy says |
//! | `validate(path, ..)` | the type | none | `validate(totals_add_up)`: `fn(&Order, &mut Violations)` |
//! | `validate(path, ..)` | a field | none | `validate(not_empty)`: `fn(&FieldType, &mut Violations)`, pointers below the field; not with `#[serde(from, try_from)]` on the type |
//! | `single` | an enum | a set of tools | `single` |
//! | `crate` | the type | `"::fcretry"` | `crate = "my_app::fcretry"` |
//!
//! Two tools of one name in a set are a compile error, of a generic set at its first use. A name is `[a-zA-Z0-9_-]{1,64}`, checked at compile time where it is known then. What the schema says is what is enforced: every constraint that `schemars` can
//! state, at every depth.
