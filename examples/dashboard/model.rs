use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use fcretry::testing::{MockModel, Reply};
use serde_json::json;
use tokio::time::Instant;

/// The models, by what they take for their tokens.
pub(crate) const LARGE: &str = "gpt-4.1";
pub(crate) const QUICK: &str = "gemini-2.5-flash";
pub(crate) const SPARE: &str = "deepseek-v3.2";

/// Seconds from one outage to the next, and of each.
const OUTAGES: (u64, u64) = (240, 25);

/// A server that errs as servers and models do, and is down now and then. What it does follows from the seed and from when it is
/// asked.
pub(crate) fn faulty(seed: u64) -> MockModel {
    let (luck, start) = (Mutex::new(Rng::with_seed(seed)), Instant::now());
    MockModel::with(move |request| {
        let mut luck = luck.lock().unwrap_or_else(PoisonError::into_inner);
        let second = start.elapsed().as_secs();
        let is_down = second % OUTAGES.0 >= OUTAGES.0 - OUTAGES.1;
        let delay = Duration::from_millis(luck.u64(150..1200));
        let reply = match request.model() {
            QUICK => notes(&mut luck),
            _ if is_down => Reply::status(503),
            _ => order(second / 60, &mut luck),
        };
        reply.delay(delay)
    })
}

/// A server that is well, and slower.
pub(crate) fn spare(seed: u64) -> MockModel {
    let luck = Mutex::new(Rng::with_seed(seed));
    MockModel::with(move |_| {
        let mut luck = luck.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = Duration::from_millis(luck.u64(600..2500));
        good_order(0, &mut luck).delay(delay)
    })
}

fn order(minute: u64, luck: &mut Rng) -> Reply {
    let said = |arguments: &str| Reply::tool_call("order", arguments).usage(320, 30);
    match luck.u32(0..1000) {
        0..30 => said("{'item': 'mug', 'count': 2,}"),
        30..70 => said(r#"{"item": "mug", "count": "a few"}"#),
        70..85 => said(r#"{"item": "mug", "count": 6 * 2}"#),
        85..100 => Reply::text("Two mugs, gladly!").usage(320, 12),
        100..115 => Reply::status(503),
        115..127 => Reply::status(429).retry_after("1500ms"),
        127..135 => Reply::drop_connection(),
        135..141 => Reply::refusal("I can't do that.").usage(320, 12),
        141..144 => Reply::hang(),
        _ => good_order(minute, luck),
    }
}

fn good_order(minute: u64, luck: &mut Rng) -> Reply {
    // In some minutes somebody sends whole catalogues.
    let is_long = minute % 41 == 17;
    let prompt = if is_long { luck.u64(4_000..6_000) } else { luck.u64(280..420) };
    let value = json!({"item": "mug", "count": luck.u32(1..9)});
    Reply::tool_call("order", value).usage(prompt, luck.u64(20..60)).cached(prompt / 3)
}

fn notes(luck: &mut Rng) -> Reply {
    let lines = vec!["a line of some words"; luck.usize(20..60)];
    // Some are wrong from their first words on, and nobody waits for the rest.
    let size = if luck.u32(0..100) < 12 { "huge" } else { "small" };
    let tokens = 6 * u64::try_from(lines.len()).unwrap_or_default();
    let arguments = format!(r#"{{"size": "{size}", "lines": {}}}"#, json!(lines));
    Reply::tool_call("notes", arguments).chunk_delay("4ms").usage(150, tokens)
}
