use std::{any::Any, io};

use super::{Failure, FailureKind};

/// Says what kind of failure an error is, so that the policy knows its rule.
///
/// The error type of a function under [`retry_policy`](crate::retry_policy) implements this and
/// `From<fcretry::Error>`; [`fcretry::Error`](crate::Error) itself does. An error of your own chooses
/// the kind; what the attempt learned from the model (answer, violations, usage) is kept by the attempt
/// and lost by no `map_err`.
///
/// ```
/// use fcretry::{Classify, Failure, FailureKind};
///
/// #[derive(Debug)]
/// enum OrderError {
///     Model(fcretry::Error),
///     OutOfStock,
/// }
///
/// impl From<fcretry::Error> for OrderError {
///     fn from(error: fcretry::Error) -> Self {
///         OrderError::Model(error)
///     }
/// }
///
/// impl Classify for OrderError {
///     fn kind(&self) -> FailureKind {
///         match self {
///             OrderError::Model(error) => error.kind(),
///             OrderError::OutOfStock => FailureKind::Application,
///         }
///     }
///
///     fn failure(&self) -> Option<&Failure> {
///         match self {
///             OrderError::Model(error) => error.failure(),
///             OrderError::OutOfStock => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what kind of failure it is",
    label = "the error of a function under `#[retry_policy]` must implement `fcretry::Classify`",
    note = "return `fcretry::Result<..>`, or `impl fcretry::Classify for {Self}` and `impl From<fcretry::Error> for {Self}`"
)]
pub trait Classify {
    /// The kind, by which the policy finds the rule.
    fn kind(&self) -> FailureKind;

    /// The failure behind the error, where there is one: it brings `Retry-After`, status and violations.
    fn failure(&self) -> Option<&Failure> {
        None
    }

    /// How the loop reaches an error of its own type, to put the finished report into it.
    #[doc(hidden)]
    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        None
    }
}

impl Classify for Failure {
    fn kind(&self) -> FailureKind {
        Failure::kind(self)
    }

    fn failure(&self) -> Option<&Failure> {
        Some(self)
    }
}

impl Classify for io::Error {
    fn kind(&self) -> FailureKind {
        use io::ErrorKind as Io;
        match self.kind() {
            Io::TimedOut => FailureKind::Timeout,
            Io::ConnectionRefused
            | Io::ConnectionReset
            | Io::ConnectionAborted
            | Io::NotConnected
            | Io::AddrNotAvailable
            | Io::BrokenPipe
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown
            | Io::UnexpectedEof
            | Io::Interrupted => FailureKind::TransientNetwork,
            _ => FailureKind::Application,
        }
    }
}

impl Classify for tokio::time::error::Elapsed {
    fn kind(&self) -> FailureKind {
        FailureKind::Timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_no_network_failure() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(Classify::kind(&missing), FailureKind::Application);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Classify::kind(&reset), FailureKind::TransientNetwork);
    }
}
