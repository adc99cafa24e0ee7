//! The behaviour of both crates together, from the user's side.

// A suite asserts by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod adaptive;
mod anyhow_errors;
mod asks;
mod bad_servers;
mod batches;
mod budgets;
mod by_hand;
mod cancellation;
mod collected;
mod configuration;
mod costs;
mod dashboard;
mod degrade;
mod dialects;
mod expansion;
mod exported;
mod fallback;
mod feedback;
mod grafana;
mod guards;
mod keys;
mod left_early;
mod limits;
mod metrics;
mod nested;
mod observers;
mod outages;
mod own_errors;
mod parallel;
mod plans;
mod prices;
mod privacy;
mod progress;
mod quirks;
mod reading;
mod reading_laws;
mod refusals;
mod reports;
mod resumed;
mod routes;
mod rules;
mod run;
mod spans;
mod stats;
mod stream_laws;
mod streams;
mod support;
mod throttled;
mod tool_sets;
mod tools;
mod transport;
mod typed_laws;
mod wire;
