//! What lies behind an ask.

use std::time::Duration;

use super::{Action, Decision};
use crate::failure::FailureKind;

/// What one ask of a call has behind it on the model it is at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Track {
    /// Which of the candidates it is at; 0 is the ask's own model.
    pub(crate) candidate: usize,
    /// The largest context that the request did not fit.
    pub(super) too_small: Option<u32>,
    /// The request names the function, or constrains the format, so that prose is no longer possible.
    pub(crate) constrained: bool,
    /// The token limit that the first request set itself, or the first one set for it.
    pub(crate) first_limit: Option<u32>,
    /// The token limit that replaces it, after a cut answer.
    pub(crate) raised_limit: Option<u32>,
    pub(super) retries: Counts,
    pub(super) repairs: Counts,
    pub(super) previous_delay: Option<Duration>,
}

/// Counts are at most 50.
pub(super) type Counts = [u8; FailureKind::COUNT];

impl Track {
    pub(super) fn count(counts: &Counts, kind: FailureKind) -> u32 {
        counts.get(kind.index()).copied().unwrap_or_default().into()
    }

    pub(super) fn add(counts: &mut Counts, kind: FailureKind) {
        if let Some(count) = counts.get_mut(kind.index()) {
            *count = count.saturating_add(1);
        }
    }

    /// Whether anything was done about failures of this kind on this model, or there was another before it.
    pub(super) fn has_counted(&self, kind: FailureKind) -> bool {
        Self::count(&self.retries, kind) + Self::count(&self.repairs, kind) > 0
            || self.constrained
            || self.candidate > 0
    }

    /// Forgets the last wait. Only decorrelated jitter asks for it.
    pub(crate) fn forget_delay(&mut self) {
        self.previous_delay = None;
    }

    /// Begins at another candidate, where nothing is counted yet.
    #[cfg(feature = "openai")]
    pub(crate) fn start_at(&mut self, candidate: usize) {
        *self = Self { candidate, too_small: self.too_small, ..Self::default() };
    }

    /// Goes on at another candidate, where nothing is counted yet.
    pub(super) fn go_to(&mut self, candidate: usize, delay: Duration) -> Decision {
        *self = Self { candidate, too_small: self.too_small, ..Self::default() };
        Decision { forget: true, ..Decision::go_on(Action::Fallback, delay) }
    }

    /// The limit for a resend of a request whose answer was cut: twice the last, at most `cap` or four times
    /// the first; where none was set, twice what came, at least 4096. `None` if it cannot grow.
    pub(super) fn larger_limit(&self, came: Option<u64>, cap: Option<u32>) -> Option<u32> {
        let Some(current) = self.raised_limit.or(self.first_limit) else {
            let came = u32::try_from(came.unwrap_or_default()).unwrap_or(u32::MAX);
            let limit = came.saturating_mul(2).max(4096).min(cap.unwrap_or(u32::MAX));
            return (limit > came).then_some(limit);
        };
        let cap = cap.or(self.first_limit.map(|first| first.saturating_mul(4)));
        let larger = current.saturating_mul(2).min(cap.unwrap_or(u32::MAX));
        (larger > current).then_some(larger)
    }
}
