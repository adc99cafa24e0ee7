//! Hooks that are not there, or of another signature, are reported where they are named.

use fcretry::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolCall)]
#[tool(validate(wrong_type, too_few, not_there, Hooked::not_a_method))]
struct Hooked {
    #[tool(validate(on_number, gives_back))]
    name: String,
}

fn wrong_type(_: &str, _: &mut Violations) {}

fn too_few(_: &Hooked) {}

fn on_number(_: &u32, _: &mut Violations) {}

// A hook puts what it finds into `found`; what it would give back would be lost.
fn gives_back(name: &str, _: &mut Violations) -> bool {
    name.is_empty()
}

fn main() {}
