use std::sync::Arc;

#[cfg(feature = "openai")]
use serde::Serialize;

#[cfg(feature = "openai")]
use super::state::State;
use super::{
    Attempt, Endpoint,
    memory::{Left, Memory},
    state::ByHand,
};
use crate::{
    answer::{Answer, Form},
    error::Error,
    failure::{Failure, FailureKind},
    feedback::{self, Offer, Turn},
    guard::IdempotencyKey,
    parse::Reading,
    tool::{
        How, Judged, Kept, RefusalDetector, Rest, ToolCall, ToolSet, ToolSpec, distinct_specs,
        judge_calls, judge_content, judge_one_call,
    },
    usage::Usage,
};

/// One request for an answer inside a body: what adapters make requests with.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) index: usize,
}

impl<'a> Ask<'a> {
    pub(super) fn memory<R>(&self, use_it: impl FnOnce(&mut Memory) -> R) -> R
    where
        R: Default,
    {
        self.attempt.state().ask(self.index).map(use_it).unwrap_or_default()
    }

    /// The model to ask: `default`, or that of the fallback or endpoint that took its place.
    pub(crate) fn model(&self, default: &str) -> String {
        let step = self.candidate();
        let fallback = step.checked_sub(1).and_then(|n| self.attempt.policy.fallback().get(n));
        let endpoint = self.endpoint();
        let model = endpoint.map(Endpoint::model).or(fallback.map(String::as_str));
        let model = model.unwrap_or(default).to_owned();
        let mut state = self.attempt.state();
        state.chooses(self.index, &model);
        if let Some(out) = state.request(self.index) {
            out.endpoint = endpoint.map(|endpoint| endpoint.name().to_owned());
        }
        model
    }

    /// The endpoint of the route that took the place of the ask's own.
    pub(crate) fn endpoint(&self) -> Option<&'a Endpoint> {
        self.attempt.route.as_ref()?;
        self.attempt.means().endpoint(self.candidate())
    }

    /// Which candidate it is at.
    pub(crate) fn candidate(&self) -> usize {
        self.attempt.state().candidate(self.index)
    }

    /// Says which endpoint is the ask's own.
    #[cfg(feature = "openai")]
    pub(crate) fn is_at_home(&self, endpoint: u64) {
        let mut state = self.attempt.state();
        let state: &mut State = &mut state;
        state.ask(self.index);
        let Some(memory) = state.asks.get_mut(self.index) else { return };
        memory.own_endpoint = endpoint;
        // What turned another ask of this call away would turn this one away, too.
        let route = self.attempt.route.as_ref();
        let candidates =
            super::route::candidates(&self.attempt.policy, route, endpoint, &state.dead);
        let is_dead = |at: usize| candidates.get(at).is_some_and(|there| there.is_dead);
        let here = memory.track.candidate;
        let living = (here..candidates.len()).find(|at| !is_dead(*at));
        if let Some(living) = living.filter(|living| *living > here) {
            memory.track.start_at(living);
            memory.forget();
        }
    }

    /// Says that this ask offers these tools. Feedback about anything else is dropped: it would not be understood.
    pub(crate) fn offer(&self, form: Form, specs: &[&'static ToolSpec]) {
        let offer = Offer { form, tools: specs.iter().map(|s| s.name().to_owned()).collect() };
        self.memory(|memory| {
            if memory.offer != offer {
                memory.forget();
                memory.offer = offer;
            }
        });
    }

    /// The specs of a set of tools.
    pub(crate) fn specs<S: ToolSet>(&self) -> Result<Vec<&'static ToolSpec>, Error> {
        distinct_specs::<S>().map_err(|error| {
            let failure = Failure::new(FailureKind::InvalidRequest);
            self.fail(failure.with_note(error.to_string()).with_source(error))
        })
    }

    /// What follows the messages of the request: the bad answers of earlier attempts and what was wrong with
    /// them.
    pub(crate) fn feedback(&self) -> Vec<Turn> {
        let limit = self.attempt.policy.max_feedback_chars();
        self.memory(|memory| feedback::history(&memory.past().exchanges, &memory.offer, limit))
    }

    /// Whether prose must be made impossible: the function named, the format constrained.
    pub(crate) fn is_constrained(&self) -> bool {
        self.memory(|memory| memory.track.constrained)
    }

    /// The token limit to set, given the request's own.
    pub(crate) fn token_limit(&self, own: Option<u32>) -> Option<u32> {
        self.memory(|memory| {
            memory.track.first_limit = memory.track.first_limit.or(own);
            memory.track.raised_limit.or(own)
        })
    }

    /// Refusals in words are what `detector` says.
    pub(crate) fn detect_refusals(&self, detector: fn(&str) -> bool) {
        self.memory(|memory| memory.refusals = RefusalDetector(detector));
    }

    /// What takes words for a refusal.
    pub(crate) fn refusals(&self) -> RefusalDetector {
        self.memory(|memory| memory.refusals)
    }

    /// The key of the next request. Those of the asks of a body differ, and so do those of one ask that ask for different things.
    pub(crate) fn request_key(&self) -> IdempotencyKey {
        let revision = self.memory(|memory| memory.revision);
        let ask = u32::try_from(self.index).unwrap_or_default();
        // There are never as many of either.
        self.attempt.idempotency_key().repaired(ask << 16 | revision)
    }

    /// Keeps what is asked, if the report is to have it.
    #[cfg(feature = "openai")]
    pub(crate) fn captures<T: Serialize + ?Sized>(&self, messages: &T) {
        if !self.attempt.policy.captures_content() {
            return;
        }
        let request = serde_json::to_string(messages).ok();
        if let Some(out) = self.attempt.state().request(self.index) {
            out.captured =
                Some(Box::new(crate::report::Captured { request, ..Default::default() }));
        }
    }

    /// The next request of this attempt asks for something else than the last.
    #[cfg(feature = "openai")]
    pub(crate) fn revise(&self) {
        self.memory(Memory::revise);
    }

    /// A request goes out.
    pub(crate) fn sent(&self) {
        self.attempt.state().goes_out(self.index, None);
    }

    /// The server turned the request down: it cost nothing.
    pub(crate) fn turned_down(&self) {
        let mut state = self.attempt.state();
        state.spent.accounted = state.spent.accounted.saturating_add(1);
    }

    /// An answer came.
    pub(crate) fn answered(&self, answer: &Arc<Answer>, request_id: Option<String>) {
        let mut state = self.attempt.state();
        if let Some(out) = state.out_of(self.index) {
            out.is_waiting = false;
        }
        if let Some(memory) = state.ask(self.index) {
            memory.answer = Some(Arc::clone(answer));
        }
        state.spent.finish = Some(answer.finish);
        if let Some(usage) = answer.usage {
            state.used(self.index, usage);
        }
        if request_id.is_some() {
            state.spent.request_id = request_id;
        }
    }

    /// What the provider calls the answer, and the model that it says gave it.
    #[cfg(feature = "openai")]
    pub(crate) fn named(&self, id: &str, model: &str) {
        self.attempt.spans.answered(id, model);
    }

    /// A request that no guard was asked about took so much.
    pub(super) fn spent_without_leave(&self, usage: Option<Usage>) {
        let (Some(purse), Some(usage)) = (&self.attempt.purse, usage) else { return };
        let mut state = self.attempt.state();
        if let Some(out) = state.request(self.index) {
            purse.spend(&out.model, usage);
        }
    }

    /// Ends an ask that was made by hand.
    pub(super) fn close(&self) -> Option<ByHand> {
        self.attempt.state().by_hand.take()
    }

    /// The one call that `answer` makes. `required` says that a call was, so that one in the content counts.
    pub(crate) fn judge_call<S: ToolSet>(
        &self,
        required: bool,
        answer: &Arc<Answer>,
    ) -> Result<S, Error> {
        let read = judge_one_call::<S>(answer, required, self.how());
        self.accepted(read, answer).map_err(|failure| self.fail(failure))
    }

    /// Every call that `answer` makes, or if it was asked for the bad ones of an earlier answer again, those and the ones
    /// that were kept.
    pub(crate) fn judge_calls<S: ToolSet>(
        &self,
        required: bool,
        answer: &Arc<Answer>,
    ) -> Result<Vec<S>, Error> {
        let how = self.how();
        let came = judge_calls::<S>(answer, required, how)
            .map_err(|failure| self.fail(failure.with_answer(Arc::clone(answer))))?;
        let told = self.told();
        let came = came.into_iter().map(|call| Judged {
            read: call.read.and_then(|reading| without_leaks(reading, &told)),
            ..call
        });
        // Read outside the lock: an answer may be long.
        let kept = self.memory(|memory| memory.past().kept.clone());
        match kept.filled(came.collect(), how) {
            Ok(readings) => {
                // If the body objects to it, it is the whole that is asked for again.
                let left = Left { calls: Vec::new(), kept: Some(Kept::default()) };
                self.memory(|memory| memory.past_mut().left = left);
                Ok(self.taken(readings))
            }
            Err(Rest { failure, calls, kept }) => {
                self.memory(|memory| memory.past_mut().left = Left { calls, kept });
                Err(self.fail(failure.with_answer(Arc::clone(answer))))
            }
        }
    }

    /// The value that the content of `answer` holds.
    pub(crate) fn judge_content<T: ToolCall>(&self, answer: &Arc<Answer>) -> Result<T, Error> {
        let read = judge_content::<T>(answer, self.how());
        self.accepted(read, answer).map_err(|failure| self.fail(failure))
    }

    /// How answers to this ask are read. What was fed back is looked for in what comes, and so the JSON is kept.
    fn how(&self) -> How {
        let keeps_json = self.memory(|memory| !memory.past().exchanges.is_empty());
        How { recovery: self.attempt.policy.recovery(), keeps_json, refusals: self.refusals() }
    }

    /// The value of an answer to a request for one.
    fn accepted<T>(
        &self,
        read: Result<Reading<T>, Failure>,
        answer: &Arc<Answer>,
    ) -> Result<T, Failure> {
        // Looked for outside the lock: an answer may be long.
        let reading = without_leaks(read?, &self.told())
            .map_err(|failure| failure.with_answer(Arc::clone(answer)))?;
        self.judged(None);
        let mut state = self.attempt.state();
        state.spent.recovered.extend(reading.log.into_vec());
        Ok(reading.value)
    }

    /// The values, and what was put right in them into the report.
    fn taken<T>(&self, readings: Vec<Reading<T>>) -> Vec<T> {
        self.judged(None);
        let mut state = self.attempt.state();
        let take = |Reading { value, log, .. }: Reading<T>| {
            state.spent.recovered.extend(log.into_vec());
            value
        };
        readings.into_iter().map(take).collect()
    }

    /// What the model was told of its bad answers.
    fn told(&self) -> Vec<String> {
        let limit = self.attempt.policy.max_feedback_chars();
        self.memory(|memory| feedback::told(&memory.past().exchanges, &memory.offer, limit))
    }

    /// The error for a failure of this ask, which is remembered: no `map_err` of the body loses it.
    pub(crate) fn fail(&self, failure: Failure) -> Error {
        self.judged(Some(failure.kind()));
        let report = {
            let mut state = self.attempt.state();
            state.last_failed = Some(self.index);
            if let Some(out) = state.out_of(self.index) {
                out.is_waiting = false;
            }
            if let Some(memory) = state.ask(self.index) {
                memory.failed = Some(failure.clone());
            }
            state.report()
        };
        Error::new(failure, report)
    }
}

/// Small models copy an error text into a field. The value then fits every schema, and is wrong.
fn without_leaks<T>(reading: Reading<T>, told: &[String]) -> Result<Reading<T>, Failure> {
    match reading.json.as_ref().map(|json| feedback::leaks(told, json)) {
        Some(leaks) if !leaks.is_empty() => Err(feedback::leaked(leaks)),
        _ => Ok(reading),
    }
}
