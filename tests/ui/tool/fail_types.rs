//! Types that cannot be the arguments of a tool.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Tuple(String, u8);

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Newtype(String);

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Unit;

#[derive(Deserialize, JsonSchema, ToolCall)]
struct NoFields();

#[derive(Deserialize, JsonSchema, ToolCall)]
enum Choice {
    One { a: u8 },
    Two,
}

#[derive(ToolCall)]
enum NoTools {}

#[derive(ToolCall)]
#[tool(name = "desk", validate(check))]
enum KeysOfATool {
    Place(Place),
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(single)]
struct Place {
    name: String,
}

fn check(_: &KeysOfATool, _: &mut Violations) {}

#[derive(ToolCall)]
union Bits {
    float: f32,
    integer: u32,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Borrows<'a> {
    name: &'a str,
}

fn is_a_tool<T: ToolCall>() {}

fn main() {
    is_a_tool::<Tuple>();
    is_a_tool::<Newtype>();
    is_a_tool::<Choice>();
}
