//! A fuzzer of the reader, on stable and the same in every run of one seed.
//!
//! `cargo run --package fcretry-tests --bin fuzz -- reading --seconds 20 --seed 1`
//!
//! Prints how many inputs were read, and ends with 1 and the input at the first that breaks an invariant. A stack
//! overflow ends the process at once: the same seed leads there again.

// It reports by ending, and its tables are its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bombs;
mod invariants;
mod memory;
mod mutations;
mod schemas;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use invariants::Target;
use mutations::Mutator;

const USAGE: &str = "usage: fuzz reading|coercing|checking [--seconds N] [--seed N]";

/// A text, and the schema it is read by.
#[derive(Clone)]
struct Input {
    text: String,
    schema: Value,
}

fn main() -> ExitCode {
    let Some(Options { target, seconds, seed }) = options() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let limit = Duration::from_secs(seconds);
    let (send, inputs) = channel::<Input>();
    let (answers, receive) = channel();
    thread::spawn(move || {
        for input in inputs {
            if answers.send(judged(target, &input)).is_err() {
                return;
            }
        }
    });
    let judge = Judge { send, receive, target };

    let started = Instant::now();
    let bombs = bombs::bombs(target);
    let mut all_hold = true;
    for (name, input) in &bombs {
        if let Err(fault) = judge.holds(input) {
            broken(&format!("bomb `{name}`"), &fault, input);
            all_hold = false;
        }
    }
    println!("{target}: {} bombs in {:.1} s", bombs.len(), started.elapsed().as_secs_f64());
    if !all_hold {
        return ExitCode::FAILURE;
    }

    let mut mutator = Mutator::new(seed);
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < limit {
        let input = mutator.input(target);
        if let Err(fault) = judge.holds(&input) {
            let (input, fault) = shrunk(&judge, input, fault);
            broken(&format!("seed {seed}, input {count}"), &fault, &input);
            return ExitCode::FAILURE;
        }
        count += 1;
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64().max(0.001);
    println!("{target}: {count} inputs of seed {seed}, {rate:.0}/s, nothing broken");
    ExitCode::SUCCESS
}

struct Options {
    target: Target,
    seconds: u64,
    seed: u64,
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let target = Target::named(&arguments.next()?)?;
    let mut options = Options { target, seconds: 20, seed: 1 };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--seconds" => options.seconds = value,
            "--seed" => options.seed = value,
            _ => return None,
        }
    }
    Some(options)
}

/// Longer than this is not slow: it does not end.
const HANG: Duration = Duration::from_secs(120);

/// What one input may take, and what each of its bytes adds: far above what it does take without optimisation, far
/// below what quadratic time would.
const BASE: Duration = Duration::from_millis(1500);
const BYTE: Duration = Duration::from_micros(30);

/// Asks a thread of its own, with the stack that threads usually have, so that a hang is seen.
struct Judge {
    send: Sender<Input>,
    receive: Receiver<Result<(), String>>,
    target: Target,
}

impl Judge {
    fn holds(&self, input: &Input) -> Result<(), String> {
        let allowed = BASE + BYTE * u32::try_from(input.text.len()).unwrap_or(u32::MAX);
        // The machine has other work: what is slow is slow three times.
        for left in (0..3).rev() {
            let started = Instant::now();
            self.send.send(input.clone()).map_err(|e| e.to_string())?;
            match self.receive.recv_timeout(HANG) {
                Ok(answer) => answer?,
                Err(RecvTimeoutError::Timeout) => return Err("it does not end".to_owned()),
                Err(RecvTimeoutError::Disconnected) => return Err("the thread died".to_owned()),
            }
            let took = started.elapsed();
            if took <= allowed {
                return Ok(());
            }
            if left == 0 {
                return Err(format!("{took:?} for {} bytes", input.text.len()));
            }
        }
        Ok(())
    }
}

fn judged(target: Target, input: &Input) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(|| target.holds(&input.text, &input.schema))) {
        Ok(answer) => answer,
        Err(_) => Err("it panicked".to_owned()),
    }
}

/// A smaller input with a fault of the same wording, if leaving parts out finds one.
fn shrunk(judge: &Judge, mut input: Input, mut fault: String) -> (Input, String) {
    let kind = |fault: &str| fault.split(':').next().unwrap_or_default().to_owned();
    let wanted = kind(&fault);
    let mut size = input.text.len() / 2;
    while size > 0 && input.text.len() < 100_000 {
        let mut at = 0;
        while at < input.text.len() {
            let end = (at + size).min(input.text.len());
            let parts = input.text.get(..at).zip(input.text.get(end..));
            let shorter = parts.map(|(before, after)| format!("{before}{after}"));
            let shorter = shorter.map(|text| Input { text, schema: input.schema.clone() });
            match shorter.map(|shorter| (judged(judge.target, &shorter), shorter)) {
                Some((Err(again), shorter)) if kind(&again) == wanted => {
                    (input, fault) = (shorter, again);
                }
                _ => at += size,
            }
        }
        size /= 2;
    }
    (input, fault)
}

fn broken(place: &str, fault: &str, input: &Input) {
    let Input { text, schema } = input;
    println!("BROKEN ({place}): {fault:.600}");
    if text.len() > 4000 {
        let head: String = text.chars().take(200).collect();
        println!("text, {} bytes that start with {head:?}", text.len());
    } else {
        println!("text {text:?}");
    }
    println!("schema {schema}");
}
