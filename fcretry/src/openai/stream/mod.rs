//! Reading a streamed answer, in the caller's task: dropping the future closes the connection, and leaves nothing
//! behind. What came is handed out once it is whole, or not at all.

mod chunks;
mod events;
mod source;

use std::time::Duration;

use async_openai::types::chat::{ChatCompletionResponseStream, CreateChatCompletionResponse};
use tokio::time::{Instant, timeout_at};

use self::{
    chunks::{Arriving, Said},
    events::Events,
    source::{Piece, Source},
};
use super::transport::Streamed;
use crate::{
    answer::Answer,
    failure::{Failure, FailureKind},
    tool::Watch,
};

/// How long the usage is waited for, once the answer is whole.
const TAIL: Duration = Duration::from_secs(2);

/// How long before the end of the attempt a whole answer is taken without its usage.
const MARGIN: Duration = Duration::from_millis(100);

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// When the request was sent.
    pub(super) started: Instant,
    /// The longest time to the first token.
    pub(super) first_token: Option<Duration>,
    /// The longest silence after it.
    pub(super) idle: Duration,
    /// When the attempt must be over.
    pub(super) ends: Instant,
}

impl Pace {
    /// When the first token is due.
    pub(super) fn first_due(&self) -> Option<Instant> {
        self.started.checked_add(self.first_token?)
    }

    pub(super) fn late(&self) -> Failure {
        let limit = self.first_token.unwrap_or_default();
        Failure::new(FailureKind::Timeout).with_note(format!("no token within {limit:?}"))
    }

    fn silent(&self) -> Failure {
        let limit = self.idle;
        Failure::new(FailureKind::Timeout).with_note(format!("the stream was silent for {limit:?}"))
    }
}

/// What came of a stream.
#[derive(Debug)]
pub(super) struct Received {
    /// The whole answer, or why there is none.
    pub(super) answer: Result<Answer, Failure>,
    /// From sending to the first token.
    pub(super) first_token: Option<Duration>,
    /// About how many tokens came.
    pub(super) tokens: u64,
    /// The content, of an answer that broke off.
    pub(super) part: Option<String>,
    /// What the provider says of it, if it was streamed.
    pub(super) said: Option<Box<Said>>,
}

/// Reads what our own transport left of a stream.
///
/// `begun` is the part of the content that was there before, of which this is the rest.
pub(super) async fn read(
    streamed: Streamed,
    begun: Option<String>,
    pace: Pace,
    watch: &mut Watch,
) -> Received {
    match Source::of(streamed) {
        Ok(source) => Receiving::new(source, begun, pace, watch).received().await,
        // The server answered in one piece.
        Err(body) => {
            let read = serde_json::from_slice::<CreateChatCompletionResponse>(&body);
            let answer =
                read.map(|response| Answer::from(&response).continuing(begun)).map_err(|_| {
                    Failure::new(FailureKind::InvalidRequest)
                        .with_note("the answer is no chat completion")
                });
            let first_token = Some(pace.started.elapsed());
            Received { answer, first_token, tokens: 0, part: None, said: None }
        }
    }
}

/// Reads the stream of a client made elsewhere.
pub(super) async fn read_typed(
    stream: ChatCompletionResponseStream,
    pace: Pace,
    watch: &mut Watch,
) -> Received {
    Receiving::new(Source::Typed(Box::pin(stream)), None, pace, watch).received().await
}

struct Receiving<'w> {
    source: Source,
    pace: Pace,
    watch: &'w mut Watch,
    events: Events,
    arriving: Arriving,
    first_token: Option<Duration>,
    /// When something of the answer came last.
    last: Instant,
    /// When it was whole.
    whole: Option<Instant>,
}

impl<'w> Receiving<'w> {
    fn new(source: Source, begun: Option<String>, pace: Pace, watch: &'w mut Watch) -> Self {
        let (events, arriving) = (Events::default(), Arriving::after(begun));
        let last = pace.started;
        Self { source, pace, watch, events, arriving, first_token: None, last, whole: None }
    }

    async fn received(mut self) -> Received {
        let end = self.read_on().await;
        let Self { mut arriving, first_token, .. } = self;
        // A token is four bytes of text, or a chunk of its own.
        let tokens = arriving.deltas.max(arriving.bytes / 4);
        let said = arriving.said.take();
        match end {
            Ok(()) => {
                let answer = Ok(arriving.into_answer());
                Received { answer, first_token, tokens, part: None, said }
            }
            Err(failure) => {
                let part = arriving.answer.content;
                Received { answer: Err(failure), first_token, tokens, part, said }
            }
        }
    }

    async fn read_on(&mut self) -> Result<(), Failure> {
        loop {
            let piece = match self.piece().await {
                Ok(piece) => piece,
                // What breaks behind the end of the answer is not missed.
                Err(_) if self.arriving.is_whole() => return Ok(()),
                Err(failure) => return Err(failure),
            };
            let is_end = matches!(piece, Piece::End);
            match self.take(piece) {
                Err(_) if self.arriving.is_whole() => return Ok(()),
                taken => taken?,
            }
            if self.arriving.may_end() && (is_end || self.arriving.is_done) {
                return Ok(());
            }
            if is_end || self.arriving.is_done {
                let note = "it ended without a finish reason";
                return Err(Failure::new(FailureKind::PartialStream).with_note(note));
            }
            if let Some(failure) = self.watch.look(&self.arriving.answer) {
                return Err(failure);
            }
        }
    }

    /// The next piece, if it comes in time.
    async fn piece(&mut self) -> Result<Piece, Failure> {
        let due = if self.arriving.is_whole() {
            let whole = *self.whole.get_or_insert_with(Instant::now);
            let due = whole.checked_add(TAIL.min(self.pace.idle));
            due.map(|due| due.min(self.pace.ends.checked_sub(MARGIN).unwrap_or(due)))
        } else if self.first_token.is_some() {
            self.last.checked_add(self.pace.idle)
        } else {
            self.pace.first_due()
        };
        let Some(due) = due else { return self.source.next().await };
        match timeout_at(due, self.source.next()).await {
            Ok(piece) => piece,
            Err(_) if self.first_token.is_none() => Err(self.pace.late()),
            Err(_) => Err(self.pace.silent()),
        }
    }

    fn take(&mut self, piece: Piece) -> Result<(), Failure> {
        match piece {
            Piece::Bytes(bytes) => {
                self.events.push(&bytes);
                while let Some(event) = self.events.next() {
                    let has_brought = self.arriving.take(&event.data, event.is_error)?;
                    self.brought(has_brought);
                }
            }
            Piece::Chunk(chunk) => {
                let has_brought = self.arriving.chunk(&chunk, false)?;
                self.brought(has_brought);
            }
            Piece::End => {
                if let Some(event) = self.events.last() {
                    self.arriving.take(&event.data, event.is_error)?;
                }
            }
        }
        Ok(())
    }

    fn brought(&mut self, has_brought: bool) {
        if has_brought {
            self.last = Instant::now();
            self.whole = None;
            self.first_token.get_or_insert_with(|| self.pace.started.elapsed());
        }
    }
}
