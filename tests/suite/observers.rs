//! Who watches a call is told each decision, once, and cannot break it.

use std::sync::{Arc, LazyLock, Mutex};

use fcretry::{
    Action, AttemptEvent, DecisionEvent, FailureKind, FinishEvent, Observer, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good, with_count};

/// Notes what it is told, as `what attempt model kind`.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn decision(&self, what: &str, event: &DecisionEvent<'_>) {
        assert_eq!(event.failure.kind(), event.kind);
        let model = event.model.unwrap_or("-");
        self.note(format!("{what} {} {model} {}", event.attempt, event.kind));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        assert!(event.function.ends_with("watched"), "{}", event.function);
        assert_eq!(event.time_left, event.policy.timeout());
        self.note(format!("attempt {}", event.attempt));
    }

    fn on_retry(&self, event: &DecisionEvent<'_>) {
        assert!(matches!(event.action, Action::Retry | Action::Repair));
        self.decision("retry", event);
    }

    fn on_fallback(&self, event: &DecisionEvent<'_>) {
        self.decision("fallback", event);
    }

    fn on_escalate(&self, event: &DecisionEvent<'_>) {
        self.decision("escalate", event);
    }

    fn on_degrade(&self, event: &DecisionEvent<'_>) {
        assert!(event.stopped_by.is_some());
        self.decision("degrade", event);
    }

    fn on_finish(&self, event: &FinishEvent<'_>) {
        let report = event.report;
        self.note(match (report.kind, report.stopped_by) {
            (None, None) => format!("value of {}", report.attempts.len()),
            (kind, stopped_by) => format!("{kind:?} {stopped_by:?}"),
        });
    }
}

fn nobody(_: &fcretry::Error) -> Order {
    Order { customer: "nobody".to_owned(), count: 1 }
}

#[retry_policy(on(refusal, escalate), on(timeout, fallback), fallback("b"), observer(notes))]
async fn watched(attempt: &Attempt, client: &Mock, notes: &Arc<Notes>) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("go").call().await
}

#[tokio::test(start_paused = true)]
async fn each_decision_is_told_once() {
    let notes = Arc::new(Notes::default());
    let model =
        MockModel::new([Reply::status(503), with_count("x"), Reply::hang(), Reply::refusal("No.")]);
    assert!(watched(&model.client(), &notes).await.is_err());
    assert_eq!(
        notes.take(),
        [
            "attempt 1",
            "retry 1 a model_overload",
            "attempt 2",
            "retry 2 a schema_validation",
            "attempt 3",
            "fallback 3 a timeout",
            "attempt 4",
            "escalate 4 b refusal",
            "Some(Refusal) Some(Rule)",
        ]
    );
    let model = MockModel::new([good()]);
    assert!(watched(&model.client(), &notes).await.is_ok());
    // Nobody asked for a report, and yet the attempt is in it.
    assert_eq!(notes.take(), ["attempt 1", "value of 1"]);
    assert_eq!(Arc::strong_count(&notes), 1, "a call kept its handle");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_another_value_says_so() {
    #[retry_policy(on(refusal, escalate), degrade(nobody), observer(notes))]
    async fn watched(
        attempt: &Attempt,
        client: &Mock,
        notes: &Arc<dyn Observer>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let notes = Arc::new(Notes::default());
    let opaque: Arc<dyn Observer> = notes.clone();
    let model = MockModel::new([Reply::refusal("No.")]);
    assert_eq!(watched(&model.client(), &opaque).await.unwrap().customer, "nobody");
    assert_eq!(
        notes.take(),
        ["attempt 1", "escalate 1 a refusal", "degrade 1 a refusal", "Some(Refusal) Some(Rule)"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_escalates_after_its_count_or_the_last_attempt_is_told_once() {
    for max_attempts in [2, 9] {
        #[retry_policy(policy(policy), on(refusal, fail), observer(notes))]
        async fn watched(
            attempt: &Attempt,
            client: &Mock,
            policy: &fcretry::RetryPolicy,
            notes: &Arc<Notes>,
        ) -> fcretry::Result<Order> {
            attempt.chat(client, "a").user("go").call().await
        }
        let rule = fcretry::Rule::new().retry(1).then(fcretry::Then::Escalate);
        let policy = fcretry::RetryPolicy::builder().max_attempts(max_attempts);
        let policy = policy.on(FailureKind::ModelOverload, rule).build().unwrap();
        let notes = Arc::new(Notes::default());
        let model = MockModel::repeat(Reply::status(503));
        assert!(watched(&model.client(), &policy, &notes).await.is_err());
        let told = notes.take();
        let escalated = told.iter().filter(|it| it.starts_with("escalate")).count();
        assert_eq!((escalated, told.len()), (1, 5), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_finished() {
    let notes = Arc::new(Notes::default());
    let model = MockModel::repeat(Reply::hang());
    let client = model.client();
    let limit = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(limit, watched(&client, &notes)).await.is_err());
    assert_eq!(notes.take(), ["attempt 1", &format!("None {:?}", Some(StoppedBy::Cancelled))]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_contradicts_itself_is_finished_without_an_attempt() {
    #[retry_policy(
        policy(fcretry::RetryPolicy::default()),
        on(timeout, fallback),
        degrade(nobody),
        observer(notes)
    )]
    async fn watched(
        attempt: &Attempt,
        client: &Mock,
        notes: &Arc<Notes>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let notes = Arc::new(Notes::default());
    let model = MockModel::new([good()]);
    let error = watched(&model.client(), &notes).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidPolicy, "it is not to be made up for");
    assert_eq!(notes.take(), ["Some(InvalidPolicy) Some(InvalidPolicy)"]);
}

struct Panics;

#[allow(clippy::panic)]
impl Observer for Panics {
    fn on_attempt(&self, _: &AttemptEvent<'_>) {
        panic!("on_attempt");
    }

    fn on_retry(&self, _: &DecisionEvent<'_>) {
        panic!("on_retry");
    }

    fn on_finish(&self, _: &FinishEvent<'_>) {
        panic!("on_finish");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_observer_changes_nothing() {
    #[retry_policy(observer(Panics))]
    async fn watched(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let model = MockModel::new([Reply::status(503), good()]);
    let client = model.client();
    let (order, report) = fcretry::report(watched(&client)).await;
    assert!(order.is_ok());
    assert_eq!(report.attempts.len(), 2);
    let model = MockModel::repeat(Reply::hang());
    let client = model.client();
    let limit = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(limit, watched(&client)).await.is_err());
}

static STATIC: Notes = Notes::new();
static LAZY: LazyLock<Notes> = LazyLock::new(Notes::default);
static LAZY_SHARED: LazyLock<Arc<Notes>> = LazyLock::new(Arc::default);

#[tokio::test]
async fn an_observer_is_a_static_a_lazy_one_an_arc_or_a_reference() {
    #[retry_policy(observer(STATIC))]
    async fn by_static_watched() -> fcretry::Result<u8> {
        Ok(1)
    }
    #[retry_policy(observer(LAZY))]
    async fn by_lazy_watched() -> fcretry::Result<u8> {
        Ok(1)
    }
    #[retry_policy(observer(LAZY_SHARED))]
    async fn by_lazy_arc_watched() -> fcretry::Result<u8> {
        Ok(1)
    }
    #[retry_policy(observer(&&STATIC))]
    async fn by_reference_watched() -> fcretry::Result<u8> {
        Ok(1)
    }
    struct Service<O>(Arc<O>, u8);
    impl<O: Observer + 'static> Service<O> {
        // Nothing of `self` stays borrowed.
        #[retry_policy(observer(self.0))]
        async fn by_arc_watched(&mut self) -> fcretry::Result<u8> {
            self.1 += 1;
            Ok(self.1)
        }
    }
    let told = ["attempt 1", "value of 1"];
    by_static_watched().await.unwrap();
    assert_eq!(STATIC.take(), told);
    by_reference_watched().await.unwrap();
    assert_eq!(STATIC.take(), told);
    by_lazy_watched().await.unwrap();
    assert_eq!(LAZY.take(), told);
    by_lazy_arc_watched().await.unwrap();
    assert_eq!(LAZY_SHARED.take(), told);
    let mut service = Service(Arc::new(Notes::default()), 0);
    service.by_arc_watched().await.unwrap();
    assert_eq!(service.0.take(), told);
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_evaluated_once() {
    #[retry_policy(observer({ *evaluated += 1; Arc::clone(notes) }))]
    async fn watched(evaluated: &mut u32, notes: &Arc<Notes>) -> fcretry::Result<u8> {
        Err(FailureKind::TransientNetwork.into())
    }
    let (mut evaluated, notes) = (0, Arc::new(Notes::default()));
    assert!(watched(&mut evaluated, &notes).await.is_err());
    assert_eq!((evaluated, notes.take().len()), (1, 6));
}
