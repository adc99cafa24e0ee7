//! Every struct that can be the arguments of a tool.

#![deny(warnings)]
#![allow(dead_code)]

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// Place an order for a customer.
///
/// Nothing is charged yet.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "place-order", description = "Place an order.", recovery = "lenient")]
#[tool(validate(totals_add_up, self::checks::nothing, PlaceOrder::itself))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaceOrder {
    #[tool(validate(checks::not_empty))]
    customer_name: String,
    #[serde(rename = "lines")]
    #[tool(validate(checks::any_line))]
    items: Vec<Item>,
    #[tool(validate(checks::nothing))]
    total: f64,
    #[serde(flatten)]
    #[tool(validate(checks::nothing))]
    extra: Extra,
    r#type: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Item {
    price: f64,
}

#[derive(Deserialize, JsonSchema)]
struct Extra {
    note: Option<String>,
}

impl PlaceOrder {
    fn itself(&self, _: &mut Violations) {}
}

fn totals_add_up(order: &PlaceOrder, found: &mut Violations) {
    let sum: f64 = order.items.iter().map(|item| item.price).sum();
    found.ensure((sum - order.total).abs() < 0.01, "/total", || format!("the sum is {sum}"));
}

mod checks {
    use fcretry::Violations;

    pub fn nothing<T>(_: &T, _: &mut Violations) {}

    // A field's hook may take what the field derefs to.
    pub fn not_empty(text: &str, found: &mut Violations) {
        found.ensure(!text.is_empty(), "", || "not empty".to_owned());
    }

    pub fn any_line<T>(lines: &[T], found: &mut Violations) {
        found.ensure(!lines.is_empty(), "", || "not empty".to_owned());
    }
}

/// No arguments.
#[derive(Deserialize, JsonSchema, ToolCall)]
struct Ping {}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Page<T, U = u8>
where
    U: Copy,
{
    items: Vec<T>,
    of: U,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "small")]
struct Sized<const N: usize> {
    name: String,
}

/// What the parameter is does not show in the arguments.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(bound = "")]
#[schemars(bound = "", rename = "Tagged")]
#[tool(name = "tagged")]
struct Tagged<M> {
    name: String,
    #[serde(skip)]
    tag: std::marker::PhantomData<fn() -> M>,
}

struct NoSchema;

#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(transparent)]
struct Transparent {
    #[tool(validate(checks::nothing))]
    inner: Item,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool()]
struct HTTPGet {
    url: String,
}

// A field may have the name of what an expansion binds.
#[derive(Deserialize, JsonSchema, ToolCall)]
struct Names {
    #[tool(validate(checks::nothing))]
    found: u8,
    #[tool(validate(checks::nothing))]
    __found: u8,
}

#[derive(ToolCall)]
enum Desk {
    Place(PlaceOrder),
    Ping(Ping),
}

#[derive(ToolCall)]
enum Either<A, B> {
    Left(A),
    Right(B),
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(single, name = "choose")]
enum Choice {
    One { a: u8 },
    Two { b: u8 },
}

fn is_a_set<T: fcretry::ToolSet>() {}

fn is_a_tool<T: ToolCall>() {}

fn main() {
    is_a_tool::<PlaceOrder>();
    is_a_tool::<Ping>();
    is_a_tool::<Choice>();
    is_a_set::<Ping>();
    is_a_set::<Desk>();
    is_a_set::<Either<Desk, Choice>>();
    is_a_tool::<Page<String>>();
    is_a_tool::<Sized<3>>();
    is_a_tool::<Tagged<NoSchema>>();
    is_a_tool::<Transparent>();
    is_a_tool::<HTTPGet>();
    is_a_tool::<Names>();
}
