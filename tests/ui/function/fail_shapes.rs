//! What the attribute cannot be put on.

use std::future::Future;
use std::pin::Pin;

use fcretry::prelude::*;

#[retry_policy]
struct NotAFunction;

#[retry_policy(max_attempts = 3)]
pub(crate) enum NeitherAFunction {
    Variant,
}

#[retry_policy]
impl NotAFunction {}

#[retry_policy]
mod not_a_function {}

#[retry_policy]
const NOT_A_FUNCTION: u8 = 1;

#[retry_policy]
fn not_async(email: &str) -> fcretry::Result<usize> {
    Ok(email.len())
}

#[retry_policy]
fn not_async_with_attempt(#[attempt] attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
fn returns_a_future() -> impl Future<Output = fcretry::Result<()>> {
    async { Ok(()) }
}

/// What `#[async_trait]` leaves of an `async fn`.
#[retry_policy]
fn rewritten<'life0, 'async_trait>(
    email: &'life0 str,
) -> Pin<Box<dyn Future<Output = fcretry::Result<usize>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
{
    Box::pin(async move { Ok(email.len()) })
}

trait Extract {
    #[retry_policy]
    async fn no_body(&self, attempt: &Attempt) -> fcretry::Result<()>;
}

#[retry_policy]
async fn returns_nothing(email: &str) {
    let _ = email;
}

#[retry_policy]
async fn returns_unit(email: &str) -> () {
    let _ = email;
}

#[retry_policy(max_attempts = 3)]
#[retry_policy(timeout = "30s")]
async fn annotated_twice() -> fcretry::Result<()> {
    Ok(())
}

fn main() {
    let _ = NOT_A_FUNCTION;
    let _ = NeitherAFunction::Variant;
    let _ = (not_async("a"), returns_a_future());
}
