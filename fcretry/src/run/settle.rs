use std::ops::ControlFlow;

use super::{Call, Driven, Outcome, Wait, books::End};
use crate::{
    error::Error,
    failure::{Classify, Failure, FailureKind},
    policy::StoppedBy,
};

/// What a round of the body came to: the call's result, or the wait before the next round.
pub fn settle<R: Outcome>(call: &mut Call, driven: Driven<R>) -> ControlFlow<R, Wait> {
    settle_with(call, driven, None::<fn(&R::Error) -> R::Value>)
}

/// As [`settle`], for a call that gives what `degrade` makes of the error where it would fail.
pub fn settle_or<R: Outcome>(
    call: &mut Call,
    driven: Driven<R>,
    degrade: fn(&R::Error) -> R::Value,
) -> ControlFlow<R, Wait> {
    settle_with(call, driven, Some(degrade))
}

pub(super) fn settle_with<R: Outcome>(
    call: &mut Call,
    driven: Driven<R>,
    degrade: Option<impl FnOnce(&R::Error) -> R::Value>,
) -> ControlFlow<R, Wait> {
    let (index, failure, mut own) = match driven {
        Driven::Returned(returned) => match returned.into_result() {
            Ok(value) => {
                call.succeed();
                return ControlFlow::Break(R::from_result(Ok(value)));
            }
            Err(error) => {
                let (index, failure) = call.failure_of(&error);
                (index, failure, Some(error))
            }
        },
        Driven::TimedOut => {
            let (index, failure) = call.out_of_time();
            (index, failure, None)
        }
        Driven::NotRun => {
            let mut failure = Failure::new(FailureKind::InvalidPolicy);
            if let Some(invalid) = call.take_invalid() {
                failure = failure.with_note(invalid.to_string()).with_source(invalid);
            }
            let report = call.finish(Some(failure.kind()), Some(StoppedBy::InvalidPolicy), false);
            let mut error = Error::from(failure);
            error.conclude(&report);
            return ControlFlow::Break(R::from_result(Err(error.into())));
        }
    };
    let decision = call.decide(index, &failure);
    call.record(End::Failure(&failure, decision));
    call.tell_decision(&failure, decision);
    let Some(stopped_by) = decision.stopped_by else {
        return ControlFlow::Continue(Wait::of(decision.delay));
    };
    // A policy that contradicts itself is a mistake to be seen, not one to be made up for.
    let degrade = degrade.filter(|_| failure.kind() != FailureKind::InvalidPolicy);
    if degrade.is_some() {
        call.tell_degrade(&failure, decision);
    }
    let report = call.finish(Some(failure.kind()), Some(stopped_by), degrade.is_some());
    if let Some(error) = own.as_mut().and_then(Classify::as_any_mut)
        && let Some(error) = error.downcast_mut::<Error>()
    {
        error.conclude(&report);
    }
    let error = own.unwrap_or_else(|| {
        let mut error = Error::from(failure);
        error.conclude(&report);
        error.into()
    });
    ControlFlow::Break(R::from_result(match degrade {
        Some(degrade) => Ok(degrade(&error)),
        None => Err(error),
    }))
}
