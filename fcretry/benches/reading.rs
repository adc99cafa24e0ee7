//! What reading costs: `cargo bench --package fcretry --bench reading`.
//!
//! | group | what is measured | beside |
//! |---|---|---|
//! | `typed` | valid arguments into a type | `serde_json::from_str::<T>` |
//! | `value` | valid JSON of 100 KB into a `Value` | `serde_json::from_str::<Value>` |
//! | `malformed` | 100 KB of Python literals, and of JSON5 | the same data as JSON, by `serde_json` |
//! | `scaling` | hostile inputs of n and of 8n bytes: equal throughput is linear time | itself |

// A benchmark that cannot run has nothing to say.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fmt::Write as _, hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput};
use fcretry::{parse::Reader, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    typed(&mut criterion);
    value(&mut criterion);
    malformed(&mut criterion);
    scaling(&mut criterion);
    criterion.final_summary();
}

/// The size of one text of `value` and `malformed`, in bytes.
const SIZE: usize = 100_000;

/// The sizes of one text of `scaling`, in bytes.
const SCALES: [usize; 2] = [1_250_000, 10_000_000];

/// Arguments whose schema says no more than their types do.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Plain {
    title: String,
    body: String,
    urgent: bool,
    score: f64,
    number: i64,
    assignee: Option<String>,
    labels: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Step {
    what: String,
    minutes: f64,
    done: bool,
}

/// Arguments with constraints and a map.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Constrained {
    #[schemars(length(min = 1, max = 80))]
    customer: String,
    #[schemars(regex(pattern = r"^[A-Z]{3}$"))]
    currency: String,
    #[schemars(length(min = 1))]
    items: Vec<Item>,
    #[schemars(range(min = 0.0))]
    total: f64,
    notes: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Item {
    #[schemars(length(min = 2))]
    name: String,
    #[schemars(range(min = 1, max = 99))]
    quantity: u32,
    price: f64,
}

/// Arguments with variants, tagged by their key and by a field.
#[derive(Deserialize, JsonSchema, ToolCall)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Varied {
    shapes: Vec<Shape>,
    events: Vec<Event>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "read, and never looked at")]
enum Shape {
    Circle { radius: f64 },
    Box { width: f64, height: f64, label: Option<String> },
    Nothing,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(dead_code, reason = "read, and never looked at")]
enum Event {
    Opened { by: String },
    Moved { from: String, to: String, count: u32 },
}

fn varied(size: usize) -> Value {
    let shape = |i: usize| match i % 3 {
        0 => json!({"Circle": {"radius": 2.5}}),
        1 => json!({"Box": {"width": 1.5, "height": 2.25, "label": "lid"}}),
        _ => json!("Nothing"),
    };
    let event = |i: usize| match i % 2 {
        0 => json!({"kind": "opened", "by": format!("Ilse {i}")}),
        _ => json!({"kind": "moved", "from": "hall 3", "to": "hall 4", "count": i}),
    };
    json!({
        "shapes": (0..size).map(shape).collect::<Vec<_>>(),
        "events": (0..size).map(event).collect::<Vec<_>>(),
    })
}

fn plain(steps: usize) -> Value {
    let step = |i: usize| json!({"what": format!("Look at valve {i}"), "minutes": 2.5, "done": i.is_multiple_of(2)});
    json!({
        "title": "The pump in hall 3 is loud",
        "body": "Since Monday it hums at about 90 Hz.\nThe \"old\" one never did.",
        "urgent": false,
        "score": 0.75,
        "number": 40_312,
        "assignee": "Ilse",
        "labels": ["noise", "hall 3"],
        "steps": (0..steps).map(step).collect::<Vec<_>>(),
    })
}

fn constrained(items: usize) -> Value {
    let item =
        |i: usize| json!({"name": format!("Bolt M{i}"), "quantity": i % 99 + 1, "price": 0.25});
    let note = |i: usize| (format!("line {i}"), json!("to be packed apart"));
    json!({
        "customer": "Ann Lee",
        "currency": "EUR",
        "items": (0..items).map(item).collect::<Vec<_>>(),
        "total": 12.5,
        "notes": (0..items).map(note).collect::<serde_json::Map<_, _>>(),
    })
}

fn typed(criterion: &mut Criterion) {
    fn beside<T: ToolCall + DeserializeOwned>(
        criterion: &mut Criterion,
        size: &str,
        arguments: &Value,
    ) {
        let text = arguments.to_string();
        let mut group = criterion.benchmark_group("typed");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new(format!("{}/serde_json", T::name()), size), |b| {
            b.iter(|| serde_json::from_str::<T>(black_box(&text)).unwrap());
        });
        group.bench_function(BenchmarkId::new(format!("{}/fcretry", T::name()), size), |b| {
            b.iter(|| T::parse(black_box(&text)).unwrap());
        });
        group.finish();
    }
    beside::<Plain>(criterion, "small", &plain(3));
    beside::<Plain>(criterion, "large", &plain(400));
    beside::<Constrained>(criterion, "small", &constrained(3));
    beside::<Constrained>(criterion, "large", &constrained(250));
    beside::<Varied>(criterion, "small", &varied(3));
    beside::<Varied>(criterion, "large", &varied(250));
}

/// A list of records, of about [`SIZE`] bytes as JSON.
fn records() -> Value {
    let record = |i: usize| {
        json!({
            "id": i,
            "name": format!("Sensor {i} in the \"north\" wing"),
            "active": i.is_multiple_of(3),
            "last": null,
            "position": [51.5 + f64::from(u32::try_from(i).unwrap()) / 7.0, -0.125],
            "tags": ["temperature", "caf\u{e9}", "line\nbreak"],
        })
    };
    let one = record(500).to_string().len();
    json!({"records": (0..SIZE / one).map(record).collect::<Vec<_>>()})
}

fn any() -> Reader {
    Reader::new(&Value::Bool(true)).unwrap()
}

fn value(criterion: &mut Criterion) {
    let compact = records().to_string();
    let pretty = serde_json::to_string_pretty(&records()).unwrap();
    let reader = any();
    let mut group = criterion.benchmark_group("value");
    for (form, text) in [("compact", &compact), ("pretty", &pretty)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("serde_json", form), |b| {
            b.iter(|| serde_json::from_str::<Value>(black_box(text)).unwrap());
        });
        group.bench_function(BenchmarkId::new("fcretry", form), |b| {
            b.iter(|| reader.read(black_box(text)).unwrap());
        });
    }
    group.finish();
}

/// How something other than JSON writes a value.
#[derive(Clone, Copy)]
enum Dialect {
    Python,
    Json5,
}

fn write(value: &Value, dialect: Dialect, out: &mut String) {
    let python = matches!(dialect, Dialect::Python);
    match value {
        Value::Null => out.push_str(if python { "None" } else { "null" }),
        Value::Bool(true) => out.push_str(if python { "True" } else { "true" }),
        Value::Bool(false) => out.push_str(if python { "False" } else { "false" }),
        Value::Number(number) => write!(out, "{number}").unwrap(),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, dialect, out);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (key, value) in entries {
                if python {
                    write_text(key, out);
                    out.push_str(": ");
                } else {
                    write!(out, "\n  // the {key}\n  {key}: ").unwrap();
                }
                write(value, dialect, out);
                out.push_str(", ");
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('\'');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\'' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('\'');
}

fn malformed(criterion: &mut Criterion) {
    let reader = any();
    let records = records();
    let json = records.to_string();
    let mut group = criterion.benchmark_group("malformed");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function(BenchmarkId::new("serde_json", "as JSON"), |b| {
        b.iter(|| serde_json::from_str::<Value>(black_box(&json)).unwrap());
    });
    for (name, dialect) in [("Python", Dialect::Python), ("JSON5", Dialect::Json5)] {
        let mut text = String::new();
        write(&records, dialect, &mut text);
        assert_eq!(reader.read(&text).unwrap().value, records);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("fcretry", name), |b| {
            b.iter(|| reader.read(black_box(&text)).unwrap());
        });
    }
    group.finish();
}

/// `piece` over and over, about `size` bytes of it.
fn run(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len())
}

/// What hostile or lost models write, of about `size` bytes each. Not all of it can be read.
fn hostile(size: usize) -> [(&'static str, String); 12] {
    let tower = format!("{}{},", "[".repeat(100), "]".repeat(100));
    let half = size / 2;
    [
        ("nested/towers", format!("[{}]", run(&tower, size))),
        ("nested/openers", run("[", size)),
        ("nested/objects", run("{\"a\":", size)),
        ("quoted/strings", format!("[{}]", run("'it\\'s', ", size))),
        ("quoted/one", format!("['{}']", run("say \"so\" ", size))),
        ("quoted/open", run("\"", size)),
        ("bracketed/lists", format!("[{}]", run("[],{},", size))),
        ("bracketed/prose", run("[1] and {x} ", size)),
        ("commented/blocks", format!("[{}1]", run("/* a { */ ", size))),
        ("commented/lines", format!("[{}1]", run("// a [ b\n", size))),
        ("white space/around", format!("{0}{{'a': 1}}{0}", run(" \n\t", half))),
        ("white space/open", format!("{{\"a\": 1{}", run(" \n", size))),
    ]
}

fn scaling(criterion: &mut Criterion) {
    let reader = any();
    let mut group = criterion.benchmark_group("scaling");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    for size in SCALES {
        for (name, text) in hostile(size) {
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| reader.read(black_box(&text)).is_ok());
            });
        }
    }
    group.finish();
}
