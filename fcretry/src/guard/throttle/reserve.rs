use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Permit, Refused, Throttle, lane::Turn, line::Wakes};
use crate::guard::Key;

pin_project! {
    /// The wait for a [`Permit`]: what [`Throttle::reserve`] gives.
    #[must_use = "nothing is reserved until it is awaited"]
    pub struct Reserve<'a> {
        throttle: &'a Throttle,
        key: Key,
        tokens: u64,
        deadline: Instant,
        place: Place,
        #[pin]
        sleep: Option<Sleep>,
    }

    impl PinnedDrop for Reserve<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Place::InLine(ticket) = *this.place {
                let now = Instant::now();
                let mut wakes = Wakes::none();
                if let Some(lane) = this.throttle.lock().get(*this.key) {
                    lane.leave(ticket, *this.tokens, now, &mut wakes);
                }
                wakes.wake();
            }
        }
    }
}

/// Where a caller stands.
#[derive(Clone, Copy)]
enum Place {
    Outside,
    InLine(u64),
    Done,
}

impl<'a> Reserve<'a> {
    pub(super) fn new(throttle: &'a Throttle, key: Key, tokens: u64, deadline: Instant) -> Self {
        Self { throttle, key, tokens, deadline, place: Place::Outside, sleep: None }
    }
}

impl<'a> Future for Reserve<'a> {
    type Output = Result<Permit<'a>, Refused>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (throttle, settings) = (*this.throttle, this.throttle.settings());
        let (key, tokens, deadline) = (*this.key, *this.tokens, *this.deadline);
        loop {
            let now = Instant::now();
            let mut woken = Wakes::none();
            let turn = {
                let mut lanes = throttle.lock();
                match *this.place {
                    // It is never served again.
                    Place::Done => return Poll::Pending,
                    Place::Outside => {
                        let lane = lanes.of(key, settings, now);
                        if lane.at_once(tokens, deadline, now, &mut woken) {
                            Turn::Granted
                        } else {
                            lane.join(tokens, deadline, now, context.waker())
                        }
                    }
                    Place::InLine(ticket) => {
                        let lane = lanes.of(key, settings, now);
                        lane.look(ticket, deadline, now, context.waker(), &mut woken)
                    }
                }
            };
            woken.wake();
            let alarm = match turn {
                Turn::Granted => {
                    *this.place = Place::Done;
                    return Poll::Ready(Ok(Permit::new(throttle, key, tokens, now)));
                }
                Turn::Refused(wait) => {
                    *this.place = Place::Done;
                    return Poll::Ready(Err(Refused { wait }));
                }
                Turn::Waiting { ticket, alarm } => {
                    *this.place = Place::InLine(ticket);
                    alarm
                }
            };
            match this.sleep.as_mut().as_pin_mut() {
                None => this.sleep.set(Some(sleep_until(alarm))),
                Some(sleep) if sleep.deadline() != alarm => sleep.reset(alarm),
                Some(_) => {}
            }
            let Some(sleep) = this.sleep.as_mut().as_pin_mut() else { return Poll::Pending };
            if sleep.poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
