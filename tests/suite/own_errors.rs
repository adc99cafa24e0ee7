//! Functions with an error type of their own: it chooses the kind, and nothing that was learned is lost.

use fcretry::{
    Failure, FailureKind,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good, last_message, with_count};

/// Keeps nothing of what went wrong but its kind.
#[derive(Debug, PartialEq)]
struct Forgetful(FailureKind);

impl From<fcretry::Error> for Forgetful {
    fn from(error: fcretry::Error) -> Self {
        Self(error.kind())
    }
}

impl Classify for Forgetful {
    fn kind(&self) -> FailureKind {
        self.0
    }
}

/// Keeps all of it.
#[derive(Debug)]
enum Own {
    Model(fcretry::Error),
    OutOfStock,
}

impl From<fcretry::Error> for Own {
    fn from(error: fcretry::Error) -> Self {
        Self::Model(error)
    }
}

impl Classify for Own {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::OutOfStock => FailureKind::Application,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Model(error) => error.failure(),
            Self::OutOfStock => None,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answer_violations_usage_and_retry_after_survive_any_map_err() {
    #[retry_policy]
    async fn ask(attempt: &Attempt, client: &Mock) -> Result<Order, Forgetful> {
        attempt.chat(client, "m").user("go").call().await.map_err(|error| Forgetful(error.kind()))
    }
    let model = MockModel::new([
        with_count("two").usage(10, 5),
        Reply::status(429).retry_after("9s"),
        good().usage(20, 6),
    ]);
    let (result, report) = fcretry::report(ask(&model.client())).await;
    assert_eq!(result.unwrap().count, 2);
    assert!(last_message(&model, 1).contains("/count: expected an integer"));
    assert_eq!(report.attempts[0].violations[0].pointer, "/count");
    assert_eq!((report.usage.prompt_tokens, report.usage.completion_tokens), (30, 11));
    assert!(report.attempts[1].delay.as_secs_f64() >= 9.0);
    assert_eq!(report.attempts[1].status, Some(429));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_wraps_ours_knows_the_whole_report() {
    #[retry_policy]
    async fn ask(attempt: &Attempt, client: &Mock) -> Result<Order, Own> {
        Ok(attempt.chat(client, "m").user("go").call().await?)
    }
    let model = MockModel::repeat(Reply::status(503));
    let Err(Own::Model(error)) = ask(&model.client()).await else { panic!() };
    assert_eq!(error.report().attempts.len(), 3);
    assert_eq!(error.report().wire_requests, 3);
}

#[tokio::test(start_paused = true)]
async fn the_body_s_own_failure_is_final_unless_a_rule_says_otherwise() {
    #[retry_policy]
    async fn ask(attempt: &Attempt, client: &Mock) -> Result<Order, Own> {
        let _order: Order = attempt.chat(client, "m").user("go").call().await?;
        Err(Own::OutOfStock)
    }
    #[retry_policy(on(application, retry = 2))]
    async fn insist(attempt: &Attempt, client: &Mock) -> Result<Order, Own> {
        let _order: Order = attempt.chat(client, "m").user("go").call().await?;
        Err(Own::OutOfStock)
    }
    let model = MockModel::repeat(good());
    assert!(matches!(ask(&model.client()).await, Err(Own::OutOfStock)));
    assert_eq!(model.request_count(), 1);
    let model = MockModel::repeat(good());
    assert!(insist(&model.client()).await.is_err());
    assert_eq!(model.request_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn errors_of_other_libraries_are_taken_by_a_question_mark() {
    #[retry_policy(max_attempts = 2)]
    async fn read(attempt: &Attempt) -> fcretry::Result<String> {
        let _ = attempt.number();
        Ok(std::fs::read_to_string("no such file")?)
    }
    let error = read().await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Application);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_reaches_an_own_error_type_too() {
    #[retry_policy(timeout = "1s", deadline = "2s", on(timeout, fail))]
    async fn stuck(attempt: &Attempt) -> Result<(), Own> {
        let _ = attempt;
        std::future::pending().await
    }
    let Err(Own::Model(error)) = stuck().await else { panic!() };
    assert_eq!(error.kind(), FailureKind::Timeout);
    assert_eq!(error.report().attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_function_without_an_attempt_resends_and_does_not_repair() {
    #[retry_policy(max_attempts = 3)]
    async fn flaky(kind: FailureKind, runs: &std::cell::Cell<u32>) -> fcretry::Result<()> {
        runs.set(runs.get() + 1);
        Err(kind.into())
    }
    for (kind, expected) in [(FailureKind::ModelOverload, 3), (FailureKind::SchemaValidation, 1)] {
        let runs = std::cell::Cell::default();
        assert_eq!(flaky(kind, &runs).await.unwrap_err().kind(), kind);
        assert_eq!(runs.get(), expected, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_kind_made_of_a_failure_keeps_what_was_learned() {
    #[retry_policy]
    async fn bare(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let asked = attempt.chat(client, "m").user("go").call().await;
        asked.map_err(|error| fcretry::Error::from(error.kind()))
    }
    let model = MockModel::new([Reply::status(429).retry_after("30s"), with_count("two"), good()]);
    let (result, report) = fcretry::report(bare(&model.client())).await;
    assert!(result.is_ok());
    assert!(report.attempts[0].delay.as_secs() >= 30, "{report}");
    assert!(last_message(&model, 2).contains("/count: expected an integer"));
}

#[tokio::test(start_paused = true)]
async fn an_objection_of_the_body_s_own_is_about_the_answer_it_got() {
    #[retry_policy]
    async fn picky(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let order: Order = attempt.chat(client, "m").user("go").call().await?;
        if attempt.number() == 1 {
            let found = Violations::from(Violation::new("/count", "is an odd number of mugs"));
            let failure = Failure::new(FailureKind::SemanticValidation);
            return Err(failure.with_violations(found).into());
        }
        Ok(order)
    }
    let model = MockModel::repeat(good());
    assert!(picky(&model.client()).await.is_ok());
    assert!(last_message(&model, 1).contains("/count: is an odd number of mugs"));
}
