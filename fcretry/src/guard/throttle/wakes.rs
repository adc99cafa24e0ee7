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

    pub(super) fn wake(self) {
        self.woken.into_iter().for_each(Waker::wake);
    }
}
