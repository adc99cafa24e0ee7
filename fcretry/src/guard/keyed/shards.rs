use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

/// In how many places a count is kept, so that threads which count at once seldom write to one cache line.
pub(crate) const SHARDS: usize = if cfg!(all(loom, test)) { 1 } else { 8 };

/// One place of a count, in a cache line of its own (two of them: processors fetch lines in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Shard<T>(pub(crate) T);

/// Where this thread counts.
#[inline]
pub(crate) fn mine() -> usize {
    /// Threads take turns; nothing else is kept here.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    // While a thread ends, its own values may be gone; then any place is right.
    MINE.try_with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        mine.get()
    })
    .unwrap_or(0)
}
