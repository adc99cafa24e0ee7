//! The body of an answer while it is played.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that comes in parts, with waits between them, and may break off.
#[derive(Debug)]
pub(super) struct PlayedBody {
    parts: VecDeque<Bytes>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// The bytes that were promised and are still due; unknown for a stream.
    due: Option<u64>,
    end: End,
}

/// What comes after the last part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    /// The connection breaks.
    Cut,
    /// The connection breaks now: the parts before have had their chance to be sent.
    CutFlushed,
    Hang,
}

impl PlayedBody {
    /// One part, of a length that is announced.
    pub(super) fn whole(body: Bytes) -> Self {
        let due = u64::try_from(body.len()).ok();
        let parts = if body.is_empty() { Vec::new() } else { vec![body] };
        Self { due, ..Self::stream(parts, End::Complete) }
    }

    /// Parts without an announced length.
    pub(super) fn stream(parts: Vec<Bytes>, end: End) -> Self {
        Self { parts: parts.into(), pause: Duration::ZERO, waiting: None, due: None, end }
    }

    /// Waits this long between any two parts.
    pub(super) fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Breaks off after `limit` bytes, if there are more. The announced length stays: that is how the other
    /// side can tell.
    pub(super) fn cut_after(mut self, limit: usize) -> Self {
        let mut left = limit;
        for (position, part) in self.parts.iter_mut().enumerate() {
            if part.len() > left {
                part.truncate(left);
                // Nothing, rather than an empty part.
                let kept = if left == 0 { position } else { position + 1 };
                self.parts.truncate(kept);
                self.end = End::Cut;
                break;
            }
            left -= part.len();
        }
        self
    }
}

impl Body for PlayedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if let Some(waiting) = &mut this.waiting {
            ready!(waiting.as_mut().poll(cx));
            this.waiting = None;
        }
        if let Some(part) = this.parts.pop_front() {
            if !this.pause.is_zero() && !this.parts.is_empty() {
                this.waiting = Some(Box::pin(sleep(this.pause)));
            }
            if let (Some(due), Ok(sent)) = (&mut this.due, u64::try_from(part.len())) {
                *due = due.saturating_sub(sent);
            }
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        match this.end {
            End::Complete => Poll::Ready(None),
            // hyper throws away what it has not written yet when a body fails. It writes when a body has
            // nothing ready, so this is the moment for it.
            End::Cut => {
                this.end = End::CutFlushed;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::CutFlushed => {
                this.end = End::Complete;
                let reason = "the connection was cut in the middle of the body, as scripted";
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, reason))))
            }
            End::Hang => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.end == End::Complete
    }

    fn size_hint(&self) -> SizeHint {
        self.due.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
