//! Values of the wrong type or out of range.

use fcretry::prelude::*;

const ATTEMPTS: u32 = 6;

#[retry_policy(max_attempts = 0)]
async fn no_attempts() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 101)]
async fn too_many_attempts() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 99999999999)]
async fn more_than_fits() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = -1)]
async fn negative() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = "6")]
async fn quoted_integer() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 6.0)]
async fn float() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = ATTEMPTS)]
async fn constant() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts)]
async fn no_value() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts(6))]
async fn in_brackets() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(history = 0, max_feedback_chars = 99)]
async fn below(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(history = 21, max_feedback_chars = 100_001)]
async fn above(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(recovery = "lossles")]
async fn near_miss() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(recovery = "everything")]
async fn unknown() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(recovery = off)]
async fn unquoted() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(recovery = 1)]
async fn not_a_string() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(crate = "not a path")]
async fn not_a_path() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fallback())]
async fn empty_fallback(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fallback("gpt-4o-mini", "gpt-4o-mini", ""))]
async fn fallback_names(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fallback = "gpt-4o-mini")]
async fn fallback_without_brackets(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fallback(MODEL, 3))]
async fn fallback_to_no_string(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(fallback(["gpt-4o-mini", "deepseek-v3.2"], &MODEL, models::CHEAP))]
async fn fallback_to_expressions(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(max_attempts = 3i32, on(timeout, delay_scale = 2u8))]
async fn suffixes() -> fcretry::Result<()> {
    Ok(())
}

fn main() {
    let _ = ATTEMPTS;
}
