//! Calls are lent by threads: one that goes well allocates nothing, and the future that holds it is small.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
    sync::LazyLock,
};

use tokio::time::Instant;

use super::Call;

/// How many calls a thread keeps.
const KEPT: usize = 32;

thread_local! {
    #[allow(clippy::vec_box, reason = "a call is large, and stays where it is")]
    static FREE: RefCell<Vec<Box<Call>>> = const { RefCell::new(Vec::new()) };
}

/// A call. When this is dropped it ends, and the thread keeps what it was in for the next.
#[derive(Debug)]
pub struct Lent(Option<Box<Call>>);

impl Lent {
    /// A new call of no function.
    pub(super) fn new(now: Instant) -> Self {
        // A thread that is ending lends nothing.
        let free = FREE.try_with(|free| free.try_borrow_mut().ok()?.pop());
        Self(Some(free.ok().flatten().unwrap_or_else(|| made(now))))
    }
}

/// Of its own: what makes a call takes room on the stack that others need not.
#[cold]
fn made(now: Instant) -> Box<Call> {
    Box::new(Call::none(now))
}

/// It is there until this is dropped.
static NEVER: LazyLock<Call> = LazyLock::new(|| Call::none(Instant::now()));

impl Deref for Lent {
    type Target = Call;

    fn deref(&self) -> &Call {
        self.0.as_deref().unwrap_or_else(|| &NEVER)
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Call {
        self.0.get_or_insert_with(|| made(Instant::now()))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut call) = self.0.take() else { return };
        // Both may run a user's code: a guard's, for one.
        call.end();
        call.clear();
        if call.attempt.state_mut().is_small() {
            let _ = FREE.try_with(|free| {
                if let Ok(mut free) = free.try_borrow_mut()
                    && free.len() < KEPT
                {
                    free.push(call);
                }
            });
        }
    }
}
