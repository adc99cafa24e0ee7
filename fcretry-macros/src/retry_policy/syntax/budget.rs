//! `budget(..)`.

use quote::ToTokens;

use crate::diag::{self, Diag};
use crate::meta::{self, Entry, Item};
use crate::retry_policy::model::Budget;
use crate::value;

pub(in crate::retry_policy) const KEYS: &[&str] = &["usd", "tokens"];

pub(super) const EXAMPLE: &str = "budget(usd = 0.05)";

/// Reads the list; one without a limit is none.
pub(crate) fn read(item: &Item, diag: &mut Diag) -> Option<Budget> {
    let group = value::list(item, EXAMPLE, diag)?;
    let mut budget = Budget::default();
    let before = diag.count();
    for entry in meta::entries(group.stream(), diag) {
        match entry {
            Entry::Keyed(item) => read_item(&mut budget, &item, diag),
            Entry::Bare(lit) => {
                let text = lit.to_token_stream();
                diag.error(&lit, format!("`{text}` stands without a key; write `{EXAMPLE}`"));
            }
        }
    }
    if diag.count() == before && !budget.usd.is_given() && !budget.tokens.is_given() {
        let key = &item.key;
        diag.error(key, format!("`{key}()` names no limit; write `{EXAMPLE}`"));
    }
    (diag.count() == before).then_some(budget)
}

fn read_item(budget: &mut Budget, item: &Item, diag: &mut Diag) {
    let key = &item.key;
    match key.to_string().as_str() {
        "tokens" => {
            let range = 1..=1_000_000_000;
            let value =
                value::integer(item, &range, "lets nothing be asked", "tokens = 20_000", diag);
            budget.tokens.fill(key, value, diag);
        }
        "usd" => {
            let value = value::number(item, &(0.000_001..=1_000_000.0), "usd = 0.05", diag);
            budget.usd.fill(key, value, diag);
        }
        name => diag.error(key, diag::unknown("key", "keys", name, KEYS)),
    }
}
