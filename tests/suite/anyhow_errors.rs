//! `anyhow::Error` as the error of a function under a policy.

use anyhow::{Context, bail};
use fcretry::{
    FailureKind as K, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good};

#[retry_policy(fallback("gpt-4o-mini"))]
async fn ask(attempt: &Attempt, client: &Mock, in_stock: bool) -> anyhow::Result<Order> {
    let order: Order =
        attempt.chat(client, "gpt-4o").user("go").call().await.context("while asking")?;
    if !in_stock {
        bail!("out of stock");
    }
    Ok(order)
}

#[tokio::test(start_paused = true)]
async fn the_kind_in_the_chain_has_its_rule() {
    let model = MockModel::new([Reply::status(429).retry_after("7s"), good()]);
    let (result, report) = fcretry::report(ask(&model.client(), true)).await;
    assert_eq!(result.unwrap().count, 2);
    assert_eq!(report.attempts[0].kind, Some(K::RateLimit));
    assert!(report.attempts[0].delay.as_secs() >= 7, "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_ours_inside_gets_the_report() {
    let model = MockModel::repeat(Reply::status(401));
    let error = ask(&model.client(), true).await.unwrap_err();
    assert_eq!(error.to_string(), "while asking");
    let ours = error.downcast_ref::<fcretry::Error>().unwrap();
    assert_eq!(ours.kind(), K::Auth);
    assert_eq!(ours.report().attempts.len(), 1);
    assert_eq!(ours.report().stopped_by, Some(StoppedBy::Rule));
}

#[tokio::test(start_paused = true)]
async fn words_are_the_body_s_own_failure() {
    let model = MockModel::repeat(good());
    let (result, report) = fcretry::report(ask(&model.client(), false)).await;
    assert_eq!(result.unwrap_err().to_string(), "out of stock");
    assert_eq!((report.kind, report.wire_requests), (Some(K::Application), 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_up_fails_with_an_error_of_ours() {
    let model = MockModel::repeat(Reply::hang());
    let error = ask(&model.client(), true).await.unwrap_err();
    let ours = error.downcast_ref::<fcretry::Error>().unwrap();
    assert_eq!(ours.kind(), K::DeadlineExceeded);
    assert!(!ours.report().attempts.is_empty());
}
