//! The error of a call.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    around::Link,
    failure::{Classify, Failure, FailureKind, Violation},
    guard::OnceError,
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
pub(crate) struct ReportCell(Mutex<Filed>);

/// The report of a call that has ended, and where else its attempts are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filed {
    pub(crate) report: Arc<Report>,
    /// What the calls inside it were linked to, if there were such calls.
    pub(crate) link: Option<Arc<Link>>,
    /// The link of the call that it was inside of: its attempts are in that one's report.
    pub(crate) into: Option<Arc<Link>>,
    /// The report of a call that it was not linked to, and with whose error it failed.
    pub(crate) before: Option<Arc<Report>>,
}

impl Filed {
    /// Whether `inner` is of a call inside this one, so that its attempts are in this report.
    fn holds(&self, inner: &Self) -> bool {
        self.link.as_ref().zip(inner.into.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl ReportCell {
    pub(crate) fn set(&self, filed: Filed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = filed;
    }

    fn get(&self) -> Filed {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        let Filed { report, before, .. } = self.report.get();
        match before {
            None => report,
            Some(before) => Arc::new(before.followed_by(&report)),
        }
    }

    /// Takes the report of the call that ends with this error. The error of a call that was not linked to it has a report of
    /// its own; those attempts come first.
    pub(crate) fn conclude(&mut self, call: &Filed) {
        let own = self.report.get();
        if own.report.attempts.is_empty() || Arc::ptr_eq(&own.report, &call.report) {
            self.report.set(call.clone());
            return;
        }
        let before = if call.holds(&own) { own.before } else { Some(self.report()) };
        let filed = Filed { before, ..call.clone() };
        self.report = Arc::new(ReportCell(Mutex::new(filed)));
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

/// So that `?` takes what a side effect of the body failed with: its own error stays what it is.
impl<E: Classify + std::error::Error + Send + Sync + 'static> From<OnceError<E>> for Error {
    fn from(mut error: OnceError<E>) -> Self {
        let own = Classify::as_any_mut(&mut error).and_then(|own| own.downcast_mut::<Self>());
        if let Some(own) = own {
            return std::mem::replace(own, FailureKind::Application.into());
        }
        match Classify::failure(&error).cloned() {
            Some(failure) => failure.into(),
            None => Failure::new(Classify::kind(&error)).with_source(error).into(),
        }
    }
}
