//! The faults.

mod answers;
mod dialects;
mod guards;
mod servers;
mod streams;

use serde_json::{Value, json};

use crate::row::Row;

pub(crate) fn all() -> Vec<Row> {
    [answers::rows(), servers::rows(), dialects::rows(), streams::rows(), guards::rows()].concat()
}

/// An order as it should be, but for `change`.
fn order_but(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = json!({"customer": "Ann Larsen", "count": 2, "size": "small"});
    change(&mut order);
    order
}

fn order() -> Value {
    order_but(|_| ())
}
