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
    Body { response: reqwest::Response, size: usize },
    /// A body that had to be read whole.
    Read(Option<Bytes>),
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
            Streamed::Events(response) => Ok(Self::Body { response, size: 0 }),
            Streamed::Whole(body) => Ok(Self::Read(Some(body.into()))),
            Streamed::Completion(body) => Err(body),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Piece, Failure> {
        match self {
            Self::Body { response, size } => match response.chunk().await {
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
            Self::Read(body) => Ok(body.take().map_or(Piece::End, Piece::Bytes)),
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
