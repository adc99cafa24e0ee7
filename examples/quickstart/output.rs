use std::fmt::Write as _;

use fcretry::{AttemptReport, Error, Report};
use serde_json::json;

use crate::{PlaceOrder, args::Args};

/// The outcome as a person or a program reads it.
pub(crate) fn print(
    args: &Args,
    offline: bool,
    order: &Result<PlaceOrder, Error>,
    report: &Report,
) {
    if args.json {
        let error = order
            .as_ref()
            .err()
            .map(|error| json!({ "kind": error.kind(), "message": error.to_string() }));
        let document = json!({ "value": order.as_ref().ok(), "error": error, "report": report });
        println!("{document:#}");
        return;
    }
    match &args.base_url {
        Some(url) => println!("Asking {} at {url}\n", args.model),
        None => println!("Asking a scripted model (set OPENAI_BASE_URL to ask a server)\n"),
    }
    print_attempts(report);
    match order {
        Ok(order) => print_order(order),
        Err(error) => eprintln!("\nNo order: {error}"),
    }
    println!(
        "\n{} requests, {} + {} tokens{}, {:.2} s",
        report.wire_requests,
        report.usage.prompt_tokens,
        report.usage.completion_tokens,
        if report.partial { " (of the answers that say)" } else { "" },
        report.elapsed.as_secs_f64(),
    );
    if offline && std::env::var_os("OPENAI_API_KEY").is_some() {
        println!(
            "OPENAI_API_KEY alone names no server; set OPENAI_BASE_URL=https://api.openai.com/v1 too."
        );
    }
}

fn print_attempts(report: &Report) {
    println!(
        " #  {:<18} {:<38} {:<9} {:>7} {:>7}",
        "model", "what happened", "decided", "wait", "tokens"
    );
    for attempt in &report.attempts {
        println!(
            "{:>2}  {:<18} {:<38} {:<9} {:>7} {:>7}",
            attempt.number,
            attempt.model.as_deref().unwrap_or("-"),
            what_happened(attempt),
            attempt.action.map_or("accept", fcretry::Action::as_str),
            if attempt.delay.is_zero() {
                "-".to_owned()
            } else {
                format!("{:.2} s", attempt.delay.as_secs_f64())
            },
            attempt.usage.total(),
        );
    }
}

fn what_happened(attempt: &AttemptReport) -> String {
    let Some(kind) = attempt.kind else { return "a right order".to_owned() };
    let mut text = kind.to_string();
    if let Some(status) = attempt.status {
        let _ = write!(text, " (status {status})");
    }
    if let Some(violation) = attempt.violations.first() {
        let _ = write!(text, " at {}", violation.pointer);
    }
    if attempt.violations.len() > 1 {
        let _ = write!(text, " and {} more", attempt.violations.len() - 1);
    }
    text
}

fn print_order(order: &PlaceOrder) {
    println!("\n{}", order.customer);
    for item in &order.items {
        println!("  {} x {} at {:.2}", item.quantity, item.name, item.price);
    }
    println!("  total {:.2}", order.total);
}
