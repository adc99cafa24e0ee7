//! Names that no API takes.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "")]
struct Empty {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "place order")]
struct Space {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "orders.place")]
struct Dot {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "a234567890123456789012345678901234567890123456789012345678901234x")]
struct Long {}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Größe {}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct ANameThatIsSoLongThatNoApiWouldEverTakeItAsTheNameOfAToolToCall {}

fn is_a_tool<T: ToolCall>() {}

fn main() {
    is_a_tool::<Empty>();
    is_a_tool::<Space>();
    is_a_tool::<Dot>();
    is_a_tool::<Long>();
    is_a_tool::<Größe>();
    is_a_tool::<ANameThatIsSoLongThatNoApiWouldEverTakeItAsTheNameOfAToolToCall>();
}
