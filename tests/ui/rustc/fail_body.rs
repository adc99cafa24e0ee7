//! Mistakes in the body are reported at the user's line.

use fcretry::prelude::*;

#[retry_policy]
async fn wrong_value(attempt: &Attempt) -> fcretry::Result<u32> {
    let _ = attempt;
    Ok("text")
}

#[retry_policy]
async fn no_tail(email: &str) -> fcretry::Result<usize> {
    Ok(email.len());
}

#[retry_policy]
async fn early_return(email: &str) -> fcretry::Result<usize> {
    if email.is_empty() {
        return 0;
    }
    Ok(email.len())
}

#[retry_policy]
async fn foreign_error(email: &str) -> fcretry::Result<usize> {
    let number: usize = email.parse()?;
    Ok(number)
}

#[retry_policy]
async fn unknown_name(email: &str) -> fcretry::Result<usize> {
    Ok(emial.len())
}

#[retry_policy]
async fn unknown_method(attempt: &Attempt) -> fcretry::Result<u32> {
    Ok(attempt.nubmer())
}

// The argument would be gone at the second attempt.
#[retry_policy]
async fn consumes_its_argument(email: String) -> fcretry::Result<usize> {
    let owned = consume(email);
    Ok(owned)
}

fn consume(text: String) -> usize {
    text.len()
}

fn main() {}
