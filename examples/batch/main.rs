//! Each line of a file through an annotated function, many at a time.
//!
//! `cargo run --example batch` plays 2000 small orders against a scripted model that limits, breaks off, fails and errs
//! at fixed shares. With `OPENAI_BASE_URL` (and `OPENAI_API_KEY`) in the environment it asks that server instead. Ctrl-C stops it;
//! with `--checkpoint FILE` the next run goes on where it was.

mod args;
mod progress;

use std::{
    collections::BTreeMap,
    future::Future,
    io::{self, Write as _},
    pin::pin,
    process::ExitCode,
    sync::Arc,
};

use args::{Args, Asked};
use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    Batch, Keep, Totals, batch,
    guard::Throttle,
    prelude::*,
    testing::{MockModel, Reply},
};
use progress::Progress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Record what was ordered.
#[derive(Debug, Serialize, Deserialize, JsonSchema, ToolCall)]
struct Order {
    item: String,
    #[schemars(range(min = 1))]
    count: u32,
}

#[retry_policy(
    max_attempts = 8,
    timeout = "30s",
    deadline = "120s",
    backoff(exponential, base = "20ms", max = "2s", jitter = "full"),
    on(rate_limit, retry = 6)
)]
async fn order(
    attempt: &Attempt,
    client: &Client<OpenAIConfig>,
    model: &str,
    line: String,
) -> fcretry::Result<Order> {
    attempt.chat(client, model).system("Record what was ordered.").user(line.as_str()).call().await
}

/// A model that errs as models and their servers do, the same in every run. A server pushes back where it is asked faster than it
/// allows, which a throttle sees to.
fn faulty(is_throttled: bool) -> MockModel {
    let good = Reply::tool_call("order", json!({"item": "mug", "count": 2})).delay("5ms");
    let faults = [
        (if is_throttled { 0.0 } else { 0.05 }, Reply::status(429).retry_after("20ms")),
        (0.03, Reply::status(503)),
        (0.02, Reply::drop_connection()),
        (0.05, Reply::tool_call("order", json!({"item": "mug", "count": 0}))),
        (0.04, Reply::tool_call("order", "{'item': 'mug', 'count': '2',}")),
        (0.02, Reply::text("Two mugs, gladly!")),
        (0.01, Reply::truncated("order", r#"{"item": "mu"#)),
        (0.005, Reply::text("I'm sorry, but I can't help with that.")),
    ];
    MockModel::mix(7, good, faults)
}

/// What came of the batch, in numbers.
struct Outcome {
    totals: Totals,
    items: BTreeMap<String, u32>,
    fault: Option<String>,
    was_stopped: bool,
}

async fn play<I, K>(
    batch: Batch<I, K>,
    client: &Client<OpenAIConfig>,
    args: &Args,
    stop: impl Future,
) -> Outcome
where
    I: Iterator<Item = String>,
    K: Keep<String, Order>,
{
    let mut records = batch.stream(|line| order(client, &args.model, line));
    let mut progress = Progress::new(args.lines.len(), !args.json);
    let mut items = BTreeMap::new();
    let mut stop = pin!(stop);
    let was_stopped = loop {
        tokio::select! {
            record = records.next() => match record {
                None => break false,
                Some(record) => {
                    if let Ok(order) = record.result {
                        *items.entry(order.item).or_default() += order.count;
                    }
                    progress.show(records.totals(), records.in_flight());
                }
            },
            // Values that were read are in the checkpoint already; the calls that run are dropped.
            _ = &mut stop => break true,
        }
    };
    progress.end();
    let fault = records.fault().map(ToString::to_string);
    Outcome { totals: records.totals().clone(), items, fault, was_stopped }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Help) => {
            let _ = writeln!(io::stdout(), "{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("batch: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    let client = match args.base_url {
        Some(_) => fcretry::openai::client(OpenAIConfig::new()),
        None => faulty(args.rate.is_some()).client(),
    };
    let mut inputs = batch(args.lines.iter().cloned()).concurrency(args.concurrency);
    if let Some(rate) = args.rate {
        let calls = u32::try_from(args.concurrency).unwrap_or(u32::MAX);
        // Tokens are the server's to limit: what it says of them in its headers lowers this.
        let limits = Throttle::new(rate, u64::MAX).burst(1).in_flight(calls);
        inputs = inputs.throttle(&Arc::new(limits));
    }
    let stop = tokio::signal::ctrl_c();
    let outcome = match &args.checkpoint {
        None => play(inputs, &client, &args, stop).await,
        Some(path) => match inputs.checkpoint(path) {
            Ok(inputs) => play(inputs, &client, &args, stop).await,
            Err(fault) => {
                eprintln!("batch: {fault}");
                return ExitCode::from(2);
            }
        },
    };
    let written = if args.json { as_json(&outcome) } else { as_text(&outcome) };
    if written.is_err() || outcome.was_stopped {
        return ExitCode::from(130);
    }
    if outcome.totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn as_json(outcome: &Outcome) -> io::Result<()> {
    let Outcome { totals, items, fault, was_stopped } = outcome;
    let document =
        json!({"totals": totals, "items": items, "fault": fault, "stopped": was_stopped});
    writeln!(io::stdout(), "{document:#}")
}

fn as_text(outcome: &Outcome) -> io::Result<()> {
    let Outcome { totals, items, fault, was_stopped } = outcome;
    let mut out = io::stdout().lock();
    if *was_stopped {
        writeln!(out, "Stopped.")?;
    }
    writeln!(
        out,
        "{} done ({} from the checkpoint), {} failed; {} requests, {} tokens{}, {}, {:.1} s",
        totals.done,
        totals.kept,
        totals.failed,
        totals.wire_requests,
        totals.usage.total(),
        if totals.partial { " known" } else { "" },
        totals.cost.map_or("cost not known".to_owned(), |cost| cost.to_string()),
        totals.elapsed.as_secs_f64(),
    )?;
    for (kind, count) in &totals.failures_by_kind {
        let lost = totals.failed_by_kind.get(kind).copied().unwrap_or_default();
        writeln!(out, "  {kind:20} {count:5} times, {lost:3} of them final")?;
    }
    for (item, count) in items {
        writeln!(out, "  {count} x {item}")?;
    }
    if let Some(fault) = fault {
        writeln!(out, "  {fault}")?;
    }
    Ok(())
}
