//! The page of `Stats`, as a server gives it; what a browser makes of it is in `tests/browser`.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use fcretry::{
    Stats, dashboard,
    prelude::*,
    testing::{MockModel, Reply},
};
use serde_json::{Value, json};
use tower::Service as _;

use crate::support::{Mock, Order};

async fn ask(mut app: Router, method: &str, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let (parts, body) = app.call(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn it_is_a_page_and_its_figures_wherever_it_is_mounted() {
    static STATS: LazyLock<Stats> = LazyLock::new(Stats::new);
    #[retry_policy(observer(STATS))]
    async fn counted() -> fcretry::Result<u8> {
        Ok(1)
    }
    counted().await.unwrap();
    let shared = Arc::new(Stats::new());
    for (app, at, succeeded) in [
        (dashboard::router(&STATS), "", 1),
        (Router::new().nest("/llm", dashboard::router(&STATS)), "/llm", 1),
        (Router::new().nest_service("/a/b", dashboard::router(&shared)), "/a/b", 0),
    ] {
        let root = if at.is_empty() { "/" } else { at };
        let (status, headers, page) = ask(app.clone(), "GET", root).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
        );
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        let (status, headers, json) = ask(app.clone(), "GET", &format!("{at}/stats.json")).await;
        assert_eq!(
            (status, headers["content-type"].to_str().unwrap()),
            (StatusCode::OK, "application/json")
        );
        assert_eq!(headers["cache-control"], "no-store");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["all"]["succeeded"], json!(succeeded));
        let (status, ..) = ask(app.clone(), "POST", root).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        let (status, ..) = ask(app, "GET", &format!("{at}/other")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_page_takes_nothing_from_elsewhere_and_runs_its_own_script_alone() {
    let app = dashboard::router(&Arc::new(Stats::new()));
    let (_, headers, page) = ask(app.clone(), "GET", "/").await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    let (_, nonce) = policy.split_once("script-src 'nonce-").unwrap();
    let nonce = nonce.split('\'').next().unwrap();
    assert_eq!(nonce.len(), 32);
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
    for rule in
        ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "connect-src 'self'"]
    {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.matches(&format!(" nonce=\"{nonce}\">")).count(), 2);
    assert_eq!(page.matches("<script").count() + page.matches("<style").count(), 2);
    // No resource, no handler in an attribute, and no way for text to become HTML.
    for never in [
        "src=",
        "href=",
        "url(",
        "@import",
        "https:",
        "onclick=",
        "style=\"",
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "{{",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let (_, headers, _) = ask(app, "GET", "/").await;
    assert!(
        !headers["content-security-policy"].to_str().unwrap().contains(nonce),
        "a nonce is used once"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_said_is_in_the_figures() {
    const CANARY: &str = "c4n4ry";
    #[retry_policy(observer(stats), max_attempts = 2)]
    async fn call(attempt: &Attempt, client: &Mock, stats: &Arc<Stats>) -> fcretry::Result<Order> {
        attempt.chat(client, "m").system(CANARY).user(CANARY).call().await
    }
    let stats = Arc::new(Stats::new());
    let sentence = format!("{CANARY} and more words");
    for fault in [
        Reply::tool_call("order", format!("{{'customer': '{CANARY}'}}")),
        Reply::tool_call("order", json!({"customer": CANARY, "count": 500})),
        Reply::tool_call(CANARY, json!({})),
        Reply::text(&sentence),
        Reply::refusal(&sentence),
        Reply::error(400, CANARY, CANARY, sentence.as_str()).id(CANARY),
        Reply::status(502).body(format!("<html>{CANARY}</html>"), "text/html"),
    ] {
        assert!(call(&MockModel::repeat(fault).client(), &stats).await.is_err());
    }
    let (_, headers, json) = ask(dashboard::router(&stats), "GET", "/stats.json").await;
    assert!(json.contains("refusal") && !json.contains(CANARY), "{json}");
    assert!(!format!("{headers:?}").contains(CANARY));
}
