//! What a call keeps of its asks.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    admit::ByGuard,
    guards::Means,
    memory::Memory,
    pass::{Doubt, Pass},
    waits::Waits,
};
use crate::{
    answer::Finish, error::ReportCell, failure::FailureKind, guard::Key, parse::Recovered,
    policy::Track, report::Captured, usage::Usage,
};

/// For how many asks there is room in a state that is used again.
const ROOM: usize = 16;

/// What the asks of a call have learned. Behind a lock that is held for moments and across no wait: the body
/// may ask several things at once.
#[derive(Default)]
pub(super) struct State {
    /// By the number of the ask in the body; kept over attempts.
    pub(super) asks: Vec<Memory>,
    pub(super) spent: Spent,
    /// The endpoints that turned this call away.
    pub(super) dead: Vec<u64>,
    /// For failures of no ask. On the heap: it is large, and few calls have such.
    pub(super) track: Option<Box<Track>>,
    /// The last request of each ask in this attempt, by the number of the ask. Made once, and used again.
    pub(super) out: Vec<Out>,
    /// The ask that is being made by hand.
    pub(super) by_hand: Option<ByHand>,
    /// The ask that failed last in this attempt.
    pub(super) last_failed: Option<usize>,
    /// The guard that did not let a request of this attempt go.
    pub(super) refused: Option<ByGuard>,
    pub(super) waits: Waits,
    /// The time of the attempt was up before the call's was: what is dropped in it timed out.
    pub(super) is_out_of_time: bool,
    /// Where errors of this call look for its report.
    pub(super) report: Option<Arc<ReportCell>>,
}

/// The last request of an ask in an attempt.
#[derive(Default)]
pub(super) struct Out {
    /// There is one.
    pub(super) is_made: bool,
    /// The model that it is for; empty if nobody said.
    pub(super) model: String,
    /// The endpoint of the route that it is for.
    pub(super) endpoint: Option<String>,
    /// Tokens of the answers to this request, and to those before it that the ask made.
    pub(super) usage: Usage,
    /// What is asked in it, if that is to be in the report.
    pub(super) captured: Option<Box<Captured>>,
    /// Where it went, if a guard was asked.
    pub(super) place: Option<Key>,
    /// There is no answer yet.
    pub(super) is_waiting: bool,
    /// What the guards gave for it, until its answer is read.
    pub(super) pass: Pass,
}

/// An ask that is being made by hand.
pub(super) struct ByHand {
    pub(super) index: usize,
    /// Its request is known to have gone out: the attempt's guards let it go.
    pub(super) was_sent: bool,
}

/// What was done in one attempt.
#[derive(Default)]
pub(super) struct Spent {
    /// Asks begun.
    pub(super) asks: usize,
    pub(super) requests: u32,
    /// Requests whose usage came.
    pub(super) accounted: u32,
    /// The ask whose model was chosen last.
    pub(super) last: Option<u32>,
    /// How the last answer ended.
    pub(super) finish: Option<Finish>,
    pub(super) request_id: Option<String>,
    pub(super) recovered: Vec<Recovered>,
    pub(super) first_token: Option<Duration>,
    pub(super) streamed_tokens: Option<u64>,
}

impl Out {
    /// As new; what is held is given back.
    fn clear(&mut self, means: Means<'_>) {
        // Without `..`, so that a new field is not forgotten here.
        let Self { is_made, model, endpoint, usage, captured, place, is_waiting, pass } = self;
        (*is_made, *place, *is_waiting) = (false, None, false);
        model.clear();
        (*endpoint, *usage, *captured) = (None, Usage::default(), None);
        pass.clear(means);
    }
}

impl State {
    pub(super) fn begin_attempt(&mut self, means: Means<'_>) {
        self.spent = Spent::default();
        self.out.iter_mut().for_each(|out| out.clear(means));
        self.by_hand = None;
        self.last_failed = None;
        self.refused = None;
        self.waits = Waits::default();
        self.is_out_of_time = false;
        for ask in &mut self.asks {
            ask.begin_attempt();
        }
    }

    pub(super) fn begin_ask(&mut self) -> usize {
        let index = self.spent.asks;
        self.spent.asks += 1;
        index
    }

    /// The ask that is being made by hand; begins it if there is none.
    pub(super) fn by_hand(&mut self) -> usize {
        if let Some(ask) = &self.by_hand {
            return ask.index;
        }
        let index = self.begin_ask();
        self.by_hand = Some(ByHand { index, was_sent: false });
        index
    }

    /// Which candidate an ask is at.
    pub(super) fn candidate(&self, index: usize) -> usize {
        self.asks.get(index).map_or(0, |memory| memory.track.candidate)
    }

    /// What is remembered of an ask.
    pub(super) fn ask(&mut self, index: usize) -> Option<&mut Memory> {
        if self.asks.len() <= index {
            self.asks.reserve_exact(index + 1 - self.asks.len());
            self.asks.resize_with(index.saturating_add(1), Memory::default);
        }
        self.asks.get_mut(index)
    }

    /// The last request of an ask, or where there will be one.
    pub(super) fn request(&mut self, index: usize) -> Option<&mut Out> {
        if self.out.len() <= index {
            // Most bodies ask once, and what is kept is large: no room for more.
            self.out.reserve_exact(index + 1 - self.out.len());
            self.out.resize_with(index.saturating_add(1), Out::default);
        }
        self.out.get_mut(index)
    }

    /// The next request of an ask is for this model.
    pub(super) fn chooses(&mut self, index: usize, model: &str) {
        self.spent.last = u32::try_from(index).ok();
        if let Some(out) = self.request(index) {
            model.clone_into(&mut out.model);
        }
    }

    /// An answer to a request of an ask came, and took so much.
    pub(super) fn used(&mut self, index: usize, usage: Usage) {
        self.spent.accounted = self.spent.accounted.saturating_add(1);
        if let Some(out) = self.request(index) {
            out.usage += usage;
        }
    }

    /// The last request of an ask in this attempt.
    pub(super) fn out_of(&mut self, index: usize) -> Option<&mut Out> {
        self.out.get_mut(index).filter(|out| out.is_made)
    }

    /// A request of an ask goes out.
    pub(super) fn goes_out(&mut self, index: usize, place: Option<Key>) {
        self.spent.requests = self.spent.requests.saturating_add(1);
        if let Some(out) = self.request(index) {
            (out.is_made, out.is_waiting, out.place) = (true, true, place);
        }
    }

    /// The guards let a request of an ask go; what they gave is there. Whether its answer is there at once is not known yet.
    pub(super) fn let_go(&mut self, index: usize, place: Key) {
        self.goes_out(index, Some(place));
        if let Some(out) = self.out_of(index) {
            out.pass.sent();
            out.is_waiting = false;
        }
        if let Some(by_hand) = self.by_hand.as_mut().filter(|ask| ask.index == index) {
            by_hand.was_sent = true;
        }
    }

    /// The answer to a request of an ask was read, and found good or not.
    pub(super) fn judged(
        &mut self,
        means: Means<'_>,
        index: usize,
        failed: Option<FailureKind>,
        now: Instant,
    ) {
        let doubt = self.out_of(index).and_then(|out| out.pass.judged(means, failed, now));
        self.doubt(index, doubt);
    }

    /// What is left of a bad answer; of a good one nothing, and it has made up for those before.
    pub(super) fn doubt(&mut self, index: usize, doubt: Option<Doubt>) {
        if doubt.is_some() {
            if let Some(memory) = self.ask(index) {
                memory.past_mut().doubt = doubt;
            }
        } else if let Some(past) = self.asks.get_mut(index).and_then(Memory::past_if_any) {
            past.doubt = None;
        }
    }

    /// Nothing is held of an attempt that is over. The answer to a request that is left was handed out, and read by somebody
    /// else.
    pub(super) fn close(&mut self, means: Means<'_>) {
        for index in 0..self.out.len() {
            self.handed_out(means, index, None);
        }
    }

    /// The answer to a request is read by somebody else, who may have said what it took.
    pub(super) fn handed_out(&mut self, means: Means<'_>, index: usize, usage: Option<Usage>) {
        if let Some(out) = self.out_of(index).filter(|out| out.pass.is_held()) {
            let now = Instant::now();
            out.pass.answered(means, usage, now);
            self.judged(means, index, None, now);
        }
    }

    pub(super) fn report(&mut self) -> Arc<ReportCell> {
        Arc::clone(self.report.get_or_insert_default())
    }
    /// As new, but for the room that it has.
    pub(super) fn clear(&mut self, means: Means<'_>) {
        self.asks.clear();
        self.begin_attempt(means);
        // Without `..`, so that a new field is not forgotten here.
        let Self {
            asks: _,
            spent: _,
            dead,
            track,
            out: _,
            by_hand: _,
            last_failed: _,
            refused: _,
            waits: _,
            is_out_of_time: _,
            report,
        } = self;
        dead.clear();
        *track = None;
        *report = None;
    }

    /// Whether it has no more room than most calls need.
    pub(super) fn is_small(&self) -> bool {
        self.asks.capacity() <= ROOM && self.out.capacity() <= ROOM
    }
}
