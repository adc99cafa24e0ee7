//! What calls cost in money: prices, and what a policy makes of them. Pure: no clock, no I/O and no randomness of its own.
//!
//! [`Prices`] says what a model takes for its tokens, and [`Prices::cost_of`] what an answer cost, exactly. A model that is
//! not in the table has no price, which is never 0 and never another model's.
//!
//! ```
//! use fcretry::{Usage, cost::{Price, Prices}};
//!
//! let prices = Prices::new().with("gpt-4o-mini", Price::per_million("0.15", "0.60")?.cached("0.075")?);
//! let cost = prices.cost_of("gpt-4o-mini-2024-07-18", Usage::new(1000, 200));
//! assert_eq!(cost.unwrap().to_string(), "$0.00027");
//! assert_eq!(prices.cost_of("gpt-4o", Usage::new(1000, 200)), None);
//! # Ok::<(), fcretry::cost::InvalidCost>(())
//! ```

mod amount;
mod builtin;
mod model_name;
mod planner;
mod price;
mod prices;

pub use amount::{Cost, InvalidCost};
pub use planner::{
    Asked, FailureRates, Figure, InvalidPlan, Latency, Method, Plan, Planner, Spend,
};
pub use price::Price;
pub use prices::Prices;
