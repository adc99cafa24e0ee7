use std::time::Duration;

use crate::handle::attach_as_dyn;
use crate::{
    failure::{Failure, FailureKind},
    policy::{Action, RetryPolicy, StoppedBy},
    report::Report,
};

/// Is told what happens in a call. Every method does nothing unless it is written.
///
/// Attached by the key `observer(EXPR)` of [`retry_policy`](macro@crate::retry_policy) or by
/// [`Run::observer`](crate::Run::observer): a `static`, a `LazyLock`, an `Arc`, or a reference to one of them. It is called in
/// the task of the call, with no lock held: what takes long belongs in a task of its own. A panic in it is caught, and changes
/// nothing about the call.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use fcretry::{DecisionEvent, Observer, prelude::*};
///
/// #[derive(Default)]
/// struct Pager(AtomicU32);
///
/// impl Observer for Pager {
///     fn on_escalate(&self, event: &DecisionEvent<'_>) {
///         println!("{}: a person must look at a {}", event.function, event.kind);
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// static PAGER: Pager = Pager(AtomicU32::new(0));
///
/// #[retry_policy(on(refusal, escalate), observer(PAGER))]
/// async fn refused() -> fcretry::Result<u8> {
///     Err(FailureKind::Refusal.into())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert!(refused().await.is_err());
/// assert_eq!(PAGER.0.load(Ordering::Relaxed), 1);
/// # });
/// ```
pub trait Observer: Send + Sync {
    /// An attempt begins.
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// An attempt failed, and the same model is asked again: the same request, or with what was wrong fed back.
    fn on_retry(&self, event: &DecisionEvent<'_>) {
        let _ = event;
    }

    /// An attempt failed, and the next model is asked.
    fn on_fallback(&self, event: &DecisionEvent<'_>) {
        let _ = event;
    }

    /// The call failed, and a person must look. Once per call at most.
    fn on_escalate(&self, event: &DecisionEvent<'_>) {
        let _ = event;
    }

    /// The call failed, and gives what `degrade` makes of the error. Once per call at most.
    fn on_degrade(&self, event: &DecisionEvent<'_>) {
        let _ = event;
    }

    /// The call is over: it gave a value, failed, or was dropped. Once per call.
    fn on_finish(&self, event: &FinishEvent<'_>) {
        let _ = event;
    }
}

attach_as_dyn!(Observer);

/// Both are told, the first one first. A panic in the first keeps the event from the second.
///
/// ```
/// # use fcretry::{DecisionEvent, Observer, prelude::*};
/// # struct Pager;
/// # impl Observer for Pager {}
/// use fcretry::Stats;
///
/// static WATCHES: (Stats, Pager) = (Stats::new(), Pager);
///
/// #[retry_policy(observer(WATCHES))]
/// async fn ask(attempt: &Attempt) -> fcretry::Result<u32> {
///     Ok(attempt.number())
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// # ask().await.unwrap();
/// assert_eq!(WATCHES.0.snapshot().all.calls, 1);
/// # });
/// ```
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        self.0.on_attempt(event);
        self.1.on_attempt(event);
    }

    fn on_retry(&self, event: &DecisionEvent<'_>) {
        self.0.on_retry(event);
        self.1.on_retry(event);
    }

    fn on_fallback(&self, event: &DecisionEvent<'_>) {
        self.0.on_fallback(event);
        self.1.on_fallback(event);
    }

    fn on_escalate(&self, event: &DecisionEvent<'_>) {
        self.0.on_escalate(event);
        self.1.on_escalate(event);
    }

    fn on_degrade(&self, event: &DecisionEvent<'_>) {
        self.0.on_degrade(event);
        self.1.on_degrade(event);
    }

    fn on_finish(&self, event: &FinishEvent<'_>) {
        self.0.on_finish(event);
        self.1.on_finish(event);
    }
}

/// An attempt begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The function, as `module::name`.
    pub function: &'static str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// How long it may take.
    pub time_left: Duration,
    /// The policy of the call.
    pub policy: &'a RetryPolicy,
}

/// An attempt failed, and what follows was decided.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DecisionEvent<'a> {
    /// The function, as `module::name`.
    pub function: &'static str,
    /// The number of the attempt that failed; 1 for the first.
    pub attempt: u32,
    /// The model that it asked last.
    pub model: Option<&'a str>,
    /// Why it failed.
    pub kind: FailureKind,
    /// What was decided.
    pub action: Action,
    /// The wait before that.
    pub delay: Duration,
    /// What ends the call, if this does.
    pub stopped_by: Option<StoppedBy>,
    /// The failure. What the model wrote is behind its accessors.
    pub failure: &'a Failure,
}

/// A call is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FinishEvent<'a> {
    /// The function, as `module::name`.
    pub function: &'static str,
    /// All of it: whether it gave a value is its `kind`.
    pub report: &'a Report,
}
