//! Failure rates out of reports.

use std::collections::BTreeMap;

use super::Report;
use crate::cost::{Asked, FailureRates};

impl FailureRates {
    /// Counts every attempt of a report whose model is known, by how it came to be asked; those that were dropped say nothing.
    ///
    /// ```
    /// # use fcretry::{Report, cost::FailureRates};
    /// # fn of(reports: &[Report]) {
    /// let mut measured = FailureRates::new();
    /// reports.iter().for_each(|report| measured.observe_report(report));
    /// # let _ = measured; }
    /// ```
    pub fn observe_report(&mut self, report: &Report) {
        // How the next attempt of each function is asked: the attempts of calls inside a call are among its own.
        let mut next: BTreeMap<&str, Asked> = BTreeMap::new();
        for attempt in &report.attempts {
            let asked = next.entry(attempt.function).or_insert(Asked::First);
            if attempt.number == 1 {
                *asked = Asked::First;
            }
            if let Some(model) = attempt.model.as_deref().filter(|_| !attempt.is_dropped()) {
                self.observe_after(*asked, model, attempt.kind);
            }
            if let (Some(kind), Some(action)) = (attempt.kind, attempt.action) {
                *asked = asked.after(kind, action);
            }
        }
    }
}
