//! A row: a fault, how it is met, and what is to come of it.

use std::time::Duration;

use fcretry::{FailureKind, testing::Reply};

use crate::ask::Form;

/// A fault and what is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) form: Form,
    pub(crate) server: Server,
    /// What it is; `None` for what is put right in passing.
    pub(crate) kind: Option<FailureKind>,
    /// Where it happens once and all is well after it.
    pub(crate) once: Expected,
    /// Where it never ends.
    pub(crate) lasting: Expected,
    /// What is waited in all where it never ends.
    pub(crate) waited: Waited,
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug)]
pub(crate) enum Server {
    /// Answers this.
    Replies(Box<Reply>),
    /// Nobody listens.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) requests: u32,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Fails,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Waited {
    Exactly(Duration),
    AtLeast(Duration),
}

/// Where the policy is not the default one with a fast backoff.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) first_token: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    /// A second model, which is well.
    pub(crate) fallback: bool,
    /// A second endpoint, which is well and has a larger context.
    pub(crate) elsewhere: bool,
}

/// Requests where the fault lasts, and milliseconds of wait between them at a base of one: the default rules.
fn rule(kind: FailureKind) -> (u32, u64) {
    use FailureKind as K;
    match kind {
        // Repaired twice, at once; prose once, and then the function is forced.
        K::StructuralParse
        | K::SchemaValidation
        | K::SemanticValidation
        | K::UnknownTool
        | K::NoToolCall => (3, 0),
        // Once more with a larger limit.
        K::Truncated => (2, 0),
        K::Timeout => (2, 1),
        // Three resends, three times the backoff.
        K::RateLimit => (4, 3 + 6 + 12),
        // Two resends, twice the backoff.
        K::ModelOverload => (3, 2 + 4),
        K::TransientNetwork | K::PartialStream => (3, 1 + 2),
        // Nothing that can be had for asking again.
        _ => (1, 0),
    }
}

impl Row {
    /// A fault of this kind, under the default rule for it.
    pub(crate) fn new(fault: &'static str, form: Form, kind: FailureKind, reply: Reply) -> Self {
        let (requests, waited) = rule(kind);
        let (once, end) = if requests == 1 { (1, End::Fails) } else { (2, End::Value) };
        Self {
            fault,
            form,
            server: Server::Replies(Box::new(reply)),
            kind: Some(kind),
            once: Expected { requests: once, end },
            lasting: Expected { requests, end: End::Fails },
            waited: Waited::Exactly(Duration::from_millis(waited)),
            limits: Limits::default(),
        }
    }

    /// A fault that is none in the end: it is read as what it says.
    pub(crate) fn read(fault: &'static str, form: Form, reply: Reply) -> Self {
        let free = Expected { requests: 1, end: End::Value };
        let row = Self::new(fault, form, FailureKind::Application, reply);
        Self { kind: None, once: free, lasting: free, ..row }
    }

    /// Nobody listens where the server should be.
    pub(crate) fn nowhere(fault: &'static str, kind: FailureKind) -> Self {
        let row = Self::new(fault, Form::Tool, kind, Reply::hang());
        Self { once: row.lasting, server: Server::Nowhere, ..row }
    }

    /// The server says how long to wait, and that is waited.
    pub(crate) fn told(self, wait: Duration) -> Self {
        let resends = self.lasting.requests.saturating_sub(1);
        Self { waited: Waited::AtLeast(wait.saturating_mul(resends)), ..self }
    }

    /// Other requests than the rule for the kind says.
    pub(crate) fn costs(mut self, once: u32, lasting: u32) -> Self {
        self.once.requests = once;
        self.lasting.requests = lasting;
        self
    }

    /// A value after so many requests, once and for ever.
    pub(crate) fn succeeds(self, requests: u32) -> Self {
        let reached = Expected { requests, end: End::Value };
        Self { once: reached, lasting: reached, ..self }
    }

    /// Nothing is waited for, and nothing asked again.
    pub(crate) fn at_once(self) -> Self {
        let fails = Expected { requests: 1, end: End::Fails };
        Self { once: fails, lasting: fails, waited: Waited::Exactly(Duration::ZERO), ..self }
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Another model is well: it is asked after so many requests to the first.
    pub(crate) fn falls_back_after(self, requests: u32) -> Self {
        let reached = |requests| Expected { requests, end: End::Value };
        Self {
            once: reached(2),
            lasting: reached(requests.saturating_add(1)),
            limits: Limits { fallback: true, ..self.limits },
            ..self
        }
    }

    /// Another endpoint is well: it is asked at once.
    pub(crate) fn goes_elsewhere(self) -> Self {
        let reached = Expected { requests: 2, end: End::Value };
        Self { once: reached, lasting: reached, ..self.in_vain() }
    }

    /// Another endpoint is well, and would not help.
    pub(crate) fn in_vain(self) -> Self {
        Self { limits: Limits { elsewhere: true, ..self.limits }, ..self }
    }

    /// Waited in all where the fault lasts.
    pub(crate) fn waits(self, millis: u64) -> Self {
        Self { waited: Waited::Exactly(Duration::from_millis(millis)), ..self }
    }

    pub(crate) fn is_about(&self, text: &str) -> bool {
        self.fault.contains(text)
            || self.form.as_str().contains(text)
            || self.kind.is_some_and(|kind| kind.as_str().contains(text))
    }
}
