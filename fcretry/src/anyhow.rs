//! `anyhow::Error` as the error of a function under [`retry_policy`](macro@crate::retry_policy).
//!
//! It is what it holds: the first error of its chain that says what kind it is decides, whatever context was put around
//! it; one that holds none is an [`Application`](crate::FailureKind::Application) failure of the body's own.

use std::{any::Any, error::Error as StdError, io};

use tokio::time::error::Elapsed;

use crate::{
    error::Error,
    failure::{Classify, Failure, FailureKind},
};

/// The part of the chain that says what kind of failure it is.
fn telling(error: &::anyhow::Error) -> Option<&dyn Classify> {
    error.chain().find_map(classified)
}

fn classified<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a dyn Classify> {
    fn known<'a, E: Classify + StdError + 'static>(
        error: &'a (dyn StdError + 'static),
    ) -> Option<&'a dyn Classify> {
        error.downcast_ref::<E>().map(|error| error as &dyn Classify)
    }
    let ours = known::<Error>(error).or_else(|| known::<Failure>(error));
    #[cfg(feature = "openai")]
    let ours = ours
        .or_else(|| known::<async_openai::error::OpenAIError>(error))
        .or_else(|| known::<reqwest::Error>(error));
    ours.or_else(|| known::<io::Error>(error)).or_else(|| known::<Elapsed>(error))
}

impl Classify for ::anyhow::Error {
    fn kind(&self) -> FailureKind {
        telling(self).map_or(FailureKind::Application, Classify::kind)
    }

    fn failure(&self) -> Option<&Failure> {
        telling(self)?.failure()
    }

    fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        self.downcast_mut::<Error>().map(|error| error as &mut dyn Any)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;
    use FailureKind as K;

    #[test]
    fn what_is_in_the_chain_decides_and_context_hides_nothing() {
        let failure = Failure::new(K::RateLimit).with_status(429);
        let of_ours = anyhow::Error::from(Error::from(failure.clone()));
        let wrapped = Err::<(), _>(Error::from(failure.clone())).context("while ordering");
        let wrapped = wrapped.context("in the shop").unwrap_err();
        for (name, error, kind) in [
            ("an error of ours", &of_ours, K::RateLimit),
            ("one in two contexts", &wrapped, K::RateLimit),
            ("a failure", &failure.into(), K::RateLimit),
            (
                "a reset",
                &io::Error::from(io::ErrorKind::ConnectionReset).into(),
                K::TransientNetwork,
            ),
            ("a missing file", &io::Error::from(io::ErrorKind::NotFound).into(), K::Application),
            ("words", &anyhow!("out of stock"), K::Application),
        ] {
            assert_eq!(Classify::kind(error), kind, "{name}");
        }
        assert_eq!(Classify::failure(&wrapped).and_then(Failure::status), Some(429));
        assert!(Classify::failure(&anyhow!("out of stock")).is_none());
    }

    #[test]
    fn an_error_of_ours_is_reached_through_context() {
        let error = Error::from(Failure::new(K::Auth));
        let mut wrapped = anyhow::Error::from(error).context("while ordering");
        assert!(wrapped.as_any_mut().is_some_and(|error| error.is::<Error>()));
        assert!(anyhow!("out of stock").as_any_mut().is_none());
    }

    #[cfg(feature = "openai")]
    #[test]
    fn the_client_s_errors_are_known() {
        use async_openai::error::OpenAIError;
        let invalid = OpenAIError::InvalidArgument("no".to_owned());
        assert_eq!(Classify::kind(&anyhow::Error::from(invalid)), K::InvalidRequest);
        let boxed = OpenAIError::Boxed(Box::new(Failure::new(K::RateLimit).with_status(429)));
        let error = anyhow::Error::from(boxed).context("while asking");
        assert_eq!(Classify::kind(&error), K::RateLimit);
        assert_eq!(Classify::failure(&error).and_then(Failure::status), Some(429));
    }
}
