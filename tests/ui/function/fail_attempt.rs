//! Attempts of the wrong form. None makes a second error in the body or in a caller.

use fcretry::prelude::*;

#[retry_policy]
async fn by_value(attempt: Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
async fn exclusive(attempt: &mut Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
async fn named_lifetime<'a>(attempt: &'a Attempt, email: &'a str) -> fcretry::Result<&'a str> {
    let _ = attempt.number();
    Ok(email)
}

#[retry_policy]
async fn static_lifetime(attempt: &'static Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
async fn two(first: &Attempt, second: &fcretry::Attempt) -> fcretry::Result<u32> {
    Ok(first.number() + second.number())
}

mod quiz {
    pub struct Attempt;
}

#[retry_policy]
async fn foreign_and_ours(_quiz: &quiz::Attempt, _attempt: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy]
async fn on_a_condition(#[cfg(unix)] attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

#[retry_policy]
async fn two_marked(
    #[attempt] first: &Attempt,
    #[attempt] second: &Attempt,
) -> fcretry::Result<u32> {
    Ok(first.number() + second.number())
}

#[retry_policy]
async fn pattern(Attempt { .. }: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy]
async fn mark_with_a_value(#[attempt(1)] attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.number())
}

struct Extractor;

impl Extractor {
    #[retry_policy]
    async fn marked_self(#[attempt] &self) -> fcretry::Result<()> {
        Ok(())
    }
}

async fn callers() -> fcretry::Result<()> {
    by_value().await?;
    exclusive().await?;
    named_lifetime("a").await?;
    static_lifetime().await?;
    two().await?;
    on_a_condition().await?;
    two_marked().await?;
    pattern().await?;
    mark_with_a_value().await?;
    Extractor.marked_self().await?;
    Ok(())
}

fn main() {
    let _ = callers();
}
