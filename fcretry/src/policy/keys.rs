//! The keys of a policy, and what each may be: the one list that the builder and the configuration follow. The attribute has
//! its own, in a crate that can depend on none; `tests/policies.txt` holds both to the same.

use std::ops::RangeInclusive;

/// Of a policy.
pub(super) const POLICY: &[&str] = &[
    "max_attempts",
    "timeout",
    "first_token",
    "idle",
    "deadline",
    "backoff",
    "on",
    "fallback",
    "recovery",
    "history",
    "max_feedback_chars",
    "budget",
    "capture_content",
];

/// What the attribute and `Run` take beside a policy: it is no data, or belongs to one function.
pub(super) const ATTACHED: &[&str] = &[
    "adapt",
    "breaker",
    "crate",
    "degrade",
    "idempotency",
    "observer",
    "policy",
    "prices",
    "retry_budget",
    "route",
    "throttle",
];

/// Of a `backoff`.
pub(super) const BACKOFF: &[&str] = &["strategy", "base", "max", "factor", "jitter"];

/// Of a `budget`.
pub(super) const BUDGET: &[&str] = &["usd", "tokens"];

/// What a rule does.
pub(super) const ACTIONS: &[&str] = &["retry", "resume", "repair", "fallback", "fail", "escalate"];

/// What else a rule says.
pub(super) const MODIFIERS: &[&str] = &["delay_scale", "max_tokens", "backoff", "then"];

pub(super) const MAX_ATTEMPTS: RangeInclusive<u32> = 1..=100;
pub(super) const HISTORY: RangeInclusive<usize> = 1..=20;
pub(super) const MAX_FEEDBACK_CHARS: RangeInclusive<usize> = 100..=100_000;
pub(super) const BUDGET_TOKENS: RangeInclusive<u64> = 1..=1_000_000_000;
/// In dollars.
pub(super) const BUDGET_USD: RangeInclusive<f64> = 0.000_001..=1_000_000.0;
/// Of a `retry`, `resume` or `repair`.
pub(super) const COUNT: RangeInclusive<u32> = 1..=50;
pub(super) const MAX_TOKENS: RangeInclusive<u32> = 1..=10_000_000;
pub(super) const DELAY_SCALE: RangeInclusive<f64> = 0.0..=100.0;
pub(super) const FACTOR: RangeInclusive<f64> = 1.0..=10.0;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_key_is_in_the_table_that_the_attribute_is_held_to() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/policies.txt");
        let table = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let right: String = table.lines().filter(|line| line.starts_with("ok | ")).collect();
        for key in [POLICY, BACKOFF, BUDGET, ACTIONS, MODIFIERS].concat() {
            assert!(right.contains(&format!("\"{key}\"")), "`{key}` is in no row");
        }
    }
}
