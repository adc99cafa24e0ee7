use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use ::metrics::SharedString;

use crate::short::short;

/// What the names beyond the limit are called.
const OTHER: &str = "other";

/// The names that became labels: a label's values are kept by whatever reads the metrics, for ever.
#[derive(Debug)]
pub(super) struct Names(RwLock<BTreeSet<Arc<str>>>);

impl Names {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(BTreeSet::new()))
    }

    /// The name as a label: itself, if it is one of the first `limit`.
    pub(super) fn label(&self, name: &str, limit: usize) -> SharedString {
        let name = short(name);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return SharedString::from(Arc::clone(known));
        }
        if known.len() >= limit {
            return SharedString::const_str(OTHER);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another may have come first.
        if known.len() >= limit && !known.contains(name) {
            return SharedString::const_str(OTHER);
        }
        let name = Arc::<str>::from(name);
        known.insert(Arc::clone(&name));
        SharedString::from(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_are_other_and_those_before_it_keep_theirs() {
        let names = Names::new();
        assert_eq!(&*names.label("a", 2), "a");
        assert_eq!(&*names.label("b", 2), "b");
        for n in 0..100 {
            assert_eq!(&*names.label(&format!("c{n}"), 2), OTHER);
        }
        assert_eq!((&*names.label("a", 2), &*names.label("b", 2)), ("a", "b"));
        assert_eq!(&*Names::new().label("a", 0), OTHER);
        assert_eq!(Names::new().label(&"x".repeat(1000), 1).len(), 96);
    }
}
