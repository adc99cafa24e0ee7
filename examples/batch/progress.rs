use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

use fcretry::Totals;

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(100);

/// A line on standard error that says how far the batch is; nothing where nobody looks.
pub(crate) struct Progress {
    of: usize,
    started: Instant,
    shown: Option<Instant>,
    is_seen: bool,
}

impl Progress {
    pub(crate) fn new(of: usize, is_wanted: bool) -> Self {
        let is_seen = is_wanted && stderr().is_terminal();
        Self { of, started: Instant::now(), shown: None, is_seen }
    }

    pub(crate) fn show(&mut self, totals: &Totals, in_flight: usize) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= EVERY);
        if self.is_seen && is_due {
            self.shown = Some(Instant::now());
            let _ = write!(stderr(), "\r\x1b[2K{}", self.line(totals, in_flight));
        }
    }

    pub(crate) fn end(&self) {
        if self.is_seen {
            let _ = write!(stderr(), "\r\x1b[2K");
        }
    }

    fn line(&self, totals: &Totals, in_flight: usize) -> String {
        const WIDTH: usize = 24;
        let ended = totals.done + totals.failed;
        let of = u64::try_from(self.of).unwrap_or(u64::MAX).max(1);
        let filled = usize::try_from(ended.min(of) * 24 / of).unwrap_or(WIDTH);
        let bar = "#".repeat(filled) + &"-".repeat(WIDTH - filled);
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        // What was kept took no time.
        let called = u32::try_from(ended - totals.kept).unwrap_or(u32::MAX);
        let left = u32::try_from(of.saturating_sub(ended)).unwrap_or(u32::MAX);
        let eta = if called == 0 { 0.0 } else { seconds / f64::from(called) * f64::from(left) };
        let tokens = u32::try_from(totals.usage.total()).unwrap_or(u32::MAX);
        let spent = totals.cost.map_or(format!("{tokens} tokens"), |cost| format!("{cost:.4}"));
        format!(
            "[{bar}] {} done, {} failed, {in_flight} in flight, {:.0} tokens/min, {spent} spent, {eta:.0} s left",
            totals.done,
            totals.failed,
            f64::from(tokens) / seconds * 60.0,
        )
    }
}
