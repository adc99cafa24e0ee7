//! The dashboard for Grafana shows what there is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{exported::Exported, metrics::bad_day};

const DASHBOARD: &str = include_str!("../../fcretry/assets/grafana.json");

/// Every expression of the dashboard, of panels and of variables.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("expr" | "definition", Value::String(text)) => found.push(text.clone()),
                    (_, value) => expressions(value, found),
                }
            }
        }
        _ => {}
    }
}

fn dashboard() -> Vec<String> {
    let mut found = Vec::new();
    expressions(&serde_json::from_str(DASHBOARD).unwrap(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The words of an expression that name something of ours, but for what stands in quotes.
fn names(expression: &str) -> BTreeSet<&str> {
    let code = expression.split('"').step_by(2);
    let words = code.flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let ours =
        |word: &&str| ["fcretry_", "gen_ai_", "error_"].iter().any(|start| word.starts_with(start));
    words.filter(ours).collect()
}

#[tokio::test(start_paused = true)]
async fn every_metric_and_label_on_the_dashboard_is_written_and_every_one_written_is_on_it() {
    let exported = Exported::new();
    bad_day().await;
    let samples: BTreeSet<_> = exported.samples().into_iter().map(|sample| sample.name).collect();
    let (described, labels) = (exported.described(), exported.labels());
    let expressions = dashboard();
    let shown: BTreeSet<_> = expressions.iter().flat_map(|text| names(text)).collect();
    for name in &shown {
        assert!(samples.contains(*name) || labels.contains(*name), "nothing writes {name}");
    }
    for (name, (kind, description)) in &described {
        assert!(!description.is_empty(), "nobody says what {name} is");
        let is_it = |shown: &&str| match kind.as_str() {
            "counter" => shown == name,
            _ => shown
                .strip_prefix(name.as_str())
                .is_some_and(|end| end == "_bucket" || end == "_sum"),
        };
        assert!(shown.iter().any(is_it), "{name} is not shown");
        assert!(["counter", "histogram"].contains(&kind.as_str()), "{name} is a {kind}");
    }
    assert_eq!(described.len(), 16, "{:?}", described.keys());
}

#[test]
fn every_panel_asks_the_data_source_that_was_chosen() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()));
    }
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
}
