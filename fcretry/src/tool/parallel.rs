//! Several calls in one answer: each is read alone, the good ones are kept, and the bad ones are asked for again.

use std::fmt;

use serde_json::{Value, json};

use super::{
    How, RawCall, ToolSet, distinct_specs,
    judge::{PARALLEL, no_call, unknown, whole},
    set::{Source, is_spelling},
};
use crate::{
    answer::{Answer, Call},
    failure::{Failure, FailureKind, Violation},
    parse::{self, CallInText, Reading, folded},
};

/// A call as the model wrote it: to be read again, or shown to it. `Debug` leaves the arguments out.
#[derive(Clone)]
pub(crate) enum Written {
    /// Where calls stand.
    Call(Call),
    /// Among others in one text, which is the content, or the arguments of a tool that the model made up.
    Among { call: Box<CallInText>, in_content: bool },
    /// The content. `alone` says that arguments without a tool's name count.
    Text { text: String, alone: bool },
}

/// A call, and what it was read as.
pub(crate) struct Judged<S> {
    pub(crate) written: Written,
    pub(crate) read: Result<Reading<S>, Failure>,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => call.fmt(f),
            Self::Among { .. } => f.debug_struct("Among").finish_non_exhaustive(),
            Self::Text { text, .. } => f.debug_struct("Text").field("bytes", &text.len()).finish(),
        }
    }
}

impl Written {
    /// The call where calls stand, if it stands there.
    pub(crate) fn call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            Self::Among { .. } | Self::Text { .. } => None,
        }
    }

    fn source(&self) -> Source<'_> {
        match self {
            Self::Call(call) => Source::Call { name: &call.name, arguments: &call.arguments },
            Self::Among { call, in_content } => Source::Among { call, in_content: *in_content },
            Self::Text { text, alone } => Source::Content { text, alone: *alone },
        }
    }

    fn judged<S: ToolSet>(self, how: How) -> Judged<S> {
        let read = S::read_call(&RawCall { source: self.source(), how });
        let read = read.unwrap_or_else(|| Err(unknown::<S>()));
        Judged { written: self, read }
    }

    /// The name of the tool and the arguments, as they are read: the same for two calls that say the same.
    fn identity<S: ToolSet>(&self, how: How) -> Option<(&'static str, Value)> {
        let specs = distinct_specs::<S>().ok()?;
        specs.into_iter().find_map(|spec| {
            let target = spec.target(spec.recovery().unwrap_or(how.recovery), true);
            let read = match self {
                Self::Call(call) if is_spelling(&call.name, spec.name()) => {
                    parse::read_through_value::<Value>(&call.arguments, target)
                }
                Self::Call(_) => return None,
                Self::Among { call, in_content } => {
                    parse::read_written::<Value>(call, target, *in_content)?
                }
                Self::Text { text, alone } => {
                    parse::read_call_in_content::<Value>(text, target, *alone)?
                }
            };
            Some((spec.name(), read.ok()?.value))
        })
    }

    /// Whether both are written as calls of one tool with the same arguments.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_equal = |a: &str, b: &str| {
            let value = |text: &str| serde_json::from_str::<Value>(text).ok();
            a == b || value(a).is_some_and(|a| value(b) == Some(a))
        };
        match (self, other) {
            (Self::Call(a), Self::Call(b)) => {
                folded(&a.name) == folded(&b.name) && is_equal(&a.arguments, &b.arguments)
            }
            (Self::Among { call: a, .. }, Self::Among { call: b, .. }) => a.is_same(b),
            (Self::Text { text: a, .. }, Self::Text { text: b, .. }) => is_equal(a, b),
            _ => false,
        }
    }
}

/// Reads every call of an answer, in order, each judged alone.
///
/// # Errors
///
/// What is wrong with the answer as a whole: there are no calls, say.
pub(crate) fn judge_calls<S: ToolSet>(
    answer: &Answer,
    required: bool,
    how: How,
) -> Result<Vec<Judged<S>>, Failure> {
    whole(answer)?;
    if answer.calls.is_empty() {
        return in_content(answer, required, how);
    }
    let calls = answer.calls.iter().flat_map(written::<S>);
    Ok(calls.map(|written| written.judged(how)).collect())
}

/// A call, or those that a made-up one holds.
fn written<S: ToolSet>(call: &Call) -> Vec<Written> {
    let is_offered = || {
        let specs = distinct_specs::<S>().unwrap_or_default();
        specs.iter().any(|spec| is_spelling(&call.name, spec.name()))
    };
    let held = if call.name.ends_with(PARALLEL) && !is_offered() {
        parse::calls_in(&call.arguments)
    } else {
        Vec::new()
    };
    if held.is_empty() {
        return vec![Written::Call(call.clone())];
    }
    held.into_iter()
        .map(|call| Written::Among { call: Box::new(call), in_content: false })
        .collect()
}

/// The calls that were written into the content: several, if they are all of these tools, or one.
fn in_content<S: ToolSet>(
    answer: &Answer,
    required: bool,
    how: How,
) -> Result<Vec<Judged<S>>, Failure> {
    let text = answer.content.as_deref().unwrap_or_default();
    let calls =
        if required && !how.refusals.detects(text) { parse::calls_in(text) } else { Vec::new() };
    if calls.len() > 1 {
        let judged = calls.into_iter().map(|call| {
            let written = Written::Among { call: Box::new(call), in_content: true };
            let read = S::read_call(&RawCall { source: written.source(), how })?;
            Some(Judged { written, read })
        });
        if let Some(judged) = judged.collect::<Option<Vec<_>>>() {
            return Ok(judged);
        }
    }
    let alone = distinct_specs::<S>().is_ok_and(|specs| specs.len() == 1);
    match no_call(answer, required, how) {
        Ok(reading) => {
            let written = Written::Text { text: text.to_owned(), alone };
            Ok(vec![Judged { written, read: Ok(reading) }])
        }
        Err(failure) => Err(failure),
    }
}

/// The calls that are right so far, by place; nothing where one is asked for again. Empty if all are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Vec<Option<Written>>);

/// What an answer leaves of an ask for several calls that it did not end.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) failure: Failure,
    /// The calls of the answer; the failure's [`calls`](Failure::calls) are of these.
    pub(crate) calls: Vec<Written>,
    /// What is kept if the bad ones are asked for again; `None` for what was kept before.
    pub(crate) kept: Option<Kept>,
}

impl Kept {
    /// Whether all calls are asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are asked for again.
    pub(crate) fn open(&self) -> usize {
        self.0.iter().filter(|place| place.is_none()).count()
    }

    /// Those that are right.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Written> {
        self.0.iter().flatten()
    }

    /// Of these places, what is kept: all or nothing, if none is right.
    fn of(places: Vec<Option<Written>>) -> Self {
        if places.iter().all(Option::is_none) { Self::default() } else { Self(places) }
    }

    /// Puts the calls that came into the open places, in order, and reads the whole. A call that repeats one that is kept
    /// is passed over; if all of them are repeated and the open ones are there, the answer stands as it is.
    ///
    /// # Errors
    ///
    /// Calls that are bad, or not as many as were asked for.
    pub(crate) fn filled<S: ToolSet>(
        &self,
        came: Vec<Judged<S>>,
        how: How,
    ) -> Result<Vec<Reading<S>>, Rest> {
        let written: Vec<Written> = came.iter().map(|call| call.written.clone()).collect();
        let mut unrepeated: Vec<_> = self.calls().map(|kept| kept.identity::<S>(how)).collect();
        let mut repeats = |call: &Written| {
            let repeated = match unrepeated.as_slice() {
                [] => None,
                kept => call
                    .identity::<S>(how)
                    .and_then(|call| kept.iter().position(|kept| kept.as_ref() == Some(&call))),
            };
            repeated.map(|at| unrepeated.swap_remove(at)).is_some()
        };
        let repeats: Vec<bool> = written.iter().map(&mut repeats).collect();
        let is_everything = unrepeated.is_empty() && came.len() == self.0.len();
        let stands_alone = self.is_empty() || is_everything;
        let mut new: Vec<(usize, Judged<S>)> = came.into_iter().enumerate().collect();
        if !stands_alone {
            new.retain(|(i, _)| repeats.get(*i) != Some(&true));
            if new.len() != self.open() {
                let failure = self.wrong_number(written.len());
                return Err(Rest { failure, calls: written, kept: None });
            }
        }
        let mut bad = Vec::new();
        let mut good: Vec<Option<(Written, Reading<S>)>> = Vec::new();
        for (i, Judged { written, read }) in new {
            match read {
                Ok(reading) => good.push(Some((written, reading))),
                Err(failure) => {
                    bad.push((i, failure));
                    good.push(None);
                }
            }
        }
        let own = if stands_alone { vec![None; good.len()] } else { self.0.clone() };
        let mut good = good.into_iter();
        let mut next = || good.next().flatten();
        if !bad.is_empty() {
            let places =
                own.into_iter().map(|kept| kept.or_else(|| next().map(|(written, _)| written)));
            let kept = Some(Self::of(places.collect()));
            return Err(Rest { failure: Failure::of_calls(bad), calls: written, kept });
        }
        let mut whole = Vec::with_capacity(own.len());
        for kept in own {
            match kept.map(|kept| kept.judged::<S>(how).read) {
                None => whole.extend(next().map(|(_, reading)| reading)),
                Some(Ok(reading)) => whole.push(reading),
                // A hook that has changed its mind: what it took is no longer worth keeping.
                Some(Err(failure)) => {
                    return Err(Rest { failure, calls: Vec::new(), kept: Some(Self::default()) });
                }
            }
        }
        Ok(whole)
    }

    fn wrong_number(&self, came: usize) -> Failure {
        let open = self.open();
        let expected = match open {
            1 => "exactly 1 call, the one that was not right".to_owned(),
            open => format!("exactly {open} calls, those that were not right"),
        };
        let violation = Violation::schema("", expected, Some(json!(came)));
        Failure::new(FailureKind::SchemaValidation)
            .with_note(format!(
                "of {} calls {open} were asked for again, {came} came",
                self.0.len()
            ))
            .with_violations(violation.into())
    }
}
