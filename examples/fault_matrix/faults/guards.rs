//! What our own guards do not let out.

use fcretry::{FailureKind as K, testing::Reply};

use super::order;
use crate::{
    ask::Form::{Broken, Poor, Thrifty},
    row::{Limits, Row},
};

pub(super) fn rows() -> Vec<Row> {
    let good = || Reply::tool_call("order", order());
    let fallback = Limits { fallback: true, ..Limits::default() };
    vec![
        Row::new("the circuit breaker is open", Broken, K::CircuitOpen, good()).costs(0, 0),
        Row::new("an open breaker, another model is well", Broken, K::CircuitOpen, good())
            .limits(fallback)
            .succeeds(1),
        Row::new("more tokens than the budget has", Poor, K::BudgetExhausted, good()).costs(0, 0),
        Row::new("more dollars than the budget has", Thrifty, K::BudgetExhausted, good())
            .costs(0, 0),
        Row::new("more dollars, another model is cheaper", Thrifty, K::BudgetExhausted, good())
            .limits(fallback)
            .succeeds(1),
    ]
}
