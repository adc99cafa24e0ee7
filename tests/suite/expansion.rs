//! What may be annotated, and that it behaves as if it were not.

use std::future::Future;

use fcretry::{FailureKind, prelude::*};

fn flaky(runs: u32, attempt: &Attempt) -> fcretry::Result<u32> {
    if attempt.number() < runs { Err(FailureKind::TransientNetwork.into()) } else { Ok(runs) }
}

struct Service {
    runs: u32,
    calls: Vec<u32>,
}

trait Counts {
    async fn count(&self, up_to: u32) -> fcretry::Result<u32>;

    #[retry_policy]
    async fn twice(&self, attempt: &Attempt) -> fcretry::Result<u32> {
        flaky(2, attempt)?;
        Ok(self.count(2).await? * 2)
    }
}

impl Counts for Service {
    #[retry_policy]
    async fn count(&self, attempt: &Attempt, up_to: u32) -> fcretry::Result<u32> {
        flaky(up_to, attempt)
    }
}

impl Service {
    #[retry_policy]
    async fn record(
        &mut self,
        attempt: &Attempt,
        label: impl Into<String> + Clone,
    ) -> fcretry::Result<usize>
    where
        Self: Sized,
    {
        let _label: String = label.clone().into();
        self.calls.push(attempt.number());
        flaky(self.runs, attempt)?;
        Ok(self.calls.len())
    }

    #[retry_policy]
    async fn of<'a, T: AsRef<str> + ?Sized>(
        attempt: &Attempt,
        text: &'a T,
    ) -> fcretry::Result<&'a str> {
        flaky(3, attempt)?;
        Ok(text.as_ref())
    }
}

#[tokio::test(start_paused = true)]
async fn methods_traits_and_generics_are_retried() {
    let service = Service { runs: 3, calls: Vec::new() };
    assert_eq!(service.count(3).await.unwrap(), 3);
    assert_eq!(service.twice().await.unwrap(), 4);
    assert_eq!(Service::of("borrowed").await.unwrap(), "borrowed");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_runs_the_body_once() {
    #[retry_policy]
    async fn count(attempt: &Attempt, runs: &mut Vec<u32>) -> fcretry::Result<u32> {
        runs.push(attempt.number());
        flaky(3, attempt)
    }
    let mut runs = Vec::new();
    assert_eq!(count(&mut runs).await.unwrap(), 3);
    assert_eq!(runs, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn control_flow_in_the_body_is_the_body_s() {
    #[retry_policy]
    async fn early(
        attempt: &Attempt,
        items: &[u32],
        pick: impl Fn(u32) -> bool,
    ) -> fcretry::Result<Option<u32>> {
        flaky(2, attempt)?;
        for &item in items {
            let double = || -> Option<u32> { Some(item.checked_mul(2)? + 1) };
            let Some(doubled) = double() else { continue };
            if pick(doubled) {
                return Ok(Some(doubled));
            }
        }
        Ok(None)
    }
    let large = 10;
    assert_eq!(early(&[1, 6, 9], |n| n > large).await.unwrap(), Some(13));
    assert_eq!(early(&[1], |n| n > large).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn return_types_coerce_and_may_be_opaque() {
    #[retry_policy]
    async fn boxed(attempt: &Attempt) -> fcretry::Result<Box<dyn Fn(u32) -> u32 + Send>> {
        let runs = flaky(2, attempt)?;
        Ok(Box::new(move |n| n + runs))
    }
    #[retry_policy]
    async fn opaque(attempt: &Attempt) -> fcretry::Result<impl Iterator<Item = u32> + use<>> {
        let runs = flaky(2, attempt)?;
        Ok(0..runs)
    }
    assert_eq!(boxed().await.unwrap()(1), 3);
    assert_eq!(opaque().await.unwrap().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn arguments_are_patterns_and_the_attempt_may_be_named_by_an_attribute() {
    type Run = Attempt;
    #[retry_policy]
    async fn sum(
        (a, b): (u32, u32),
        #[attempt] run: &Run,
        [c, ..]: [u32; 2],
    ) -> fcretry::Result<u32> {
        flaky(2, run)?;
        Ok(a + b + c)
    }
    assert_eq!(sum((1, 2), [3, 4]).await.unwrap(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_namesake_of_the_attempt_is_an_argument_if_the_attempt_is_marked() {
    mod quiz {
        pub(super) struct Attempt(pub(super) u32);
    }
    #[retry_policy]
    async fn grade(quiz: &quiz::Attempt, #[attempt] run: &Attempt) -> fcretry::Result<u32> {
        flaky(2, run)?;
        Ok(quiz.0)
    }
    assert_eq!(grade(&quiz::Attempt(7)).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_may_borrow_from_the_arguments_that_are_not_exclusive() {
    struct Log(Vec<String>);
    impl Log {
        #[retry_policy]
        async fn first_word<'a>(
            &'a mut self,
            attempt: &Attempt,
            text: &'a str,
        ) -> fcretry::Result<&'a str> {
            self.0.push(text.to_owned());
            flaky(2, attempt)?;
            Ok(text.split(' ').next().unwrap_or_default())
        }
    }
    let mut log = Log(Vec::new());
    assert_eq!(log.first_word("to be").await.unwrap(), "to");
    assert_eq!(log.0.len(), 2);
}

#[test]
fn a_future_is_send_if_the_body_s_is() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    #[retry_policy]
    async fn sendable(attempt: &Attempt, text: &str) -> fcretry::Result<Vec<String>> {
        let owned = vec![text.to_owned()];
        tokio::task::yield_now().await;
        flaky(1, attempt)?;
        Ok(owned)
    }
    drop(is_send(sendable("text")));
    let mut service = Service { runs: 1, calls: Vec::new() };
    drop(is_send(service.record("label")));
}
