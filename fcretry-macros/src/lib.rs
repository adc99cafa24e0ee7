//! The macros of [`fcretry`]: [`#[derive(ToolCall)]`](derive@ToolCall) and
//! [`#[retry_policy]`](macro@retry_policy).
//!
//! Use them through `fcretry`, which exports both: what they expand to names that crate, in exactly
//! this version. Its documentation has the whole reference of the attributes; here is what each key
//! takes.
//!
//! [`fcretry`]: https://docs.rs/fcretry

mod diag;
mod duration;
mod krate;
mod meta;
mod retry_policy;
#[cfg(test)]
mod testing;
mod tool_call;
mod value;

use proc_macro::TokenStream;

/// Makes a struct the arguments of a tool: gives it a name, a description and validation hooks.
///
/// It stands beside `serde::Deserialize` and `schemars::JsonSchema`, from which the arguments are
/// read and the schema is made.
///
/// ```ignore
/// /// Place an order for a customer.
/// #[derive(Debug, Deserialize, JsonSchema, ToolCall)]
/// #[tool(validate(totals_add_up))]
/// struct PlaceOrder {
///     #[tool(validate(is_a_name))]
///     customer: String,
///     items: Vec<Item>,
///     total: f64,
/// }
///
/// fn totals_add_up(order: &PlaceOrder, found: &mut Violations) { /* .. */ }
/// fn is_a_name(name: &str, found: &mut Violations) { /* .. */ }
/// ```
///
/// # `#[tool(..)]` on the struct
///
/// | key | default | meaning |
/// |---|---|---|
/// | `name = "place_order"` | the type's name in `snake_case`; for a generic type, its arguments too | what the model calls: `[a-zA-Z0-9_-]{1,64}` |
/// | `description = "..."` | the doc comment | what the model is told the tool is for |
/// | `recovery = "off"` | the policy's | how far reading goes for this tool: `"off"`, `"lossless"`, `"lenient"` |
/// | `validate(path, ..)` | none | functions `fn(&Self, &mut Violations)`, run in this order |
/// | `crate = "path"` | `"::fcretry"` | where `fcretry` is, if it is re-exported |
///
/// # `#[tool(..)]` on a field
///
/// | key | meaning |
/// |---|---|
/// | `validate(path, ..)` | functions `fn(&Field, &mut Violations)`, run after those of the struct; what they find is reported at the field, under the name that serde reads it by |
///
/// On an enum whose variants each hold a tool it makes a set of tools; with `#[tool(single)]` an enum is the
/// arguments of one. Refused are unions, structs with unnamed fields and types with lifetimes.
#[proc_macro_derive(ToolCall, attributes(tool))]
pub fn derive_tool_call(input: TokenStream) -> TokenStream {
    tool_call::expand(input.into()).into()
}

/// Runs the body of an `async fn` again by the rule of the kind of failure it ended with.
///
/// ```ignore
/// #[retry_policy(
///     max_attempts = 6,
///     timeout = "30s",
///     deadline = "90s",
///     backoff(exponential, base = "1s", max = "30s", jitter = "full"),
///     on(rate_limit, retry = 4, delay_scale = 3.0),
///     on(refusal, escalate),
///     fallback("gpt-4o-mini", "deepseek-v3.2"),
/// )]
/// async fn extract_order(attempt: &Attempt, email: &str) -> fcretry::Result<PlaceOrder> {
///     /* .. */
/// }
///
/// let order = extract_order(&email).await?; // the attempt is not the caller's to pass
/// ```
///
/// The parameter of type `&Attempt`, or the one marked `#[attempt]`, tells the body what this
/// attempt is, and is taken out of the signature. The function returns a `Result` whose error is
/// `fcretry::Error`, or a type that implements `fcretry::Classify` and `From<fcretry::Error>`. The
/// body runs once per attempt, unchanged; an argument that it consumes is a compile error.
///
/// - Attempts borrow the arguments: the future is `Send` only if each that the body uses is `Sync`,
///   also those passed by value.
/// - `#[tracing::instrument]` goes below `#[retry_policy]`: one span for the call, whose fields cannot
///   name the attempt. Above it, the body moves its arguments, and cannot run again.
/// - A trait declares the method without the attempt, and without the attribute.
///
/// # Keys
///
/// Without a key the default rules of each kind apply.
///
/// | key | values | default |
/// |---|---|---|
/// | `max_attempts = 6` | 1 to 100, of all models and kinds together | 4 |
/// | `timeout = "30s"` | of one attempt, up to 30 days, not longer than a `deadline` beside it | `"60s"` |
/// | `first_token = "5s"` | of a streamed answer, until it begins; not longer than a `timeout` beside it | none |
/// | `idle = "10s"` | of a streamed answer, the longest silence once it has begun; not longer than a `timeout` beside it | `"30s"` |
/// | `deadline = "90s"` | of the whole call, up to 30 days | `"180s"` |
/// | `backoff(..)` | below | `backoff(exponential, base = "1s", factor = 2.0, max = "30s", jitter = "full")` |
/// | `on(kind, ..)` | below, once for each kind but `deadline_exceeded` and `invalid_policy` | the kind's own |
/// | `fallback("model", ..)` | models to go on with, in this order; not with `max_attempts = 1` | none |
/// | `degrade(path)` | a function `fn(&E) -> T`: the value to give where the call would fail | none |
/// | `observer(EXPR)` | an `Observer` that is told what happens: a `static`, a `LazyLock`, an `Arc` | none |
/// | `budget(usd = 0.05, tokens = 20_000)` | what the call may spend, with those inside it: dollars, 0.000001 to 1 000 000, tokens, 1 to 1 000 000 000, or both | none |
/// | `prices(EXPR)` | what models cost: a `Prices` in a `static`, a `LazyLock` or an `Arc` | those around the call, else `Prices::builtin()` |
/// | `adapt(EXPR)` | an `Adaptive` that learns which way out of a failure costs least, of those that its rule leaves open: `adapt(LEARNED)` | none |
/// | `capture_content` | the report has requests, answers and providers' messages, too | it has not |
/// | `breaker(EXPR)` | a circuit breaker that calls share, in the same ways: `breaker(OPENAI)` | none |
/// | `throttle(EXPR)` | what limits how fast, and how much at once, endpoints are asked: `throttle(LIMITS)` | none |
/// | `retry_budget(EXPR)` | what keeps resends a small share of all requests: `retry_budget(RETRIES)` | none |
/// | `idempotency(..)` | what the call's key is made of: `idempotency(customer, order.id)` | a random key |
/// | `route(EXPR)` | a `Route` of endpoints to go on with after the models, or what leads to one: `route(BACKUPS)`; not with `max_attempts = 1` | none |
/// | `recovery = "lossless"` | `"off"`, `"lossless"`, `"lenient"` | `"lossless"` |
/// | `history = 1` | 1 to 20 bad answers that are fed back | 1 |
/// | `max_feedback_chars = 2000` | 100 to 100 000, for each | 2000 |
/// | `policy(EXPR)` | a `RetryPolicy`, whose keys the others replace; `policy(*POLICY)` for a `LazyLock` | none |
/// | `crate = "path"` | where `fcretry` is, if it is re-exported | `"::fcretry"` |
///
/// Durations are strings of numbers with the units `h`, `m`, `s` and `ms`: `"1m30s"`, `"1.5s"`.
///
/// ## `backoff(..)`
///
/// | item | values | default |
/// |---|---|---|
/// | `exponential`, `linear`, `fibonacci` or `constant` | how the delay grows | `exponential` |
/// | `base = "1s"` | the first delay, shorter than `deadline` | `"1s"` |
/// | `max = "30s"` | the longest delay, not below `base`; not for `constant` | `"30s"` |
/// | `factor = 2.0` | 1.0 to 10.0; only for `exponential` | 2.0 |
/// | `jitter = "full"` | `"full"`, `"equal"`, `"decorrelated"`, `"none"` | `"full"` |
///
/// ## `on(kind, ..)`
///
/// The kinds are those of `fcretry::FailureKind`, in `snake_case`. The actions are used in the order
/// in which they are written; with none of them, the kind's own are kept, and the rest changes them.
///
/// | item | values | for |
/// |---|---|---|
/// | `retry`, `retry = 2` | the same request again, 1 to 50 times | kinds that may go away: not refusals, filters, quotas, authentication, requests that fail the same way again, or what a guard refused |
/// | `repair`, `repair = 2` | ask again with what was wrong, 1 to 50 times | answers that are there and wrong |
/// | `fallback` | go on with the next model of `fallback(..)` or endpoint of `route(..)` that can help | all kinds; `auth` and `quota_exhausted` with a `route` |
/// | `fail` | the error is the call's; stands alone | all kinds |
/// | `escalate` | as `fail`, and a person must look; stands alone | all kinds |
/// | `delay_scale = 3.0` | 0.0 to 100.0 times the delay | rules that retry or repair |
/// | `backoff(..)` | instead of the policy's | rules that retry or repair |
/// | `max_tokens = 4096` | 1 to 10 000 000, the limit to raise to | `truncated` |
/// | `then = "fail"` | `"fallback"`, `"fail"`, `"escalate"`: what follows when the counts are used up, or no untried model is left | rules that retry, repair or fall back |
///
/// The counts of a rule are together below `max_attempts`, if that is given, and their waits end before the deadline. Without an attempt parameter,
/// `repair`, `fallback`, `route`, `history`, `max_feedback_chars` and `max_tokens` are refused.
#[proc_macro_attribute]
pub fn retry_policy(attr: TokenStream, item: TokenStream) -> TokenStream {
    retry_policy::expand(attr.into(), item.into()).into()
}
