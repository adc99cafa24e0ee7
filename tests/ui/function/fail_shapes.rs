//! What the attribute cannot be put on. None makes a second error in a caller or in an `impl`.

#![deny(warnings)]
#![allow(dead_code)]

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
type NorAFunction = fn(u8);

#[retry_policy]
static STATIC_FUNCTION: fn(u8) = drop;

#[retry_policy]
fn not_async(email: &str) -> fcretry::Result<usize> {
    Ok(email.len())
}

#[retry_policy]
fn not_async_with_attempt(#[attempt] attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
fn not_async_in_two_ways(attempt: &mut Attempt, email: &str) {
    let _ = (attempt.number(), email);
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

/// As above; the lifetime of the attempt is `#[async_trait]`'s too.
#[retry_policy]
fn rewritten_with_attempt<'life0, 'life1, 'async_trait>(
    attempt: &'life0 Attempt,
    email: &'life1 str,
) -> Pin<Box<dyn Future<Output = fcretry::Result<u32>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    'life1: 'async_trait,
{
    Box::pin(async move { Ok(attempt.number() + email.len() as u32) })
}

trait Extract {
    #[retry_policy]
    async fn no_body(&self, attempt: &Attempt, email: &str) -> fcretry::Result<u32>;

    #[retry_policy]
    async fn no_body_but_a_mark(#[attempt] attempt: &Attempt) -> fcretry::Result<u32>;
}

struct Extractor;

impl Extract for Extractor {
    #[retry_policy]
    async fn no_body(&self, attempt: &Attempt, email: &str) -> fcretry::Result<u32> {
        let _ = email;
        Ok(attempt.number())
    }

    #[retry_policy]
    async fn no_body_but_a_mark(attempt: &Attempt) -> fcretry::Result<u32> {
        Ok(attempt.number())
    }
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

async fn callers() -> fcretry::Result<()> {
    not_async("a").await?;
    not_async_with_attempt().await?;
    not_async_in_two_ways("a").await;
    returns_a_future().await?;
    rewritten("a").await?;
    rewritten_with_attempt("a").await?;
    Extractor.no_body("a").await?;
    Extractor::no_body_but_a_mark().await?;
    annotated_twice().await
}

fn main() {
    let _ = NOT_A_FUNCTION;
    let _ = NeitherAFunction::Variant;
    let _ = callers();
}
