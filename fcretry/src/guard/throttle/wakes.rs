use std::task::Waker;

/// Wakers to be called, or dropped, once the lock is let go: both run code of whoever waits.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    woken: Vec<Waker>,
    dropped: Option<Waker>,
}

impl Wakes {
    pub(super) fn push(&mut self, waker: Waker) {
        self.woken.push(waker);
    }

    pub(super) fn bin(&mut self, waker: Waker) {
        self.dropped = Some(waker);
    }

    /// Most often there are none.
    #[inline]
    pub(super) fn wake(self) {
        if !self.woken.is_empty() {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(self) {
        self.woken.into_iter().for_each(Waker::wake);
    }
}
