//! A hundred thousand calls at once: what each takes while it waits for its turn or for its answer, and that waking them is no more
//! work for each than if they were few. One test: others in the process would be counted in.

// A suite asserts by panicking.
#![allow(clippy::unwrap_used)]

use std::{
    future::{pending, poll_fn, ready},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_openai::{
    Client,
    config::OpenAIConfig,
    traits::RequestOptionsBuilder as _,
    types::chat::{
        ChatCompletionRequestUserMessage, ChatCompletionTool, ChatCompletionToolChoiceOption,
        ChatCompletionTools, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
        FunctionObject, ToolChoiceOptions,
    },
};
use fcretry::{
    guard::{CircuitBreaker, RetryBudget, Throttle},
    prelude::*,
    testing::{MockModel, Reply},
};
use peak_alloc::PeakAlloc;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::{
    task::{JoinHandle, yield_now},
    time::Instant,
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CALLS: usize = 100_000;

static BREAKER: CircuitBreaker = CircuitBreaker::new();
static RETRIES: RetryBudget = RetryBudget::new();
static LIMITS: Throttle = Throttle::new(1000.0, 6_000_000_000).burst(1000);

/// Waits for its turn: of the answer it takes none of the time.
#[retry_policy(breaker(BREAKER), throttle(LIMITS), retry_budget(RETRIES))]
async fn turn(attempt: &Attempt) -> fcretry::Result<()> {
    attempt.guard("gpt-4o", 100, ready(Ok::<_, fcretry::Error>(()))).await
}

static WIDE: Throttle = Throttle::new(1e9, 6_000_000_000_000).burst(1_000_000);

/// Waits for an answer that does not come.
#[retry_policy(breaker(BREAKER), throttle(WIDE), retry_budget(RETRIES))]
async fn answer(attempt: &Attempt) -> fcretry::Result<()> {
    attempt.guard("gpt-4o", 100, pending::<fcretry::Result<()>>()).await
}

/// Say something.
#[derive(Deserialize, JsonSchema, ToolCall)]
struct Said {
    #[allow(dead_code)]
    text: String,
}

/// The same through the client.
#[retry_policy(breaker(BREAKER), throttle(WIDE), retry_budget(RETRIES))]
async fn chat(attempt: &Attempt, client: &Client<OpenAIConfig>) -> fcretry::Result<Said> {
    attempt.chat(client, "gpt-4o").user("Say something.").call().await
}

fn request() -> CreateChatCompletionRequest {
    let message = ChatCompletionRequestUserMessage::from("Say something.");
    let spec = Said::spec().unwrap();
    let function = FunctionObject {
        name: spec.name().to_owned(),
        description: spec.description().map(str::to_owned),
        parameters: Some(spec.schema().clone()),
        strict: None,
    };
    let tool = ChatCompletionTools::Function(ChatCompletionTool { function });
    let mut request = CreateChatCompletionRequestArgs::default();
    request.model("gpt-4o").messages([message.into()]);
    request
        .tools([tool])
        .tool_choice(ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::Required))
        .build()
        .unwrap()
}

/// What tokio takes for a task that holds a box alone, at most.
const TASK: usize = 128;

static POLLS: AtomicUsize = AtomicUsize::new(0);

/// Runs so many, until as many of them wait as `is_held` says; what each takes of the heap then, its future included.
async fn held<F>(
    count: usize,
    call: impl Fn() -> F,
    is_held: impl Fn() -> bool,
) -> (usize, Vec<JoinHandle<()>>)
where
    F: Future + Send + 'static,
{
    // What is made once is there.
    let mut handles = Vec::with_capacity(count);
    let before = ALLOCATOR.current_usage();
    for _ in 0..count {
        let mut call = Box::pin(call());
        handles.push(tokio::spawn(poll_fn(move |context| {
            POLLS.fetch_add(1, Ordering::Relaxed);
            call.as_mut().poll(context).map(drop)
        })));
    }
    while !is_held() {
        yield_now().await;
    }
    ((ALLOCATOR.current_usage() - before) / count - TASK, handles)
}

async fn stop(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.abort();
        let _ = handle.await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_calls_wait_at_once_in_less_than_two_kilobytes_each() {
    let sizes = [size_of_val(&turn()), size_of_val(&answer())];
    let (start, wall) = (Instant::now(), std::time::Instant::now());

    let (bytes, handles) =
        held(CALLS, turn, || LIMITS.stats().waiting >= CALLS as u64 - 1000).await;
    eprintln!(
        "for its turn: {bytes} bytes, of them its future {} ({:?})",
        sizes[0],
        wall.elapsed()
    );
    assert_eq!(start.elapsed().as_secs(), 0);
    POLLS.store(0, Ordering::Relaxed);
    for handle in handles {
        handle.await.unwrap();
    }
    // A thousand at once, and a thousand a second; each is woken when it is its turn, and not to look whether it is.
    assert_eq!(start.elapsed().as_secs(), 99);
    let polls = POLLS.load(Ordering::Relaxed);
    eprintln!("woken {polls} times ({:?})", wall.elapsed());
    assert!(polls <= 2 * CALLS, "{polls}");
    assert_eq!((LIMITS.stats().admitted, LIMITS.stats().refused), (CALLS as u64, 0));
    assert!(bytes < 2048, "{bytes}");

    let (bytes, handles) = held(CALLS, answer, || WIDE.stats().in_flight >= CALLS as u64).await;
    eprintln!(
        "for its answer: {bytes} bytes, of them its future {} ({:?})",
        sizes[1],
        wall.elapsed()
    );
    assert!(bytes < 2048, "{bytes}");
    stop(handles).await;
    assert_eq!(WIDE.stats().in_flight, 0);

    // Through the client most of it is async-openai's, the transport's and the record of the model: what a program without us has,
    // too. Beyond that, the request is kept for when it must be written anew, and that grows with the request.
    let plain = |client: &'static Client<OpenAIConfig>| async move {
        let chat = client.chat().header("idempotency-key", "0123456789abcdef0123456789abcdef")?;
        chat.create(request()).await
    };
    let theirs = held_by_model(plain).await;
    let bytes = held_by_model(chat).await;
    let kept = {
        let request = request();
        let before = ALLOCATOR.current_usage();
        let kept = Box::new(request.clone());
        let bytes = ALLOCATOR.current_usage() - before;
        drop(kept);
        bytes
    };
    let ours = bytes.saturating_sub(theirs + kept);
    let size = size_of_val(&chat(&MockModel::new([]).client()));
    eprintln!("a chat: {bytes} bytes; the client's {theirs}, the request's {kept}, ours {ours}");
    eprintln!("  its future {size} of them ({:?})", wall.elapsed());
    assert!(ours < 2048, "{ours}");
}

/// What each of some calls takes that wait for a model that hangs.
async fn held_by_model<F>(call: impl Fn(&'static Client<OpenAIConfig>) -> F) -> usize
where
    F: Future + Send + 'static,
{
    const SOME: usize = 2_000;
    let model = MockModel::repeat(Reply::hang());
    // Calls that are spawned live longer than this: their client does, too.
    let client: &Client<OpenAIConfig> = Box::leak(Box::new(model.client()));
    let (bytes, handles) = held(SOME, || call(client), || model.request_count() >= SOME).await;
    stop(handles).await;
    bytes
}
