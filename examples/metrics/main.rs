//! Metrics of calls of a server that errs, as Prometheus would get them.
//!
//! `cargo run --example metrics -- --seconds 300` makes calls for five minutes, on a paused clock and so in no time, and prints what
//! they come to. A program of yours serves the same text, and `assets/grafana.json` of the crate `fcretry` shows it.

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    metrics::{BUCKETS, Metrics},
    prelude::*,
    testing::{MockModel, Reply},
};
use lexopt::prelude::*;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, timeout};

const HELP: &str = "\
Prints metrics of calls of a server that errs, as Prometheus would get them.

Usage: cargo run --example metrics -- [OPTIONS]

Options:
  --seconds N    how long calls are made, on a paused clock [default: 60]
  --help         this text";

static METRICS: Metrics = Metrics::new();

/// Record what was ordered.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Order {
    #[allow(dead_code, reason = "only what became of the call is of interest here")]
    item: String,
    #[allow(dead_code, reason = "as above")]
    #[schemars(range(min = 1))]
    count: u32,
}

#[retry_policy(on(refusal, escalate), fallback("gpt-4.1-mini"), observer(METRICS))]
async fn order(attempt: &Attempt, client: &Client<OpenAIConfig>) -> fcretry::Result<Order> {
    attempt.chat(client, "gpt-4.1").user("Two mugs, please.").stream().call().await
}

fn faulty() -> MockModel {
    let said = |arguments: &str| Reply::tool_call("order", arguments).usage(320, 30);
    let good = Reply::tool_call("order", json!({"item": "mug", "count": 2}));
    let good = good.usage(320, 25).cached(256).delay("400ms");
    MockModel::mix(
        1,
        good,
        [
            (0.05, said("{'item': 'mug', 'count': 2,}").delay("400ms")),
            (0.05, said(r#"{"item": "mug", "count": "a few"}"#).delay("400ms")),
            (0.04, Reply::status(503).delay("2s")),
            (0.03, Reply::status(429).retry_after("1500ms")),
            (0.01, Reply::refusal("I can't do that.")),
        ],
    )
}

/// What a program that is asked by Prometheus does where it begins.
fn recorder() -> Result<PrometheusHandle, Box<dyn Error>> {
    let mut builder = PrometheusBuilder::new().with_recommended_naming(true);
    for (name, bounds) in BUCKETS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)?;
    }
    Ok(builder.install_recorder()?)
}

fn seconds() -> Result<Option<u64>, lexopt::Error> {
    let mut seconds = 60;
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Long("seconds") => seconds = parser.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(seconds))
}

async fn run(seconds: u64) -> Result<(), Box<dyn Error>> {
    let recorder = recorder()?;
    let model = faulty();
    let client = model.client();
    let calls = async {
        loop {
            let _ = order(&client).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let limit = Duration::from_secs(seconds);
    let _ = timeout(limit, calls).await;
    // The recorder has no order of its own.
    let text = recorder.render();
    let mut metrics: Vec<_> = text.trim().split("\n\n").collect();
    metrics.sort_unstable();
    writeln!(io::stdout(), "{}", metrics.join("\n\n"))?;
    Ok(())
}

/// One thread, whose clock is paused.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> ExitCode {
    let seconds = match seconds() {
        Ok(Some(seconds)) => seconds,
        Ok(None) => {
            let _ = writeln!(io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("metrics: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(seconds).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("metrics: {fault}");
            ExitCode::FAILURE
        }
    }
}
