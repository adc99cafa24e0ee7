//! The idempotency keys of calls and of their requests.

use std::collections::HashSet;

use fcretry::{
    FailureKind,
    guard::{Idempotency, IdempotencyKey, OnceError, idempotency::TTL},
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, broken, good, order};

fn keys(model: &MockModel) -> Vec<String> {
    let of = |request: &fcretry::testing::RecordedRequest| {
        request.headers["idempotency-key"].to_str().unwrap().to_owned()
    };
    model.requests().iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_resend_has_the_key_of_the_request_and_what_asks_for_something_else_another() {
    let model = MockModel::new([
        Reply::status(503),
        good(),
        broken(),
        good(),
        Reply::truncated("order", "{\"customer\": \"A"),
        good(),
        Reply::error(
            400,
            "invalid_request_error",
            "unsupported_value",
            "Unsupported value: 'tool_choice'",
        ),
        good(),
    ]);
    let client = model.client();
    for _ in 0..4 {
        order(&client).await.unwrap();
    }
    let keys = keys(&model);
    assert_eq!(keys.len(), 8);
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 7, "{keys:#?}");
    assert!(keys.iter().all(|key| key.parse::<IdempotencyKey>().is_ok()));
}

#[tokio::test(start_paused = true)]
async fn the_asks_of_a_body_have_keys_of_their_own() {
    #[retry_policy]
    async fn two(attempt: &Attempt, client: &Mock) -> fcretry::Result<()> {
        for _ in 0..2 {
            attempt.chat(client, "gpt-4o").user("An order.").call::<Order>().await?;
        }
        Ok(())
    }
    let model = MockModel::new([good(), Reply::status(503), good(), good()]);
    two(&model.client()).await.unwrap();
    let keys = keys(&model);
    assert_eq!((&keys[0], &keys[1]), (&keys[2], &keys[3]));
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_one_key_and_named_arguments_make_it() {
    struct Shop {
        name: String,
    }
    impl Shop {
        #[retry_policy(idempotency(self.name, customer, order.1), on(application, retry = 2))]
        async fn pay(
            &self,
            attempt: &Attempt,
            customer: &str,
            order: (u8, u64),
            seen: &mut Vec<IdempotencyKey>,
        ) -> fcretry::Result<IdempotencyKey> {
            seen.push(attempt.idempotency_key());
            if attempt.number() < 3 {
                return Err(FailureKind::Application.into());
            }
            Ok(attempt.idempotency_key())
        }
    }
    #[retry_policy]
    async fn random(attempt: &Attempt) -> fcretry::Result<IdempotencyKey> {
        Ok(attempt.idempotency_key())
    }
    let shop = |name: &str| Shop { name: name.to_owned() };
    let mut seen = Vec::new();
    let key = shop("a").pay("Ann", (0, 7), &mut seen).await.unwrap();
    assert_eq!(seen, [key; 3]);
    assert_eq!(shop("a").pay("Ann", (1, 7), &mut seen).await.unwrap(), key);
    for (name, customer, order) in [("b", "Ann", 7), ("a", "Bob", 7), ("a", "Ann", 8)] {
        assert_ne!(shop(name).pay(customer, (0, order), &mut seen).await.unwrap(), key);
    }
    assert_ne!(random().await.unwrap(), random().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_made_is_said_before_any_request() {
    type Table = std::collections::HashMap<Vec<u8>, u8>;
    #[retry_policy(idempotency(table))]
    async fn call(attempt: &Attempt, client: &Mock, table: &Table) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order.").call().await
    }
    let model = MockModel::repeat(good());
    let table = Table::from([(vec![1], 1)]);
    let error = call(&model.client(), &table).await.unwrap_err();
    assert_eq!((error.kind(), model.request_count()), (FailureKind::InvalidPolicy, 0));
    assert!(error.to_string().contains("idempotency"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_side_effect_happens_once_however_many_attempts_and_calls_there_are() {
    static ORDERS: Idempotency = Idempotency::new();
    static PLACED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    async fn place() -> fcretry::Result<u32> {
        Ok(PLACED.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
    #[retry_policy(idempotency(number), backoff(constant, base = "1ms"))]
    async fn call(attempt: &Attempt, client: &Mock, number: u64) -> fcretry::Result<u32> {
        let placed = ORDERS.once(attempt.idempotency_key(), TTL, place).await?;
        attempt.chat(client, "gpt-4o").user("Confirm it.").call::<Order>().await?;
        Ok(placed)
    }
    let model = MockModel::new([Reply::status(503), Reply::status(503), good(), good(), good()]);
    let client = model.client();
    assert_eq!(call(&client, 17).await.unwrap(), 0);
    assert_eq!(call(&client, 17).await.unwrap(), 0);
    assert_eq!(call(&client, 18).await.unwrap(), 1);
}

#[test]
fn what_a_side_effect_failed_with_stays_what_it_is() {
    let own = fcretry::Error::from(FailureKind::Refusal);
    let error = fcretry::Error::from(OnceError::Failed(own));
    assert_eq!(error.kind(), FailureKind::Refusal);
    let error = fcretry::Error::from(OnceError::<fcretry::Error>::OutcomeUnknown);
    assert_eq!(error.kind(), FailureKind::Application);
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("unknown"));
}
