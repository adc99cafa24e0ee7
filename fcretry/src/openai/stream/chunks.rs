//! The chunks of a stream, put together.

use http::HeaderMap;
use serde_json::Value;

use super::super::{
    completion::{arguments_in, finish_of, gave_up, text, text_in, usage_in},
    wire,
};
use crate::{
    answer::{Answer, Call, MAX_CALLS},
    failure::{Failure, FailureKind},
    short::short,
};

/// What the provider calls an answer, and who it says gave it.
#[derive(Debug)]
pub(in super::super) struct Said {
    pub(in super::super) id: String,
    pub(in super::super) model: String,
}

/// An answer on its way.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    /// What there is of it. `Answer::finish` counts once it [`is_whole`](Self::is_whole).
    pub(super) answer: Answer,
    /// The index under which the server speaks of each call.
    indices: Vec<u64>,
    /// Chunks that brought something: about as many as tokens.
    pub(super) deltas: u64,
    /// Bytes that were brought.
    pub(super) bytes: u64,
    /// The last word about how it finished. An empty one is what some servers say all along.
    finish: Option<String>,
    /// `[DONE]` came.
    pub(super) is_done: bool,
    /// More came behind a finish reason: it is no sign of the end here.
    goes_on: bool,
    /// As the first chunk that has it says.
    pub(super) said: Option<Box<Said>>,
}

impl Arriving {
    /// The rest of an answer whose content had `begun`.
    pub(super) fn after(begun: Option<String>) -> Self {
        Self { answer: Answer { content: begun, ..Answer::default() }, ..Self::default() }
    }

    /// Whether the server said that this is all, whatever may still follow.
    pub(super) fn is_whole(&self) -> bool {
        self.may_end() && (self.is_done || !self.goes_on)
    }

    /// Whether this is all, if the stream ends here.
    pub(super) fn may_end(&self) -> bool {
        match &self.finish {
            Some(word) if word.is_empty() => self.is_done,
            finish => finish.is_some(),
        }
    }

    /// Takes the data of an event; whether it brought anything.
    pub(super) fn take(&mut self, data: &str, is_error: bool) -> Result<bool, Failure> {
        if data.trim() == "[DONE]" {
            self.is_done = true;
            return Ok(false);
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            let failure = Failure::new(FailureKind::PartialStream);
            return Err(failure.with_note("an event of the stream is not JSON"));
        };
        self.chunk(&chunk, is_error)
    }

    /// Takes a chunk; whether it brought anything.
    pub(super) fn chunk(&mut self, chunk: &Value, is_error: bool) -> Result<bool, Failure> {
        // Azure begins with a chunk that says neither.
        let (id, model) = (text(chunk, "id"), text(chunk, "model"));
        if self.said.is_none() && !(id.is_empty() && model.is_empty()) {
            let said = Said { id: short(id).to_owned(), model: short(model).to_owned() };
            self.said = Some(Box::new(said));
        }
        if let Some(usage) = usage_in(chunk) {
            self.answer.usage = Some(usage);
        }
        let choices = chunk.get("choices").and_then(Value::as_array);
        let is_first =
            |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        let choice = choices.and_then(|choices| choices.iter().find(is_first));
        let error = wire::error_in(chunk).or_else(|| choice.and_then(wire::error_in)).cloned();
        if let Some(error) = error.or_else(|| is_error.then(|| chunk.clone())) {
            return Err(self.midway(&wire::in_band(&error, 200, &HeaderMap::new())));
        }
        let Some(choice) = choice else { return Ok(false) };
        let before = self.bytes;
        // The last chunk of some servers has the whole message: it brings nothing new.
        if let Some(delta) = choice.get("delta") {
            self.delta(delta);
        }
        if self.answer.calls.len() > MAX_CALLS {
            let failure = Failure::new(FailureKind::StructuralParse);
            return Err(failure.with_note("the answer runs on in calls"));
        }
        let has_brought = self.bytes > before;
        self.deltas += u64::from(has_brought);
        if has_brought && self.finish.take().is_some_and(|word| !word.is_empty()) {
            self.goes_on = true;
        }
        if let Some(word) = choice.get("finish_reason").and_then(Value::as_str) {
            if gave_up(word) {
                let failure = Failure::new(FailureKind::ModelOverload);
                let note = "the model gave up before the answer was whole";
                return Err(self.midway(&failure.with_note(note)));
            }
            if !word.is_empty() || self.finish.is_none() {
                self.answer.finish = finish_of(word);
                self.finish = Some(word.to_owned());
            }
        }
        Ok(has_brought)
    }

    fn delta(&mut self, delta: &Value) {
        if let Some(piece) = delta.get("content").and_then(text_in) {
            self.bytes += length(&piece);
            self.answer.content.get_or_insert_default().push_str(&piece);
        }
        let refusal = text(delta, "refusal");
        if !refusal.is_empty() {
            self.bytes += length(refusal);
            self.answer.refusal.get_or_insert_default().push_str(refusal);
        }
        // What a model thinks before it answers is a sign of life, and no part of the answer.
        let thought = ["reasoning_content", "reasoning"].map(|key| text(delta, key));
        self.bytes += thought.into_iter().map(length).max().unwrap_or_default();
        let calls = delta.get("tool_calls").and_then(Value::as_array);
        for call in calls.into_iter().flatten() {
            if self.answer.calls.len() > MAX_CALLS {
                break;
            }
            self.call(call);
        }
    }

    /// Takes a piece of a call. Servers differ in what they repeat: an id that is another one begins another call,
    /// whatever its index says, and a name that is there is not there twice.
    fn call(&mut self, piece: &Value) {
        let function = piece.get("function").unwrap_or(piece);
        let (id, name) = (text(piece, "id"), text(function, "name"));
        let arguments = arguments_in(function);
        let index = piece.get("index").and_then(Value::as_u64);
        let is_it = |at: &usize| {
            let has_index = index.is_none() || self.indices.get(*at).copied() == index;
            // A new id without a name is another name for the same.
            let is_same_id = |call: &Call| id.is_empty() || call.id.is_empty() || call.id == id;
            let has_id = |call: &Call| is_same_id(call) || name.is_empty();
            has_index && self.answer.calls.get(*at).is_some_and(has_id)
        };
        // Without index and id, a name behind arguments begins another call.
        let is_next = |call: &Call| !name.is_empty() && !call.arguments.is_empty();
        let is_nameless = index.is_none() && id.is_empty();
        let begins = is_nameless && self.answer.calls.last().is_some_and(is_next);
        let known = (0..self.answer.calls.len()).rev().find(is_it).filter(|_| !begins);
        let at = known.unwrap_or_else(|| {
            self.answer.calls.push(Call::new("", "", ""));
            self.indices.push(index.unwrap_or(self.indices.len() as u64));
            self.indices.len() - 1
        });
        let Some(call) = self.answer.calls.get_mut(at) else { return };
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        if call.name != name {
            call.name.push_str(name);
        }
        call.arguments.push_str(&arguments);
        self.bytes += length(name) + length(&arguments);
    }

    /// The failure of an error that came when the answer had begun. Where asking again for the same cannot
    /// help, or must wait, it is what it is.
    fn midway(&self, failure: &Failure) -> Failure {
        use FailureKind as K;
        let is_partial = self.bytes > 0
            && matches!(
                failure.kind(),
                K::ModelOverload | K::TransientNetwork | K::Timeout | K::InvalidRequest
            );
        if is_partial { failure.clone().with_kind(K::PartialStream) } else { failure.clone() }
    }

    /// The answer, once it is whole.
    pub(super) fn into_answer(mut self) -> Answer {
        for (i, call) in self.answer.calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{i}");
            }
        }
        self.answer.content = self.answer.content.filter(|content| !content.is_empty());
        self.answer
    }
}

fn length(text: &str) -> u64 {
    text.len() as u64
}
