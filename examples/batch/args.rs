use std::{env, fmt, fs, path::PathBuf};

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Sends each line of a file through a function, many at a time, against a scripted model with faults by default.

Usage: cargo run --example batch -- [OPTIONS]

Options:
  --input FILE        a line for each call [default: 2000 small orders]
  --concurrency N     calls at a time [default: 64]
  --rate N            requests a second at most [default: none but what the server allows]
  --checkpoint FILE   keep what was read, and go on from it after Ctrl-C
  --model NAME        the model to ask [default: gpt-4o-mini]
  --json              the totals as one JSON document on standard output, and no progress
  --help              this text

Environment:
  OPENAI_BASE_URL     the server to ask, such as http://127.0.0.1:8080/v1
  OPENAI_API_KEY      its key, if it wants one

Exit status: 0 a value for each line, 1 some without, 2 wrong usage, 130 stopped by Ctrl-C.";

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) lines: Vec<String>,
    pub(crate) concurrency: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) model: String,
    pub(crate) json: bool,
    pub(crate) base_url: Option<String>,
}

pub(crate) enum Asked {
    Run(Args),
    Help,
}

impl Args {
    pub(crate) fn read() -> Result<Asked, Fault> {
        let mut args = Self {
            lines: Vec::new(),
            concurrency: 64,
            rate: None,
            checkpoint: None,
            model: "gpt-4o-mini".to_owned(),
            json: false,
            base_url: env::var("OPENAI_BASE_URL").ok().filter(|url| !url.trim().is_empty()),
        };
        let mut input = None;
        let mut parser = lexopt::Parser::from_env();
        while let Some(option) = parser.next()? {
            match option {
                Long("input") => input = Some(PathBuf::from(parser.value()?)),
                Long("concurrency") => {
                    args.concurrency = parser.value()?.parse()?;
                    if args.concurrency == 0 {
                        return Err(Fault("--concurrency is 1 or more".to_owned()));
                    }
                }
                Long("rate") => {
                    let rate: f64 = parser.value()?.parse()?;
                    if !(rate > 0.0 && rate.is_finite()) {
                        return Err(Fault("--rate is more than 0".to_owned()));
                    }
                    args.rate = Some(rate);
                }
                Long("checkpoint") => args.checkpoint = Some(PathBuf::from(parser.value()?)),
                Long("model") => args.model = parser.value()?.string()?,
                Long("json") => args.json = true,
                Long("help") | Short('h') => return Ok(Asked::Help),
                other => return Err(other.unexpected().into()),
            }
        }
        args.lines = match input {
            None => (1..=2000).map(|n| format!("Order {n}: two mugs, please.")).collect(),
            Some(file) => {
                let read = fs::read_to_string(&file);
                let text = read.map_err(|error| Fault(format!("{}: {error}", file.display())))?;
                text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
            }
        };
        Ok(Asked::Run(args))
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
