use serde_json::json;
use tokio::time::Instant;

use super::{super::*, answer, ask, question};

async fn statuses(model: &MockModel, asked: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(ask(model, &question(asked)).await.unwrap().status().as_u16());
    }
    statuses
}

fn replies(statuses: &[u16]) -> Vec<Reply> {
    statuses.iter().map(|status| Reply::status(*status)).collect()
}

#[tokio::test]
async fn replies_are_played_in_order_over_all_models() {
    let model = MockModel::new(replies(&[429, 503, 500]));
    assert_eq!(model.remaining(), 3);
    assert_eq!(statuses(&model, "a", 1).await, [429]);
    assert_eq!(statuses(&model, "b", 2).await, [503, 500]);
    assert_eq!(model.remaining(), 0);
    model.assert_exhausted();
}

#[tokio::test]
async fn a_used_up_script_says_so_with_a_501() {
    let model = MockModel::new([Reply::text("one")]).for_model("own", replies(&[500, 500]));
    assert_eq!(statuses(&model, "other", 1).await, [200]);
    let response = ask(&model, &question("other")).await.unwrap();
    assert_eq!(response.status(), 501);
    let body = super::json_of(response).await;
    let error = &body["error"];
    assert_eq!(error["message"], "the script of this MockModel has 1 reply and this is request 2");
    assert_eq!(error["code"], "script_exhausted");

    statuses(&model, "own", 3).await;
    assert_eq!(
        answer(&model, &question("own")).await["error"]["message"],
        "the script of this MockModel for `own` has 2 replies and this is request 4"
    );
}

#[tokio::test]
async fn a_repeated_reply_never_ends_and_follows_a_script() {
    let model = MockModel::new(replies(&[429])).then_repeat(Reply::status(503));
    assert_eq!(statuses(&model, "m", 4).await, [429, 503, 503, 503]);
    let model = MockModel::repeat(Reply::status(500));
    assert_eq!(statuses(&model, "m", 3).await, [500; 3]);
    model.assert_exhausted();
}

#[tokio::test]
async fn a_model_with_a_script_of_its_own_leaves_the_shared_one_alone() {
    let model = MockModel::new(replies(&[500, 502]))
        .for_model("mini", replies(&[429]))
        .for_model("mini", replies(&[404]))
        .repeat_for_model("big", Reply::status(503));
    assert_eq!(model.remaining(), 4);
    assert_eq!(statuses(&model, "mini", 1).await, [429]);
    assert_eq!(statuses(&model, "other", 1).await, [500]);
    assert_eq!(statuses(&model, "big", 2).await, [503, 503]);
    assert_eq!(statuses(&model, "mini", 2).await, [404, 501]);
    assert_eq!(statuses(&model, "other", 1).await, [502]);
}

#[tokio::test]
async fn a_function_sees_the_request_and_may_look_at_the_model_it_answers_for() {
    let model = MockModel::with(|request| Reply::text(format!("I am {}", request.model())));
    let body = answer(&model, &question("m1")).await;
    assert_eq!(body["choices"][0]["message"]["content"], "I am m1");

    let seen = std::sync::Arc::new(std::sync::OnceLock::<MockModel>::new());
    let inner = std::sync::Arc::clone(&seen);
    let model = MockModel::with(move |_| {
        Reply::text(inner.get().map_or(0, MockModel::request_count).to_string())
    });
    seen.set(model.clone()).unwrap();
    answer(&model, &question("m")).await;
    let body = answer(&model, &question("m")).await;
    assert_eq!(body["choices"][0]["message"]["content"], "2");
}

#[tokio::test]
async fn a_mix_is_the_same_for_a_seed_and_keeps_its_shares() {
    let mix = |seed| {
        let faults = [(0.25, Reply::status(503)), (0.1, Reply::status(429))];
        MockModel::mix(seed, Reply::text("fine"), faults)
    };
    let first = statuses(&mix(7), "m", 2_000).await;
    assert_eq!(first, statuses(&mix(7), "m", 2_000).await);
    assert_ne!(first, statuses(&mix(8), "m", 2_000).await);
    let count = |status| first.iter().filter(|seen| **seen == status).count();
    // Over four standard deviations on either side; the seed is fixed, so this is not left to chance.
    assert!((420..=580).contains(&count(503)), "{}", count(503));
    assert!((145..=255).contains(&count(429)), "{}", count(429));
    assert_eq!(count(503) + count(429) + count(200), 2_000);
}

#[tokio::test]
async fn a_mix_of_nothing_but_faults_is_nothing_but_faults() {
    let faults = std::iter::repeat_n((0.1, Reply::status(503)), 10);
    let model = MockModel::mix(1, Reply::text("fine"), faults);
    assert_eq!(statuses(&model, "m", 500).await, [503; 500]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_kept_as_they_came() {
    let model = MockModel::repeat(Reply::text("fine")).for_model("m2", [Reply::status(500)]);
    let start = Instant::now();
    let body = json!({
        "model": "m1",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [
                {"type": "text", "text": "a "},
                {"type": "image_url", "image_url": {"url": "x"}},
                {"type": "text", "text": "b"},
            ]},
            {"role": "assistant", "content": null, "tool_calls": []},
        ],
        "tools": [
            {"type": "function", "function": {"name": "place_order"}},
            {"type": "function", "function": {"name": "cancel"}},
        ],
    });
    ask(&model, &body).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    ask(&model, &question("m2")).await.unwrap();

    assert_eq!(model.request_count(), 2);
    let requests = model.requests();
    let [first, second] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(first.method, ::http::Method::POST);
    assert_eq!(first.path, "/v1/chat/completions");
    assert_eq!(first.body, body);
    assert_eq!(first.at, start);
    assert_eq!(first.model(), "m1");
    assert_eq!(first.messages().len(), 3);
    assert_eq!(first.tool_names(), ["place_order", "cancel"]);
    assert_eq!(first.text_of_message(0), "be brief");
    assert_eq!(first.text_of_message(1), "a b");
    assert_eq!(first.text_of_message(2), "");
    assert!(!first.is_stream());
    assert_eq!(second.at - start, std::time::Duration::from_secs(3));
    assert_eq!(second.model(), "m2");
    assert!(second.tool_names().is_empty());
}

#[tokio::test]
async fn clones_share_script_and_record_and_models_have_urls_of_their_own() {
    let model = MockModel::new(replies(&[429, 503]));
    let clone = model.clone();
    assert_eq!(statuses(&model, "m", 1).await, [429]);
    assert_eq!(statuses(&clone, "m", 1).await, [503]);
    assert_eq!((model.request_count(), clone.request_count()), (2, 2));
    assert_eq!(model.base_url_in_process(), clone.base_url_in_process());
    let other = MockModel::new([]);
    assert_ne!(model.base_url_in_process(), other.base_url_in_process());
}

#[test]
fn it_can_be_sent_and_shared() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    let model = MockModel::new([]);
    check(&model);
    check(&model.service());
    check(&Reply::hang());
}
