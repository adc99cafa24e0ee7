//! The model without sockets.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use reqwest::ResponseBuilderExt;
use tower::{BoxError, Service};

use super::{MockModel, exchange::exchange};

/// A [`MockModel`] in process: a service from `reqwest::Request` to `reqwest::Response`.
///
/// It opens no sockets and starts no tasks. Whatever it waits for is `tokio::time::sleep`, and dropping the
/// future or the response ends the exchange. A timeout set on the request or on a `reqwest::Client` has
/// no effect here: those belong to the transport that this service replaces.
///
/// ```
/// use fcretry::testing::{MockModel, Reply};
/// use tower::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let model = MockModel::repeat(Reply::status(503));
/// let request = reqwest::Client::new()
///     .post(format!("{}/chat/completions", model.base_url_in_process()))
///     .body(r#"{"model": "gpt-4o", "messages": []}"#)
///     .build()?;
///
/// let response = model.service().call(request).await?;
/// assert_eq!(response.status(), 503);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MockService {
    model: MockModel,
}

impl MockService {
    pub(super) fn new(model: MockModel) -> Self {
        Self { model }
    }
}

impl Service<reqwest::Request> for MockService {
    type Response = reqwest::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: reqwest::Request) -> Self::Future {
        let model = self.model.clone();
        Box::pin(async move {
            let url = request.url().clone();
            let request = http::Request::<reqwest::Body>::try_from(request)?;
            let (head, body) = exchange(model, request).await?.into_parts();
            // reqwest keeps the URL of a response in an extension that only its builder can set.
            let mut response =
                http::Response::builder().url(url).body(reqwest::Body::wrap(body))?;
            *response.status_mut() = head.status;
            *response.headers_mut() = head.headers;
            Ok(response.into())
        })
    }
}
