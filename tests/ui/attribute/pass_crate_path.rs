//! `crate = ".."` redirects every generated path.

#![deny(warnings)]
#![allow(dead_code)]

mod vendored {
    pub mod retries {
        pub use fcretry::*;
    }
}

use vendored::retries::{Attempt, ToolCall, Violations, retry_policy};

#[retry_policy(
    crate = "crate::vendored::retries",
    timeout = "30s",
    on(timeout, retry = 2, backoff(constant, jitter = "none"), then = "fallback"),
    fallback("gpt-4o-mini"),
    recovery = "lossless"
)]
async fn redirected(attempt: &Attempt) -> vendored::retries::Result<u8> {
    let _ = attempt;
    Ok(1)
}

#[derive(serde::Deserialize, schemars::JsonSchema, ToolCall)]
#[tool(crate = "vendored::retries", validate(anything))]
struct Redirected<T> {
    #[tool(validate(Self::whatever))]
    field: T,
}

impl<T> Redirected<T> {
    fn whatever(_: &T, _: &mut Violations) {}
}

fn anything<T>(_: &Redirected<T>, _: &mut Violations) {}

fn main() {}
