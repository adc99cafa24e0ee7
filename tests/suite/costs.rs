//! What calls cost, and what they may.

use std::sync::{Arc, LazyLock};

use fcretry::{
    Cost, FailureKind, Prices, RetryPolicy, Run, StoppedBy, Usage,
    answer::{Answer, Call},
    cost::Price,
    guard::Estimate,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::json;

use crate::support::{Mock, Order, good, order, with_count};

static PRICES: LazyLock<Prices> = LazyLock::new(|| {
    // 37.5 nano-dollars a token, and 9.375 of a cached one.
    let large = Price::per_million("0.0375", "0.15").unwrap().cached("0.009375").unwrap();
    let mini = Price::per_million("0.01", "0.04").unwrap();
    Prices::new()
        .with("large", large)
        .with("mini", mini)
        .with("free", Price::per_million(0.0, 0.0).unwrap())
});

#[allow(clippy::unnecessary_wraps, reason = "what a report says is one")]
fn usd(text: &str) -> Option<Cost> {
    Some(text.parse().unwrap())
}

#[retry_policy(
    prices(PRICES),
    on(schema_validation, repair = 1, fallback),
    fallback("mini", "unknown")
)]
async fn place(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "large").user("An order, please.").call().await
}

#[tokio::test(start_paused = true)]
async fn each_attempt_costs_what_its_model_takes_to_the_pico_dollar() {
    let model = MockModel::new([
        with_count(0).usage(1001, 57).cached(400),
        Reply::status(429),
        with_count(0).usage(1203, 61).reasoning(30),
        good().usage(907, 53),
    ]);
    let (placed, report) = fcretry::report(place(&model.client())).await;
    assert!(placed.is_ok(), "{report}");
    let costs: Vec<_> = report.attempts.iter().map(|attempt| attempt.cost).collect();
    // In nano-dollars: 601 · 37.5 + 400 · 9.375 + 57 · 150; nothing; 1203 · 37.5 + 61 · 150; 907 · 10 + 53 · 40.
    let expected = [usd("0.0000348375"), usd("0"), usd("0.0000542625"), usd("0.00001119")];
    assert_eq!(costs, expected);
    assert_eq!(report.usage, Usage::new(3111, 171) + cached_and_reasoning(400, 30));
    assert_eq!(
        (report.cost, report.cost_partial, report.partial),
        (usd("0.00010029"), false, false)
    );

    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (&json["cost"], &json["attempts"][3]["cost"]),
        (&json!("0.00010029"), &json!("0.00001119"))
    );
    assert_eq!(
        json["decision"],
        "done at attempt 4, after schema_validation, rate_limit, schema_validation"
    );
    assert_eq!(json["attempts"][3]["finish"], "stop");
    let lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[3], "4. mini: ok; 960 tokens, $0.00001119; 0.000 s");
    assert_eq!(
        lines[5],
        "done at attempt 4, after schema_validation, rate_limit, schema_validation"
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_no_price_or_no_usage_is_told_apart() {
    let last = [good().usage(100, 10), good().no_usage()];
    for (reply, cost, partial) in
        last.into_iter().zip([None, usd("0")]).zip([false, true]).map(|((a, b), c)| (a, b, c))
    {
        let bad = || Reply::status(404).error_body(json!({"error": {"code": "model_not_found"}}));
        let model = MockModel::repeat(bad()).repeat_for_model("unknown", reply);
        let (placed, report) = fcretry::report(by_name(&model.client(), "unknown")).await;
        assert!(placed.is_ok(), "{report}");
        assert_eq!(
            (report.cost, report.cost_partial, report.partial),
            (cost, cost.is_none(), partial)
        );
    }
    // An answer that was streamed without a word of what it took, and one after it that cost something.
    let model = MockModel::new([with_count(0).no_usage(), good().usage(1000, 0)]);
    let (placed, report) = fcretry::report(streamed(&model.client())).await;
    assert!(placed.is_ok(), "{report}");
    assert_eq!((report.cost, report.partial, report.cost_partial), (usd("0.0000375"), true, false));
    assert!(report.to_string().contains("1000 tokens known, $0.0000375 known, "), "{report}");
}

#[retry_policy(prices(&*PRICES))]
async fn by_name(attempt: &Attempt, client: &Mock, model: &str) -> fcretry::Result<Order> {
    attempt.chat(client, model).user("An order, please.").call().await
}

#[retry_policy(prices(PRICES))]
async fn streamed(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "large").user("An order, please.").stream().call().await
}

#[tokio::test(start_paused = true)]
async fn two_asks_in_one_body_cost_what_each_of_their_models_takes() {
    #[retry_policy(prices(PRICES))]
    async fn both(attempt: &Attempt, client: &Mock) -> fcretry::Result<(Order, Order)> {
        let large = attempt.chat(client, "large").user("One.").call();
        let mini = attempt.chat(client, "mini").user("Another.").call();
        let (mini, large) = tokio::join!(mini, large);
        Ok((large?, mini?))
    }
    let model = MockModel::new([])
        .repeat_for_model("large", good().usage(1000, 0))
        .repeat_for_model("mini", good().usage(0, 1000));
    let (both, report) = fcretry::report(both(&model.client())).await;
    assert!(both.is_ok());
    assert_eq!((report.attempts.len(), report.cost), (1, usd("0.0000775")));
}

#[tokio::test(start_paused = true)]
async fn a_call_inside_has_the_prices_around_it_and_draws_on_the_same_budget() {
    #[retry_policy]
    async fn inner(attempt: &Attempt, client: &Mock) -> fcretry::Result<Option<Cost>> {
        attempt.chat(client, "large").user("An order, please.").call::<Order>().await?;
        Ok(attempt.cost_left())
    }
    #[retry_policy(prices(PRICES), budget(usd = 0.0001))]
    async fn outer(attempt: &Attempt, client: &Mock, times: u32) -> fcretry::Result<Option<Cost>> {
        let mut left = attempt.cost_left();
        for _ in 0..times {
            left = inner(client).await?;
        }
        assert_eq!(left, attempt.cost_left());
        Ok(left)
    }
    let model = MockModel::repeat(good().usage(1000, 0));
    let (left, report) = fcretry::report(outer(&model.client(), 2)).await;
    assert_eq!(left.unwrap(), usd("0.000025"));
    assert_eq!((report.cost, report.attempts.len()), (usd("0.000075"), 3));
    let (left, report) = fcretry::report(outer(&model.client(), 4)).await;
    assert_eq!(left.unwrap_err().kind(), FailureKind::BudgetExhausted);
    // What one took beyond its estimate is spent, too.
    assert_eq!((report.cost, report.wire_requests), (usd("0.0001125"), 3));
}

#[retry_policy(prices(PRICES), budget(usd = 0.0001), fallback("unknown", "mini", "free"))]
async fn thrifty(attempt: &Attempt, client: &Mock, limit: u32) -> fcretry::Result<Order> {
    let chat = attempt.chat(client, "large").user("An order, please.");
    chat.max_completion_tokens(limit).call().await
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_the_budget_goes_to_a_model_whose_known_price_fits() {
    let asked = async |limit| {
        let model = MockModel::repeat(good());
        let (placed, report) = fcretry::report(thrifty(&model.client(), limit)).await;
        assert!(placed.is_ok(), "{report}");
        assert_eq!((model.request_count(), report.wire_requests), (1, 1));
        let kinds: Vec<_> = report.attempts.iter().filter_map(|attempt| attempt.kind).collect();
        assert!(kinds.iter().all(|kind| *kind == FailureKind::BudgetExhausted), "{report}");
        // What sent nothing is no attempt.
        assert!(report.attempts.iter().all(|attempt| attempt.number == 1));
        report.attempts.last().unwrap().model.clone().unwrap()
    };
    // 150, 40 and 0 nano-dollars for each token that the answer may have.
    assert_eq!(asked(500).await, "large");
    assert_eq!(asked(1000).await, "mini");
    assert_eq!(asked(5000).await, "free");
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_is_looked_at_before_each_attempt() {
    #[retry_policy(prices(PRICES), budget(usd = 0.0001))]
    async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let chat = attempt.chat(client, "large").user("An order, please.");
        chat.max_completion_tokens(100).call().await
    }
    let model = MockModel::repeat(with_count(0).usage(1000, 400));
    let (placed, report) = fcretry::report(ask(&model.client())).await;
    let error = placed.unwrap_err();
    assert_eq!(
        (error.kind(), report.stopped_by),
        (FailureKind::BudgetExhausted, Some(StoppedBy::Rule))
    );
    assert_eq!((report.wire_requests, report.cost), (1, usd("0.0000975")));
    assert!(
        error.to_string().contains(" more than $0.0000975 is over the $0.0001 of the budget"),
        "{error}"
    );
    assert_eq!(report.decision(), "failed at attempt 2 with budget_exhausted: the rule is to fail");
    // A 429 cost nothing; of a 503 nobody knows, and the estimate is spent.
    let model = MockModel::new([Reply::status(429), Reply::status(429), good().usage(100, 10)]);
    assert!(ask(&model.client()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn without_a_price_nothing_is_sent_under_a_budget() {
    #[retry_policy(budget(usd = 1), fallback("free"))]
    async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "unknown").user("An order, please.").call().await
    }
    let model = MockModel::repeat(good());
    let error = ask(&model.client()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::BudgetExhausted);
    let fault = "no price of `free` is known, and the budget is $1.00; give one with `prices(..)`";
    assert!(error.to_string().contains(fault), "{error}");
    assert_eq!(model.request_count(), 0);

    // A policy from configuration, and prices beside it.
    let policy: RetryPolicy = serde_json::from_value(json!({"budget": {"usd": 1}})).unwrap();
    let client = model.client();
    let client = &client;
    let prices = Arc::new(PRICES.clone());
    let left = Run::new(&policy)
        .prices(&prices)
        .run(async |attempt: &Attempt| -> fcretry::Result<Option<Cost>> {
            attempt.chat(client, "mini").user("An order, please.").call::<Order>().await?;
            assert!(attempt.prices().price_of("mini").is_some());
            Ok(attempt.cost_left())
        })
        .await;
    assert!(left.unwrap() < usd("1"));
    assert_eq!(model.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_made_by_hand_are_paid_for_at_the_price_of_the_model_they_name() {
    #[retry_policy(prices(PRICES), budget(usd = 0.0001))]
    async fn ask(attempt: &Attempt, tokens: u64) -> fcretry::Result<Option<Cost>> {
        let model = attempt.model("large");
        let request = async { Ok::<_, fcretry::Error>(()) };
        attempt.guard(&model, Estimate::new(tokens, 0), request).await?;
        attempt.settle(Usage::new(1000, 0));
        Ok(attempt.cost_left())
    }
    let (left, report) = fcretry::report(ask(2000)).await;
    assert_eq!((left.unwrap(), report.cost), (usd("0.0000625"), usd("0.0000375")));
    let (left, report) = fcretry::report(ask(3000)).await;
    assert_eq!(left.unwrap_err().kind(), FailureKind::BudgetExhausted);
    assert_eq!(report.wire_requests, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_by_hand_without_leave_is_spent_all_the_same() {
    #[retry_policy(prices(PRICES), budget(usd = 0.0001))]
    async fn ask(attempt: &Attempt) -> fcretry::Result<Option<Cost>> {
        attempt.model("large");
        let mut answer = Answer::text(r#"{"customer": "Ann", "count": 2}"#);
        answer.usage = Some(Usage::new(1000, 0));
        let call = Call::new("1", "order", answer.content.take().unwrap());
        answer.calls.push(call);
        attempt.accept_answer::<Order>(answer)?;
        Ok(attempt.cost_left())
    }
    assert_eq!(ask().await.unwrap(), usd("0.0000625"));
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_stream_did_not_take_is_there_for_the_next_ask_of_the_body() {
    #[retry_policy(budget(tokens = 5000), max_attempts = 1)]
    async fn two(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        let first = attempt.chat(client, "large").user("One.").max_completion_tokens(4000);
        assert!(first.stream().call::<Order>().await.is_err());
        assert!(attempt.tokens_left().unwrap() > 4500, "{:?}", attempt.tokens_left());
        let second = attempt.chat(client, "large").user("Another.").max_completion_tokens(2000);
        second.call().await
    }
    let model = MockModel::new([good().stream_cut_after(3), good()]);
    assert!(two(&model.client()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_decision_of_a_report_of_several_calls_is_of_the_last() {
    let model = MockModel::new([Reply::refusal("No."), good()]);
    let client = model.client();
    let both = async {
        assert!(order(&client).await.is_err());
        order(&client).await
    };
    let (placed, report) = fcretry::report(both).await;
    assert!(placed.is_ok());
    assert_eq!(report.decision(), "done at attempt 1");
}

#[tokio::test(start_paused = true)]
async fn content_is_captured_where_the_policy_says_so_and_nowhere_else() {
    #[retry_policy(capture_content)]
    async fn captured(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
        attempt.chat(client, "large").system("Record it.").user("An order, please.").call().await
    }
    let script = || {
        MockModel::new([with_count(0), Reply::error(500, "server_error", "", "it burns"), good()])
    };
    let (placed, report) = fcretry::report(captured(&script().client())).await;
    assert!(placed.is_ok(), "{report}");
    let [first, second, third] = &report.attempts[..] else { panic!("{report}") };
    let asked = first.captured[0].request.as_deref().unwrap();
    assert!(asked.contains("Record it.") && asked.contains("An order, please."), "{asked}");
    let said = first.captured[0].answer.as_ref().unwrap();
    assert!(said.calls[0].arguments.contains("Ann"), "{said:?}");
    assert_eq!(second.captured[0].message.as_deref(), Some("it burns"));
    // What was fed back is asked, too.
    assert!(third.captured[0].request.as_deref().unwrap().contains("/count"));
    // Keys that providers quote are in none.
    let told = Reply::error(400, "invalid", "", "Incorrect API key provided: sk-12345.");
    let (_, turned_away) = fcretry::report(captured(&MockModel::repeat(told).client())).await;
    let json = serde_json::to_string(&turned_away).unwrap();
    assert!(
        json.contains("Incorrect API key provided: [..].") && !json.contains("12345"),
        "{json}"
    );
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains("An order, please.") && json.contains("it burns"), "{json}");
    assert!(!format!("{report:?}").contains("please") && !format!("{report}").contains("please"));

    let (_, report) = fcretry::report(order(&script().client())).await;
    assert!(report.attempts.iter().all(|attempt| attempt.captured.is_empty()));
    assert!(!serde_json::to_string(&report).unwrap().contains("captured"));
}

fn cached_and_reasoning(cached: u64, reasoning: u64) -> Usage {
    let mut usage = Usage::default();
    (usage.cached_tokens, usage.reasoning_tokens) = (cached, reasoning);
    usage
}
