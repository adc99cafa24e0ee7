//! What the guards synchronise with; loom's own where it explores every order of two threads.

#[cfg(all(loom, test))]
pub(in crate::guard) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64},
};
use std::sync::PoisonError;
#[cfg(not(all(loom, test)))]
pub(in crate::guard) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64},
};

/// What is behind a lock. Nothing under one panics, and a half-done change is none of these counts' worries.
pub(in crate::guard) fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
