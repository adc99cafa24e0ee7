//! The errors of `async-openai` and `reqwest` as failures.

use std::{error::Error as StdError, io};

use async_openai::error::OpenAIError;
use http::HeaderMap;
use tower::BoxError;

use super::wire;
use crate::{
    error::Error,
    failure::{Classify, Failure, FailureKind},
};

impl Classify for OpenAIError {
    fn kind(&self) -> FailureKind {
        seen_as(self).kind()
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Boxed(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

impl From<OpenAIError> for Error {
    fn from(error: OpenAIError) -> Self {
        failure(error).into()
    }
}

impl Classify for reqwest::Error {
    fn kind(&self) -> FailureKind {
        let status = self.status().map(|status| status.as_u16());
        if let Some(status) = status {
            return wire::failure(Some(status), &HeaderMap::new(), b"").kind();
        }
        // No connection in time is no connection.
        if self.is_timeout() && !self.is_connect() {
            FailureKind::Timeout
        } else if self.is_builder() || self.is_redirect() || lacks_tls(self) {
            FailureKind::InvalidRequest
        } else {
            FailureKind::TransientNetwork
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        http(error).into()
    }
}

/// The failure that an error of the client is, with the error as its source where that shows no content.
pub(super) fn failure(error: OpenAIError) -> Failure {
    match error {
        OpenAIError::Reqwest(error) => http(error),
        OpenAIError::Boxed(error) => transport(error),
        other => seen_as(&other),
    }
}

/// What can be said of an error without taking it.
fn seen_as(error: &OpenAIError) -> Failure {
    match error {
        OpenAIError::ApiError(answer) => {
            let error = serde_json::json!({ "error": answer.api_error });
            let body = match answer.api_error.r#type {
                // Of a 5xx the whole body is the message.
                None if answer.api_error.code.is_none() => answer.api_error.message.clone(),
                _ => error.to_string(),
            };
            let status = answer.status_code.as_u16();
            wire::failure(Some(status), &HeaderMap::new(), body.as_bytes())
        }
        OpenAIError::JSONDeserialize(_, body) => {
            // The status was lost on the way here: this client is not one of ours.
            wire::failure(None, &HeaderMap::new(), body.as_bytes())
        }
        OpenAIError::StreamError(_) => Failure::new(FailureKind::PartialStream),
        OpenAIError::Reqwest(error) => Failure::new(Classify::kind(error)),
        OpenAIError::Boxed(error) => match error.downcast_ref::<Failure>() {
            Some(failure) => failure.clone(),
            None => Failure::new(kind_of_boxed(&**error)),
        },
        OpenAIError::InvalidArgument(message) => {
            Failure::new(FailureKind::InvalidRequest).with_provider_message(message.clone())
        }
        _ => Failure::new(FailureKind::Application),
    }
}

/// The failure of a request that got no answer.
pub(super) fn transport(error: BoxError) -> Failure {
    let error = match error.downcast::<Failure>() {
        Ok(failure) => return *failure,
        Err(error) => error,
    };
    let error = match error.downcast::<reqwest::Error>() {
        Ok(error) => return http(*error),
        Err(error) => error,
    };
    match error.downcast::<OpenAIError>() {
        Ok(error) => failure(*error),
        Err(error) => Failure::new(kind_of_boxed(&*error)),
    }
}

fn kind_of_boxed(error: &(dyn StdError + Send + Sync + 'static)) -> FailureKind {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match Classify::kind(error) {
            // Whatever it was, it was between us and the server.
            FailureKind::Application => FailureKind::TransientNetwork,
            kind => kind,
        };
    }
    if error.is::<tokio::time::error::Elapsed>() {
        return FailureKind::Timeout;
    }
    FailureKind::TransientNetwork
}

fn http(error: reqwest::Error) -> Failure {
    let origin = error.url().map(|url| url.origin().ascii_serialization());
    let kind = Classify::kind(&error);
    let mut failure = Failure::new(kind);
    if let Some(status) = error.status() {
        failure = failure.with_status(status.as_u16());
    }
    let note = match (kind, origin) {
        (FailureKind::InvalidRequest, _) if lacks_tls(&error) => Some(
            "the program has no TLS: enable the feature `rustls` or `native-tls` of `async-openai`"
                .to_owned(),
        ),
        (FailureKind::InvalidRequest, _) if error.is_redirect() => {
            Some("the server redirects in a circle".to_owned())
        }
        (FailureKind::InvalidRequest, _) => {
            Some("no request can be made of it: the base URL is no HTTP address".to_owned())
        }
        (FailureKind::TransientNetwork, Some(origin)) if error.is_connect() => {
            Some(format!("no connection to {origin}"))
        }
        (FailureKind::TransientNetwork, Some(origin)) => {
            Some(format!("the connection to {origin} broke before the whole answer was there"))
        }
        _ => None,
    };
    if let Some(note) = note {
        failure = failure.with_note(note);
    }
    // Keys hide in query strings.
    failure.with_source(error.without_url())
}

/// Whether an `https` address was asked for in a program without TLS. The HTTP client has no other sign of it.
fn lacks_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.to_string().contains("scheme is not http") {
            return true;
        }
        source = error.source();
    }
    false
}
