//! What servers and connections do.

use std::time::{Duration, SystemTime};

use fcretry::{FailureKind as K, testing::Reply};
use serde_json::json;

use super::order;
use crate::{
    ask::Form::{Json, Tool},
    row::{Limits, Row},
};

#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    let limited = || Reply::status(429);
    let briefly = || Limits { timeout: Some(Duration::from_secs(1)), ..Limits::default() };
    let good = || Reply::tool_call("order", order());
    let page = "<!DOCTYPE html><html><title>Web server is down</title></html>";
    vec![
        Row::new("429", Tool, K::RateLimit, limited()),
        Row::new("429, Retry-After-Ms: 30", Tool, K::RateLimit, limited().retry_after("30ms"))
            .told(Duration::from_millis(30)),
        Row::new("429, Retry-After: 0", Json, K::RateLimit, limited().retry_after("0s")),
        Row::new(
            "429, Retry-After: a date in the past",
            Tool,
            K::RateLimit,
            limited().retry_after_date(SystemTime::UNIX_EPOCH),
        ),
        Row::new("429, Retry-After: 300", Tool, K::RateLimit, limited().retry_after("300s"))
            .at_once(),
        Row::new(
            "429, Retry-After: 300, another model",
            Tool,
            K::RateLimit,
            limited().retry_after("300s"),
        )
        .falls_back_after(1)
        .waits(0),
        Row::new("429 of one model, another is well", Tool, K::RateLimit, limited())
            .falls_back_after(3)
            .waits(9),
        Row::new("500", Tool, K::ModelOverload, Reply::status(500)),
        Row::new(
            "503, Retry-After-Ms: 30",
            Tool,
            K::ModelOverload,
            Reply::status(503).retry_after("30ms"),
        )
        .told(Duration::from_millis(30)),
        Row::new("529", Json, K::ModelOverload, Reply::status(529)),
        Row::new("503 of one model, another is well", Tool, K::ModelOverload, Reply::status(503))
            .falls_back_after(3),
        Row::new(
            "a web page with 502",
            Tool,
            K::ModelOverload,
            Reply::status(502).body(page, "text/html"),
        ),
        Row::new(
            "a web page with 521",
            Tool,
            K::ModelOverload,
            Reply::status(521).body(page, "text/html"),
        ),
        Row::new(
            "a web page with 200",
            Tool,
            K::InvalidRequest,
            Reply::status(200).body(page, "text/html"),
        ),
        Row::new("an empty 200", Tool, K::TransientNetwork, Reply::status(200)),
        Row::new("400", Tool, K::InvalidRequest, Reply::status(400)),
        Row::new("401", Tool, K::Auth, Reply::status(401)),
        Row::new("402", Tool, K::QuotaExhausted, Reply::status(402)),
        Row::new("403", Json, K::Auth, Reply::status(403)),
        Row::new(
            "404, no such path",
            Tool,
            K::InvalidRequest,
            Reply::status(404).body("404 page not found", "text/plain"),
        ),
        Row::new("408", Tool, K::TransientNetwork, Reply::status(408)),
        Row::new("409", Tool, K::TransientNetwork, Reply::status(409)),
        Row::new("413", Tool, K::ContextOverflow, Reply::status(413)),
        Row::new("501", Tool, K::InvalidRequest, Reply::status(501)),
        Row::nowhere("nobody listens", K::TransientNetwork),
        Row::new("the connection is closed", Tool, K::TransientNetwork, Reply::drop_connection()),
        Row::new("the body is cut", Tool, K::TransientNetwork, good().cut_body_after(80)),
        Row::new("silence", Tool, K::Timeout, Reply::hang()).limits(briefly()),
        Row::new("silence of one model, another is well", Tool, K::Timeout, Reply::hang())
            .limits(briefly())
            .falls_back_after(2),
        Row::new("silence until the deadline", Tool, K::DeadlineExceeded, Reply::hang())
            .limits(Limits { deadline: Some(Duration::from_secs(1)), ..Limits::default() }),
        Row::new(
            "an error inside a 200",
            Tool,
            K::ModelOverload,
            Reply::status(200).error_body(json!({"error": {"message": "upstream is gone"}})),
        ),
        Row::new("401, another endpoint is well", Tool, K::Auth, Reply::status(401))
            .goes_elsewhere(),
        Row::new("402, another endpoint is well", Json, K::QuotaExhausted, Reply::status(402))
            .goes_elsewhere(),
        Row::new("404, another endpoint has the model", Tool, K::ModelNotFound, Reply::status(404))
            .goes_elsewhere(),
        Row::new("413, a larger context elsewhere", Tool, K::ContextOverflow, Reply::status(413))
            .goes_elsewhere(),
        Row::new(
            "400, another endpoint would say so too",
            Tool,
            K::InvalidRequest,
            Reply::status(400),
        )
        .in_vain(),
        Row::new(
            "a refusal is final, with another endpoint",
            Tool,
            K::Refusal,
            Reply::refusal("I can't help with that."),
        )
        .in_vain(),
    ]
}
