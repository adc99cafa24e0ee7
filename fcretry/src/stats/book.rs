use std::{num::NonZeroU64, sync::Arc};

use super::{
    rings::Rings,
    tally::Sums,
    view::{MAX_PLACES, MAX_UNPRICED},
};
use crate::{
    cost::Prices,
    guard::Key,
    policy::StoppedBy,
    report::{AttemptReport, Report},
    short::short,
};

/// What the calls that end in some threads are written into.
#[derive(Default)]
pub(super) struct Book {
    pub(super) prices: Option<Arc<Prices>>,
    /// Made when the first call ends.
    pub(super) rings: Option<Box<Rings>>,
    /// What guards know places by, and what people do.
    pub(super) places: Vec<(Key, String)>,
    /// Models that were asked and have no price.
    pub(super) unpriced: Vec<String>,
}

impl Book {
    pub(super) const fn new() -> Self {
        Self { prices: None, rings: None, places: Vec::new(), unpriced: Vec::new() }
    }

    /// Counts a call that ended in this second, with those attempts of it that `who` did not count before.
    pub(super) fn count(&mut self, report: &Report, second: u64, who: NonZeroU64) {
        let mut call = Sums::NONE;
        let mut attempts = 0;
        for attempt in &report.attempts {
            if !attempt.marks.is_inside {
                attempts = attempts.max(attempt.number);
            }
            if attempt.marks.is_new_to(who) {
                self.count_attempt(attempt, &mut call);
            }
        }
        let ended = match (report.kind, report.stopped_by) {
            (None, Some(StoppedBy::Cancelled)) => &mut call.cancelled,
            (None, _) => &mut call.succeeded,
            (Some(_), _) if report.degraded => &mut call.degraded,
            (Some(_), _) => &mut call.failed,
        };
        *ended = 1;
        let attempts = (call.cancelled == 0).then_some(attempts);
        call.attempts = attempts.unwrap_or_default().into();
        let rings = self.rings.get_or_insert_with(|| Box::new(Rings::new()));
        rings.count(second, &call, attempts);
    }

    fn count_attempt(&mut self, attempt: &AttemptReport, sums: &mut Sums) {
        if let Some(count) = attempt.kind.and_then(|kind| sums.kinds.get_mut(kind.index())) {
            *count += 1;
        }
        sums.wire_requests += u64::from(attempt.wire_requests);
        sums.usage += attempt.usage;
        sums.unaccounted += u64::from(attempt.partial);
        self.price(attempt, sums);
        let is_good = attempt.kind.is_none() && attempt.action.is_none();
        if is_good && !attempt.recovered.is_empty() {
            add(&mut sums.recovered, attempt.usage.total());
        }
        if attempt.left_early {
            add(&mut sums.left, attempt.streamed_tokens.unwrap_or_default());
        } else if attempt.wire_requests == 1 && !attempt.partial {
            // Of several answers nobody knows how long each was.
            match attempt.usage.completion_tokens {
                0 => {}
                tokens => add(&mut sums.whole, tokens),
            }
        }
        if let (Some(key), Some(model)) = (attempt.marks.place, &attempt.model) {
            self.name_place(key, model, attempt.endpoint.as_deref());
        }
    }

    fn price(&mut self, attempt: &AttemptReport, sums: &mut Sums) {
        if attempt.usage.total() == 0 {
            return;
        }
        let model = attempt.model.as_deref();
        let cost = match &self.prices {
            Some(prices) => model.and_then(|model| prices.cost_of(model, attempt.usage)),
            None => attempt.cost,
        };
        if let Some(cost) = cost {
            sums.cost += cost;
            sums.priced += 1;
            return;
        }
        sums.unpriced += 1;
        let model = short(model.unwrap_or("-"));
        if self.unpriced.len() < MAX_UNPRICED && !self.unpriced.iter().any(|m| m == model) {
            self.unpriced.push(model.to_owned());
        }
    }

    fn name_place(&mut self, key: Key, model: &str, endpoint: Option<&str>) {
        if self.places.len() < MAX_PLACES && !self.places.iter().any(|(known, _)| *known == key) {
            let name = match endpoint {
                None => short(model).to_owned(),
                Some(endpoint) => format!("{} at {}", short(model), short(endpoint)),
            };
            self.places.push((key, name));
        }
    }
}

fn add(sum: &mut (u64, u64), tokens: u64) {
    sum.0 += 1;
    sum.1 = sum.1.saturating_add(tokens);
}
