//! A call that would fail gives another value.

use fcretry::{
    Classify, FailureKind, StoppedBy,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, good};

fn of_the_kind(error: &fcretry::Error) -> Order {
    // The report is there already.
    Order { customer: error.kind().to_string(), count: error.report().wire_requests }
}

#[retry_policy(degrade(of_the_kind))]
async fn order(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("go").call().await
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_is_given_another_value_and_the_report_says_so() {
    let model = MockModel::repeat(Reply::status(429));
    let (given, report) = fcretry::report(order(&model.client())).await;
    assert_eq!(given.unwrap(), Order { customer: "rate_limit".to_owned(), count: 4 });
    assert!(report.degraded);
    let decision = "degraded at attempt 4 with rate_limit: the counts of its rule are used up, and nothing follows";
    assert_eq!(report.decision(), decision);
    assert!(report.to_string().ends_with(decision), "{report}");
    assert_eq!(report.kind, Some(FailureKind::RateLimit));
    assert_eq!(report.stopped_by, Some(StoppedBy::Count));

    let model = MockModel::new([good()]);
    let (given, report) = fcretry::report(order(&model.client())).await;
    assert_eq!(given.unwrap().customer, "Ann");
    assert!(!report.degraded);
}

#[tokio::test(start_paused = true)]
async fn what_took_too_long_is_given_another_value_too() {
    let model = MockModel::repeat(Reply::hang());
    let given = order(&model.client()).await.unwrap();
    assert_eq!((given.customer.as_str(), given.count), ("timeout", 2));
}

#[derive(Debug)]
enum Mine {
    Model(fcretry::Error),
    Closed,
}

impl From<fcretry::Error> for Mine {
    fn from(error: fcretry::Error) -> Self {
        Self::Model(error)
    }
}

impl Classify for Mine {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Closed => FailureKind::Application,
        }
    }
}

struct Shop {
    last: &'static [u8],
}

impl Shop {
    fn last_known<T: From<u8>>(error: &Mine) -> impl Iterator<Item = T> + use<T> {
        let item = T::from(if matches!(error, Mine::Closed) { 7 } else { 8 });
        [item].into_iter().chain(None)
    }

    // The hidden type is that of the path.
    #[retry_policy(degrade(Self::last_known::<T>))]
    async fn items<T: From<u8>>(
        &self,
        attempt: &Attempt,
        open: bool,
    ) -> Result<impl Iterator<Item = T> + use<T>, Mine> {
        assert!(self.last.is_empty());
        if open {
            return Err(FailureKind::Auth.into()).map_err(|error: fcretry::Error| error.into());
        }
        if attempt.number() > 1 {
            return Ok(Self::last_known(&Mine::Closed));
        }
        Err(Mine::Closed)
    }
}

#[tokio::test(start_paused = true)]
async fn the_function_s_own_types_and_generics_are_those_of_the_path() {
    let shop = Shop { last: &[] };
    let items: Vec<u32> = shop.items(false).await.unwrap().collect();
    assert_eq!(items, [7]);
    let items: Vec<u64> = shop.items(true).await.unwrap().collect();
    assert_eq!(items, [8]);
}

#[tokio::test]
async fn a_contradiction_is_not_made_up_for_wherever_it_is() {
    #[retry_policy(policy(fcretry::RetryPolicy::default()), on(timeout, fallback))]
    async fn contradictory(_: &Attempt) -> fcretry::Result<Order> {
        unreachable!("its policy contradicts itself")
    }
    #[retry_policy(degrade(of_the_kind))]
    async fn outer() -> fcretry::Result<Order> {
        contradictory().await
    }
    let (given, report) = fcretry::report(outer()).await;
    assert_eq!(given.unwrap_err().kind(), FailureKind::InvalidPolicy);
    assert!(!report.degraded);
}
