//! The future can be sent to another thread where the body's can, and is not `Send` where it is not.

#![deny(warnings)]
#![allow(dead_code)]

use std::rc::Rc;

use fcretry::prelude::*;

struct Client;

impl Client {
    async fn ask(&self, text: &str) -> fcretry::Result<String> {
        Ok(text.to_owned())
    }

    #[retry_policy(max_attempts = 3)]
    async fn method(&mut self, attempt: &Attempt, text: &str) -> fcretry::Result<String> {
        let _ = attempt;
        self.ask(text).await
    }
}

#[retry_policy(on(rate_limit, retry = 4))]
async fn borrows<F>(
    attempt: &Attempt,
    client: &Client,
    text: &str,
    shout: F,
) -> fcretry::Result<String>
where
    F: Fn(&str) -> String + Sync,
{
    let answer = client.ask(text).await?;
    let _ = attempt;
    let shouted = shout(&answer);
    client.ask(&shouted).await
}

#[retry_policy]
async fn boxes() -> Result<Box<dyn std::fmt::Display + Send>, fcretry::Error> {
    Ok(Box::new(Client.ask("a").await?))
}

#[retry_policy]
async fn is_local(text: &str) -> fcretry::Result<usize> {
    let text = Rc::new(text.to_owned());
    Client.ask(&text).await?;
    Ok(text.len())
}

fn is_send<T: Send>(value: T) -> T {
    value
}

async fn spawned() {
    let task = tokio::spawn(async {
        let mut client = Client;
        let answer = borrows(&client, "a", str::to_uppercase).await?;
        boxes().await?;
        client.method(&answer).await
    });
    let _ = task.await;

    let mut client = Client;
    let text = String::new();
    let _ = is_send(client.method(&text)).await;
    let _ = is_local(&text).await;
}

fn main() {}
