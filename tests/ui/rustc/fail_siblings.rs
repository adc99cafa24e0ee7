//! A tool without its sibling derives, and a type that is no tool.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(ToolCall)]
struct NoSiblings {
    name: String,
}

#[derive(JsonSchema, ToolCall)]
struct NoDeserialize {
    name: String,
}

#[derive(Deserialize, ToolCall)]
struct NoJsonSchema {
    name: String,
}

struct NotATool;

fn is_a_tool<T: ToolCall>() {}

fn main() {
    is_a_tool::<NotATool>();
}
