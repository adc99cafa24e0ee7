use std::fmt;

/// What is planned for cannot be: what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPlan {
    faults: Vec<String>,
}

impl InvalidPlan {
    pub(super) fn new(faults: Vec<String>) -> Self {
        Self { faults }
    }

    /// Everything that is wrong.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for InvalidPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("; "))
    }
}

impl std::error::Error for InvalidPlan {}
