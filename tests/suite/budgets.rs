//! What a call may spend.

use std::time::Duration;

use async_openai::types::chat::{
    ChatCompletionRequestMessage, ChatCompletionRequestUserMessage, ChatCompletionTool,
    ChatCompletionTools, CreateChatCompletionRequestArgs, FunctionObject,
};
use fcretry::{
    Action, FailureKind, Report, StoppedBy, Usage,
    guard::Estimate,
    prelude::*,
    testing::{MockModel, Reply},
};
use tokio::time::{sleep, timeout};

use crate::support::{Mock, Order, good, order, with_count};

/// Asks `times` times in one body.
#[retry_policy(budget(tokens = 1000))]
async fn spend(attempt: &Attempt, client: &Mock, times: usize) -> fcretry::Result<u64> {
    for _ in 0..times {
        attempt.chat(client, "gpt-4o").user("An order, please.").call::<Order>().await?;
    }
    Ok(attempt.tokens_left().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_would_pass_the_budget_is_not_sent() {
    let model = MockModel::repeat(good().usage(500, 100));
    let client = model.client();
    assert_eq!(spend(&client, 1).await.unwrap(), 400);
    // What was taken beyond the estimate is spent, too.
    assert_eq!(spend(&client, 2).await.unwrap(), 0);
    let (result, report) = fcretry::report(spend(&client, 3)).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::BudgetExhausted);
    assert!(error.to_string().contains("more than 1200 are over the 1000"), "{error}");
    assert_eq!((model.request_count(), report.wire_requests), (5, 2));
    assert_eq!(report.stopped_by, Some(StoppedBy::Rule));
}

#[tokio::test(start_paused = true)]
async fn messages_tools_and_the_token_limit_are_estimated() {
    #[retry_policy(budget(tokens = 1000))]
    async fn ask(
        attempt: &Attempt,
        client: &Mock,
        text: &str,
        limit: Option<u32>,
    ) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "gpt-4o").user(text);
        chat.with(|request| request.max_completion_tokens = limit).call().await
    }
    let model = MockModel::repeat(good());
    let client = model.client();
    let long = "word ".repeat(800);
    assert!(ask(&client, "short", Some(800)).await.is_ok());
    assert!(ask(&client, "short", None).await.is_ok());
    assert_eq!(model.request_count(), 2);
    for (text, limit) in [(&*long, None), ("short", Some(990))] {
        let (result, report) = fcretry::report(ask(&client, text, limit)).await;
        assert_eq!(result.unwrap_err().kind(), FailureKind::BudgetExhausted);
        assert_eq!((report.attempts.len(), report.wire_requests), (1, 0));
        assert!(!report.partial);
    }
    assert_eq!(model.request_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_paid_for() {
    #[retry_policy(budget(tokens = 1000))]
    async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "gpt-4o").user("An order, please.").call().await
    }
    let model = MockModel::repeat(with_count(0).usage(900, 100));
    let (result, report) = fcretry::report(ask(&model.client())).await;
    assert_eq!(result.unwrap_err().kind(), FailureKind::BudgetExhausted);
    assert_eq!(model.request_count(), 1);
    let kinds: Vec<_> = report.attempts.iter().map(|attempt| attempt.kind).collect();
    let expected = [FailureKind::SchemaValidation, FailureKind::BudgetExhausted].map(Some);
    assert_eq!(kinds, expected);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_turned_down_costs_nothing_and_what_is_unknown_the_estimate() {
    #[retry_policy(budget(tokens = 1000))]
    async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
        chat.max_completion_tokens(800).call().await
    }
    let model = MockModel::new([Reply::status(429), Reply::status(429), good()]);
    assert!(ask(&model.client()).await.is_ok());
    let model = MockModel::new([Reply::status(503), good()]);
    let error = ask(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::BudgetExhausted);
    assert_eq!(model.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_stream_that_was_left_what_came_is_paid_for() {
    #[retry_policy(budget(tokens = 100_000))]
    async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<u64> {
        if let Some(left) = attempt.tokens_left().filter(|_| attempt.number() > 1) {
            return Ok(left);
        }
        let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
        chat.max_completion_tokens(50_000).stream().call::<Order>().await?;
        Ok(0)
    }
    let model = MockModel::new([good().stream_cut_after(4)]);
    let left = ask(&model.client()).await.unwrap();
    assert!((99_000..99_999).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_spoken_for() {
    #[retry_policy(budget(tokens = 1000))]
    async fn two(attempt: &Attempt, client: &Mock) -> fcretry::Result<u64> {
        let ask = || {
            let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
            chat.max_completion_tokens(600).call::<Order>()
        };
        let (a, b) = tokio::join!(ask(), ask());
        assert_eq!(b.unwrap_err().kind(), FailureKind::BudgetExhausted);
        a?;
        Ok(attempt.tokens_left().unwrap())
    }
    let model = MockModel::repeat(good().usage(10, 10).delay("1s"));
    assert_eq!(two(&model.client()).await.unwrap(), 980);
    assert_eq!(model.request_count(), 1);
}

/// Function, kind and requests of each attempt.
fn told(report: &Report) -> Vec<(&str, Option<FailureKind>, u32)> {
    let name = |function: &'static str| function.rsplit("::").next().unwrap();
    let attempts = report.attempts.iter();
    attempts.map(|a| (name(a.function), a.kind, a.wire_requests)).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_inside_spend_of_the_outermost_budget_also_in_tasks_of_their_own() {
    #[retry_policy(budget(tokens = 5000))]
    async fn rich(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
        let order = chat.call().await;
        assert!(attempt.tokens_left().unwrap() <= 400);
        order
    }
    #[retry_policy(budget(tokens = 1000))]
    async fn outer(attempt: &Attempt, client: &Mock) -> fcretry::Result<u64> {
        rich(client).await?;
        let client = client.clone();
        let task = async move { order(&client).await };
        tokio::spawn(fcretry::inherit(task)).await.unwrap()?;
        Ok(attempt.tokens_left().unwrap())
    }
    let model = MockModel::repeat(good().usage(500, 100));
    let client = model.client();
    assert_eq!(outer(&client).await.unwrap(), 0);
    let model = MockModel::repeat(good().usage(950, 50));
    let (result, report) = fcretry::report(outer(&model.client())).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::BudgetExhausted);
    let exhausted = Some(FailureKind::BudgetExhausted);
    assert_eq!(
        told(&report),
        [("rich", None, 1), ("order", exhausted, 0), ("outer", exhausted, 0)]
    );
    assert_eq!(error.report().attempts, report.attempts);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_uses_no_attempt() {
    #[retry_policy(max_attempts = 2, fallback("b", "c"), budget(tokens = 1000))]
    async fn ask(attempt: &Attempt, fits: &str) -> fcretry::Result<u32> {
        let model = attempt.model("a");
        let estimate = if model == fits { 10 } else { 5000 };
        let sent = async { Ok::<_, fcretry::Error>(attempt.number()) };
        let number = attempt.guard(&model, estimate, sent).await?;
        attempt.settle(Usage::new(5, 5));
        assert_eq!(attempt.tokens_left(), Some(990));
        Ok(number)
    }
    let (result, report) = fcretry::report(ask("c")).await;
    assert_eq!(result.unwrap(), 1);
    let entries: Vec<_> = report
        .attempts
        .iter()
        .map(|a| (a.number, a.model.as_deref().unwrap(), a.action, a.wire_requests))
        .collect();
    let on = Some(Action::Fallback);
    assert_eq!(entries, [(1, "a", on, 0), (1, "b", on, 0), (1, "c", None, 1)]);
    assert_eq!(report.usage.total(), 10);
    // And it ends, where nobody fits.
    let (result, report) = fcretry::report(ask("d")).await;
    assert_eq!(result.unwrap_err().kind(), FailureKind::BudgetExhausted);
    assert_eq!((report.attempts.len(), report.wire_requests), (3, 0));
    assert_eq!(report.stopped_by, Some(StoppedBy::Count));
}

fn base() -> Vec<ChatCompletionRequestMessage> {
    vec![ChatCompletionRequestUserMessage::from("go").into()]
}

fn tools() -> Vec<ChatCompletionTools> {
    let spec = Order::spec().unwrap();
    let function = FunctionObject {
        name: spec.name().to_owned(),
        parameters: Some(spec.schema().clone()),
        ..Default::default()
    };
    vec![ChatCompletionTools::Function(ChatCompletionTool { function })]
}

#[retry_policy(budget(tokens = 1000), timeout = "10s", on(timeout, retry = 1))]
async fn by_hand(attempt: &Attempt, client: &Mock) -> fcretry::Result<u64> {
    let model = attempt.model("a");
    let request = CreateChatCompletionRequestArgs::default()
        .model(&model)
        .messages(attempt.messages(base()))
        .tools(tools())
        .build()?;
    let chat = client.chat();
    let request = chat.create(request);
    let response = attempt.guard(&model, Estimate::new(100, 300), request).await?;
    attempt.accept::<Order>(&response)?;
    Ok(attempt.tokens_left().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_is_settled_when_its_answer_is_accepted() {
    let model =
        MockModel::new([with_count(0).usage(200, 50), Reply::status(429), good().usage(200, 50)]);
    let (result, report) = fcretry::report(by_hand(&model.client())).await;
    assert_eq!(result.unwrap(), 500);
    assert_eq!(report.wire_requests, 3);
    assert_eq!(report.usage.total(), 500);
    assert!(!report.partial);
    let kinds: Vec<_> = report.attempts.iter().map(|attempt| attempt.kind).collect();
    let expected = [Some(FailureKind::SchemaValidation), Some(FailureKind::RateLimit), None];
    assert_eq!(kinds, expected);
}

#[tokio::test(start_paused = true)]
async fn a_request_made_by_hand_that_nobody_settles_is_paid_by_its_estimate() {
    // Out of time, and then with no usage.
    let model = MockModel::new([Reply::hang(), good().no_usage()]);
    let (result, report) = fcretry::report(by_hand(&model.client())).await;
    assert_eq!(result.unwrap(), 200);
    assert_eq!(report.wire_requests, 2);
    assert!(report.partial);
    let model = MockModel::repeat(Reply::hang());
    let (result, report) = fcretry::report(by_hand(&model.client())).await;
    assert_eq!(result.unwrap_err().kind(), FailureKind::Timeout);
    assert_eq!(report.wire_requests, 2);
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_dropped_is_paid_by_its_estimate() {
    #[retry_policy(budget(tokens = 1000))]
    async fn impatient(attempt: &Attempt, client: &Mock) -> fcretry::Result<u64> {
        let chat = attempt.chat(client, "gpt-4o").user("An order, please.");
        let call = chat.max_completion_tokens(600).call::<Order>();
        assert!(timeout(Duration::from_secs(1), call).await.is_err());
        sleep(Duration::from_secs(1)).await;
        Ok(attempt.tokens_left().unwrap())
    }
    let left = impatient(&MockModel::repeat(Reply::hang()).client()).await.unwrap();
    assert!((300..400).contains(&left), "{left}");
}
