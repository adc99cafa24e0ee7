use std::sync::LazyLock;

use async_openai::{Client, config::Config};
use reqwest::redirect::Policy;
use tower::{BoxError, Service};

use super::SendOnce;

/// Builds the requests that a service sends, and sends none. One for all: with TLS, making one reads the
/// system's certificates.
static BUILDER: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// A client that sends each request once, so that the policy's attempts are the requests on the wire.
///
/// ```
/// use async_openai::config::OpenAIConfig;
///
/// // Reads OPENAI_API_KEY and OPENAI_BASE_URL.
/// let client = fcretry::openai::client(OpenAIConfig::new());
/// # let _ = client;
/// ```
pub fn client<C: Config>(config: C) -> Client<C> {
    // A redirect would send the prompt again, uncounted, and the key to whoever it names.
    let http = reqwest::Client::builder().redirect(Policy::none()).build();
    client_with(config, http.unwrap_or_default())
}

/// [`client`] over an HTTP client of your own: proxies, certificates, connection limits. It needs no timeout;
/// the policy has them. One that follows redirects sends the request again on the way, which nobody counts.
pub fn client_with<C: Config>(config: C, http: reqwest::Client) -> Client<C> {
    Client::build(http.clone(), config).with_http_service(SendOnce::new(http))
}

/// [`client`] over any service that sends one request: a tower stack around `reqwest::Client`, or a server in
/// the same process. It must not retry.
pub fn client_over<C, S>(config: C, service: S) -> Client<C>
where
    C: Config,
    S: Service<reqwest::Request, Response = reqwest::Response> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    Client::build(BUILDER.clone(), config).with_http_service(SendOnce::new(service))
}
