//! What a model is told of several calls of which some are kept.

use std::fmt::Write as _;

use super::{Turn, cut, fenced, is_replayable};
use crate::{answer::Call, tool::Written};

/// What is kept of several calls, before and after an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// The calls of the answer, if each was judged alone. The failure's calls are of these.
    pub(crate) calls: Vec<Written>,
    /// What had been kept when the answer came.
    pub(crate) before: Vec<Written>,
    /// How many are asked for again, if others are kept.
    pub(crate) open: Option<usize>,
}

pub(super) const KEPT: &str = "This call is right, and is kept: do not send it again.";
const ALL_KEPT: &str = "These calls are right, and are kept: do not send them again.";
const BESIDE: &str = "Send this call again, beside the others.";
const ALL_BESIDE: &str = "Send these calls again, too:";
const NO_OTHER: &str = "with all its arguments, corrected, and no other.";
const EVERYTHING: &str = "Send all the calls again, also those that were kept.";

/// What may come back out of these texts in a value.
pub(super) const TELLING: &[&str] = &[KEPT, ALL_KEPT, BESIDE, ALL_BESIDE, NO_OTHER, EVERYTHING];

impl Parts {
    /// What to send, if that is more or less than one call.
    pub(super) fn request(&self) -> Option<String> {
        match self.open {
            Some(1) => Some(format!("1 call is still to be sent: send it {NO_OTHER}")),
            Some(open) => Some(format!(
                "{open} calls are still to be sent: send them in their order, each {NO_OTHER}"
            )),
            None if self.before.is_empty() => None,
            None => Some(EVERYTHING.to_owned()),
        }
    }

    /// Whether the calls of the answer stand where calls do, each by itself.
    pub(super) fn are_native(&self) -> bool {
        self.calls.iter().all(|call| call.call().is_some())
    }

    /// What was kept when the answer came, for a history in which nothing before the answer is told.
    pub(super) fn told_before(&self, limit: usize) -> Vec<Turn> {
        if self.before.is_empty() {
            return Vec::new();
        }
        let calls: Option<Vec<Call>> =
            self.before.iter().map(|kept| kept.call().cloned()).collect();
        let (each, all) = match self.open {
            Some(_) => (KEPT, ALL_KEPT),
            None => (BESIDE, ALL_BESIDE),
        };
        let Some(calls) = calls.filter(|calls| is_replayable(calls, 0, limit)) else {
            let mut text = all.to_owned();
            quote(&mut text, self.before.iter(), limit);
            return vec![Turn::User(text)];
        };
        let results: Vec<_> = calls
            .iter()
            .map(|call| Turn::Tool { id: call.id.clone(), text: each.to_owned() })
            .collect();
        let mut turns = vec![Turn::Assistant { content: None, calls }];
        turns.extend(results);
        turns
    }

    /// What is right of an answer that cannot be replayed; `bad` says which calls are not.
    pub(super) fn quote_good(&self, told: &mut String, bad: impl Fn(usize) -> bool, limit: usize) {
        let mut good = self.calls.iter().enumerate().filter(|(i, _)| !bad(*i)).peekable();
        if good.peek().is_some() {
            let _ = write!(told, "\n{ALL_KEPT}");
            quote(told, good.map(|(_, call)| call), limit);
        }
    }
}

/// Quotes calls, in `limit` characters together.
fn quote<'a>(told: &mut String, calls: impl Iterator<Item = &'a Written>, limit: usize) {
    let mut room = limit;
    for call in calls {
        let quote = cut(&in_words(call), room);
        room = room.saturating_sub(quote.chars().count());
        let _ = write!(told, "\n{}", fenced(&quote));
        if room == 0 {
            break;
        }
    }
}

/// A call as it is quoted.
pub(super) fn in_words(written: &Written) -> String {
    match written {
        Written::Call(call) => format!("{} {}", call.name, call.arguments),
        Written::Among { call, .. } => call.value().to_string(),
        Written::Text { text, .. } => text.clone(),
    }
}
