//! What learning which way out of a failure costs least gains over the fixed order of a rule, in worlds where models err in known
//! shares: `cargo run --release --example adaptive`.

mod world;

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use fcretry::{Adaptive, cost::InvalidCost};
use lexopt::prelude::*;
use world::{SCENARIOS, Scenario, Sum};

const HELP: &str = "\
Plays calls whose failures have more than one way out, by the fixed order of their rule and with what is learned.

Usage: cargo run --release --example adaptive -- [OPTIONS]

Options:
  --calls N   calls of each scenario [default: 4000]
  --seed N    of what the models say [default: 7]
  --learned   also what was learned in each
  --help      this text

Exit status: 0 nowhere worse by more than 5 %, 1 somewhere, 2 wrong usage.";

/// What a success may cost more than by the fixed order.
const MOST: f64 = 1.05;

struct Args {
    calls: u32,
    seed: u64,
    learned: bool,
}

/// `None` asks for help.
fn read_args() -> Result<Option<Args>, lexopt::Error> {
    let mut args = Args { calls: 4000, seed: 7, learned: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("calls") => args.calls = parser.value()?.parse()?,
            Long("seed") => args.seed = parser.value()?.parse()?,
            Long("learned") => args.learned = true,
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
            eprintln!("adaptive: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    match play(&args) {
        Ok(worst) if worst <= MOST => ExitCode::SUCCESS,
        Ok(worst) => {
            eprintln!("adaptive: worse by {:.1} % in one", (worst - 1.0) * 100.0);
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("adaptive: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// The largest share of what a success costs by the fixed order.
fn play(args: &Args) -> Result<f64, Box<dyn std::error::Error>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:62}  {:^19}  {:^19}  change", "", "fixed order", "learned")?;
    writeln!(out, "{0:62}  {1:>9} {2:>9}  {1:>9} {2:>9}", "", "right", "$ / 1000")?;
    let mut worst: f64 = 0.0;
    for scenario in SCENARIOS {
        let adaptive = Arc::new(Adaptive::new());
        let (fixed, learned) = runtime.block_on(both(scenario, args, &adaptive))?;
        let change = learned.per_success() / fixed.per_success();
        worst = worst.max(change);
        let show =
            |sum: Sum| format!("{:8.1}% {:9.3}", sum.share() * 100.0, sum.per_success() * 1e3);
        let change = (change - 1.0) * 100.0;
        writeln!(out, "{:62}  {}  {}  {change:+.1} %", scenario.name, show(fixed), show(learned))?;
        if args.learned {
            let now = runtime.block_on(async { adaptive.snapshot() });
            now.iter().try_for_each(|learned| writeln!(out, "    {learned}"))?;
        }
    }
    Ok(worst)
}

async fn both(
    scenario: &Scenario,
    args: &Args,
    adaptive: &Arc<Adaptive>,
) -> Result<(Sum, Sum), InvalidCost> {
    let fixed = scenario.play(args.calls, args.seed, None).await?;
    Ok((fixed, scenario.play(args.calls, args.seed, Some(adaptive)).await?))
}
