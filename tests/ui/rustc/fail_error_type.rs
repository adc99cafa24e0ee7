//! An error type that the policy can do nothing with.

use fcretry::prelude::*;

#[derive(Debug)]
struct NoKind;

impl From<fcretry::Error> for NoKind {
    fn from(_: fcretry::Error) -> Self {
        Self
    }
}

#[retry_policy]
async fn without_classify() -> Result<u32, NoKind> {
    Ok(1)
}

#[derive(Debug)]
struct NotOurs;

impl Classify for NotOurs {
    fn kind(&self) -> FailureKind {
        FailureKind::Application
    }
}

#[retry_policy]
async fn without_from(attempt: &Attempt) -> Result<u32, NotOurs> {
    Ok(attempt.number())
}

fn main() {}
