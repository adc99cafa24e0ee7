use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use http::{HeaderMap, header};
use reqwest::{Request, Response, StatusCode, Url};
use tower::{BoxError, Service};

use super::{classify, completion, wire};
use crate::failure::{Failure, FailureKind};

/// A chat completion larger than this is none.
const MAX_BODY: usize = 32 * 1024 * 1024;

tokio::task_local! {
    /// Where the exchange of a chat leaves what the typed answer has no place for. The service runs in the
    /// caller's task.
    static SEEN: Arc<Mutex<Seen>>;
}

/// What was seen of an answer beside its body.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) request_id: Option<String>,
}

/// Awaits `exchange`, and returns what its transport saw with what it gave.
pub(super) async fn observe<F: Future>(exchange: F) -> (F::Output, Seen) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let output = SEEN.scope(Arc::clone(&seen), exchange).await;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    (output, seen)
}

/// The transport of [`client`](super::client): sends once, and returns every failure as a typed
/// [`Failure`](crate::Failure) inside `OpenAIError::Boxed`. Chat completions that stray from the specification are
/// put right before the typed parser sees them; whatever else succeeds passes through untouched.
#[derive(Clone, Debug)]
pub struct SendOnce<S> {
    inner: S,
}

impl<S> SendOnce<S> {
    /// Over a service that sends one request.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<HttpRequestFactory> for SendOnce<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        self.inner.poll_ready(context).map_err(|error| boxed(classify::transport(error.into())))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        // The service that was polled ready is the one to call; a clone may not be.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let request = factory.build().await?;
            let url = request.url().clone();
            let is_streamed = asks_for_a_stream(&request);
            let sent = inner.call(request).await;
            let response =
                sent.map_err(|error| boxed(at(classify::transport(error.into()), &url)))?;
            receive(response, &url, is_streamed).await.map_err(boxed)
        })
    }
}

fn boxed(failure: Failure) -> OpenAIError {
    OpenAIError::Boxed(Box::new(failure))
}

/// Says where there was no connection to. Nothing of a URL is shown but its origin: keys hide in the rest.
fn at(failure: Failure, url: &Url) -> Failure {
    if failure.note().is_some() || failure.kind() != FailureKind::TransientNetwork {
        return failure;
    }
    failure.with_note(format!("no answer from {}", url.origin().ascii_serialization()))
}

async fn receive(response: Response, url: &Url, is_streamed: bool) -> Result<Response, Failure> {
    let status = response.status();
    let headers = response.headers().clone();
    if let Some(id) = wire::request_id(&headers) {
        let _ = SEEN.try_with(|seen| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).request_id = Some(id);
        });
    }
    if !status.is_success() {
        // Whatever can be read of the body is worth having; the status alone is enough.
        let body = read(response).await.unwrap_or_default();
        return Err(wire::failure(Some(status.as_u16()), &headers, &body));
    }
    let is_chat = url.path().ends_with("/chat/completions");
    if !is_chat || (is_streamed && is_stream(&headers)) {
        return Ok(response);
    }
    if is_stream(&headers) {
        let failure = Failure::new(FailureKind::InvalidRequest).with_status(status.as_u16());
        return Err(failure.with_note("the answer is a stream, and none was asked for"));
    }
    let body = read(response).await.map_err(|failure| at(failure, url))?;
    let body = completion::mended(&body, status.as_u16(), &headers)?;
    Ok(rebuilt(status, headers, body))
}

fn asks_for_a_stream(request: &Request) -> bool {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    // The client writes its own JSON, without white space; in a string the quotes would be escaped.
    body.windows(STREAM.len()).any(|part| part == STREAM)
}

const STREAM: &[u8] = b"\"stream\":true";

fn is_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY => {
                let note = format!("the answer is larger than {} MiB", MAX_BODY >> 20);
                return Err(Failure::new(FailureKind::InvalidRequest).with_note(note));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(classify::transport(Box::new(error))),
        }
    }
}

fn rebuilt(status: StatusCode, mut headers: HeaderMap, body: Vec<u8>) -> Response {
    // The body is another one now, of known length and decoded.
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let mut response = http::Response::new(reqwest::Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.into()
}
