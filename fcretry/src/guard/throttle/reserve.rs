use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Permit, Refused, Throttle, in_process::spot, state::Turn};
use crate::guard::Key;

pin_project! {
    /// The wait for a [`Permit`]: what [`Throttle::reserve`] gives.
    #[must_use = "nothing is reserved until it is awaited"]
    pub struct Reserve<'a> {
        throttle: &'a Throttle,
        key: Key,
        tokens: u64,
        deadline: Instant,
        stand: Stand,
        #[pin]
        sleep: Option<Sleep>,
    }

    impl PinnedDrop for Reserve<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Stand::InLine { number, place } = *this.stand {
                let (throttle, now) = (*this.throttle, Instant::now());
                if let Some(place) = throttle.lanes().numbered(place, now) {
                    place.cell.leave(throttle.settings(), number, *this.tokens, now);
                }
            }
        }
    }
}

/// Where a caller stands.
#[derive(Clone, Copy)]
enum Stand {
    Outside,
    /// With this number in the line of the key at this place.
    InLine {
        number: u64,
        place: usize,
    },
    Done,
}

impl<'a> Reserve<'a> {
    pub(super) fn new(throttle: &'a Throttle, key: Key, tokens: u64, deadline: Instant) -> Self {
        Self { throttle, key, tokens, deadline, stand: Stand::Outside, sleep: None }
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
            let waker = context.waker();
            let (turn, place, ticks) = match *this.stand {
                // It is never served again.
                Stand::Done => return Poll::Pending,
                Stand::Outside => {
                    let place = throttle.lanes().place(key, now);
                    let turn = place.cell.join(settings, tokens, deadline, now, waker);
                    (turn, place.number, place.now)
                }
                Stand::InLine { number, place } => {
                    // A place in use is kept.
                    let Some(found) = throttle.lanes().numbered(place, now) else {
                        return Poll::Pending;
                    };
                    let turn = found.cell.look(settings, number, deadline, now, waker);
                    (turn, place, found.now)
                }
            };
            let alarm = match turn {
                Turn::Granted(number) => {
                    *this.stand = Stand::Done;
                    let at = (number, spot(place, ticks));
                    return Poll::Ready(Ok(Permit::numbered(throttle, key, tokens, now, at)));
                }
                Turn::Refused(wait) => {
                    *this.stand = Stand::Done;
                    return Poll::Ready(Err(Refused { wait }));
                }
                Turn::Waiting(number, alarm) => {
                    *this.stand = Stand::InLine { number, place };
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
