//! A page that shows [`Stats`] live.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use axum::{
    Router,
    http::{
        HeaderName, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    handle::{Attach, Handle},
    stats::Stats,
};

/// All of it, so that a program needs no file beside itself and the page nothing from elsewhere.
const PAGE: &str = include_str!("page.html");

/// A page that shows `stats` live, and its figures as JSON at `stats.json` beside it: a reference to a `static`, to a
/// `LazyLock` that is one, or to an `Arc`.
///
/// It is one page without any outside resource, in which nothing that a model or a provider said becomes HTML; its
/// `Content-Security-Policy` forbids both. It works wherever it is mounted:
///
/// ```
/// use axum::Router;
/// use fcretry::{Stats, dashboard};
///
/// static STATS: Stats = Stats::new();
///
/// let app: Router = Router::new().nest("/llm", dashboard::router(&STATS));
/// # let _ = app;
/// ```
///
/// A router with a state of its own takes it by `nest_service`.
///
/// # Who may see it
///
/// Whoever can reach it. There is nothing of prompts or answers in it, but names of functions and models, and what they cost:
/// put your own check before it, as for any page of operations.
///
/// ```
/// use axum::{Router, extract::Request, http::{StatusCode, header::AUTHORIZATION}};
/// use axum::{middleware::{Next, from_fn}, response::{IntoResponse, Response}};
/// # use fcretry::{Stats, dashboard};
/// # static STATS: Stats = Stats::new();
///
/// async fn only_operators(request: Request, next: Next) -> Response {
///     # fn is_operator(_: &axum::http::HeaderValue) -> bool { true }
///     match request.headers().get(AUTHORIZATION) {
///         Some(token) if is_operator(token) => next.run(request).await,
///         _ => StatusCode::UNAUTHORIZED.into_response(),
///     }
/// }
///
/// let guarded = dashboard::router(&STATS).layer(from_fn(only_operators));
/// let app: Router = Router::new().nest("/llm", guarded);
/// # let _ = app;
/// ```
pub fn router<By>(stats: impl Attach<Stats, By>) -> Router {
    let stats = stats.handle();
    Router::new()
        .route("/", get(|| async { page() }))
        .route("/stats.json", get(move || async move { figures(&stats) }))
}

fn page() -> Response {
    let nonce = nonce();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, &policy),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, PAGE.replace("{{nonce}}", &nonce)).into_response()
}

/// What the page's own script and style say, and nothing that gets into it could know: 128 bits, by keys that the system's
/// random numbers are the source of.
fn nonce() -> String {
    let bits = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", bits(), bits())
}

fn figures(stats: &Handle<Stats>) -> Response {
    let Ok(json) = serde_json::to_string(&stats.snapshot()) else {
        // Plain data always serializes.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, json).into_response()
}
