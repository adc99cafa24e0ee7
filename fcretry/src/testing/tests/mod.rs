use std::sync::LazyLock;

use std::error::Error;

use serde_json::{Value, json};
use tower::{BoxError, Service};

use super::MockModel;

mod bodies;
mod http;
mod in_process;
mod misuse;
mod script;
mod streams;

fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

fn streamed_question() -> Value {
    json!({
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    })
}

/// Builds every request. With TLS in the build, making a client reads the system's certificates.
static BUILDER: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// Asks in process.
async fn ask(model: &MockModel, body: &Value) -> Result<reqwest::Response, BoxError> {
    let url = format!("{}/chat/completions", model.base_url_in_process());
    let request = BUILDER.post(url).body(body.to_string()).build().unwrap();
    model.service().call(request).await
}

/// Asks in process, and reads the answer as JSON.
async fn answer(model: &MockModel, body: &Value) -> Value {
    json_of(ask(model, body).await.unwrap()).await
}

async fn json_of(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Asks over HTTP.
async fn post(base_url: &str, body: &Value) -> Result<reqwest::Response, reqwest::Error> {
    let url = format!("{base_url}/chat/completions");
    reqwest::Client::new().post(url).body(body.to_string()).send().await
}

/// The events of a stream as they arrived, and the error that ended it, if one did.
async fn events(mut response: reqwest::Response) -> (Vec<String>, Option<reqwest::Error>) {
    let mut text = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(part)) => text.extend_from_slice(&part),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let text = String::from_utf8(text).unwrap();
    let events = text.split_terminator("\n\n").map(|event| {
        event.strip_prefix("data: ").unwrap_or_else(|| panic!("no event: {event:?}")).to_owned()
    });
    (events.collect(), error)
}

fn find_io_error(error: &(dyn Error + 'static)) -> Option<std::io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error.kind());
        }
        next = error.source();
    }
    None
}

/// Lets the runtime work until `done`, without waiting for any clock.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never seen: {what}");
}
