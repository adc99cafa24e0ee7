//! What was learned, by place, kind and way; and which way is taken. Pure: the time is given, and chance.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::cell::{Cell, Scale, Took, left_after};
use crate::{
    failure::FailureKind,
    policy::{Action, Alternative},
};

/// More places than this are not learned of.
pub(super) const MAX_PLACES: usize = 64;

/// A third time is as a second one.
const MOST_TIMES: u32 = 2;

/// A way is taken before the rule's first only if it is known from so many attempts.
const ENOUGH: f64 = 10.0;

/// Nothing is tried out any more once it is known from so many.
const KNOWN: f64 = 20.0;

/// Of all that attempts take, at most this share is for trying out what the rule would not do yet.
const TRIALS: f64 = 0.02;

/// How sure it must be that another way is better, in deviations of both: 1.64 are 95 of 100.
const SURE: f64 = 1.64;

/// A way that succeeds less often than this share of what the first does is none: who goes on to another model does not come back.
const AS_GOOD: f64 = 0.8;

/// So small a share of attempts without a price hides none.
pub(super) const FEW: f64 = 0.01;

/// The least that an attempt counts, of what one by the rule's first way takes: it takes the place of another.
const LEAST: f64 = 0.1;

/// Every so many failures something may be tried out.
const TRIAL_SHARE: f64 = 1.0 / 16.0;

/// What is learned apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Branch {
    pub(super) place: u16,
    pub(super) kind: FailureKind,
    pub(super) action: Action,
    pub(super) nth: u32,
}

impl Branch {
    pub(super) fn new(place: u16, kind: FailureKind, of: Alternative) -> Self {
        Self { place, kind, action: of.action, nth: of.nth.min(MOST_TIMES) }
    }
}

/// How ways are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) half_life: Duration,
    /// What a second is worth, in pico-dollars.
    pub(super) second: f64,
}

impl Settings {
    fn scale(self, is_unpriced: bool) -> Scale {
        if is_unpriced { Scale::Tokens } else { Scale::Money { second: self.second } }
    }
}

/// What was chosen, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) index: usize,
    /// To learn of it.
    pub(super) is_trial: bool,
}

/// Whether an attempt is for learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    No,
    /// It is what was tried out.
    Begins,
    /// It came of one before it in the call.
    Follows,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    places: Vec<String>,
    cells: HashMap<Branch, Cell, foldhash::fast::RandomState>,
    all: Sums,
}

/// Of all attempts.
#[derive(Debug, Default)]
struct Sums {
    attempts: f64,
    took: Took,
    /// What trials took of it.
    trials: Took,
    /// Trials whose end is not known.
    under_way: f64,
    at: Option<Instant>,
}

impl Sums {
    fn mean(&self) -> Took {
        let mut mean = self.took;
        mean.scale(1.0 / self.attempts.max(1.0));
        mean
    }

    fn fade(&mut self, now: Instant, half_life: Duration) {
        let time = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let left = left_after(time, half_life);
        self.attempts *= left;
        self.took.scale(left);
        self.trials.scale(left);
        self.under_way *= left;
        self.at = Some(now);
    }
}

impl Ledger {
    /// The number of a place; `None` if there are too many.
    pub(super) fn place(&mut self, name: &str) -> Option<u16> {
        let known = self.places.iter().position(|place| place == name);
        let index = known.or_else(|| {
            (self.places.len() < MAX_PLACES).then(|| {
                self.places.push(name.to_owned());
                self.places.len() - 1
            })
        })?;
        u16::try_from(index).ok()
    }

    /// Notes what an attempt took, and what came of the way that led to it, if one did.
    pub(super) fn observe(
        &mut self,
        of: Option<Branch>,
        trial: Trial,
        succeeded: Option<bool>,
        took: Option<Took>,
        now: Instant,
        settings: Settings,
    ) {
        self.all.fade(now, settings.half_life);
        // What is not known is taken for what an attempt takes in the mean, never for nothing.
        let took = took.unwrap_or_else(|| self.all.mean());
        self.all.attempts += 1.0;
        self.all.took.add(took);
        if trial != Trial::No {
            self.all.trials.add(took);
        }
        if trial == Trial::Begins {
            self.give_up_trial();
        }
        let Some(branch) = of else { return };
        let Some(succeeded) = succeeded else { return };
        let cell = self.cells.entry(branch).or_insert_with(|| Cell::new(now));
        *cell = cell.faded(now, settings.half_life);
        cell.observe(succeeded, took);
    }

    /// Which of what is open is taken: the rule's first, unless another is known to cost less per success.
    pub(super) fn choose(
        &mut self,
        place: u16,
        kind: FailureKind,
        open: &[Alternative],
        now: Instant,
        settings: Settings,
        chance: &mut impl FnMut() -> f64,
    ) -> Chosen {
        let rule = Chosen { index: 0, is_trial: false };
        if open.len() < 2 {
            return rule;
        }
        let cells: Vec<_> = open
            .iter()
            .map(|way| self.cell(Branch::new(place, kind, *way), now, settings))
            .collect();
        if let Some(trial) = self.trial(&cells, now, settings, chance) {
            return trial;
        }
        let is_unpriced = cells.iter().flatten().any(Cell::is_unpriced);
        let scale = settings.scale(is_unpriced);
        let Some(Some(first)) = cells.first() else { return rule };
        let least = first.mean(scale) * LEAST;
        let per_success = |cell: &Cell, deviations: f64| {
            let (mean, deviation) = cell.share();
            let share = (mean + deviations * deviation).clamp(f64::EPSILON, 1.0);
            cell.mean(scale).max(least) / share
        };
        // At its best, against the others at their worst.
        let mut best = (per_success(first, SURE), rule);
        for (index, cell) in cells.iter().enumerate().skip(1) {
            let Some(cell) = cell.filter(|cell| cell.weight() >= ENOUGH) else { continue };
            let worst = per_success(&cell, -SURE);
            let (share, deviation) = cell.share();
            let is_as_good = share - SURE * deviation >= AS_GOOD * first.share().0;
            if first.weight() > 0.0 && is_as_good && worst < best.0 {
                best = (worst, Chosen { index, is_trial: false });
            }
        }
        best.1
    }

    /// Something that little is known of, if it may be tried out now.
    fn trial(
        &mut self,
        cells: &[Option<Cell>],
        now: Instant,
        settings: Settings,
        chance: &mut impl FnMut() -> f64,
    ) -> Option<Chosen> {
        self.all.fade(now, settings.half_life);
        if chance() >= TRIAL_SHARE {
            return None;
        }
        let all = &self.all;
        let is_unpriced = all.took.unpriced > FEW * all.attempts;
        let scale = settings.scale(is_unpriced);
        let mean = all.took.by(scale) / all.attempts.max(1.0);
        // A trial that is under way, and the one that would begin, take what an attempt does in the mean.
        let spent = all.trials.by(scale) + (all.under_way + 1.0) * mean;
        if spent > TRIALS * all.took.by(scale) {
            return None;
        }
        let unknown = cells
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, cell)| cell.is_none_or(|cell| cell.weight() < KNOWN));
        let unknown: Vec<usize> = unknown.map(|(index, _)| index).collect();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list of a few"
        )]
        let nth = (chance() * unknown.len() as f64) as usize;
        let index = *unknown.get(nth)?;
        Some(Chosen { index, is_trial: true })
    }

    /// What was chosen to learn of it is done.
    pub(super) fn begin_trial(&mut self) {
        self.all.under_way += 1.0;
    }

    /// It is over, or was not, after all.
    pub(super) fn give_up_trial(&mut self) {
        self.all.under_way = (self.all.under_way - 1.0).max(0.0);
    }

    /// Forgets everything but which number is whose: calls that are under way know theirs.
    pub(super) fn reset(&mut self) {
        self.cells.clear();
        self.all = Sums::default();
    }

    fn cell(&self, branch: Branch, now: Instant, settings: Settings) -> Option<Cell> {
        self.cells.get(&branch).map(|cell| cell.faded(now, settings.half_life))
    }

    /// Everything that was learned, as it is now.
    pub(super) fn cells(
        &self,
        now: Instant,
        settings: Settings,
    ) -> impl Iterator<Item = (&str, Branch, Cell)> {
        self.cells.iter().filter_map(move |(branch, cell)| {
            let place = self.places.get(usize::from(branch.place))?;
            Some((place.as_str(), *branch, cell.faded(now, settings.half_life)))
        })
    }
}
