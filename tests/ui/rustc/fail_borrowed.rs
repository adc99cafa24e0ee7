//! What a call keeps it does not borrow; and a closure that borrows is not `Send`.

use fcretry::prelude::*;
use fcretry::{Observer, RetryPolicy, Run};

struct Log(u32);

impl Observer for Log {}

#[retry_policy(observer(*log))]
async fn borrowed(log: &Log) -> fcretry::Result<u32> {
    Ok(1)
}

fn is_send<T: Send>(_: T) {}

fn run_that_borrows(text: &str) {
    let policy = RetryPolicy::default();
    is_send(Run::new(&policy).run(async |attempt: &Attempt| -> fcretry::Result<usize> {
        std::future::ready(attempt.number()).await;
        Ok(text.len())
    }));
}

fn main() {}
