//! Enums of tools whose variants hold something else, or the same tool twice.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolCall)]
struct Place {
    name: String,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "place")]
struct AlsoPlace {
    name: String,
}

#[derive(ToolCall)]
enum Clash {
    One(Place),
    Two(AlsoPlace),
}

#[derive(ToolCall)]
enum Holds {
    One(Place),
    Other(String),
}

fn main() {}
