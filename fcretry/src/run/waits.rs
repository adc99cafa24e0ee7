//! How long an attempt waits for its guards: that is not of the time that it may take.

use std::time::Duration;

use tokio::time::Instant;

use super::Attempt;

/// The waits of an attempt. Those of asks that are made at once are one while they overlap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    under_way: u32,
    since: Option<Instant>,
    total: Duration,
}

impl Waits {
    fn begin(&mut self, now: Instant) {
        if self.under_way == 0 {
            self.since = Some(now);
        }
        self.under_way = self.under_way.saturating_add(1);
    }

    fn end(&mut self, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(since) = self.since.take_if(|_| self.under_way == 0) {
            self.total = self.total.saturating_add(now.saturating_duration_since(since));
        }
    }

    /// When an attempt is over that would be at `ends`; as long as it waits, when the call is.
    pub(super) fn put_off(self, ends: Instant, deadline: Instant) -> Instant {
        match self.since {
            Some(_) => deadline,
            None => ends.checked_add(self.total).unwrap_or(deadline).min(deadline),
        }
    }
}

/// A wait under way; it ends when this is dropped.
pub(super) struct Waiting<'a>(&'a Attempt);

impl<'a> Waiting<'a> {
    /// `waits` are those of the attempt.
    pub(super) fn begin(attempt: &'a Attempt, waits: &mut Waits) -> Self {
        waits.begin(Instant::now());
        Self(attempt)
    }

    pub(super) const fn attempt(&self) -> &'a Attempt {
        self.0
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waits.end(Instant::now());
    }
}
