//! Every fault, once and for ever, over HTTP on loopback ports, against the default policy: what is made of it, how
//! many requests it costs, how long is waited. Each row says what it expects; one that is otherwise fails the program.
//!
//! `cargo run --example fault_matrix` prints the table, with `--json` for a program.

mod ask;
mod faults;
mod play;
mod row;
mod table;

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Instant,
};

use lexopt::prelude::*;

const HELP: &str = "\
Plays every fault once and for ever against the default policy, over loopback HTTP.

Usage: cargo run --example fault_matrix -- [OPTIONS]

Options:
  --only TEXT  the rows whose fault or kind has TEXT in it
  --json       one JSON document on standard output
  --help       this text

Exit status: 0 every row is as designed, 1 one is not, 2 wrong usage.";

struct Args {
    only: String,
    json: bool,
}

fn args() -> Result<Option<Args>, lexopt::Error> {
    let mut args = Args { only: String::new(), json: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("only") => args.only = parser.value()?.string()?,
            Long("json") => args.json = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(args))
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args() {
        Ok(Some(args)) => args,
        Ok(None) => return shown(writeln!(io::stdout(), "{HELP}"), true),
        Err(fault) => {
            eprintln!("fault_matrix: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let rows: Vec<_> = faults::all().into_iter().filter(|row| row.is_about(&args.only)).collect();
    let played = match play::all(rows).await {
        Ok(played) => played,
        Err(error) => return failed(&error.to_string()),
    };
    let designed = !played.is_empty() && played.iter().all(play::Played::is_as_designed);
    let mut out = io::stdout().lock();
    let written = if args.json {
        table::write_json(&mut out, &played)
    } else {
        table::write(&mut out, &played, started.elapsed())
    };
    shown(written, designed)
}

/// The exit status of what was shown. Whoever stops reading has seen enough.
fn shown(written: io::Result<()>, is_good: bool) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error.to_string()),
        _ if is_good => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn failed(fault: &str) -> ExitCode {
    eprintln!("fault_matrix: {fault}");
    ExitCode::FAILURE
}
