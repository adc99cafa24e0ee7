//! The table that the runtime's builder and configuration are held to as well.

use std::fs;

use super::{PLAIN, expanded};
use crate::retry_policy::syntax::{BACKOFF_KEYS, BUDGET_KEYS, KEYS, RULE_KEYS};
use crate::testing::mistakes;

/// What is no part of a policy has no row.
const ATTACHED: &[&str] = &[
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

#[test]
fn the_attribute_takes_and_refuses_what_the_configuration_does() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/policies.txt");
    let table = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut right = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.split(" | ");
        let (Some(verdict), Some(attr)) = (parts.next(), parts.next()) else {
            panic!("{line}");
        };
        let found = mistakes(expanded(attr, PLAIN));
        // Here it is known that there is no route.
        let refused = verdict.strip_prefix("no ").or(verdict.strip_prefix("unrouted "));
        let Some(keys) = refused else {
            assert_eq!(found, Vec::<String>::new(), "{line}");
            right.push(attr.to_owned());
            continue;
        };
        assert_eq!(found.len(), 1, "{line}: {found:#?}");
        assert!(keys.split('|').any(|key| found[0].contains(key)), "{line}: {found:#?}");
    }
    let right = right.join(",");
    let words: Vec<&str> = right.split(|c: char| c != '_' && !c.is_alphanumeric()).collect();
    for key in [KEYS, BACKOFF_KEYS, BUDGET_KEYS, RULE_KEYS].concat() {
        let is_attached = ATTACHED.contains(&key);
        assert!(is_attached || words.contains(&key), "`{key}` is in no row");
    }
}
