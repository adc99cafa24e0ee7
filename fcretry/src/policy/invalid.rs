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
