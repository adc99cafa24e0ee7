//! How the benchmarks of what is ready at once are timed.

use std::{
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use criterion::Criterion;
use tokio::runtime::Handle;

/// What is there at once.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// Times a round on one thread, and while another thread does the same; in the runtime that this is in, if it is in one.
pub(crate) fn measure<R>(
    criterion: &mut Criterion,
    group: &str,
    what: &str,
    round: impl Fn() -> R + Sync,
) {
    let runtime = Handle::try_current().ok();
    let mut group = criterion.benchmark_group(group);
    group.bench_function(format!("{what}/one thread"), |b| b.iter(&round));
    group.bench_function(format!("{what}/two threads"), |b| {
        b.iter_custom(|rounds| {
            let timed = || {
                let _inside = runtime.as_ref().map(Handle::enter);
                let start = Instant::now();
                (0..rounds).for_each(|_| drop(black_box(round())));
                start.elapsed()
            };
            thread::scope(|scope| {
                let threads = [scope.spawn(timed), scope.spawn(timed)];
                let both: Duration = threads.map(|thread| thread.join().unwrap()).iter().sum();
                both / 2
            })
        });
    });
    group.finish();
}
