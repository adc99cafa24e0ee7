//! Thousands of calls and a provider that is down for half a minute, or takes half of what is asked of it.
//!
//! `cargo run --example outage` plays each scenario on a paused clock, with the guards as they are by default and with the loop
//! that is usual without them, and says what it costs. It fails if the guards miss one of their bounds.

mod simulation;
mod table;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use lexopt::prelude::*;
use simulation::{Figures, SCENARIOS};

const HELP: &str = "\
Plays an outage and an overload against a simulated provider, with guards and without.

Usage: cargo run --example outage -- [OPTIONS]

Options:
  --seed N    of arrivals, latencies and jitter [default: 7]
  --json      the figures as one JSON document on standard output
  --help      this text

Exit status: 0 every bound is kept, 1 one is missed, 2 wrong usage.";

struct Args {
    seed: u64,
    json: bool,
}

/// `None` asks for help.
fn read_args() -> Result<Option<Args>, lexopt::Error> {
    let mut args = Args { seed: 7, json: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("seed") => args.seed = parser.value()?.parse()?,
            Long("json") => args.json = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(args))
}

fn main() -> ExitCode {
    let args = match read_args() {
        Ok(Some(args)) => args,
        Ok(None) => {
            let _ = writeln!(io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("outage: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    let played: io::Result<Vec<Figures>> =
        SCENARIOS.iter().map(|scenario| scenario.play(args.seed)).collect();
    let mut out = io::stdout().lock();
    let written = played.and_then(|figures| {
        if args.json {
            table::write_json(&mut out, &figures)?;
        } else {
            table::write(&mut out, &figures)?;
        }
        Ok(figures.iter().all(|figures| figures.missed().is_empty()))
    });
    match written {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("outage: {fault}");
            ExitCode::FAILURE
        }
    }
}
