//! The engine without the attribute.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use fcretry::{
    Action, Backoff, FailureKind, FinishEvent, Jitter, Observer, RetryPolicy, Rule, Run, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, broken, good};

fn policy() -> RetryPolicy {
    RetryPolicy::builder()
        .max_attempts(5)
        .backoff(Backoff::constant().jitter(Jitter::None))
        .on(FailureKind::RateLimit, Rule::new().fallback())
        .fallback("b")
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_retried_repaired_and_moved_to_the_next_model() {
    let model = MockModel::new([
        Reply::status(503),
        broken(),
        Reply::status(429),
        Reply::drop_connection(),
        good(),
    ]);
    let client = model.client();
    let call = Run::new(&policy()).run(async |attempt: &Attempt| -> fcretry::Result<Order> {
        attempt.chat(&client, "a").user("go").call().await
    });
    let (order, report) = fcretry::report(call).await;
    assert_eq!(order.unwrap().customer, "Ann");
    let actions: Vec<_> = report.attempts.iter().filter_map(|it| it.action).collect();
    assert_eq!(actions, [Action::Retry, Action::Repair, Action::Fallback, Action::Retry]);
    let models: Vec<_> = report.attempts.iter().filter_map(|it| it.model.as_deref()).collect();
    assert_eq!(models, ["a", "a", "a", "b", "b"]);
    assert_eq!(
        report.attempts[0].function,
        "suite::run::a_closure_is_retried_repaired_and_moved_to_the_next_model"
    );
}

#[tokio::test(start_paused = true)]
async fn it_ends_as_a_function_under_the_attribute_does() {
    #[retry_policy(policy(policy))]
    async fn attributed(
        attempt: &Attempt,
        client: &Mock,
        policy: &RetryPolicy,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    for fault in
        [Reply::status(503), broken(), Reply::refusal("No."), Reply::hang(), Reply::status(429)]
    {
        let (mut sums, policy) = (Vec::new(), policy());
        let model = MockModel::repeat(fault);
        let client = model.client();
        let by_closure = Run::new(&policy).named("suite::run::it_ends").run(
            async |attempt: &Attempt| -> fcretry::Result<Order> {
                attempt.chat(&client, "a").user("go").call().await
            },
        );
        let mut sum = |(result, report): (fcretry::Result<Order>, fcretry::Report)| {
            let error = result.unwrap_err();
            assert_eq!(error.report().attempts, report.attempts);
            sums.push((error.kind(), report.stopped_by, report.wire_requests, report.elapsed));
        };
        sum(fcretry::report(by_closure).await);
        sum(fcretry::report(attributed(&client, &policy)).await);
        assert_eq!(sums[0], sums[1]);
    }
}

#[derive(Default)]
struct Finished(AtomicU32);

impl Observer for Finished {
    fn on_finish(&self, event: &FinishEvent<'_>) {
        assert_eq!(event.function, "shop::extract");
        self.0.fetch_add(event.report.wire_requests, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_an_observer_and_another_value_are_attached_to_the_run() {
    let finished = Arc::new(Finished::default());
    let model = MockModel::repeat(Reply::refusal("No."));
    let client = model.client();
    let call = Run::new(&RetryPolicy::default())
        .named("shop::extract")
        .observer(&finished)
        .degrade(|error: &fcretry::Error| format!("{}", error.kind()))
        .run(async |attempt: &Attempt| -> fcretry::Result<String> {
            let order: Order = attempt.chat(&client, "a").user("go").call().await?;
            Ok(order.customer)
        });
    let (given, report) = fcretry::report(call).await;
    assert_eq!(given.unwrap(), "refusal");
    assert!(report.degraded);
    assert_eq!(report.stopped_by, Some(StoppedBy::Rule));
    assert_eq!(finished.0.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn the_closure_may_change_what_it_borrows() {
    let mut runs = Vec::new();
    let result = Run::new(&RetryPolicy::default())
        .run(async |attempt: &Attempt| -> Result<u32, fcretry::Error> {
            runs.push(attempt.number());
            if runs.len() < 3 { Err(FailureKind::TransientNetwork.into()) } else { Ok(7) }
        })
        .await;
    assert_eq!((result.unwrap(), runs), (7, vec![1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_owns_what_it_uses_is_spawned() {
    let model = MockModel::new([Reply::status(503), good()]);
    let client = Arc::new(model.client());
    let task = tokio::spawn(Run::new(&RetryPolicy::default()).run(
        async move |attempt: &Attempt| -> fcretry::Result<Order> {
            attempt.chat(&client, "a").user("go").call().await
        },
    ));
    assert!(task.await.unwrap().is_ok());
}
