//! What policies cost: the same failures met by a single shot, by asking again, by repair and by fallback.
//!
//! `cargo run --example planner` prints a table, `-- --svg FILE` also draws what a success costs against how many calls succeed, for
//! one attempt and more. Nothing is sent: all of it is computed from the policies and from what is assumed of the models.

mod args;
mod chart;
mod policies;
mod table;

use std::{
    fs,
    io::{self, Write as _},
    process::ExitCode,
};

use args::{Args, Asked, HELP};
use fcretry::cost::InvalidPlan;
use policies::{Curve, Row};

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Help) => {
            let _ = writeln!(io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("planner: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    let (rows, curves) = match plan(&args) {
        Ok(plans) => plans,
        Err(fault) => {
            eprintln!("planner: {fault}");
            return ExitCode::from(2);
        }
    };
    if let Some(file) = &args.svg
        && let Err(error) = fs::write(file, chart::svg(&curves))
    {
        eprintln!("planner: {}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    let mut out = io::stdout().lock();
    let written = if args.json {
        table::write_json(&mut out, &args, &rows, &curves)
    } else {
        table::write(&mut out, &args, &rows)
    };
    match written {
        // Whoever stops reading has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("planner: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn plan(args: &Args) -> Result<(Vec<Row>, Vec<Curve>), InvalidPlan> {
    Ok((policies::rows(args)?, policies::curves(args)?))
}
