use std::{env, fmt, fs, io::Read as _};

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Extracts an order from an email, against a scripted model by default.

Usage: cargo run --example quickstart -- [OPTIONS]

Options:
  --model NAME      the model to ask [default: gpt-4o-mini]
  --fallback NAME   the model to go on with when the first is given up
  --text FILE       the email; - is standard input [default: a small order]
  --mode tool|json  a tool call, or JSON content [default: tool]
  --stream          read the answer while it comes
  --json            one JSON document on standard output: value, error, report
  --help            this text

Environment:
  OPENAI_BASE_URL   the server to ask, such as http://127.0.0.1:8080/v1
  OPENAI_API_KEY    its key, if it wants one

Exit status: 0 a value, 1 the call failed, 2 wrong usage.";

const EMAIL: &str = "\
Hi there,
please send me two ceramic mugs at $12.50 each and one teapot for $20.50.
Thanks, Ada Lovelace";

/// The form in which the order is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Tool,
    Json,
}

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) model: String,
    pub(crate) fallback: Option<String>,
    pub(crate) text: String,
    pub(crate) mode: Mode,
    pub(crate) stream: bool,
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
            model: "gpt-4o-mini".to_owned(),
            fallback: None,
            text: EMAIL.to_owned(),
            mode: Mode::Tool,
            stream: false,
            json: false,
            base_url: env::var("OPENAI_BASE_URL").ok().filter(|url| !url.trim().is_empty()),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(option) = parser.next()? {
            match option {
                Long("model") => args.model = name(parser.value()?.string()?, "--model")?,
                Long("fallback") => {
                    args.fallback = Some(name(parser.value()?.string()?, "--fallback")?);
                }
                Long("text") => args.text = read_text(&parser.value()?.string()?)?,
                Long("mode") => {
                    args.mode = match parser.value()?.string()?.as_str() {
                        "tool" => Mode::Tool,
                        "json" => Mode::Json,
                        other => {
                            return Err(Fault(format!("--mode is tool or json, not {other:?}")));
                        }
                    }
                }
                Long("stream") => args.stream = true,
                Long("json") => args.json = true,
                Long("help") | Short('h') => return Ok(Asked::Help),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Asked::Run(args))
    }
}

fn name(name: String, option: &str) -> Result<String, Fault> {
    if name.trim().is_empty() { Err(Fault(format!("{option} needs a name"))) } else { Ok(name) }
}

fn read_text(file: &str) -> Result<String, Fault> {
    let read = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    match read {
        Ok(text) if text.trim().is_empty() => {
            Err(Fault(format!("--text {file}: there is no text in it")))
        }
        Ok(text) => Ok(text),
        Err(error) => Err(Fault(format!("--text {file}: {error}"))),
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
