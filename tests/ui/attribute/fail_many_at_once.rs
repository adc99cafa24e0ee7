//! Every mistake of one attribute, and of its function, is reported in one compile; the callers and
//! the body of a function whose attribute is wrong have none of their own.

#![deny(warnings)]
#![allow(dead_code)]

use fcretry::prelude::*;

#[retry_policy(
    max_attempts = 0,
    timeout = 30,
    deadlin = "90s",
    backoff(expnential, base = "2s", max = "1s", jitter = "ful"),
    on(rate_limt, retry = 4),
    on(refusal, retry = 2),
    on(timeout, retry = 0, fail),
    on(auth, fail),
    on(auth, escalate),
    on(model_overload, retry, fallback),
    recovery = "some",
    recovery = "off",
    budget(usd = 0.05)
)]
pub async fn extract(client: &str, attempt: &mut Attempt, email: &str) {
    let _ = (client, email, attempt.number());
}

#[retry_policy(max_attempt = 3)]
pub async fn with_attempt(attempt: &Attempt, email: &str) -> fcretry::Result<usize> {
    let number: u32 = attempt.number();
    let _ = number;
    if email.is_empty() {
        return Ok(0);
    }
    Ok(without_attempt(email).await? + email.len())
}

#[retry_policy(timeout = 30)]
pub async fn without_attempt(email: &str) -> fcretry::Result<usize> {
    Ok(email.len())
}

#[retry_policy(timeout = 30)]
pub async fn unused_attempt(attempt: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

// What the policy is made from is used.
#[retry_policy(policy(strictest(limits)), timeout = 30)]
pub async fn under_a_policy(limits: &[u32]) -> fcretry::Result<()> {
    Ok(())
}

fn strictest(_: &[u32]) -> fcretry::RetryPolicy {
    fcretry::RetryPolicy::default()
}

pub struct Extractor;

impl Extractor {
    #[retry_policy(timeout = 30)]
    pub async fn method(
        &mut self,
        #[attempt] this: &Attempt,
        email: &str,
    ) -> fcretry::Result<usize> {
        let _ = this.number();
        Ok(email.len())
    }
}

pub trait Extract {
    #[retry_policy(timeout = 30)]
    async fn provided(&self, attempt: &Attempt) -> fcretry::Result<u32> {
        Ok(attempt.number())
    }
}

impl Extract for Extractor {}

pub async fn callers(client: &str, email: &str) -> fcretry::Result<usize> {
    extract(client, email).await;
    unused_attempt().await?;
    under_a_policy(&[1]).await?;
    let mut extractor = Extractor;
    extractor.provided().await?;
    Ok(with_attempt(email).await? + extractor.method(email).await?)
}

fn main() {}
