//! The dashboard in a real browser. Without one these tests say so and pass, unless `FCRETRY_BROWSER_REQUIRED` is set.

// A suite asserts by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod browser;
mod calls;

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

use axum::{
    Router,
    extract::Request,
    http::header::CONTENT_SECURITY_POLICY,
    middleware::{Next, from_fn, map_response},
    response::{Html, Response},
    routing::get,
};
use browser::{Browser, Dom};
use calls::{HOSTILE, Scene};
use fcretry::dashboard;
use serde_json::Value;
use tokio::net::TcpListener;

/// Serves `app` on a free port, and has the browser look at `path` of it.
async fn look(browser: Browser, app: Router, path: &str) -> Dom {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let dom = tokio::task::spawn_blocking(move || browser.dom(&url)).await.unwrap();
    serving.abort();
    dom
}

/// What of the page is what of the hour.
const FIGURES: [(&str, &str); 19] = [
    ("success-rate", "/success_rate"),
    ("succeeded", "/succeeded"),
    ("mean-attempts", "/mean_attempts"),
    ("p95-attempts", "/p95_attempts"),
    ("cost", "/cost"),
    ("prompt-tokens", "/usage/prompt_tokens"),
    ("completion-tokens", "/usage/completion_tokens"),
    ("failed", "/failed"),
    ("degraded", "/degraded"),
    ("cancelled", "/cancelled"),
    ("wire-requests", "/wire_requests"),
    ("recovered", "/saved/recovered"),
    ("recovered-tokens", "/saved/recovered_tokens"),
    ("left-early", "/saved/left_early"),
    ("left-early-tokens", "/saved/left_early_tokens"),
    ("tokens", "/usage"),
    ("ended", ""),
    ("without-value", ""),
    ("failures-count", "/errors"),
];

fn figure(hour: &Value, id: &str, pointer: &str) -> String {
    let count = |name: &str| hour[name].as_u64().unwrap();
    match (id, hour.pointer(pointer).unwrap()) {
        ("ended", _) => (count("calls") - count("cancelled")).to_string(),
        ("without-value", _) => (count("failed") + count("degraded")).to_string(),
        ("tokens", usage) => {
            let tokens = |name: &str| usage[name].as_u64().unwrap();
            (tokens("prompt_tokens") + tokens("completion_tokens")).to_string()
        }
        ("failures-count", errors) => {
            let errors = errors.as_array().unwrap().iter();
            errors.map(|error| error["count"].as_u64().unwrap()).sum::<u64>().to_string()
        }
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(number)) => match number.as_f64() {
            // As JavaScript writes a whole number.
            Some(whole) if whole.fract() == 0.0 => format!("{whole:.0}"),
            _ => number.to_string(),
        },
        (_, other) => panic!("{id}: {other}"),
    }
}

#[tokio::test]
async fn the_figures_on_the_page_are_those_of_stats() {
    let Some(browser) = Browser::find() else { return };
    let scene = Scene::play().await;
    let app = Router::new().nest("/llm", dashboard::router(&scene.stats));
    let dom = look(browser, app, "/llm").await;
    let now = serde_json::to_value(scene.stats.snapshot()).unwrap();
    for (id, pointer) in FIGURES {
        assert_eq!(dom.value(id), figure(&now["hour"], id, pointer), "{id}");
    }
    assert_eq!(dom.text("connection"), "Live");
    assert_eq!(dom.text("summary-window"), "last hour");
    assert_eq!(dom.text("cost-note"), "or more: not all of it is known");

    let errors = now["hour"]["errors"].as_array().unwrap();
    let rows = dom.rows("errors");
    assert_eq!(rows.len(), errors.len());
    for (row, error) in rows.iter().zip(errors) {
        let kind = error["kind"].as_str().unwrap().replace('_', " ");
        assert_eq!(row[..2], [kind, error["count"].to_string()]);
    }
    let breakers = dom.rows("breakers");
    assert_eq!(breakers[0][..5], ["gpt-4.1", "✕ open", "models", "2", "2"]);
    assert!(breakers[0][5].starts_with("in "), "{breakers:?}");
    let throttles = dom.rows("throttles");
    let allowed = format!("0 of {}", now["throttles"][0]["concurrency"]);
    assert_eq!(throttles[0][..3], ["limits", &allowed, "0"]);
    assert_eq!(throttles[0][6], now["throttles"][0]["admitted"].to_string());

    let failures = now["failures"].as_array().unwrap();
    let shown = dom.rows("failures");
    assert_eq!(shown.len(), failures.len());
    for (row, failure) in shown.iter().zip(failures) {
        let kind = failure["kind"].as_str().unwrap().replace('_', " ");
        let status =
            failure["status"].as_u64().map_or("–".to_owned(), |status| status.to_string());
        assert_eq!(row[1..4], [kind.as_str(), &status, failure["action"].as_str().unwrap()]);
        assert_eq!(row[4], failure["model"].as_str().unwrap());
        assert_eq!(row[5], failure["function"].as_str().unwrap());
    }
    assert!(dom.text("spikes").starts_with("Spikes: "), "{}", dom.text("spikes"));
    let spend = dom.rows("spend-by-minute");
    let minutes = now["minutes"].as_array().unwrap().iter().rev();
    let marks: Vec<_> = minutes.map(|minute| minute["spike"] == true).collect();
    assert_eq!(spend.iter().map(|row| !row[5].is_empty()).collect::<Vec<_>>(), marks);
    assert_eq!(marks.iter().filter(|mark| **mark).count(), 1);

    // The name of a model is text, whatever is in it.
    assert_eq!(dom.title(), "fcretry: model calls");
    assert_eq!(shown.iter().filter(|row| row[4] == HOSTILE).count(), 1, "{shown:#?}");
    assert!(dom.text("unpriced-models").contains(HOSTILE));
    assert!(!dom.has("<img"), "a name became an element");
}

#[tokio::test]
async fn the_page_updates_by_itself() {
    let Some(browser) = Browser::find() else { return };
    let scene = Arc::new(Scene::play().await);
    let before = scene.stats.snapshot().hour;
    let (pages, polls) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counting = {
        let (scene, pages, polls) = (Arc::clone(&scene), Arc::clone(&pages), Arc::clone(&polls));
        move |request: Request, next: Next| {
            let (scene, pages, polls) =
                (Arc::clone(&scene), Arc::clone(&pages), Arc::clone(&polls));
            async move {
                if !request.uri().path().ends_with("/stats.json") {
                    pages.fetch_add(1, SeqCst);
                } else if polls.fetch_add(1, SeqCst) == 1 {
                    // The page was shown once; then a call more comes.
                    scene.one_more().await;
                }
                next.run(request).await
            }
        }
    };
    let app = dashboard::router(&scene.stats).layer(from_fn(counting));
    let dom = look(browser, app, "/").await;
    let after = scene.stats.snapshot().hour;
    assert_eq!(after.succeeded, before.succeeded + 1);
    assert_eq!(dom.value("succeeded"), after.succeeded.to_string());
    assert_eq!(dom.value("wire-requests"), after.wire_requests.to_string());
    assert_eq!(pages.load(SeqCst), 1);
    assert!(polls.load(SeqCst) >= 2);
}

#[tokio::test]
async fn nothing_is_wider_than_a_phone() {
    /// Looks at the page in a frame as wide as a small phone, and says how much of it sticks out.
    const PHONE: &str = r#"<!DOCTYPE html><iframe src="/llm" width="360" height="740" style="border:0"></iframe>
        <p id="width"></p><script>setTimeout(() => {
            const page = document.querySelector('iframe').contentDocument, root = page.documentElement;
            page.querySelectorAll('details').forEach((it) => it.open = true);
            document.getElementById('width').textContent =
                `${page.getElementById('connection').textContent} ${root.scrollWidth - root.clientWidth}`;
        }, 4000)</script>"#;
    let Some(browser) = Browser::find() else { return };
    let scene = Scene::play().await;
    // The page forbids that it is put into a frame; here that is how it is made narrow.
    let framed = map_response(|mut response: Response| async {
        assert!(
            response.headers_mut().remove(CONTENT_SECURITY_POLICY).is_some_and(|policy| {
                policy.to_str().is_ok_and(|policy| policy.contains("frame-ancestors 'none'"))
            }) || response.headers().contains_key("cross-origin-resource-policy")
        );
        response
    });
    let app = Router::new()
        .nest("/llm", dashboard::router(&scene.stats).layer(framed))
        .route("/", get(|| async { Html(PHONE) }));
    let dom = look(browser, app, "/").await;
    assert_eq!(dom.text("width"), "Live 0");
}
