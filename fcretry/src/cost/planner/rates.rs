use std::collections::BTreeMap;

use serde::Serialize;

use crate::{failure::FailureKind, policy::Action};

/// How an attempt came to be asked: what a model fails at once it often fails at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Asked {
    /// For the first time on this model; also again after a failure that was not of the answer, such as a rate limit.
    First,
    /// The same again, after a bad answer: one of a kind that could be [repaired](FailureKind::is_repairable).
    Resend,
    /// With what was wrong fed back.
    Repair,
}

impl Asked {
    const COUNT: usize = 3;

    pub(super) const ALL: [Self; Self::COUNT] = [Self::First, Self::Resend, Self::Repair];

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// How what follows such a failure is asked.
    pub(crate) const fn after(self, kind: FailureKind, action: Action) -> Self {
        match action {
            Action::Repair => Self::Repair,
            Action::Retry if kind.is_repairable() && matches!(self, Self::First) => Self::Resend,
            Action::Fallback => Self::First,
            _ => self,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Resend => "resend",
            Self::Repair => "repair",
        }
    }
}

/// How often attempts fail, by model and kind: given, or measured from what happened.
///
/// Without rates of its own a resend or a repair fails as often as a first request: as if bad answers were mere chance. They
/// seldom are.
///
/// ```
/// use fcretry::{FailureKind::{RateLimit, StructuralParse}, cost::{Asked, FailureRates}};
///
/// let given = FailureRates::new().given("gpt-4.1", [(StructuralParse, 0.045), (RateLimit, 0.01)]);
///
/// let mut measured = FailureRates::new();
/// measured.observe("gpt-4.1", None);
/// measured.observe("gpt-4.1", Some(StructuralParse));
/// measured.observe_after(Asked::Repair, "gpt-4.1", None);
/// assert_eq!(measured.rate("gpt-4.1", Asked::First, StructuralParse), Some(0.5));
/// assert_eq!(measured.rate("gpt-4.1", Asked::Repair, StructuralParse), Some(0.0));
/// assert_eq!(measured.rate("gpt-4o", Asked::First, StructuralParse), None);
/// # let _ = given;
/// ```
#[derive(Clone, Debug, Default)]
pub struct FailureRates {
    models: BTreeMap<String, [Option<Source>; Asked::COUNT]>,
}

#[derive(Clone, Debug)]
enum Source {
    Given(Vec<(FailureKind, f64)>),
    Counted { attempts: u64, failures: [u64; FailureKind::COUNT] },
}

/// The kinds that attempts fail with, each with its chance; the rest succeed.
pub(super) type Chances = Vec<(FailureKind, f64)>;

impl FailureRates {
    /// Of no model yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the share of attempts at `model` that fail with each kind, 0 to 1 and together at most 1. In place of what was given
    /// or measured for it.
    pub fn given(
        self,
        model: impl Into<String>,
        rates: impl IntoIterator<Item = (FailureKind, f64)>,
    ) -> Self {
        self.given_after(Asked::First, model, rates)
    }

    /// As [`given`](Self::given), of the attempts that came to be `asked` so.
    pub fn given_after(
        mut self,
        asked: Asked,
        model: impl Into<String>,
        rates: impl IntoIterator<Item = (FailureKind, f64)>,
    ) -> Self {
        let source = Source::Given(rates.into_iter().collect());
        self.set(asked, model.into(), source);
        self
    }

    /// Counts an attempt at `model` that asked for the first time, and what it failed with. In place of what was given for it.
    pub fn observe(&mut self, model: &str, kind: Option<FailureKind>) {
        self.observe_after(Asked::First, model, kind);
    }

    /// As [`observe`](Self::observe), of an attempt that came to be `asked` so.
    pub fn observe_after(&mut self, asked: Asked, model: &str, kind: Option<FailureKind>) {
        let seen = self.models.get_mut(model).and_then(|model| model.get_mut(asked.index()));
        if let Some(Some(Source::Counted { attempts, failures })) = seen {
            count(attempts, failures, kind);
            return;
        }
        let (mut attempts, mut failures) = (0, [0; FailureKind::COUNT]);
        count(&mut attempts, &mut failures, kind);
        self.set(asked, model.to_owned(), Source::Counted { attempts, failures });
    }

    /// The share of attempts at `model` that fail with `kind`, if it is known.
    pub fn rate(&self, model: &str, asked: Asked, kind: FailureKind) -> Option<f64> {
        let chances = self.chances(model, asked)?;
        Some(chances.iter().filter(|(k, _)| *k == kind).map(|(_, rate)| rate).sum())
    }

    fn set(&mut self, asked: Asked, model: String, source: Source) {
        if let Some(slot) = self.models.entry(model).or_default().get_mut(asked.index()) {
            *slot = Some(source);
        }
    }

    fn source(&self, model: &str, asked: Asked) -> Option<&Source> {
        self.models.get(model)?.get(asked.index())?.as_ref()
    }

    fn chances(&self, model: &str, asked: Asked) -> Option<Chances> {
        let source = self.source(model, asked).or_else(|| self.source(model, Asked::First))?;
        Some(match source {
            Source::Given(rates) => rates.clone(),
            Source::Counted { attempts, failures } => {
                let failures = FailureKind::ALL.iter().copied().zip(failures);
                let seen = failures.filter(|(_, count)| **count > 0);
                seen.map(|(kind, count)| (kind, share(*count, *attempts))).collect()
            }
        })
    }

    /// The chances at `model`, by how it is asked.
    pub(super) fn of(&self, model: &str) -> Option<[Chances; Asked::COUNT]> {
        let [first, resend, repair] = Asked::ALL.map(|asked| self.chances(model, asked));
        Some([first?, resend?, repair?])
    }

    /// What is wrong with them.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let all = self.models.keys().flat_map(|model| Asked::ALL.map(|asked| (model, asked)));
        for (model, asked) in all {
            let Some(Source::Given(rates)) = self.source(model, asked) else { continue };
            let of = format!("of `{model}` ({})", asked.as_str());
            for (kind, rate) in rates.iter().filter(|(_, rate)| !(0.0..=1.0).contains(rate)) {
                faults.push(format!("the rate of `{kind}` {of} is {rate}; it is 0 to 1"));
            }
            let sum: f64 = rates.iter().map(|(_, rate)| rate).sum();
            // What was meant to be 1 may be a little more, in binary.
            if sum > 1.0 + 1e-9 {
                faults.push(format!("the rates {of} are {sum} together; that is at most 1"));
            }
            let follow = rates.iter().filter(|(kind, _)| follows_from_the_policy(*kind));
            faults.extend(follow.map(|(kind, _)| {
                format!("`{kind}` {of} follows from the policy; it has no rate of its own")
            }));
        }
        faults
    }
}

fn count(attempts: &mut u64, failures: &mut [u64; FailureKind::COUNT], kind: Option<FailureKind>) {
    // What the policy itself made of a call says nothing of the model.
    if kind.is_some_and(follows_from_the_policy) {
        return;
    }
    *attempts = attempts.saturating_add(1);
    if let Some(count) = kind.and_then(|kind| failures.get_mut(kind.index())) {
        *count = count.saturating_add(1);
    }
}

const fn follows_from_the_policy(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::BudgetExhausted | FailureKind::DeadlineExceeded | FailureKind::InvalidPolicy
    )
}

#[allow(clippy::cast_precision_loss, reason = "nobody counts to 2⁵³")]
fn share(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::{BudgetExhausted, RateLimit, Refusal};

    #[test]
    fn what_was_measured_takes_the_place_of_what_was_given() {
        let mut rates = FailureRates::new().given("a", [(RateLimit, 0.9)]);
        for kind in [None, None, Some(RateLimit), Some(BudgetExhausted), None] {
            rates.observe("a", kind);
        }
        assert_eq!(rates.rate("a", Asked::First, RateLimit), Some(0.25));
        // Without rates of their own, the others are as the first.
        assert_eq!(rates.rate("a", Asked::Repair, RateLimit), Some(0.25));
        let rates = rates.given("a", [(RateLimit, 0.1), (RateLimit, 0.1)]);
        assert_eq!(rates.rate("a", Asked::First, RateLimit), Some(0.2));
        assert_eq!(rates.rate("a", Asked::First, Refusal), Some(0.0));
    }

    #[test]
    fn rates_that_are_none_are_named() {
        let rates = FailureRates::new()
            .given("a", [(RateLimit, 0.7), (Refusal, 0.4)])
            .given("b", [(RateLimit, -0.1), (Refusal, f64::NAN), (BudgetExhausted, 0.1)])
            .given_after(Asked::Repair, "c", [(RateLimit, 2.0)]);
        let faults = rates.faults().join("\n");
        for said in [
            "the rates of `a` (first) are 1.1 together",
            "the rate of `rate_limit` of `b` (first) is -0.1",
            "the rate of `refusal` of `b` (first) is NaN",
            "`budget_exhausted` of `b` (first) follows from the policy",
            "the rate of `rate_limit` of `c` (repair) is 2; it is 0 to 1",
        ] {
            assert!(faults.contains(said), "{said}:\n{faults}");
        }
        assert!(FailureRates::new().given("a", [(RateLimit, 0.1); 10]).faults().is_empty());
    }
}
