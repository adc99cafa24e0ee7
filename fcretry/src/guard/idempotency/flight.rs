//! An action under way, for those who wait for it.

use std::{
    collections::BTreeMap,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    store::Settled,
    sync::{Arc, Mutex, lock},
};

#[derive(Debug, Default)]
pub(super) struct Flight(Mutex<Passengers>);

#[derive(Debug, Default)]
struct Passengers {
    settled: Option<Settled>,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

impl Flight {
    /// Tells those who wait, and those who still come, what came of it. What was told first stays.
    pub(super) fn land(&self, settled: Settled) {
        let waiting = {
            let mut passengers = lock(&self.0);
            if passengers.settled.is_some() {
                return;
            }
            passengers.settled = Some(settled);
            std::mem::take(&mut passengers.waiting)
        };
        // Outside the lock: a waker may run anything.
        for waker in waiting.into_values() {
            waker.wake();
        }
    }

    /// Waits for [`land`](Self::land).
    pub(super) fn wait(flight: Arc<Self>) -> Landing {
        let seat = {
            let mut passengers = lock(&flight.0);
            passengers.next += 1;
            passengers.next
        };
        Landing { flight, seat }
    }
}

#[derive(Debug)]
pub(super) struct Landing {
    flight: Arc<Flight>,
    seat: u64,
}

impl Future for Landing {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        let mut passengers = lock(&self.flight.0);
        if let Some(settled) = &passengers.settled {
            return Poll::Ready(settled.clone());
        }
        match passengers.waiting.get_mut(&self.seat) {
            Some(waker) => waker.clone_from(context.waker()),
            None => drop(passengers.waiting.insert(self.seat, context.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let waker = lock(&self.flight.0).waiting.remove(&self.seat);
        drop(waker);
    }
}
