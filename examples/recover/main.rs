//! Reads what models wrote, a line at a time: `cargo run --example recover < answers.jsonl`.
//!
//! Each line of standard input is `{"id": .., "input": "..", "schema": {..}}`, the schema and a `"tool"` name
//! optional. Each line of standard output says what it was read as, in the same order; standard error ends with
//! a summary.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead as _, BufWriter, Write},
    process::ExitCode,
};

use fcretry::{Failure, Recovery, parse::Reader};
use lexopt::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

const HELP: &str = "\
Reads what models wrote: exact, recovered without loss, or refused.

Usage: cargo run --example recover -- [OPTIONS] < answers.jsonl

Input, a line each:   {\"id\": any, \"input\": \"text\", \"schema\"?: {..}, \"tool\"?: \"name\"}
Output, a line each:  {\"id\", \"outcome\": \"exact\" | \"recovered\" | \"refused\", \"value\",
                       \"recoveries\": [{\"kind\", \"at\"}], \"violations\": [{\"pointer\", \"expected\", \"got\"}], \"reason\"}

Options:
  --recovery off|lossless|lenient   how far reading goes [default: lossless]
  --help                            this text

Exit status: 0 every line was judged, 1 reading or writing failed, 2 wrong usage.";

/// A line of the input.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    input: String,
    #[serde(default)]
    schema: Option<Value>,
    #[serde(default)]
    tool: Option<String>,
}

fn main() -> ExitCode {
    let recovery = match options() {
        Ok(Some(recovery)) => recovery,
        Ok(None) => return end(writeln!(io::stdout(), "{HELP}")),
        Err(fault) => {
            eprintln!("recover: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    end(judge_all(recovery))
}

fn options() -> Result<Option<Recovery>, lexopt::Error> {
    let mut recovery = Recovery::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("recovery") => {
                recovery = match parser.value()?.string()?.as_str() {
                    "off" => Recovery::Off,
                    "lossless" => Recovery::Lossless,
                    "lenient" => Recovery::Lenient,
                    other => {
                        return Err(format!(
                            "--recovery is off, lossless or lenient, not {other:?}"
                        )
                        .into());
                    }
                }
            }
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(recovery))
}

/// Whoever stops reading has seen enough.
fn end(result: io::Result<()>) -> ExitCode {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("recover: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn judge_all(recovery: Recovery) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut summary = Summary::default();
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            let judged = judge(&text, recovery);
            summary.count(&judged);
            writeln!(out, "{judged}")?;
        }
        line.clear();
    }
    out.flush()?;
    eprintln!("{summary}");
    Ok(())
}

fn judge(line: &str, recovery: Recovery) -> Value {
    let line: Line = match serde_json::from_str(line) {
        Ok(line) => line,
        Err(error) => {
            return refused(&Value::Null, &[], &format!("not a line of the input: {error}"));
        }
    };
    let schema = line.schema.unwrap_or(Value::Bool(true));
    let mut reader = match Reader::new(&schema) {
        Ok(reader) => reader.recovery(recovery),
        Err(failure) => return refused(&line.id, &[], &reason(&failure)),
    };
    if let Some(tool) = line.tool {
        reader = reader.tool(tool);
    }
    match reader.read(&line.input) {
        Ok(read) => json!({
            "id": line.id,
            "outcome": if read.recovered.is_empty() { "exact" } else { "recovered" },
            "value": read.value,
            "recoveries": read.recovered,
            "violations": [],
            "reason": null,
        }),
        Err(failure) => {
            let violations: Vec<Value> = failure
                .violations()
                .iter()
                .map(
                    |v| json!({ "pointer": v.pointer(), "expected": v.expected(), "got": v.got() }),
                )
                .collect();
            refused(&line.id, &violations, &reason(&failure))
        }
    }
}

/// The kind, and where and why reading stopped.
fn reason(failure: &Failure) -> String {
    match failure.note() {
        Some(note) => format!("{}: {note}", failure.kind()),
        None => failure.kind().to_string(),
    }
}

fn refused(id: &Value, violations: &[Value], reason: &str) -> Value {
    json!({
        "id": id,
        "outcome": "refused",
        "value": null,
        "recoveries": [],
        "violations": violations,
        "reason": reason,
    })
}

/// What came of all lines.
#[derive(Default)]
struct Summary {
    lines: usize,
    outcomes: BTreeMap<String, usize>,
    recoveries: BTreeMap<String, usize>,
}

impl Summary {
    fn count(&mut self, judged: &Value) {
        self.lines += 1;
        let outcome = judged["outcome"].as_str().unwrap_or_default();
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        let mut kinds: Vec<&str> = judged["recoveries"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|recovery| recovery["kind"].as_str())
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *self.recoveries.entry(kind.to_owned()).or_default() += 1;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines", self.lines)?;
        for (outcome, count) in &self.outcomes {
            write!(f, ", {count} {outcome}")?;
        }
        for (kind, count) in &self.recoveries {
            write!(f, "\n  {kind}: {count}")?;
        }
        Ok(())
    }
}
