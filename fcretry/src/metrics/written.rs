//! What is written, and what recorders are told of it.

use ::metrics::{Unit, describe_counter, describe_histogram};

/// `fcretry.calls`
pub const CALLS: &str = "fcretry.calls";
/// `fcretry.call.duration`
pub const CALL_DURATION: &str = "fcretry.call.duration";
/// `fcretry.attempts`
pub const ATTEMPTS: &str = "fcretry.attempts";
/// `fcretry.decisions`
pub const DECISIONS: &str = "fcretry.decisions";
/// `fcretry.delay`
pub const DELAY: &str = "fcretry.delay";
/// `fcretry.requests`
pub const REQUESTS: &str = "fcretry.requests";
/// `gen_ai.client.operation.duration`
pub const OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
/// `gen_ai.client.operation.time_to_first_chunk`
pub const FIRST_CHUNK: &str = "gen_ai.client.operation.time_to_first_chunk";
/// `gen_ai.client.token.usage`
pub const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
/// `fcretry.tokens.cached`
pub const CACHED_TOKENS: &str = "fcretry.tokens.cached";
/// `fcretry.tokens.reasoning`
pub const REASONING_TOKENS: &str = "fcretry.tokens.reasoning";
/// `fcretry.cost`
pub const COST: &str = "fcretry.cost";
/// `fcretry.unpriced`
pub const UNPRICED: &str = "fcretry.unpriced";
/// `fcretry.unaccounted`
pub const UNACCOUNTED: &str = "fcretry.unaccounted";
/// `fcretry.recoveries`
pub const RECOVERIES: &str = "fcretry.recoveries";
/// `fcretry.left_early`
pub const LEFT_EARLY: &str = "fcretry.left_early";

/// Source: the `OpenTelemetry` conventions, for `gen_ai.client.operation.duration`; longer ones, as deadlines are of minutes.
const SECONDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
];

/// Source: the `OpenTelemetry` conventions, for `gen_ai.server.time_to_first_token`; longer ones, for models that think first.
const FIRST: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0,
];

/// Source: the `OpenTelemetry` conventions, for `gen_ai.client.token.usage`, as far as contexts go.
const TOKENS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];

/// Dollars of an attempt: from a hundredth of a cent.
const DOLLARS: &[f64] = &[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// The upper bounds of the buckets of each histogram, for recorders that want to be told.
pub const BUCKETS: [(&str, &[f64]); 6] = [
    (CALL_DURATION, SECONDS),
    (DELAY, SECONDS),
    (OPERATION_DURATION, SECONDS),
    (FIRST_CHUNK, FIRST),
    (TOKEN_USAGE, TOKENS),
    (COST, DOLLARS),
];

/// Tells the recorder what each metric is.
pub(super) fn describe() {
    let count = Unit::Count;
    describe_counter!(CALLS, count, "Calls that ended");
    describe_counter!(ATTEMPTS, count, "Attempts that ended");
    describe_counter!(DECISIONS, count, "What was decided about failed attempts");
    describe_counter!(REQUESTS, count, "Requests that went to a server");
    describe_counter!(CACHED_TOKENS, count, "Input tokens that the provider had cached");
    describe_counter!(REASONING_TOKENS, count, "Output tokens that were reasoning");
    describe_counter!(UNPRICED, count, "Attempts with an answer whose cost is unknown");
    describe_counter!(UNACCOUNTED, count, "Attempts with a request whose tokens are unknown");
    describe_counter!(RECOVERIES, count, "What was put right in arguments without asking again");
    describe_counter!(LEFT_EARLY, count, "Streams that were left before their end");
    let seconds = Unit::Seconds;
    describe_histogram!(CALL_DURATION, seconds, "How long calls took, waits included");
    describe_histogram!(DELAY, seconds, "The waits that were decided");
    describe_histogram!(OPERATION_DURATION, seconds, "How long attempts took");
    describe_histogram!(FIRST_CHUNK, seconds, "From sending to the first token");
    describe_histogram!(COST, count, "Dollars that the answers of an attempt cost");
    describe_histogram!(TOKEN_USAGE, count, "Tokens of the answers of an attempt");
}
