use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use http::{HeaderMap, header};
use reqwest::{Request, Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::timeout;
use tower::{BoxError, Service};

use super::{Continuation, classify, completion, wire};
use crate::{
    failure::{Failure, FailureKind},
    guard::throttle::ServerLimits,
};

/// A chat completion larger than this is none.
pub(super) const MAX_BODY: usize = 32 * 1024 * 1024;

tokio::task_local! {
    /// Where the exchange of a chat leaves what the typed answer has no place for. The service runs in the
    /// caller's task.
    static SEEN: Arc<Mutex<Seen>>;
}

/// Of the body of an error no more than this is read, and for no longer.
const MAX_ERROR: usize = 1024 * 1024;
const ERROR_TIME: Duration = Duration::from_secs(2);

/// What the longest start of an event is that tells a stream.
const EVENT: &[u8] = b"event:";

/// What was seen of an answer beside its typed body.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What the server says that it allows, if it does. On the heap: it is there once the answer has begun, and many wait for that.
    pub(super) limits: Option<Box<ServerLimits>>,
    pub(super) request_id: Option<String>,
    /// The stream, which the typed client would read in a task of its own, without end and without an end seen.
    pub(super) streamed: Option<Box<Streamed>>,
    takes_streams: bool,
    /// The request asks for the rest of an answer.
    continuation: Option<Continuation>,
}

/// The answer to a request for a stream.
#[derive(Debug)]
pub(super) enum Streamed {
    /// The body, and what was read of it to tell what it is.
    Events(Response, Vec<u8>),
    /// A completion in one piece: the server does not know streams.
    Completion(Vec<u8>),
}

/// The client is told this where its stream was taken away from it, so that it starts no task.
#[derive(Debug)]
struct Taken;

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream is read elsewhere")
    }
}

impl std::error::Error for Taken {}

/// Awaits `exchange`, and returns what its transport saw with what it gave.
pub(super) fn observe<F: Future>(exchange: F) -> impl Future<Output = (F::Output, Seen)> {
    observed(exchange, Seen::default())
}

/// Awaits `exchange`, and returns what its transport saw with what it gave: a stream, if there is one, and then nothing
/// else that counts.
pub(super) fn observe_stream<F: Future>(
    exchange: F,
    continuation: Option<Continuation>,
) -> impl Future<Output = (F::Output, Seen)> {
    observed(exchange, Seen { takes_streams: true, continuation, ..Seen::default() })
}

/// Not an `async fn`, which would hold what it was called with as well as what it made of it.
fn observed<F: Future>(exchange: F, seen: Seen) -> impl Future<Output = (F::Output, Seen)> {
    let seen = Arc::new(Mutex::new(seen));
    let exchange = SEEN.scope(Arc::clone(&seen), exchange);
    async move {
        let output = exchange.await;
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        (output, seen)
    }
}

/// What a chat in this task wants to know, if one does.
fn with_seen<R>(look: impl FnOnce(&mut Seen) -> R) -> Option<R> {
    SEEN.try_with(|seen| look(&mut seen.lock().unwrap_or_else(PoisonError::into_inner))).ok()
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
            let mut request = factory.build().await?;
            if let Some(continuation) = with_seen(|seen| seen.continuation).flatten() {
                mark(&mut request, continuation);
            }
            let url = request.url().clone();
            let is_streamed = asks_for_a_stream(&request);
            let sent = inner.call(request).await;
            let response =
                sent.map_err(|error| boxed(at(classify::transport(error.into()), &url)))?;
            if is_streamed && with_seen(|seen| seen.takes_streams) == Some(true) {
                let streamed = receive_stream(response, &url).await.map_err(boxed)?;
                with_seen(|seen| seen.streamed = Some(Box::new(streamed)));
                return Err(OpenAIError::Boxed(Box::new(Taken)));
            }
            receive(response, &url, is_streamed).await.map_err(boxed)
        })
    }
}

/// Says in the body that the last message is to be gone on with.
fn mark(request: &mut Request, continuation: Continuation) {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    if let Ok(Value::Object(mut body)) = serde_json::from_slice(body) {
        continuation.mark(&mut body);
        *request.body_mut() = Some(Value::Object(body).to_string().into());
        request.headers_mut().remove(header::CONTENT_LENGTH);
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

/// A response that says it succeeded; its request id is noted.
async fn accepted(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    let id = wire::request_id(response.headers());
    let limits = wire::limits(response.headers());
    if id.is_some() || !limits.is_empty() {
        with_seen(|seen| {
            seen.request_id = id;
            seen.limits = (!limits.is_empty()).then(|| Box::new(limits));
        });
    }
    if status.is_success() {
        return Ok(response);
    }
    let headers = response.headers().clone();
    let body = read_some(response).await;
    // What the server took for no call may be one for us; else it is judged like any other answer.
    if let Some(text) = wire::failed_call(&body) {
        return Ok(rebuilt(StatusCode::OK, headers, completion::saying(&text)));
    }
    Err(wire::failure(Some(status.as_u16()), &headers, &body))
}

async fn receive_stream(response: Response, url: &Url) -> Result<Streamed, Failure> {
    let response = accepted(response).await?;
    if is_stream(response.headers()) {
        return Ok(Streamed::Events(response, Vec::new()));
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let mut response = response;
    let mut body = Vec::new();
    // Some streams do not say that they are one; their first bytes do.
    while body.len() < EVENT.len()
        && let Some(piece) =
            response.chunk().await.map_err(|error| at(classify::transport(Box::new(error)), url))?
    {
        body.extend_from_slice(&piece);
    }
    if [b"data:".as_slice(), EVENT, b":"].iter().any(|start| body.starts_with(start)) {
        return Ok(Streamed::Events(response, body));
    }
    let body = read_on(response, body).await.map_err(|failure| at(failure, url))?;
    completion::mended(&body, status.as_u16(), &headers).map(Streamed::Completion)
}

async fn receive(response: Response, url: &Url, is_streamed: bool) -> Result<Response, Failure> {
    let response = accepted(response).await?;
    let (status, headers) = (response.status(), response.headers().clone());
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

/// What can be read of the body of an error in little time: status and headers say the rest, and how long to wait.
async fn read_some(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() > MAX_ERROR {
                break;
            }
        }
    };
    // What came until then is kept.
    let _ = timeout(ERROR_TIME, reading).await;
    body
}

async fn read(response: Response) -> Result<Vec<u8>, Failure> {
    read_on(response, Vec::new()).await
}

async fn read_on(mut response: Response, mut body: Vec<u8>) -> Result<Vec<u8>, Failure> {
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
