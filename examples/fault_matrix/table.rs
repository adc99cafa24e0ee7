//! The rows as a person or a program reads them.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    play::{Played, Seen},
    row::{End, Row, Waited},
};

/// One line a row; requests and result where the fault happens once, and where it lasts.
pub(crate) fn write(out: &mut impl Write, played: &[Played], elapsed: Duration) -> io::Result<()> {
    let mut line = |cells: [&str; 6]| {
        let [fault, form, kind, requests, waited, result] = cells;
        let line = format!("{fault:<46} {form:<11} {kind:<19} {requests:>8} {waited:>8}  {result}");
        writeln!(out, "{}", line.trim_end())
    };
    line(["fault", "form", "kind", "requests", "waited", "result"])?;
    for row in played {
        let Played { row: Row { fault, form, kind, .. }, once, lasting } = row;
        line([
            fault,
            form.as_str(),
            kind.map_or("-", fcretry::FailureKind::as_str),
            &format!("{} / {}", once.requests, lasting.requests),
            &waited(row),
            &format!("{} / {}", end(once), end(lasting)),
        ])?;
    }
    let wrong: Vec<_> = played.iter().filter(|row| !row.is_as_designed()).collect();
    for row in &wrong {
        writeln!(out, "\nNot as designed: {} ({})", row.row.fault, row.row.form.as_str())?;
        for fault in row.faults() {
            writeln!(out, "  {fault}")?;
        }
    }
    writeln!(
        out,
        "\n{} faults, each once / for ever; {} as designed; {:.1} s",
        played.len(),
        played.len() - wrong.len(),
        elapsed.as_secs_f64(),
    )
}

fn end(seen: &Seen) -> &'static str {
    match seen.end {
        End::Value => "value",
        End::Fails => "fails",
    }
}

/// The server's wait has a random part: it is shown by what was told.
fn waited(played: &Played) -> String {
    let of = |wait: Duration| match wait.as_millis() {
        0 => "-".to_owned(),
        millis => format!("{millis} ms"),
    };
    match played.row.waited {
        Waited::AtLeast(least) if played.lasting.waited >= least => format!("> {}", of(least)),
        _ => of(played.lasting.waited),
    }
}

pub(crate) fn write_json(out: &mut impl Write, played: &[Played]) -> io::Result<()> {
    let seen = |seen: &Seen| {
        json!({
            "requests": seen.requests,
            "result": end(seen),
            "kind": seen.last,
            "waited_ms": u64::try_from(seen.waited.as_millis()).unwrap_or(u64::MAX),
        })
    };
    let rows = played.iter().map(|row| {
        json!({
            "fault": row.row.fault,
            "form": row.row.form.as_str(),
            "kind": row.row.kind,
            "once": seen(&row.once),
            "lasting": seen(&row.lasting),
            "not_as_designed": row.faults(),
        })
    });
    writeln!(out, "{:#}", rows.collect::<Value>())
}
