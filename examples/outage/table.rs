//! The figures as a person or a program reads them.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::simulation::{Figures, OutageFigures};

/// One line a scenario.
pub(crate) fn write(out: &mut impl Write, played: &[Figures]) -> io::Result<()> {
    let mut line = |cells: [&str; 7]| {
        let [scenario, offered, sent, goodput, turned_away, in_outage, recovered] = cells;
        writeln!(
            out,
            "{scenario:<27} {offered:>7} {sent:>6} {goodput:>7} {turned_away:>13} {in_outage:>13} \
             {recovered:>9}"
        )
    };
    line(["scenario", "offered", "sent", "goodput", "429s", "in outage", "recovered"])?;
    for figures in played {
        let turned_away =
            format!("{} ({:.1} %)", figures.turned_away, 100.0 * figures.turned_away_share());
        let outage = figures.outage.as_ref();
        let in_outage = outage.map_or("-".to_owned(), |outage| {
            format!("{} ({:.0} %)", outage.sent, 100.0 * outage.share())
        });
        let recovered = outage.map_or("-".to_owned(), |outage| {
            outage.recovered_in.map_or("never".to_owned(), |time| format!("{} s", time.as_secs()))
        });
        line([
            figures.scenario.name,
            &figures.offered.to_string(),
            &figures.sent.to_string(),
            &format!("{:.1}/s", figures.goodput),
            &turned_away,
            &in_outage,
            &recovered,
        ])?;
    }
    writeln!(
        out,
        "\nIn 150 s: calls, requests, calls that end well after the first 10 s; requests while it is down, and as a\n\
         share of those in as long a time before; when goodput is over 95 % of what is offered again, after the end."
    )?;
    for figures in played {
        for missed in figures.missed() {
            writeln!(out, "{}: {missed}", figures.scenario.name)?;
        }
    }
    Ok(())
}

pub(crate) fn write_json(out: &mut impl Write, played: &[Figures]) -> io::Result<()> {
    let rows = played.iter().map(|figures| {
        let outage = figures.outage.as_ref();
        json!({
            "scenario": figures.scenario.name,
            "guarded": figures.scenario.is_guarded(),
            "load": figures.scenario.load,
            "offered": figures.offered,
            "succeeded": figures.succeeded,
            "sent": figures.sent,
            "goodput_per_second": figures.goodput,
            "429s": figures.turned_away,
            "429s_share": figures.turned_away_share(),
            "sent_in_outage": outage.map(|outage| outage.sent),
            "sent_in_outage_share": outage.map(OutageFigures::share),
            "recovered_in_s": outage.and_then(|outage| outage.recovered_in).map(|time| time.as_secs()),
            "missed": figures.missed().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    writeln!(out, "{:#}", rows.collect::<Value>())
}
