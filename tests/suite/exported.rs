//! Metrics as Prometheus gets them.

use std::collections::{BTreeMap, BTreeSet};

use fcretry::metrics::BUCKETS;
use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// What a thread writes while this is there.
pub(crate) struct Exported {
    handle: PrometheusHandle,
    _local: LocalRecorderGuard<'static>,
}

/// One line: a figure, and whose it is.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exported {
    pub(crate) fn new() -> Self {
        let mut builder = PrometheusBuilder::new().with_recommended_naming(true);
        for (name, bounds) in BUCKETS {
            let matcher = Matcher::Full(name.to_owned());
            builder = builder.set_buckets_for_metric(matcher, bounds).unwrap();
        }
        // One per test, and none for longer than the tests.
        let recorder: &'static PrometheusRecorder = Box::leak(Box::new(builder.build_recorder()));
        let handle = recorder.handle();
        Self { handle, _local: metrics::set_default_local_recorder(recorder) }
    }

    pub(crate) fn text(&self) -> String {
        self.handle.render()
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        let text = self.text();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(sample).collect()
    }

    /// The sum of what is exported as `name` with these labels, whatever the others are.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &Sample| {
            labels.iter().all(|(key, value)| sample.labels.get(*key).map_or("", |v| v) == *value)
        };
        let samples = self.samples();
        let its = samples.iter().filter(|it| it.name == name && has(it));
        // A sum of no floats is -0.
        its.fold(0.0, |sum, sample| sum + sample.value)
    }

    /// What is said of each metric: its type, and its description.
    pub(crate) fn described(&self) -> BTreeMap<String, (String, String)> {
        let mut described = BTreeMap::<String, (String, String)>::new();
        for line in self.text().lines() {
            let mut words = line.splitn(4, ' ');
            let (mark, what) = (words.next(), words.next());
            let (Some("#"), Some(what), Some(name)) = (mark, what, words.next()) else { continue };
            let of = described.entry(name.to_owned()).or_default();
            let text = words.next().unwrap_or_default().to_owned();
            if what == "TYPE" { of.0 = text } else { of.1 = text }
        }
        described
    }

    /// The names of all labels.
    pub(crate) fn labels(&self) -> BTreeSet<String> {
        self.samples().into_iter().flat_map(|sample| sample.labels.into_keys()).collect()
    }
}

fn sample(line: &str) -> Sample {
    let (whose, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = whose.split_once('{').unwrap_or((whose, "}"));
    let labels = labels.strip_suffix('}').unwrap();
    // No value of ours has a comma or a quote in it.
    let labels = labels.split(',').filter_map(|label| label.split_once('='));
    let labels = labels.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()));
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().unwrap() }
}
