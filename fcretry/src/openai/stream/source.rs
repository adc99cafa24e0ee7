//! Where the pieces of a stream come from.

use std::{future::poll_fn, pin::Pin};

use async_openai::{error::OpenAIError, types::chat::ChatCompletionResponseStream};
use bytes::Bytes;
use futures_core::Stream as _;
use serde_json::Value;

use super::super::{
    classify,
    transport::{MAX_BODY, Streamed},
};
use crate::failure::{Failure, FailureKind};

/// A stream that is being read.
pub(super) enum Source {
    /// The body, from our own transport.
    Body { begun: Option<Bytes>, response: reqwest::Response, size: usize },
    /// Chunks, from a client made elsewhere.
    Typed(Pin<Box<ChatCompletionResponseStream>>),
}

/// What comes next.
pub(super) enum Piece {
    Bytes(Bytes),
    Chunk(Value),
    End,
}

impl Source {
    pub(super) fn of(streamed: Streamed) -> Result<Self, Vec<u8>> {
        match streamed {
            Streamed::Events(response, begun) => {
                let begun = Some(begun.into()).filter(|begun: &Bytes| !begun.is_empty());
                Ok(Self::Body { begun, response, size: 0 })
            }
            Streamed::Completion(body) => Err(body),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Piece, Failure> {
        match self {
            Self::Body { begun: begun @ Some(_), .. } => {
                Ok(begun.take().map_or(Piece::End, Piece::Bytes))
            }
            Self::Body { begun: None, response, size } => match response.chunk().await {
                Ok(Some(piece)) => {
                    *size = size.saturating_add(piece.len());
                    if *size > MAX_BODY {
                        let note = format!("the answer is larger than {} MiB", MAX_BODY >> 20);
                        return Err(Failure::new(FailureKind::InvalidRequest).with_note(note));
                    }
                    Ok(Piece::Bytes(piece))
                }
                Ok(None) => Ok(Piece::End),
                Err(error) => Err(broken(&classify::transport(Box::new(error)))),
            },
            Self::Typed(stream) => {
                match poll_fn(|context| stream.as_mut().as_mut().poll_next(context)).await {
                    None => Ok(Piece::End),
                    Some(Ok(chunk)) => {
                        Ok(serde_json::to_value(chunk).map_or(Piece::End, Piece::Chunk))
                    }
                    // An event that the typed parser does not take may be an error of the server, or a chunk that
                    // strays: what it is, its text says.
                    Some(Err(OpenAIError::JSONDeserialize(_, text))) => {
                        match serde_json::from_str(&text) {
                            Ok(chunk) => Ok(Piece::Chunk(chunk)),
                            Err(_) => Err(Failure::new(FailureKind::PartialStream)),
                        }
                    }
                    Some(Err(error)) => Err(broken(&classify::failure(error))),
                }
            }
        }
    }
}

/// A connection that breaks midway leaves a part.
fn broken(failure: &Failure) -> Failure {
    failure.clone().with_kind(FailureKind::PartialStream).with_note("the connection broke midway")
}
