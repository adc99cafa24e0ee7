use std::fmt::Debug;

use super::Estimate;
use crate::cost::Cost;

/// What a budget counts: tokens (`u64`) or money ([`Cost`]).
pub trait Amount: Copy + Debug + sealed::Sealed {
    /// What it is estimated by before a request is sent.
    type Estimate;

    /// As much as was estimated.
    #[doc(hidden)]
    fn estimated(estimate: Self::Estimate) -> Self;

    #[doc(hidden)]
    fn units(self) -> u64;

    #[doc(hidden)]
    fn of_units(units: u64) -> Self;
}

impl Amount for u64 {
    type Estimate = Estimate;

    fn estimated(estimate: Estimate) -> Self {
        estimate.total()
    }

    fn units(self) -> u64 {
        self
    }

    fn of_units(units: u64) -> Self {
        units
    }
}

impl Amount for Cost {
    type Estimate = Cost;

    fn estimated(estimate: Cost) -> Self {
        estimate
    }

    fn units(self) -> u64 {
        self.picos()
    }

    fn of_units(units: u64) -> Self {
        Self::from_picos(units)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u64 {}
    impl Sealed for crate::cost::Cost {}
}
