//! `#[tool(..)]` with keys or values that are wrong. The type is a tool all the same.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(nam = "place_order")]
struct NearMiss {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(strict)]
struct Unknown {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name = "a", name = "b")]
#[tool(description = "A.")]
#[tool(description = "B.")]
struct Twice {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(name)]
#[tool(description = 3)]
#[tool(crate = "::")]
struct Values {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(recovery = "lossles")]
struct NoSuchRecovery {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(description = " ")]
struct EmptyDescription {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool]
struct NoList {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool = "place_order"]
struct NotAList {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool("place_order")]
struct NoKey {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(validate)]
struct NoHooks {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(validate())]
struct EmptyHooks {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(validate = "check")]
struct HookAsAString {}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(validate("check", a::, |it, found| {}, 3))]
struct NoPaths {}

#[derive(Deserialize, JsonSchema, ToolCall)]
struct OnFields {
    #[tool(name = "a")]
    name: String,
    #[tool(valdate(check))]
    near_miss: String,
    #[tool(validate(check))]
    #[serde(skip)]
    skipped: String,
    #[tool(validate(check))]
    #[tool(validate(check))]
    twice: String,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(from = "Raw")]
struct FromAnother {
    #[tool(validate(check))]
    name: String,
}

#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(try_from = "Raw")]
struct TriedFromAnother {
    #[tool(validate(check))]
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Raw {
    text: String,
}

impl From<Raw> for FromAnother {
    fn from(Raw { text }: Raw) -> Self {
        Self { name: text }
    }
}

impl From<Raw> for TriedFromAnother {
    fn from(Raw { text }: Raw) -> Self {
        Self { name: text }
    }
}

fn check(_: &str, _: &mut Violations) {}

fn is_a_tool<T: ToolCall>() {}

fn main() {
    is_a_tool::<NearMiss>();
    is_a_tool::<Unknown>();
    is_a_tool::<Twice>();
    is_a_tool::<Values>();
    is_a_tool::<EmptyDescription>();
    is_a_tool::<NoList>();
    is_a_tool::<NotAList>();
    is_a_tool::<NoKey>();
    is_a_tool::<NoHooks>();
    is_a_tool::<EmptyHooks>();
    is_a_tool::<HookAsAString>();
    is_a_tool::<NoPaths>();
    is_a_tool::<OnFields>();
}
