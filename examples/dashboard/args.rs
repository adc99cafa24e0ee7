use std::fmt;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Shows a page with live figures of calls, and makes calls of models with faults to be seen there.

Usage: cargo run --example dashboard -- [OPTIONS]

Options:
  --port N       the port of 127.0.0.1 to serve at, 0 for a free one [default: 8090]
  --seconds N    end by itself after this time [default: run until Ctrl-C]
  --history N    how many minutes are played beforehand, in no time: 0 to 60 [default: 60]
  --seed N       another run of luck [default: 1]
  --help         this text

It can be reached from this machine only, and asks nobody who he is. To see it from elsewhere forward the port
(ssh -L 8090:127.0.0.1:8090 HOST), or mount fcretry::dashboard::router in a server of yours behind its own login.";

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) port: u16,
    pub(crate) seconds: Option<u64>,
    pub(crate) history: u64,
    pub(crate) seed: u64,
}

pub(crate) enum Asked {
    Run(Args),
    Help,
}

impl Args {
    pub(crate) fn read() -> Result<Asked, Fault> {
        let mut args = Self { port: 8090, seconds: None, history: 60, seed: 1 };
        let mut parser = lexopt::Parser::from_env();
        while let Some(option) = parser.next()? {
            match option {
                Long("port") => args.port = parser.value()?.parse()?,
                Long("seconds") => args.seconds = Some(parser.value()?.parse()?),
                Long("history") => {
                    args.history = parser.value()?.parse()?;
                    if args.history > 60 {
                        return Err(Fault("--history is 60 at most".to_owned()));
                    }
                }
                Long("seed") => args.seed = parser.value()?.parse()?,
                Long("help") | Short('h') => return Ok(Asked::Help),
                other => return Err(other.unexpected().into()),
            }
        }
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
