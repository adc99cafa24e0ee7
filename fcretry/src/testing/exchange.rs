//! One request and its answer, whichever way it came.

use std::{future, io};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::BoxError;

use super::{
    MockModel, RecordedRequest, Reply,
    body::PlayedBody,
    reply::{Kind, Plain, error_body},
    script::not_json,
    stream::stream,
};

/// Far more than any prompt, and it keeps a client gone wild from filling the memory.
const LARGEST_REQUEST: usize = 64 << 20;

/// Answers one request. An error means that the connection breaks without an answer.
pub(super) async fn exchange<B>(
    model: MockModel,
    request: Request<B>,
) -> io::Result<Response<PlayedBody>>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if head.method == Method::GET && path.ends_with("/models") {
        return Ok(models(&model.names()));
    }
    if let (&Method::GET, Some((_, name))) = (&head.method, path.split_once("/models/")) {
        return Ok(json_response(StatusCode::OK, &described(name)));
    }
    if head.method != Method::POST || !path.ends_with("/chat/completions") {
        return Ok(unknown_path(&head.method, path));
    }
    match Limited::new(body, LARGEST_REQUEST).collect().await {
        Ok(body) => complete(&model, head, &body.to_bytes()).await,
        Err(error) if error.is::<LengthLimitError>() => Ok(too_large()),
        Err(error) => Err(io::Error::other(error)),
    }
}

async fn complete(
    model: &MockModel,
    head: Parts,
    bytes: &[u8],
) -> io::Result<Response<PlayedBody>> {
    let mut headers = head.headers;
    RecordedRequest::hide_keys(&mut headers);
    let recorded = |body| RecordedRequest {
        method: head.method,
        path: head.uri.path().to_owned(),
        headers,
        body,
        at: Instant::now(),
    };
    let (number, request, reply) = match read(bytes) {
        Ok(body) => model.answer(recorded(body)),
        Err(error) => {
            let request = recorded(String::from_utf8_lossy(bytes).into());
            (model.turn_away(request.clone()), request, not_json(&error))
        }
    };
    if !reply.delay.is_zero() {
        sleep(reply.delay).await;
    }
    play(&reply, number, &request).await
}

/// A body as JSON, or why it is none that asks for a completion.
fn read(bytes: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(bytes) {
        Ok(body @ Value::Object(_)) => Ok(body),
        Ok(_) => Err("it is not an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

async fn play(
    reply: &Reply,
    number: u64,
    request: &RecordedRequest,
) -> io::Result<Response<PlayedBody>> {
    let (status, content_type, body) = match &reply.kind {
        Kind::Hang => future::pending().await,
        Kind::DropConnection => {
            let reason = "the connection was closed without an answer, as scripted";
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, reason));
        }
        Kind::Plain(plain) => {
            let body = PlayedBody::whole(plain.body.clone());
            (plain.status, plain.content_type.clone(), body)
        }
        Kind::Completion(completion) => {
            let body = completion.body(number, request);
            let (content_type, body) = if request.is_stream() {
                let usage = request.wants_stream_usage();
                let body = stream(&body, usage, reply.stream_fault.as_ref());
                ("text/event-stream", body.pause(reply.chunk_delay))
            } else {
                ("application/json", PlayedBody::whole(body.to_string().into()))
            };
            (StatusCode::OK, HeaderValue::from_static(content_type), body)
        }
    };
    let body = match reply.cut_body_after {
        Some(bytes) => body.cut_after(bytes),
        None => body,
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    set_headers(headers, reply, number);
    Ok(response)
}

fn set_headers(headers: &mut HeaderMap, reply: &Reply, number: u64) {
    if let Ok(id) = HeaderValue::try_from(format!("req_{number}")) {
        headers.insert("x-request-id", id);
    }
    for (name, value) in &reply.headers {
        headers.insert(name, value.clone());
    }
}

fn models(names: &[String]) -> Response<PlayedBody> {
    let models: Vec<_> = names.iter().map(|name| described(name)).collect();
    json_response(StatusCode::OK, &json!({"object": "list", "data": models}))
}

fn described(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 0, "owned_by": "fcretry"})
}

fn unknown_path(method: &Method, path: &str) -> Response<PlayedBody> {
    let message = format!("Unknown request URL: {method} {path}. Is the base URL right?");
    let body = error_body("invalid_request_error", &"unknown_url".into(), &message);
    json_response(StatusCode::NOT_FOUND, &body)
}

fn too_large() -> Response<PlayedBody> {
    let message = format!("The request is larger than {LARGEST_REQUEST} bytes.");
    let body = error_body("invalid_request_error", &"request_too_large".into(), &message);
    json_response(StatusCode::PAYLOAD_TOO_LARGE, &body)
}

fn json_response(status: StatusCode, body: &Value) -> Response<PlayedBody> {
    let Plain { status, content_type, body } = Plain::json(status, body);
    let mut response = Response::new(PlayedBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
