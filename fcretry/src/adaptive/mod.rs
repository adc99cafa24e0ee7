//! Learning which way out of a failure costs least.

mod cell;
mod ledger;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cell::Scale;
pub(crate) use cell::Took;
pub(crate) use ledger::Trial;
use ledger::{Branch, Ledger, Settings};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    cost::Cost,
    failure::FailureKind,
    handle::attach_as_itself,
    policy::{Action, Alternative, Chance, Preference},
};

/// How long it takes until what was seen counts half.
const HALF_LIFE: Duration = Duration::from_secs(600);

/// Learns, for each model and kind of failure, how often asking again with what was wrong, sending the same again and going on
/// with the next model succeed, and what each takes; and has calls take what costs least per success, of what their rule leaves
/// open. The key `adapt(EXPR)`, or [`Run::adapt`](crate::Run::adapt); shared by as many calls as are to learn from each other.
///
/// ```
/// use fcretry::{Adaptive, prelude::*};
///
/// static LEARNED: Adaptive = Adaptive::new();
///
/// // Asks for a repair first, as the rule says, until it is known that `mini` gets it right for less.
/// #[retry_policy(adapt(LEARNED), on(schema_validation, repair = 2, fallback), fallback("gpt-4o-mini"))]
/// async fn ask(attempt: &Attempt) -> fcretry::Result<u32> {
///     Ok(attempt.number())
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// # ask().await.unwrap();
/// # });
/// for learned in LEARNED.snapshot() {
///     println!("{learned}");
/// }
/// LEARNED.reset();
/// ```
///
/// The limits of the rule hold: its counts, its order up to `fail` or `escalate`, `max_attempts`, the budget. Nothing is done that
/// the rule does not name, and where it leaves one way, that is taken. Ways are compared by what an attempt takes in the mean over
/// its share of successes; among ways that are tried until one succeeds, that order costs least. Costs are those of the call's
/// prices, or tokens where one of them is not known, and beside money what a [second](Self::second) is worth.
///
/// The share is a Beta distribution, from a uniform one, whose evidence fades with a [half-life](Self::half_life). The rule's own
/// order is left only for a way that is known from at least 10 attempts and better with 95 % certainty, and that succeeds about
/// as often (four fifths of it); to learn of ways that the
/// rule comes to late or never, a sixteenth of the failures is for trying one out, as long as trials, with what comes of them
/// in their calls, take no more than 2 % of what all attempts take.
///
/// Memory is bounded: 64 models at endpoints, and for each of them what kinds of failure and ways there are. It keeps names of models
/// and endpoints, and numbers.
pub struct Adaptive {
    half_life: Duration,
    second: Cost,
    ledger: Mutex<Option<Ledger>>,
}

impl Adaptive {
    /// One that has learned nothing.
    pub const fn new() -> Self {
        Self { half_life: HALF_LIFE, second: Cost::ZERO, ledger: Mutex::new(None) }
    }

    /// How long it takes until what was seen counts half. Default 10 min; the shorter, the faster it follows models that change,
    /// and the less it is sure of.
    pub const fn half_life(mut self, half_life: Duration) -> Self {
        self.half_life = half_life;
        self
    }

    /// What a second of waiting is worth. Default nothing: only money counts.
    pub const fn second(mut self, worth: Cost) -> Self {
        self.second = worth;
        self
    }

    /// What was learned, by model, kind and way, as it counts now.
    pub fn snapshot(&self) -> Vec<Learned> {
        let (now, settings) = (Instant::now(), self.settings());
        let ledger = self.ledger();
        let Some(ledger) = &*ledger else { return Vec::new() };
        let learned = ledger.cells(now, settings).map(|(model, branch, cell)| {
            let (share, deviation) = cell.share();
            let is_priced = !cell.is_unpriced() && cell.weight() > 0.0;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "floats saturate"
            )]
            let picos = cell.mean(Scale::Money { second: 0.0 }).round() as u64;
            Learned {
                model: model.to_owned(),
                kind: branch.kind,
                action: branch.action,
                again: branch.nth > 1,
                weight: cell.weight(),
                share,
                deviation,
                cost: is_priced.then_some(Cost::from_picos(picos)),
                tokens: cell.mean(Scale::Tokens),
            }
        });
        let mut learned: Vec<_> = learned.collect();
        learned.sort_by(|a, b| {
            let key =
                |learned: &Learned| (learned.kind.index(), learned.action.as_str(), learned.again);
            a.model.cmp(&b.model).then_with(|| key(a).cmp(&key(b)))
        });
        learned
    }

    /// Forgets everything.
    pub fn reset(&self) {
        if let Some(ledger) = &mut *self.ledger() {
            ledger.reset();
        }
    }

    fn settings(&self) -> Settings {
        #[allow(clippy::cast_precision_loss, reason = "what is compared needs no more")]
        let second = self.second.picos() as f64;
        Settings { half_life: self.half_life, second }
    }

    fn ledger(&self) -> MutexGuard<'_, Option<Ledger>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an attempt took and, if it `followed` a failure, whether that led to a value; `None` if that says nothing of it.
    pub(crate) fn observe(
        &self,
        followed: Option<Followed>,
        trial: Trial,
        succeeded: Option<bool>,
        took: Option<Took>,
    ) {
        let of = followed.map(|followed| followed.branch);
        let (now, settings) = (Instant::now(), self.settings());
        self.ledger().get_or_insert_default().observe(of, trial, succeeded, took, now, settings);
    }

    /// A trial that was begun asked nobody.
    pub(crate) fn give_up_trial(&self) {
        self.ledger().get_or_insert_default().give_up_trial();
    }

    /// Has decisions about a failure of `kind` at `model` follow what was learned.
    pub(crate) fn adviser<'a, C>(
        &'a self,
        model: &'a str,
        kind: FailureKind,
        chance: C,
    ) -> Adviser<'a, C> {
        Adviser { adaptive: self, model, kind, chance, followed: None }
    }
}

/// What an attempt came after: a failure, and the way that was taken out of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    branch: Branch,
    pub(crate) is_trial: bool,
}

/// Chooses among what a rule leaves open.
pub(crate) struct Adviser<'a, C> {
    adaptive: &'a Adaptive,
    model: &'a str,
    kind: FailureKind,
    chance: C,
    followed: Option<Followed>,
}

impl<C> Adviser<'_, C> {
    /// What is followed, if that is `action`: where the chosen way was not to be had, what was done instead.
    pub(crate) fn followed(self, action: Action) -> Option<Followed> {
        let followed = self.followed?;
        if followed.branch.action == action {
            if followed.is_trial {
                self.adaptive.ledger().get_or_insert_default().begin_trial();
            }
            return Some(followed);
        }
        // It is what the rule does anyhow.
        let branch = Branch { action, nth: 1, ..followed.branch };
        (action == Action::Fallback).then_some(Followed { branch, is_trial: false })
    }
}

impl<C: Chance> Preference for Adviser<'_, C> {
    fn choose(&mut self, open: &[Alternative]) -> usize {
        let (now, settings) = (Instant::now(), self.adaptive.settings());
        let mut ledger = self.adaptive.ledger();
        let ledger = ledger.get_or_insert_default();
        let Some(place) = ledger.place(self.model) else { return 0 };
        let chosen =
            ledger.choose(place, self.kind, open, now, settings, &mut || self.chance.share());
        let branch = open.get(chosen.index).map(|way| Branch::new(place, self.kind, *way));
        self.followed = branch.map(|branch| Followed { branch, is_trial: chosen.is_trial });
        chosen.index
    }
}

/// What was learned of one way out of failures of one kind at one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Learned {
    /// The model that failed, with its endpoint if that is one of a [`Route`](crate::Route).
    pub model: String,
    /// How it failed.
    pub kind: FailureKind,
    /// What was done: `Retry` (the same again), `Repair` or `Fallback`.
    pub action: Action,
    /// Whether that had been done in the call before.
    pub again: bool,
    /// About how many attempts it is known from; older ones count less.
    pub weight: f64,
    /// How often it gave a value, 0 to 1: the mean of what is believed, which is 0.5 where nothing is known.
    pub share: f64,
    /// The standard deviation of what is believed.
    pub deviation: f64,
    /// What an attempt cost in the mean; `None` if a price is not known.
    pub cost: Option<Cost>,
    /// Tokens that an attempt took in the mean.
    pub tokens: f64,
}

impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, kind, action, again, weight, share, deviation, cost, tokens } = self;
        let (action, again) = (action.as_str(), if *again { " again" } else { "" });
        write!(
            f,
            "{model}: {kind}, then {action}{again}: {:.0} % ± {:.0} of {weight:.0} succeed, ",
            share * 100.0,
            deviation * 100.0,
        )?;
        match cost {
            Some(cost) => write!(f, "{cost:.6} each"),
            None => write!(f, "{tokens:.0} tokens each"),
        }
    }
}

impl Default for Adaptive {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive")
            .field("half_life", &self.half_life)
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}

attach_as_itself!(Adaptive);
