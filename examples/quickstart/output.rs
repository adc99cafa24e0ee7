use std::{
    fmt::Write as _,
    io::{self, Write},
};

use fcretry::{Action, AttemptReport, Error, Report};
use serde_json::json;

use crate::{PlaceOrder, args::Args};

/// The outcome as a person or a program reads it.
pub(crate) fn print(
    out: &mut impl Write,
    args: &Args,
    order: &Result<PlaceOrder, Error>,
    report: &Report,
) -> io::Result<()> {
    if args.json {
        let error = order
            .as_ref()
            .err()
            .map(|error| json!({ "kind": error.kind(), "message": error.to_string() }));
        let document = json!({ "value": order.as_ref().ok(), "error": error, "report": report });
        return writeln!(out, "{document:#}");
    }
    match &args.base_url {
        Some(url) => writeln!(out, "Asking {} at {url}\n", args.model)?,
        None => writeln!(out, "Asking a scripted model (set OPENAI_BASE_URL to ask a server)\n")?,
    }
    print_attempts(out, report)?;
    if let Ok(order) = order {
        print_order(out, order)?;
    }
    writeln!(
        out,
        "\n{} requests, {} + {} tokens{}, {}, {:.2} s",
        report.wire_requests,
        report.usage.prompt_tokens,
        report.usage.completion_tokens,
        if report.partial { " known" } else { "" },
        report.cost.map_or("cost not known".to_owned(), |cost| cost.to_string()),
        report.elapsed.as_secs_f64(),
    )
}

fn print_attempts(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut row = |cells: [&str; 6]| {
        let [number, model, happened, decided, wait, tokens] = cells;
        writeln!(out, "{number:>2}  {model:<18} {happened:<38} {decided:<9} {wait:>7} {tokens:>7}")
    };
    row(["#", "model", "what happened", "decided", "wait", "tokens"])?;
    for attempt in &report.attempts {
        let wait = match attempt.delay.as_secs_f64() {
            0.0 => "-".to_owned(),
            seconds => format!("{seconds:.2} s"),
        };
        row([
            &attempt.number.to_string(),
            attempt.model.as_deref().unwrap_or("-"),
            &what_happened(attempt),
            attempt.action.map_or("accept", Action::as_str),
            &wait,
            &attempt.usage.total().to_string(),
        ])?;
    }
    Ok(())
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

fn print_order(out: &mut impl Write, order: &PlaceOrder) -> io::Result<()> {
    writeln!(out, "\n{}", order.customer)?;
    for item in &order.items {
        writeln!(out, "  {} x {} at {:.2}", item.quantity, item.name, item.price)?;
    }
    writeln!(out, "  total {:.2}", order.total)
}
