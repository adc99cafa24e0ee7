//! What the guards that calls share do in a call.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fcretry::{
    Endpoint, FailureKind, RetryPolicy, Route, Run, StoppedBy,
    guard::{Breaker, CircuitBreaker, Key, RetryBudget, Soon, State, Ticket, Verdict},
    openai,
    prelude::*,
    testing::{MockModel, Reply},
};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Mock, Order, broken, good};

/// Counts what its permits are settled with.
#[derive(Default)]
struct Seen {
    inner: CircuitBreaker,
    successes: AtomicU32,
    failures: AtomicU32,
    ignored: AtomicU32,
    dropped: AtomicU32,
    exhausted: AtomicU32,
}

impl Seen {
    fn counts(&self) -> [u32; 5] {
        let all = [&self.successes, &self.failures, &self.ignored, &self.dropped, &self.exhausted];
        all.map(|count| count.load(Ordering::Relaxed))
    }
}

impl Breaker for Seen {
    fn admit_at(
        &self,
        key: Key,
        now: Instant,
    ) -> Soon<'_, Result<fcretry::guard::Permit<'_>, fcretry::guard::Open>> {
        let admitted = self.inner.try_admit(key, now);
        Soon::now(admitted.map(|permit| fcretry::guard::Permit::new(self, permit.into_ticket())))
    }

    fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Instant) {
        let count = match verdict {
            Verdict::Success => &self.successes,
            Verdict::Failure => &self.failures,
            Verdict::Ignored => &self.ignored,
            Verdict::Dropped => &self.dropped,
            Verdict::Exhausted => &self.exhausted,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.inner.settle(ticket, verdict, now);
    }
}

#[retry_policy(breaker(breaker), backoff(constant, base = "1ms"))]
async fn watched(attempt: &Attempt, client: &Mock, breaker: &Arc<Seen>) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4o").user("An order, please.").call().await
}

/// What the breaker was told of a call that is answered so.
async fn told(replies: impl IntoIterator<Item = Reply>) -> [u32; 5] {
    let breaker = Arc::default();
    let model = MockModel::new(replies);
    let _ = watched(&model.client(), &breaker).await;
    breaker.counts()
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_told_how_each_ask_went() {
    assert_eq!(told([good()]).await, [1, 0, 0, 0, 0]);
    assert_eq!(told([Reply::status(503), good()]).await, [1, 1, 0, 0, 0]);
    // One bad answer says nothing of the endpoint's health; repairs that are used up count once.
    assert_eq!(told([broken(), good()]).await, [1, 0, 1, 0, 0]);
    assert_eq!(told([broken(), broken(), broken()]).await, [0, 0, 3, 0, 1]);
    for reply in [Reply::refusal("No."), Reply::status(401)] {
        assert_eq!(told([reply]).await, [0, 0, 1, 0, 0]);
    }
    assert_eq!(told([Reply::status(429), good()]).await, [1, 0, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_time_is_up_has_failed_and_one_that_is_dropped_says_nothing() {
    assert_eq!(told([Reply::hang(), good()]).await, [1, 1, 0, 0, 0]);
    let breaker = Arc::default();
    let model = MockModel::new([Reply::hang()]);
    let client = model.client();
    let call = timeout(Duration::from_secs(1), watched(&client, &breaker));
    assert!(call.await.is_err());
    assert_eq!(breaker.counts(), [0, 0, 0, 1, 0]);
}

/// Opens after two failures.
fn touchy() -> Arc<CircuitBreaker> {
    Arc::new(
        CircuitBreaker::new()
            .in_a_row(2)
            .cooldown(Duration::from_secs(15), Duration::from_secs(15)),
    )
}

#[retry_policy(breaker(breaker), fallback("mini"))]
async fn guarded(
    attempt: &Attempt,
    client: &Mock,
    breaker: &Arc<CircuitBreaker>,
) -> fcretry::Result<Order> {
    attempt.chat(client, "large").user("An order, please.").call().await
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_sends_the_call_to_its_fallback_at_once_and_without_an_attempt() {
    let breaker = touchy();
    let model = MockModel::new([Reply::status(503), Reply::status(503), good(), good()]);
    assert!(guarded(&model.client(), &breaker).await.is_ok());
    let start = Instant::now();
    let (result, report) = fcretry::report(guarded(&model.client(), &breaker)).await;
    assert!(result.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!((report.attempts.len(), report.wire_requests), (2, 1));
    assert_eq!(report.attempts[0].kind, Some(FailureKind::CircuitOpen));
    assert_eq!((report.attempts[0].number, report.attempts[1].number), (1, 1));
    assert_eq!(report.attempts[1].model.as_deref(), Some("mini"));
    assert_eq!(model.requests()[3].model(), "mini");
}

#[tokio::test(start_paused = true)]
async fn without_a_fallback_it_fails_with_the_time_until_the_next_probe() {
    #[retry_policy(breaker(breaker))]
    async fn alone(
        attempt: &Attempt,
        client: &Mock,
        breaker: &Arc<CircuitBreaker>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let breaker = touchy();
    let model = MockModel::new([Reply::status(503), Reply::status(503), good(), good(), good()]);
    // It opens in the midst of the call, whose resends it then refuses.
    let error = alone(&model.client(), &breaker).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::CircuitOpen);
    let wait = error.failure().unwrap().retry_after().unwrap();
    assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(15), "{wait:?}");
    assert_eq!(model.request_count(), 2);
    sleep(wait).await;
    for _ in 0..3 {
        assert!(alone(&model.client(), &breaker).await.is_ok());
    }
    assert!(breaker.states().iter().all(|key| key.state == State::Closed));
}

#[tokio::test(start_paused = true)]
async fn while_a_probe_is_out_others_are_refused_and_a_probe_that_is_dropped_comes_back() {
    let breaker = touchy();
    let policy = RetryPolicy::builder().max_attempts(1).build().unwrap();
    let model =
        MockModel::new([Reply::status(503), Reply::status(503), Reply::hang(), good(), good()]);
    let client = model.client();
    let call = || async {
        Run::new(&policy)
            .breaker(&breaker)
            .run(async |attempt: &Attempt| -> fcretry::Result<Order> {
                attempt.chat(&client, "large").user("An order, please.").call().await
            })
            .await
    };
    for _ in 0..2 {
        assert_eq!(call().await.unwrap_err().kind(), FailureKind::ModelOverload);
    }
    sleep(Duration::from_secs(15)).await;
    {
        let probe = call();
        let mut probe = std::pin::pin!(probe);
        assert!(timeout(Duration::from_millis(1), &mut probe).await.is_err());
        assert_eq!(call().await.unwrap_err().kind(), FailureKind::CircuitOpen);
    }
    assert!(call().await.is_ok());
    assert!(call().await.is_ok());
    assert_eq!(model.request_count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_a_route_has_guards_of_its_own() {
    #[retry_policy(breaker(breaker), route(route))]
    async fn call(
        attempt: &Attempt,
        client: &Mock,
        route: &Route,
        breaker: &Arc<Seen>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let (first, second) = (Arc::<Seen>::default(), Arc::<Seen>::default());
    let (down, up) = (MockModel::repeat(Reply::status(401)), MockModel::repeat(good()));
    let endpoint = openai::endpoint(up.client(), "spare").named("spare").breaker(&second);
    let route = Route::new([endpoint]);
    assert!(call(&down.client(), &route, &first).await.is_ok());
    assert_eq!(first.counts(), [0, 0, 1, 0, 0]);
    assert_eq!(second.counts(), [1, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn requests_made_by_hand_have_the_guards_too() {
    #[retry_policy(breaker(breaker), on(application, retry = 1))]
    async fn by_hand(
        attempt: &Attempt,
        breaker: &Arc<Seen>,
        outcome: Result<&str, FailureKind>,
        accept: bool,
    ) -> fcretry::Result<Order> {
        let model = attempt.model("large");
        let answer = async { outcome.map(str::to_owned).map_err(fcretry::Error::from) };
        let text = attempt.guard(&model, 100, answer).await?;
        if accept { attempt.accept_text(text) } else { Err(FailureKind::Application.into()) }
    }
    let told = async |outcome, accept| {
        let breaker = Arc::default();
        let _ = by_hand(&breaker, outcome, accept).await;
        breaker.counts()
    };
    assert_eq!(told(Ok(r#"{"customer": "Ann", "count": 1}"#), true).await, [1, 0, 0, 0, 0]);
    assert_eq!(told(Ok("no JSON"), true).await, [0, 0, 3, 0, 1]);
    assert_eq!(told(Err(FailureKind::Timeout), true).await, [0, 2, 0, 0, 0]);
    // An answer that nobody has us read was one all the same.
    assert_eq!(told(Ok("read elsewhere"), false).await, [2, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn retries_that_are_too_many_are_not_made_and_not_waited_for() {
    #[retry_policy(retry_budget(retries), max_attempts = 10, on(model_overload, retry = 5))]
    async fn call(
        attempt: &Attempt,
        client: &Mock,
        retries: &Arc<RetryBudget>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let retries = Arc::new(RetryBudget::new().capacity(28).refill(0.0));
    let model = MockModel::repeat(Reply::status(503));
    let (result, report) = fcretry::report(call(&model.client(), &retries)).await;
    // The failure is that of the last request, as it was.
    assert_eq!(result.unwrap_err().kind(), FailureKind::ModelOverload);
    assert_eq!((model.request_count(), report.attempts.len()), (3, 3));
    assert_eq!(report.stopped_by, Some(StoppedBy::RetryBudget));
    // Nothing is left for the next call, which is made once, and does not wait.
    let start = Instant::now();
    assert!(call(&model.client(), &retries).await.is_err());
    assert_eq!((model.request_count(), start.elapsed()), (4, Duration::ZERO));
    // What is answered is asked for as before, and repairs are free.
    let model = MockModel::new([broken(), broken(), good()]);
    assert!(call(&model.client(), &retries).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn where_a_retry_is_refused_the_fallback_is_not() {
    static NONE: RetryBudget = RetryBudget::new().capacity(0).refill(0.0);
    #[retry_policy(retry_budget(NONE), fallback("mini"))]
    async fn call(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "large").user("An order, please.").call().await
    }
    let model = MockModel::new([Reply::status(503), good()]);
    assert!(call(&model.client()).await.is_ok());
    assert_eq!(model.requests()[1].model(), "mini");
}

/// A breaker that is asked somewhere else, and answers in its own time.
struct Slow(Duration);

impl Breaker for Slow {
    fn admit_at(
        &self,
        key: Key,
        _: Instant,
    ) -> Soon<'_, Result<fcretry::guard::Permit<'_>, fcretry::guard::Open>> {
        Soon::later(async move {
            sleep(self.0).await;
            Ok(fcretry::guard::Permit::new(self, Ticket::new(key, 0, 0)))
        })
    }

    fn settle(&self, _: &Ticket, _: Verdict, _: Instant) {}
}

#[tokio::test(start_paused = true)]
async fn what_guards_take_is_not_of_the_attempt_s_time_but_of_the_call_s() {
    #[retry_policy(breaker(breaker), timeout = "5s", deadline = "20s", max_attempts = 1)]
    async fn call(
        attempt: &Attempt,
        client: &Mock,
        breaker: &Arc<Slow>,
    ) -> fcretry::Result<Duration> {
        attempt.chat(client, "large").user("An order, please.").call::<Order>().await?;
        Ok(attempt.time_left())
    }
    let model = MockModel::repeat(good().delay("4s"));
    let slow = Arc::new(Slow(Duration::from_secs(10)));
    assert_eq!(call(&model.client(), &slow).await.unwrap(), Duration::from_secs(1));
    let model = MockModel::repeat(good().delay("6s"));
    let start = Instant::now();
    let error = call(&model.client(), &slow).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (FailureKind::Timeout, 15));
    let start = Instant::now();
    let error = call(&model.client(), &Arc::new(Slow(Duration::from_secs(60)))).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (FailureKind::DeadlineExceeded, 20));
}

#[tokio::test(start_paused = true)]
async fn two_models_of_one_server_are_counted_apart() {
    let breaker = touchy();
    let model = MockModel::new([Reply::status(503), Reply::status(503), good(), good()]);
    assert!(guarded(&model.client(), &breaker).await.is_ok());
    let states: Vec<_> = breaker.states().iter().map(|key| key.state).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&State::Open) && states.contains(&State::Closed), "{states:?}");
}

#[test]
fn an_endpoint_is_made_with_guards() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    static RETRIES: RetryBudget = RetryBudget::new();
    let endpoint = Endpoint::new("here", "model", ()).breaker(&BREAKER).retry_budget(&RETRIES);
    assert_eq!(endpoint.name(), "here");
}
