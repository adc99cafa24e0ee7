//! A body that is not `Send` is pointed at where it is not.

use std::rc::Rc;

use fcretry::prelude::*;

#[retry_policy]
async fn local(attempt: &Attempt) -> fcretry::Result<usize> {
    let text = Rc::new(String::new());
    std::future::ready(attempt.number()).await;
    Ok(text.len())
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(local());
}
