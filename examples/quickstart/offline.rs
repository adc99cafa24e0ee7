use fcretry::testing::{MockModel, Reply};
use serde_json::json;

use crate::args::Mode;

/// A rate limit, broken arguments, arguments whose total is wrong, then a right order.
pub(crate) fn bad_day(mode: Mode) -> MockModel {
    // An expression is not a value, and nobody works it out for the model.
    let broken = r#"{"customer": "Ada Lovelace", "items": [{"name": "ceramic mug", "price": 25.00 / 2, "quantity": 2}]}"#;
    let order = |total: f64| {
        json!({
            "customer": "Ada Lovelace",
            "items": [
                {"name": "ceramic mug", "price": 12.5, "quantity": 2},
                {"name": "teapot", "price": 20.5, "quantity": 1},
            ],
            "total": total,
        })
    };
    let answer = |arguments: String| match mode {
        Mode::Tool => Reply::tool_call("place_order", arguments),
        Mode::Json => Reply::text(arguments),
    };
    MockModel::new([
        Reply::status(429).retry_after("500ms"),
        answer(broken.to_owned()),
        answer(order(54.5).to_string()),
    ])
    .then_repeat(answer(order(45.5).to_string()))
}
