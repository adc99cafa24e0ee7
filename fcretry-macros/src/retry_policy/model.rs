//! What the attribute says, with the span of every key and value.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, ExprPath, LitStr, Path};

use super::kinds::{ActionKind, Kind};
use crate::diag::Slot;
use crate::value::{Recovery, Written, names};

/// The whole attribute.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) max_attempts: Slot<Written<u32>>,
    pub(crate) timeout: Slot<Written<Duration>>,
    pub(crate) first_token: Slot<Written<Duration>>,
    pub(crate) idle: Slot<Written<Duration>>,
    pub(crate) deadline: Slot<Written<Duration>>,
    pub(crate) backoff: Slot<Backoff>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fallback: Slot<Vec<LitStr>>,
    /// The expression of the endpoints to go on with.
    pub(crate) route: Slot<TokenStream>,
    pub(crate) recovery: Slot<Recovery>,
    pub(crate) history: Slot<Written<u32>>,
    pub(crate) max_feedback_chars: Slot<Written<u32>>,
    pub(crate) budget: Slot<Budget>,
    /// The expression of what models cost.
    pub(crate) prices: Slot<TokenStream>,
    pub(crate) capture_content: Slot<()>,
    /// The expression of what learns from the calls.
    pub(crate) adapt: Slot<TokenStream>,
    /// The function that makes a value of the error where the call would fail.
    pub(crate) degrade: Slot<ExprPath>,
    /// The expression of who is told what happens.
    pub(crate) observer: Slot<TokenStream>,
    /// The expressions of the guards.
    pub(crate) breaker: Slot<TokenStream>,
    pub(crate) throttle: Slot<TokenStream>,
    pub(crate) retry_budget: Slot<TokenStream>,
    /// The arguments that the idempotency key is made of.
    pub(crate) idempotency: Slot<Vec<Expr>>,
    /// The expression of a policy made at run time, whose keys the others replace.
    pub(crate) base: Slot<TokenStream>,
    pub(crate) krate: Slot<Path>,
    /// Whether a key could not be read, so that nothing is to be said of what is missing.
    pub(crate) is_partial: bool,
}

impl Policy {
    /// What is attached to a call, by the key that is its method: each is an expression of a handle.
    pub(crate) fn attached(&self) -> impl Iterator<Item = (&Ident, &TokenStream)> {
        let Self { route, prices, adapt, observer, breaker, throttle, retry_budget, .. } = self;
        let attached = [route, prices, adapt, observer, breaker, throttle, retry_budget];
        attached.into_iter().filter_map(Slot::both)
    }
}

/// `budget(..)`.
#[derive(Default)]
pub(crate) struct Budget {
    pub(crate) usd: Slot<Written<f64>>,
    pub(crate) tokens: Slot<Written<u32>>,
}

/// `backoff(..)`, of the policy or of one rule.
#[derive(Default)]
pub(crate) struct Backoff {
    pub(crate) strategy: Slot<Strategy>,
    pub(crate) base: Slot<Written<Duration>>,
    pub(crate) max: Slot<Written<Duration>>,
    pub(crate) factor: Slot<Written<f64>>,
    pub(crate) jitter: Slot<Jitter>,
}

impl Backoff {
    /// The strategy given, else the default one; `None` if what was given is none.
    pub(crate) fn strategy(&self) -> Option<Strategy> {
        match &self.strategy {
            Slot::Empty => Some(Strategy::Exponential),
            Slot::Set(_, strategy) => Some(*strategy),
            Slot::Bad => None,
        }
    }
}

/// `on(kind, ..)`.
pub(crate) struct Rule {
    /// The `on`.
    pub(crate) key: Ident,
    /// The kind; `None` if it was missing or unknown, which is reported already.
    pub(crate) kind: Option<(Ident, &'static Kind)>,
    /// In the order written, which is the order they are used in.
    pub(crate) actions: Vec<Action>,
    pub(crate) delay_scale: Slot<Written<f64>>,
    pub(crate) max_tokens: Slot<Written<u32>>,
    pub(crate) backoff: Slot<Backoff>,
    pub(crate) then: Slot<Then>,
    /// As for the policy.
    pub(crate) is_partial: bool,
}

/// One action of a rule.
pub(crate) struct Action {
    pub(crate) key: Ident,
    pub(crate) what: ActionKind,
    /// `None` for the default count, and for actions that have none.
    pub(crate) count: Option<Written<u32>>,
}

names! {
    /// How the delay grows.
    Strategy {
        "exponential" => Exponential,
        "linear" => Linear,
        "fibonacci" => Fibonacci,
        "constant" => Constant,
    }
}

names! {
    /// How the delay is randomised.
    Jitter {
        "full" => Full,
        "equal" => Equal,
        "decorrelated" => Decorrelated,
        "none" => None,
    }
}

names! {
    /// What follows when the counts of a rule are used up.
    Then {
        "fallback" => Fallback,
        "fail" => Fail,
        "escalate" => Escalate,
    }
}
