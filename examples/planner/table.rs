//! The plans as a person or a program reads them.

use std::io::{self, Write};

use fcretry::{Prices, cost::Spend};
use serde_json::{Value, json};

use crate::{
    args::Args,
    policies::{CHEAP, Curve, GOOD, Row},
};

pub(crate) fn write(out: &mut impl Write, args: &Args, rows: &[Row]) -> io::Result<()> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    writeln!(
        out,
        "Bad answers: {} of {GOOD}'s, {} of {CHEAP}'s; a repair makes {} of them good, asking again {}.",
        percent(args.failures),
        percent(args.cheap_failures),
        percent(args.repaired),
        percent(args.resent),
    )?;
    writeln!(
        out,
        "{} tokens a request, {} an answer; prices of {}. Per success, failed calls included:\n",
        args.prompt,
        args.answer,
        Prices::BUILTIN_DATE,
    )?;
    writeln!(
        out,
        "{:<29} {:>8}  {:>8} {:>7}  {:>9} {:>9}  {:>7} {:>7}",
        "policy", "success", "requests", "tokens", "cost", "95 %", "time", "95 %",
    )?;
    for Row { name, plan } in rows {
        let success = plan.success * 100.0;
        write!(out, "{name:<29} {success:>6.2} %")?;
        let Some(Spend { requests, tokens, cost, time, .. }) = &plan.per_success else {
            writeln!(out, "  never")?;
            continue;
        };
        write!(out, "  {:>8.3} {:>7.0}", requests.mean, tokens.mean)?;
        match cost {
            Some(cost) => write!(out, "  {:>9.6} {:>9.6}", cost.mean, cost.p95)?,
            None => write!(out, "  {:>9} {:>9}", "-", "-")?,
        }
        let [mean, p95] = [time.mean, time.p95].map(|time| time.as_secs_f64());
        writeln!(out, "  {mean:>5.1} s {p95:>5.1} s")?;
    }
    match &args.svg {
        Some(file) => writeln!(out, "\nThe curve is in {}.", file.display()),
        None => writeln!(
            out,
            "\n--svg FILE draws the cost of a success against how many calls succeed."
        ),
    }
}

pub(crate) fn write_json(
    out: &mut impl Write,
    args: &Args,
    rows: &[Row],
    curves: &[Curve],
) -> io::Result<()> {
    let rows = rows.iter().map(|row| json!({"policy": row.name, "plan": row.plan}));
    let curves = curves.iter().map(|curve| {
        let points = curve.points.iter();
        let points =
            points.map(|point| json!({"max_attempts": point.attempts, "plan": point.plan}));
        json!({"name": curve.name, "points": points.collect::<Value>()})
    });
    let document = json!({
        "assumed": {
            "failures": {GOOD: args.failures, CHEAP: args.cheap_failures},
            "repaired": args.repaired,
            "resent": args.resent,
            "prompt_tokens": args.prompt,
            "completion_tokens": args.answer,
            "prices_of": Prices::BUILTIN_DATE,
        },
        "policies": rows.collect::<Value>(),
        "curves": curves.collect::<Value>(),
    });
    writeln!(out, "{document:#}")
}
