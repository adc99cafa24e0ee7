//! The locks of the store: those of `std`, or loom's, which tries every order of two threads.

use std::sync::PoisonError;
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard};

#[cfg(all(test, loom))]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};

/// The data behind `mutex`; nothing here can panic between two states of it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
