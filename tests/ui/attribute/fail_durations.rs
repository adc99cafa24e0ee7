//! Durations that say no time, or not which.

use fcretry::prelude::*;

#[retry_policy(timeout = "30")]
async fn no_unit() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = 30)]
async fn integer() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = 1.5)]
async fn float() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = 30s)]
async fn unquoted() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = "30sec")]
async fn unknown_unit() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = "0s")]
async fn zero() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(deadline = "31h90000m")]
async fn too_long() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(deadline = "soon")]
async fn word() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(deadline = "30s1m")]
async fn smaller_unit_first() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(deadline = "")]
async fn empty() -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(timeout = "2m", deadline = "90s")]
async fn longer_than_the_deadline() -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
