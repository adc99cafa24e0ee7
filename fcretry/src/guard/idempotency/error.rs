use std::{any::Any, fmt};

use super::store::{KeptError, StoreError};
use crate::failure::{Classify, Failure, FailureKind};

/// Why a [`once`](super::Idempotency::once) gave no value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// The action was run for this caller, and failed.
    Failed(E),
    /// The action was run for another caller, before or meanwhile, and failed.
    Earlier(KeptError),
    /// The action was begun, and nobody knows what came of it: its future was dropped, it panicked, its error cannot say,
    /// or its result found no room. It is not run again. Whoever has looked what came of it and knows may
    /// [`forget`](super::Idempotency::forget) the key.
    OutcomeUnknown,
    /// The key was used for a request with another fingerprint. Nothing was run.
    KeyReused,
    /// The action was run, but its result is no value of the type that is asked for here: the key was used for something
    /// else, or the type has changed.
    Unreadable(String),
    /// The store could not say whether the action was run. Nothing was run for this caller.
    Store(StoreError),
}

impl<E> OnceError<E> {
    /// The error of the action, if this caller ran it.
    pub fn into_failed(self) -> Option<E> {
        match self {
            OnceError::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<E: Classify> Classify for OnceError<E> {
    /// The kind of the action's error, if that is what it is. A store that cannot be asked is a failed connection; the
    /// rest is the body's own error, [`Application`](FailureKind::Application).
    fn kind(&self) -> FailureKind {
        match self {
            OnceError::Failed(error) => error.kind(),
            OnceError::Earlier(error) => error.kind(),
            OnceError::Store(_) => FailureKind::TransientNetwork,
            OnceError::OutcomeUnknown | OnceError::KeyReused | OnceError::Unreadable(_) => {
                FailureKind::Application
            }
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            OnceError::Failed(error) => error.failure(),
            _ => None,
        }
    }

    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        match self {
            OnceError::Failed(error) => error.as_any_mut(),
            _ => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for OnceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnceError::Failed(error) => error.fmt(f),
            OnceError::Earlier(error) => error.fmt(f),
            OnceError::OutcomeUnknown => f.write_str(
                "the action was begun, and what came of it is unknown; it is not run again",
            ),
            OnceError::KeyReused => {
                f.write_str("the idempotency key was used for another request; nothing was run")
            }
            OnceError::Unreadable(error) => {
                write!(f, "the stored result is not of the type that is asked for: {error}")
            }
            OnceError::Store(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for OnceError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its text is ours already, so that what it stems from comes next.
            OnceError::Failed(error) => error.source(),
            OnceError::Store(error) => error.source(),
            _ => None,
        }
    }
}
