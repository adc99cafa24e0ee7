use std::fmt;

/// A policy that contradicts itself: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    faults: Vec<String>,
}

impl InvalidPolicy {
    pub(super) fn new(faults: Vec<String>) -> Self {
        Self { faults }
    }

    /// What `key` was given cannot be used.
    pub(crate) fn of_key(key: &str, error: &dyn std::error::Error) -> Self {
        Self::new(vec![format!("`{key}`: {error}")])
    }

    /// Everything that is wrong, each with the key it is about.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("; "))
    }
}

impl std::error::Error for InvalidPolicy {}
