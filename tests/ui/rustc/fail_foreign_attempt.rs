//! Another type of the name `Attempt` is reported where it is named.

use fcretry::prelude::*;

mod quiz {
    pub struct Attempt {
        pub score: u32,
    }
}

#[retry_policy]
async fn grade(attempt: &quiz::Attempt) -> fcretry::Result<u32> {
    Ok(attempt.score)
}

fn main() {}
