use std::{fmt, path::PathBuf};

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Compares what retry policies cost per success, in a table and as a curve.

Usage: cargo run --example planner -- [OPTIONS]

Options:
  --failures SHARE        of gpt-4.1's answers that are bad [default: 0.10]
  --cheap-failures SHARE  of deepseek-v3.2's [default: 0.20]
  --repaired SHARE        of bad answers that are good once they are fed back [default: 0.71]
  --resent SHARE          of bad answers that are good when asked again [default: 0.14]
  --prompt N              tokens of a request [default: 1200]
  --answer N              tokens of an answer [default: 300]
  --svg FILE              write the curve of cost against success to FILE
  --json                  one JSON document on standard output
  --help                  this text

Of the bad answers 45 % are no JSON, 35 % do not fit the schema and 20 % break a rule.

Exit status: 0 planned, 1 the file cannot be written, 2 wrong usage.";

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) failures: f64,
    pub(crate) cheap_failures: f64,
    pub(crate) repaired: f64,
    pub(crate) resent: f64,
    pub(crate) prompt: u64,
    pub(crate) answer: u64,
    pub(crate) svg: Option<PathBuf>,
    pub(crate) json: bool,
}

pub(crate) enum Asked {
    Run(Args),
    Help,
}

impl Args {
    pub(crate) fn read() -> Result<Asked, Fault> {
        let mut args = Self {
            failures: 0.10,
            cheap_failures: 0.20,
            repaired: 0.71,
            resent: 0.14,
            prompt: 1200,
            answer: 300,
            svg: None,
            json: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(option) = parser.next()? {
            match option {
                Long("failures") => args.failures = share("--failures", &mut parser)?,
                Long("cheap-failures") => {
                    args.cheap_failures = share("--cheap-failures", &mut parser)?;
                }
                Long("repaired") => args.repaired = share("--repaired", &mut parser)?,
                Long("resent") => args.resent = share("--resent", &mut parser)?,
                Long("prompt") => args.prompt = parser.value()?.parse()?,
                Long("answer") => args.answer = parser.value()?.parse()?,
                Long("svg") => args.svg = Some(PathBuf::from(parser.value()?)),
                Long("json") => args.json = true,
                Long("help") | Short('h') => return Ok(Asked::Help),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Asked::Run(args))
    }
}

fn share(option: &str, parser: &mut lexopt::Parser) -> Result<f64, Fault> {
    let share: f64 = parser.value()?.parse()?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(Fault(format!("{option} is a share, from 0 to 1")))
    }
}

/// What is wrong with the command line.
pub(crate) struct Fault(String);

impl From<lexopt::Error> for Fault {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
