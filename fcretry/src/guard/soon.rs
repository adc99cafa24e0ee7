use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// An answer of a guard: there at once, from one in this process, or later, from one that is shared between processes.
/// Awaiting one that is there costs nothing and allocates nothing.
///
/// ```
/// use fcretry::guard::Soon;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(Soon::now(7).await, 7);
/// assert_eq!(Soon::later(async { 7 }).await, 7);
/// # });
/// ```
pub struct Soon<'a, T>(Answer<'a, T>);

enum Answer<'a, T> {
    /// Nothing, once it was taken.
    Now(Option<T>),
    Later(Later<'a, T>),
}

/// An answer that is waited for.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<'a, T> Soon<'a, T> {
    /// An answer that is there.
    #[inline]
    pub const fn now(answer: T) -> Self {
        Self(Answer::Now(Some(answer)))
    }

    /// The answer, if it is there.
    pub fn at_once(self) -> Option<T> {
        match self.0 {
            Answer::Now(answer) => answer,
            Answer::Later(_) => None,
        }
    }

    /// The answer, or what is left to wait for: that is all that whoever waits has to keep.
    #[inline]
    pub(crate) fn begin(self, context: &mut Context<'_>) -> Result<T, Later<'a, T>>
    where
        T: Send + 'a,
    {
        match self.0 {
            Answer::Now(Some(answer)) => Ok(answer),
            Answer::Now(None) => Err(Box::pin(std::future::pending())),
            Answer::Later(mut later) => match later.as_mut().poll(context) {
                Poll::Ready(answer) => Ok(answer),
                Poll::Pending => Err(later),
            },
        }
    }

    /// An answer that must be waited for.
    pub fn later(answer: impl Future<Output = T> + Send + 'a) -> Self {
        Self(Answer::Later(Box::pin(answer)))
    }
}

impl<T: Unpin> Future for Soon<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            Answer::Later(answer) => answer.as_mut().poll(context),
            // Polled again after it was taken, it is never there again.
            Answer::Now(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}

impl<T> fmt::Debug for Soon<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Answer::Now(_) => "Soon(now)",
            Answer::Later(_) => "Soon(later)",
        })
    }
}
