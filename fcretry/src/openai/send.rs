//! Sending the request of a chat: whole or as a stream, and once more for each parameter that the endpoint turns out
//! not to take.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_openai::types::chat::{ChatCompletionStreamOptions, CreateChatCompletionRequest};
use tokio::time::{Instant, timeout_at};

use super::{
    Chat, Continuation, classify, estimate,
    exchange::Exchange,
    quirks::Quirks,
    stream::{self, Pace, Received},
    transport,
};
use crate::{
    answer::{Answer, Form},
    error::Error,
    failure::{Failure, FailureKind},
    run::{Ask, Part, Sending},
    tool::{ToolSpec, Watch},
};

/// How often one ask is written anew for a server that objects to a parameter.
const MAX_OBJECTIONS: u32 = 3;

impl<'a> Chat<'a> {
    /// Sends the request; once more for each parameter that the endpoint turns out not to take.
    pub(super) async fn send(
        &mut self,
        expected: &Expected,
    ) -> Result<(Ask<'a>, Arc<Answer>), Error> {
        let Self { ask, client, request, streams, continuation } = self;
        request.n = None;
        request.messages.extend(ask.feedback().into_iter().map(Into::into));
        // It is kept until the answer is there, and messages are large.
        request.messages.shrink_to_fit();
        // One name for the limit; the endpoint's own is written at the end.
        #[allow(deprecated, reason = "what `with` may have set")]
        let own = request.max_completion_tokens.or(request.max_tokens.take());
        request.max_completion_tokens = ask.token_limit(own);
        let raised = request.max_completion_tokens > own;
        // `create_stream` sets `stream` itself.
        request.stream = None;
        request.stream_options = streams.then(|| ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        });
        let base_url = client.api_base();
        let number = if ask.has_guards() { client.number() } else { 0 };
        let known = Quirks::of(base_url, &request.model);
        let mut quirks = known;
        // Each objection changes one of a few parameters; a server that goes on objecting is not asked for ever.
        let mut objections = 0;
        let continuation = continuation.filter(|_| ask.endpoint().is_none());
        let continuation = continuation.or_else(|| Continuation::of(base_url));
        let asked = hash_of(request);
        let part = if *streams { ask.part(asked) } else { None };
        let mut rest = continuation.and_then(|how| Some(Rest { begun: part?, how }));
        let answer = loop {
            let written = write(request, rest.as_ref(), quirks);
            ask.captures(&written.messages);
            let admission = ask.admission(number, &written.model, || estimate::of(&written));
            let mut sending = match admission.await {
                Ok(sending) => sending,
                Err(failure) => return Err(ask.fail(failure)),
            };
            sending.waits();
            let result = if *streams {
                let watch = expected.watch(ask, request.max_completion_tokens);
                // On the heap: what it takes to read a stream would be in the future of every caller.
                let rest = rest.as_ref();
                Box::pin(streamed(ask, *client, written, asked, rest, watch, &sending)).await
            } else {
                whole(ask, *client, written, &sending).await
            };
            let failure = match result {
                Ok(answer) => {
                    sending.answered(answer.usage);
                    if quirks != known {
                        quirks.remember(base_url, &request.model);
                    }
                    break answer;
                }
                Err(failure) => failure,
            };
            sending.failed(&failure);
            if failure.is_turned_down() {
                ask.turned_down();
            }
            // Whoever does not take a part is asked for the whole.
            if failure.kind() == FailureKind::InvalidRequest && rest.take().is_some() {
                ask.revise();
                continue;
            }
            objections += 1;
            match quirks.after(&write(request, rest.as_ref(), quirks), &failure) {
                Some(changed) if objections <= MAX_OBJECTIONS => {
                    quirks = changed;
                    ask.revise();
                }
                _ => return Err(ask.fail(too_large(failure, raised))),
            }
        };
        Ok((*ask, answer))
    }
}

/// What an answer is to be.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) form: Form,
    pub(super) specs: Vec<&'static ToolSpec>,
    /// The model has no choice but to call.
    pub(super) required: bool,
    /// More than one call may come.
    pub(super) several: bool,
}

impl Expected {
    fn watch(&self, ask: &Ask<'_>, limit: Option<u32>) -> Watch {
        Watch::new(
            self.form,
            self.specs.clone(),
            ask.recovery(),
            ask.refusals(),
            self.required,
            self.several,
            limit,
        )
    }
}

/// The request as this endpoint takes it. Written again where it is looked at again: while an answer is waited for, the one that
/// was sent is the client's, and another would be kept for nothing.
fn write(
    request: &CreateChatCompletionRequest,
    rest: Option<&Rest>,
    quirks: Quirks,
) -> Box<CreateChatCompletionRequest> {
    let mut written = Box::new(request.clone());
    if let Some(rest) = rest {
        Continuation::ask(&rest.begun, &mut written);
    }
    quirks.apply(&mut written);
    written
}

/// Sends a request for an answer in one piece.
async fn whole(
    ask: &Ask<'_>,
    client: &dyn Exchange,
    request: Box<CreateChatCompletionRequest>,
    sending: &Sending<'_>,
) -> Result<Arc<Answer>, Failure> {
    let exchange = client.create(request, ask.request_key());
    let (result, seen) = transport::observe(exchange).await;
    sending.limits(seen.limits.as_deref());
    let response = result.map_err(classify::failure)?;
    ask.named(&response.id, &response.model);
    let answer = Arc::new(Answer::from(&response));
    ask.answered(&answer, seen.request_id);
    Ok(answer)
}

/// An answer that has begun, and how its rest is asked for.
struct Rest {
    begun: String,
    how: Continuation,
}

/// Sends a request for a stream, and reads it as it comes.
async fn streamed(
    ask: &Ask<'_>,
    client: &dyn Exchange,
    request: Box<CreateChatCompletionRequest>,
    asked: u64,
    rest: Option<&Rest>,
    mut watch: Watch,
    sending: &Sending<'_>,
) -> Result<Arc<Answer>, Failure> {
    let policy = ask.policy();
    let (first_token, idle) = (policy.first_token(), policy.idle());
    let pace = Pace { started: Instant::now(), first_token, idle, ends: ask.ends() };
    let exchange = client.create_stream(request, ask.request_key());
    let exchange = transport::observe_stream(exchange, rest.map(|rest| rest.how));
    let (result, seen) = match pace.first_due() {
        Some(due) => timeout_at(due, exchange).await.map_err(|_| pace.late())?,
        None => exchange.await,
    };
    sending.limits(seen.limits.as_deref());
    let begun = rest.map(|rest| rest.begun.clone());
    let Received { answer, first_token, tokens, part, said } = match (seen.streamed, result) {
        (Some(body), _) => stream::read(*body, begun, pace, &mut watch).await,
        // A client that was made elsewhere says nowhere that it is the rest that is asked for.
        (None, _) if rest.is_some() => return Err(Failure::new(FailureKind::InvalidRequest)),
        (None, Ok(chunks)) => stream::read_typed(chunks, pace, &mut watch).await,
        (None, Err(error)) => return Err(classify::failure(error)),
    };
    if let Some(said) = said {
        ask.named(&said.id, &said.model);
    }
    sending.came(tokens);
    if let Some(after) = first_token {
        sending.first_token(after);
    }
    ask.streamed(first_token, tokens, part.map(|text| Part { text, asked }));
    match answer {
        Ok(answer) => {
            let answer = Arc::new(answer);
            ask.answered(&answer, seen.request_id);
            Ok(answer)
        }
        Err(failure) => Err(match seen.request_id {
            Some(id) => failure.with_request_id(id),
            None => failure,
        }),
    }
}

/// What tells a request from others: a part of an answer belongs to one.
fn hash_of(request: &CreateChatCompletionRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(request).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// A limit that we raised and the server does not take leaves the answer cut, and that is the failure.
fn too_large(failure: Failure, raised: bool) -> Failure {
    let names_it =
        |text: &str| text.contains("max_tokens") || text.contains("max_completion_tokens");
    let is_about_it =
        failure.param().is_some_and(names_it) || failure.provider_message().is_some_and(names_it);
    let is_refused = match failure.kind() {
        FailureKind::InvalidRequest => is_about_it,
        // It was short enough with the limit before: some servers count the limit in.
        FailureKind::ContextOverflow => true,
        _ => false,
    };
    if raised && is_refused {
        return failure
            .with_kind(FailureKind::Truncated)
            .with_note("the server takes no larger token limit");
    }
    failure
}
