//! Requests that get no answer, or half of one: each phase in which a connection can fail.

use std::{future, io, net::Ipv4Addr, sync::Arc, time::Duration};

use async_openai::config::OpenAIConfig;
use fcretry::{
    FailureKind as K,
    prelude::*,
    testing::{MockModel, Reply},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{Mock, Order, good};

#[retry_policy(
    on(transient_network, retry = 2, delay_scale = 0.0),
    on(timeout, retry = 1, delay_scale = 0.0)
)]
async fn ask(attempt: &Attempt, client: &Mock) -> fcretry::Result<Order> {
    attempt.chat(client, "m").user("go").call().await
}

fn client(base_url: &str, http: reqwest::ClientBuilder) -> Mock {
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("k");
    fcretry::openai::client_with(config, http.no_proxy().build().unwrap())
}

async fn fails(base_url: &str, http: reqwest::ClientBuilder) -> fcretry::Error {
    ask(&client(base_url, http)).await.unwrap_err()
}

/// Accepts connections, reads the head of a request from each, and does `what` with it.
async fn server<F: Future<Output = ()> + Send + 'static>(what: fn(TcpStream) -> F) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 16];
            let _ = stream.read_exact(&mut head).await;
            tokio::spawn(what(stream));
        }
    });
    format!("http://{address}/v1")
}

/// Names are looked up here, so that no test asks a network.
#[derive(Clone, Copy)]
enum Names {
    Unknown,
    Pending,
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let names = *self;
        Box::pin(async move {
            if let Names::Pending = names {
                return future::pending::<Result<Addrs, _>>().await;
            }
            Err(io::Error::other("no such host").into())
        })
    }
}

fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_network_failure() {
    let http = http().dns_resolver(Arc::new(Names::Unknown));
    let error = fails("http://model.example/v1", http).await;
    assert_eq!((error.kind(), error.report().attempts.len()), (K::TransientNetwork, 3));
    assert!(error.to_string().contains("no connection to http://model.example"), "{error}");
}

#[tokio::test]
async fn no_connection_in_time_is_no_connection() {
    let http = http().dns_resolver(Arc::new(Names::Pending));
    let http = http.connect_timeout(Duration::from_millis(20));
    let error = fails("http://model.example/v1", http).await;
    assert_eq!((error.kind(), error.report().attempts.len()), (K::TransientNetwork, 3));
}

#[tokio::test]
async fn a_connection_that_is_reset_is_a_network_failure() {
    // What was sent and not read makes the kernel reset the connection.
    let url = server(|stream| async move { drop(stream) }).await;
    let error = fails(&url, http()).await;
    assert_eq!((error.kind(), error.report().attempts.len()), (K::TransientNetwork, 3));
}

#[tokio::test]
async fn a_tls_handshake_that_fails_is_told_apart_from_a_program_without_tls() {
    let url = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let error = fails(&url.replace("http:", "https:"), http()).await;
    // What this build can do depends on what else is built with it.
    if error.to_string().contains("no TLS") {
        assert_eq!((error.kind(), error.report().attempts.len()), (K::InvalidRequest, 1));
    } else {
        assert_eq!((error.kind(), error.report().attempts.len()), (K::TransientNetwork, 3));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_network_failure() {
    let url = server(|mut stream| async move {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    })
    .await;
    assert_eq!(fails(&url, http()).await.kind(), K::TransientNetwork);
}

#[tokio::test]
async fn a_body_that_is_cut_is_a_network_failure() {
    for cut in [good().cut_body_after(60), good().cut_body_after(0)] {
        let server = MockModel::repeat(cut).serve().await.unwrap();
        let error = fails(&server.base_url(), http()).await;
        assert_eq!((error.kind(), server.request_count()), (K::TransientNetwork, 3));
    }
    // That of an error is worth nothing but its status.
    let server = MockModel::repeat(Reply::status(401).cut_body_after(10)).serve().await.unwrap();
    let error = fails(&server.base_url(), http()).await;
    assert_eq!((error.kind(), server.request_count()), (K::Auth, 1));
}

#[tokio::test]
async fn headers_and_bodies_that_do_not_come_in_time_are_timeouts() {
    let brief = || http().read_timeout(Duration::from_millis(50));
    let silent = server(|stream| async move {
        future::pending::<()>().await;
        drop(stream);
    });
    let stalled = server(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\": \"c\", ";
        let _ = stream.write_all(head).await;
        future::pending::<()>().await;
    });
    for url in [silent.await, stalled.await] {
        let error = fails(&url, brief()).await;
        assert_eq!((error.kind(), error.report().attempts.len()), (K::Timeout, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn errors_that_a_body_meets_are_what_they_say() {
    #[retry_policy(max_attempts = 1)]
    async fn elapsed(_attempt: &Attempt) -> fcretry::Result<Order> {
        Ok(tokio::time::timeout(Duration::from_secs(1), future::pending()).await?)
    }
    #[retry_policy(max_attempts = 1)]
    async fn broken(_attempt: &Attempt) -> fcretry::Result<Order> {
        Err(io::Error::from(io::ErrorKind::ConnectionReset))?
    }
    #[retry_policy(max_attempts = 1)]
    async fn missing(_attempt: &Attempt) -> fcretry::Result<Order> {
        Err(io::Error::from(io::ErrorKind::NotFound))?
    }
    assert_eq!(elapsed().await.unwrap_err().kind(), K::Timeout);
    assert_eq!(broken().await.unwrap_err().kind(), K::TransientNetwork);
    assert_eq!(missing().await.unwrap_err().kind(), K::Application);
}
