//! Going on with another endpoint: its client, its model, and nothing of the last one's.

use std::{
    future::Future,
    sync::{Arc, LazyLock},
};

use async_openai::{
    Client,
    config::{AzureConfig, OpenAIConfig},
};
use fcretry::{
    Action, Endpoint, FailureKind, RetryPolicy, Route, Rule, Then, openai,
    prelude::*,
    testing::{MockModel, Reply},
};

use crate::support::{Mock, Order, broken, good, with_count};

/// The model `name` behind a client of `model`.
fn at(model: &MockModel, name: &str) -> Endpoint {
    openai::endpoint(model.client(), name)
}

#[retry_policy(max_attempts = 9, route(route), fallback("b"))]
async fn routed(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<Order> {
    attempt.chat(client, "a").user("go").call().await
}

fn models(model: &MockModel) -> String {
    model.requests().iter().map(|request| request.model().to_owned()).collect()
}

fn too_long() -> Reply {
    Reply::error(400, "invalid_request_error", "context_length_exceeded", "too long")
}

#[tokio::test(start_paused = true)]
async fn the_own_models_come_first_and_then_the_endpoints_in_order() {
    let (own, first, second) = (
        MockModel::repeat(Reply::status(503)),
        MockModel::repeat(Reply::status(503)),
        MockModel::repeat(good()),
    );
    let route = Route::new([at(&first, "x").named("first"), at(&second, "y")]);
    let (result, report) = fcretry::report(routed(&own.client(), &route)).await;
    assert!(result.is_ok());
    assert_eq!(models(&own) + &models(&first) + &models(&second), "aaabbbxxy");
    let places: Vec<_> = report.attempts.iter().map(|a| a.endpoint.as_deref()).collect();
    assert_eq!(places[5..7], [None, Some("first")]);
    assert!(report.to_string().contains("7. x at first: model_overload, then retry"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_goes_to_an_untried_endpoint() {
    #[retry_policy(max_attempts = 3, route(route))]
    async fn short(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let (own, spare) = (MockModel::repeat(Reply::status(429)), MockModel::repeat(good()));
    let (result, report) =
        fcretry::report(short(&own.client(), &Route::new([at(&spare, "x")]))).await;
    assert!(result.is_ok());
    assert_eq!((models(&own), models(&spare)), ("aa".into(), "x".into()));
    assert_eq!(report.attempts[2].endpoint.as_deref(), Some(host(&spare).as_str()));
}

/// The name of an endpoint that was given none.
fn host(model: &MockModel) -> String {
    model.base_url_in_process().trim_start_matches("http://").trim_end_matches("/v1").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_quota_or_a_key_is_another_endpoint_s_and_no_other_model_of_this_one_is_asked() {
    for fault in [Reply::status(401), Reply::status(402), Reply::status(403)] {
        let (own, broke, spare) =
            (MockModel::repeat(fault.clone()), MockModel::repeat(fault), MockModel::repeat(good()));
        let route = Route::new([
            // The own endpoint under another name, and one that fails as it did.
            at(&own, "own").named("other"),
            at(&broke, "x"),
            at(&broke, "y").named("z"),
            at(&spare, "s"),
        ]);
        let (result, report) = fcretry::report(routed(&own.client(), &route)).await;
        assert!(result.is_ok(), "{report}");
        assert_eq!(models(&own) + &models(&broke) + &models(&spare), "axs");
        assert!(report.attempts.iter().all(|attempt| attempt.delay.is_zero()));
    }
}

#[tokio::test(start_paused = true)]
async fn another_key_is_another_endpoint() {
    let server = MockModel::new([Reply::status(402), good()]);
    let config =
        OpenAIConfig::new().with_api_base(server.base_url_in_process()).with_api_key("another");
    let spare = openai::client_over(config, server.service());
    let route = Route::new([openai::endpoint(spare, "x")]);
    assert!(routed(&server.client(), &route).await.is_ok());
    assert_eq!(models(&server), "ax");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_sent_does_not_break_the_route() {
    let config = OpenAIConfig::new().with_api_base("http://spare.invalid/v1").with_api_key("k\n");
    let route = Route::new([openai::endpoint(openai::client(config), "x")]);
    assert!(routed(&MockModel::repeat(good()).client(), &route).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn without_another_endpoint_a_quota_fails_at_once() {
    let own = MockModel::repeat(Reply::status(402));
    let error = routed(&own.client(), &Route::new([at(&own, "x")])).await.unwrap_err();
    assert_eq!((error.kind(), own.request_count()), (FailureKind::QuotaExhausted, 1));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_turned_one_ask_away_is_not_tried_by_another() {
    #[retry_policy(max_attempts = 9, route(route), on(model_overload, fallback))]
    async fn twice(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<u32> {
        let first: Order = attempt.chat(client, "a").user("first").call().await?;
        let second: Order = attempt.chat(client, "a").user("second").call().await?;
        Ok(first.count + second.count)
    }
    let (own, broke, spare) = (
        MockModel::new([Reply::status(503), Reply::status(503)]),
        MockModel::repeat(Reply::status(401)),
        MockModel::repeat(good()),
    );
    let route = Route::new([at(&broke, "x"), at(&spare, "y")]);
    assert_eq!(twice(&own.client(), &route).await.unwrap(), 4);
    assert_eq!((own.request_count(), broke.request_count()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_wrong_here_is_another_name_elsewhere() {
    let own = MockModel::repeat(Reply::error(404, "x", "model_not_found", "no such model"));
    let spare = MockModel::repeat(good());
    let route = Route::new([at(&own, "x"), at(&spare, "y")]);
    assert!(routed(&own.client(), &route).await.is_ok());
    assert_eq!((models(&own), models(&spare)), ("a".into(), "y".into()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_long_goes_to_a_larger_context() {
    let (own, spare) = (MockModel::repeat(too_long()), MockModel::repeat(good()));
    let spare = spare.repeat_for_model("small", too_long());
    let unknown = || at(&spare, "unknown");
    let route = Route::new([
        unknown(),
        at(&spare, "small").context(8_000),
        at(&spare, "same").context(8_000),
        at(&spare, "large").context(128_000),
    ]);
    let (result, report) = fcretry::report(routed(&own.client(), &route)).await;
    assert!(result.is_ok(), "{report}");
    assert_eq!((models(&own), models(&spare)), ("a".into(), "smalllarge".into()));

    let error = routed(&own.client(), &Route::new([unknown()])).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::ContextOverflow);
    assert_eq!(models(&own), "aa");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_last_endpoint_is_taken_along() {
    #[retry_policy(max_attempts = 9, route(route), on(schema_validation, repair = 1))]
    async fn asked(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<Order> {
        attempt.chat(client, "a").max_completion_tokens(50).user("go").call().await
    }
    let own = MockModel::repeat(with_count("two"));
    let spare = MockModel::new([with_count("three"), good()]);
    let route = Route::new([at(&spare, "x")]);
    let (result, report) = fcretry::report(asked(&own.client(), &route)).await;
    assert!(result.is_ok());
    let (before, after) = (own.requests(), spare.requests());
    assert_eq!(before.len(), 2);
    assert_eq!(after[0].messages(), before[0].messages());
    assert_eq!(after[0].body["tool_choice"], "required");
    assert_eq!(after[0].body["max_completion_tokens"], 50);
    // It is repaired there, once again.
    assert_eq!(after[1].messages().len(), 3);
    let actions: Vec<_> = report.attempts.iter().filter_map(|a| a.action).collect();
    assert_eq!(actions, [Action::Repair, Action::Fallback, Action::Repair]);
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_does_not_take_is_learned_for_it_alone() {
    let own = MockModel::repeat(Reply::status(503));
    let spare = MockModel::with(|request| {
        if request.body["tool_choice"] == "required" {
            Reply::error(
                400,
                "invalid_request_error",
                "unsupported_value",
                "tool_choice is unsupported",
            )
        } else {
            good()
        }
    });
    let route = Route::new([at(&spare, "x")]);
    let (result, report) = fcretry::report(routed(&own.client(), &route)).await;
    assert!(result.is_ok(), "{report}");
    assert_eq!(spare.request_count(), 2);
    assert!(own.requests().iter().all(|request| request.body["tool_choice"] == "required"));
}

#[tokio::test(start_paused = true)]
async fn a_client_of_another_configuration_is_asked_in_its_own_way() {
    let own = MockModel::repeat(Reply::status(401));
    let spare = MockModel::repeat(good());
    let config = AzureConfig::new()
        .with_api_base(spare.base_url_in_process())
        .with_api_key("k")
        .with_deployment_id("mine")
        .with_api_version("2026-01-01");
    let azure = openai::client_over(config, spare.service());
    let route = Route::new([openai::endpoint(azure, "gpt-4o").named("azure")]);
    let (result, report) = fcretry::report(routed(&own.client(), &route)).await;
    assert!(result.is_ok(), "{report}");
    assert_eq!(report.attempts[1].endpoint.as_deref(), Some("azure"));
    assert_eq!(report.attempts[1].model.as_deref(), Some("gpt-4o"));
    assert!(spare.requests()[0].path.contains("/deployments/mine/"));
}

static SPARE: LazyLock<MockModel> = LazyLock::new(|| MockModel::repeat(good()));
static BACKUPS: LazyLock<Route> = LazyLock::new(|| Route::new([at(&SPARE, "spare")]));

struct Desk {
    client: Mock,
    route: Arc<Route>,
    asked: usize,
}

impl Desk {
    /// The route is taken once, and `self` is free for the body.
    #[retry_policy(route(self.route))]
    async fn order(&mut self, attempt: &Attempt) -> fcretry::Result<Order> {
        self.asked += 1;
        self.route = Arc::new(Route::default());
        attempt.chat(&self.client, "a").user("go").call().await
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_leads_to_a_route_may_be_named() {
    #[retry_policy(route(BACKUPS), on(auth, fallback))]
    async fn by_static(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    #[retry_policy(route(route), policy(RetryPolicy::default()))]
    async fn by_reference(
        attempt: &Attempt,
        client: &Mock,
        route: &Arc<Route>,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let own = MockModel::repeat(Reply::status(401));
    let client = own.client();
    assert!(is_send(by_static(&client)).await.is_ok());
    let route = Arc::new(Route::clone(&BACKUPS));
    assert!(is_send(by_reference(&client, &route)).await.is_ok());
    let mut desk = Desk { client, route, asked: 0 };
    assert!(desk.order().await.is_ok());
    assert_eq!((desk.asked, own.request_count()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_falls_back_needs_a_model_or_a_route() {
    #[retry_policy(policy(policy))]
    async fn bare(
        attempt: &Attempt,
        policy: &RetryPolicy,
        client: &Mock,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    #[retry_policy(policy(policy), route(route))]
    async fn along(
        attempt: &Attempt,
        policy: &RetryPolicy,
        client: &Mock,
        route: &Route,
    ) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").call().await
    }
    let policy = RetryPolicy::builder()
        .on(FailureKind::StructuralParse, Rule::new().repair(1).then(Then::Fallback))
        .build()
        .unwrap();
    let (own, spare) = (MockModel::repeat(broken()), MockModel::repeat(good()));
    let client = own.client();
    let error = bare(&policy, &client).await.unwrap_err();
    assert_eq!((error.kind(), own.request_count()), (FailureKind::InvalidPolicy, 0));
    assert!(error.to_string().contains("and no route"), "{error}");
    let error = along(&policy, &client, &Route::default()).await.unwrap_err();
    assert_eq!((error.kind(), own.request_count()), (FailureKind::InvalidPolicy, 0));
    assert!(along(&policy, &client, &Route::new([at(&spare, "x")])).await.is_ok());
    assert_eq!((models(&own), models(&spare)), ("aa".into(), "x".into()));
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_learns_where_to_go() {
    #[retry_policy(route(route), on(model_overload, fallback))]
    async fn by_hand(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<Order> {
        use async_openai::types::chat::{
            ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs,
        };
        let model = attempt.model("a");
        let endpoint = attempt.endpoint();
        assert_eq!(endpoint.is_some(), attempt.number() > 1);
        let elsewhere = endpoint.and_then(|endpoint| endpoint.client::<Client<OpenAIConfig>>());
        let request = CreateChatCompletionRequestArgs::default()
            .model(model)
            .messages(attempt.messages([ChatCompletionRequestUserMessage::from("go").into()]))
            .build()?;
        attempt.accept(&elsewhere.unwrap_or(client).chat().create(request).await?)
    }
    let (own, spare) = (MockModel::repeat(Reply::status(503)), MockModel::repeat(good()));
    let route = Route::new([at(&spare, "x").named("spare")]);
    let (result, report) = fcretry::report(by_hand(&own.client(), &route)).await;
    assert!(result.is_ok(), "{report}");
    assert_eq!((models(&own), models(&spare)), ("a".into(), "x".into()));
    assert_eq!(report.attempts[1].endpoint.as_deref(), Some("spare"));
    assert_eq!(report.wire_requests, 2);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_another_kind_is_no_chat_s() {
    let own = MockModel::repeat(Reply::status(401));
    let route = Route::new([Endpoint::new("mine", "x", "a client of my own")]);
    let error = routed(&own.client(), &route).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidRequest);
    assert!(!format!("{route:?}").contains("client"), "{route:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_goes_on_at_the_next_endpoint() {
    #[retry_policy(route(route), on(partial_stream, fallback))]
    async fn streamed(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<Order> {
        attempt.chat(client, "a").user("go").stream().call().await
    }
    let (own, spare) = (MockModel::repeat(good().stream_cut_after(3)), MockModel::repeat(good()));
    let route = Route::new([at(&spare, "x").named("spare")]);
    let (result, report) = fcretry::report(streamed(&own.client(), &route)).await;
    assert!(result.is_ok(), "{report}");
    assert_eq!((models(&own), models(&spare)), ("a".into(), "x".into()));
    assert_eq!(spare.requests()[0].body["stream"], true);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_turned_one_ask_away_is_not_asked_by_the_next() {
    #[retry_policy(route(route))]
    async fn two(attempt: &Attempt, client: &Mock, route: &Route) -> fcretry::Result<u32> {
        let first: Order = attempt.chat(client, "a").user("first").call().await?;
        let second: Order = attempt.chat(client, "a").user("second").call().await?;
        Ok(first.count + second.count)
    }
    let (own, spare) = (MockModel::repeat(Reply::status(401)), MockModel::repeat(good()));
    let route = Route::new([at(&spare, "x")]);
    let (result, report) = fcretry::report(two(&own.client(), &route)).await;
    assert_eq!(result.unwrap(), 4);
    assert_eq!((models(&own), models(&spare)), ("a".into(), "xx".into()));
    assert_eq!(report.attempts.len(), 2);
}
