//! What is named as a route and leads to none.

use fcretry::prelude::*;

#[retry_policy(route("azure"))]
async fn a_name(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

#[retry_policy(route(self.client))]
async fn no_self(_: &Attempt) -> fcretry::Result<()> {
    Ok(())
}

fn main() {}
