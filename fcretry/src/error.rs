//! The error of a call.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    failure::{Classify, Failure, FailureKind, Violation},
    report::Report,
};

/// Why a call gave no value: its last failure, unchanged, and the report of all attempts.
///
/// Cheap to clone. `Debug` and `Display` show nothing of prompts, arguments or answers.
#[derive(Clone)]
pub struct Error {
    failure: Failure,
    report: Arc<ReportCell>,
}

/// A call's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where the report of a call will be. An error made in the body is handed to the caller as it is, wrapped in
/// whatever type the function returns, so what comes later reaches it through here.
#[derive(Debug, Default)]
pub(crate) struct ReportCell(Mutex<Arc<Report>>);

impl ReportCell {
    pub(crate) fn set(&self, report: Arc<Report>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    fn get(&self) -> Arc<Report> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Error {
    pub(crate) fn new(failure: Failure, report: Arc<ReportCell>) -> Self {
        Self { failure, report }
    }

    /// The kind of the last failure.
    pub fn kind(&self) -> FailureKind {
        self.failure.kind()
    }

    /// The last failure.
    #[allow(clippy::unnecessary_wraps, reason = "the same shape as `Classify::failure`")]
    pub fn failure(&self) -> Option<&Failure> {
        Some(&self.failure)
    }

    /// What is wrong with the last arguments; empty if that is not what failed.
    pub fn violations(&self) -> &[Violation] {
        self.failure.violations()
    }

    /// The ledger of the call: every attempt, what was decided, what it took. Empty while the call runs.
    pub fn report(&self) -> Arc<Report> {
        self.report.get()
    }

    /// Takes the report of the call that ends with this error. The error of a call inside the body has a
    /// report of its own; its attempts come first.
    pub(crate) fn conclude(&mut self, report: &Arc<Report>) {
        let own = self.report();
        if own.attempts.is_empty() || Arc::ptr_eq(&own, report) {
            self.report.set(Arc::clone(report));
        } else {
            self.report = Arc::new(ReportCell(Mutex::new(Arc::new(own.followed_by(report)))));
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self { failure, report: Arc::default() }
    }
}

impl From<FailureKind> for Error {
    fn from(kind: FailureKind) -> Self {
        Failure::new(kind).into()
    }
}

impl Classify for Error {
    fn kind(&self) -> FailureKind {
        self.failure.kind()
    }

    fn failure(&self) -> Option<&Failure> {
        Some(&self.failure)
    }

    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        Some(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)?;
        match self.report().attempts.len() {
            0 | 1 => Ok(()),
            attempts => write!(f, " (after {attempts} attempts)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("failure", &self.failure)
            .field("attempts", &self.report().attempts.len())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.failure)
    }
}

/// Errors that a body meets on its way to a model, so that `?` takes them.
macro_rules! from_classified {
    ($($error:ty),+) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                let failure = Failure::new(Classify::kind(&error));
                failure.with_source(error).into()
            }
        }
    )+};
}

from_classified!(std::io::Error, tokio::time::error::Elapsed);
