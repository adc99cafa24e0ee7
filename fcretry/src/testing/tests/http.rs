use serde_json::{Value, json};
use tokio::{net::TcpStream, runtime::Handle};

use super::{super::*, events, json_of, post, question, streamed_question, until};

/// The tasks alive on this test's runtime; the test itself is none.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// A client without a runtime's help, so that what is alive is the server's.
async fn connect(server: &MockServer) -> TcpStream {
    let base_url = server.base_url();
    let address = base_url.trim_start_matches("http://").trim_end_matches("/v1");
    TcpStream::connect(address).await.unwrap()
}

async fn send(stream: &TcpStream, body: &Value) {
    let body = body.to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-length:";
    let request = format!("{head} {}\r\n\r\n{body}", body.len());
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(request.as_bytes()).unwrap(), request.len());
}

/// All that comes until the server closes.
async fn read_to_end(stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    until("the end of the connection", || match stream.try_read(&mut buffer) {
        Ok(0) => true,
        Ok(read) => {
            all.extend_from_slice(&buffer[..read]);
            false
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
            false
        }
    })
    .await;
    all
}

#[tokio::test]
async fn a_script_is_played_over_http() {
    let server = MockModel::new([
        Reply::status(429).retry_after("2s"),
        Reply::tool_call("place_order", json!({"customer": "Ann"})).delay("1ms"),
    ])
    .serve()
    .await
    .unwrap();
    assert!(server.base_url().starts_with("http://127.0.0.1:"));

    let limited = post(&server.base_url(), &question("m")).await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "2");
    assert_eq!(limited.headers()["x-request-id"], "req_1");
    assert!(limited.content_length().is_some());

    assert_eq!(server.remaining(), 1);
    let body = json_of(post(&server.base_url(), &question("m")).await.unwrap()).await;
    let call = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "place_order");
    assert_eq!(server.request_count(), 2);
    assert_eq!(server.requests()[1].text_of_message(0), "hello");
    assert_eq!(server.model().request_count(), 2);
    server.assert_exhausted();
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = MockModel::repeat(Reply::text("fine")).serve().await.unwrap();
    let stream = connect(&server).await;
    for count in 1..=3 {
        send(&stream, &question("m")).await;
        until("the request", || server.request_count() == count).await;
    }
    assert_eq!(tasks(), 2, "the acceptor and the connection");
}

#[tokio::test]
async fn a_dropped_connection_closes_the_socket_without_an_answer() {
    let server = MockModel::repeat(Reply::drop_connection()).serve().await.unwrap();
    let stream = connect(&server).await;
    send(&stream, &question("m")).await;
    assert_eq!(read_to_end(&stream).await, b"");
    let error = post(&server.base_url(), &question("m")).await.unwrap_err();
    assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_cut_body_announces_its_length_and_breaks_after_its_bytes() {
    let reply = Reply::status(200).body("0123456789", "text/plain").cut_body_after(4);
    let server = MockModel::repeat(reply).serve().await.unwrap();
    let stream = connect(&server).await;
    send(&stream, &question("m")).await;
    let answer = String::from_utf8(read_to_end(&stream).await).unwrap();
    assert!(answer.contains("content-length: 10\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123"), "{answer}");

    let response = post(&server.base_url(), &question("m")).await.unwrap();
    assert!(response.bytes().await.unwrap_err().is_decode());
}

#[tokio::test]
async fn a_cut_stream_brings_its_chunks_and_then_an_error() {
    let reply = Reply::tool_call("a", json!({"x": "a longer text"}));
    let played = async |reply: Reply| {
        let server = MockModel::new([reply]).serve().await.unwrap();
        events(post(&server.base_url(), &streamed_question()).await.unwrap()).await
    };
    let (whole, error) = played(reply.clone()).await;
    assert!(error.is_none());
    let (cut, error) = played(reply.clone().stream_cut_after(3)).await;
    assert_eq!(cut, whole[..3]);
    assert!(error.is_some());
    let (early, error) = played(reply.stream_end_after(3)).await;
    assert_eq!(early, whole[..3]);
    assert!(error.is_none());
}

#[tokio::test]
async fn a_hanging_reply_keeps_the_connection_until_the_server_goes() {
    let server = MockModel::new([Reply::hang()]).serve().await.unwrap();
    let stream = connect(&server).await;
    send(&stream, &question("m")).await;
    until("the request", || server.request_count() == 1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(stream.try_read(&mut [0; 16]).is_err(), "nothing is sent, nothing closed");
    }
    drop(server);
    assert_eq!(read_to_end(&stream).await, b"");
    until("the end of all tasks", || tasks() == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_no_task() {
    for reply in [
        Reply::text("late").delay("1h"),
        Reply::hang(),
        Reply::status(200).body("x".repeat(1 << 25), "text/plain"),
    ] {
        let server = MockModel::new([reply]).serve().await.unwrap();
        let stream = connect(&server).await;
        send(&stream, &question("m")).await;
        until("the request", || server.request_count() == 1).await;
        assert_eq!(tasks(), 2, "the acceptor and the connection");
        drop(stream);
        until("the end of the connection", || tasks() == 1).await;
        drop(server);
        until("the end of the acceptor", || tasks() == 0).await;
    }
}

#[tokio::test]
async fn a_dropped_server_closes_idle_connections_and_its_port() {
    let server = MockModel::repeat(Reply::text("fine")).serve().await.unwrap();
    let idle = connect(&server).await;
    until("the connection", || tasks() == 2).await;
    let base_url = server.base_url();
    let model = server.model().clone();
    drop(server);
    assert_eq!(read_to_end(&idle).await, b"");
    until("the end of all tasks", || tasks() == 0).await;
    assert!(post(&base_url, &question("m")).await.unwrap_err().is_connect());

    // The model outlives its server, and can be served again.
    let again = model.serve().await.unwrap();
    assert_eq!(post(&again.base_url(), &question("m")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn requests_at_once_are_served_at_once() {
    let model = MockModel::repeat(Reply::text("fine")).for_model("stuck", [Reply::hang()]);
    let server = model.serve().await.unwrap();
    let base_url = server.base_url();
    let stuck = tokio::spawn(async move { post(&base_url, &question("stuck")).await });
    until("the hanging request", || server.request_count() == 1).await;
    let base_url = server.base_url();
    let quick = tokio::spawn(async move { post(&base_url, &question("m")).await });
    until("the other answer", || quick.is_finished()).await;
    assert_eq!(quick.await.unwrap().unwrap().status(), 200);
    assert!(!stuck.is_finished());
    drop(server);
    until("the end of the hanging request", || stuck.is_finished()).await;
    assert!(stuck.await.unwrap().is_err());
}

#[tokio::test]
async fn chunks_are_sent_as_they_come() {
    let reply = Reply::text("abcd").chunk_delay("1h");
    let server = MockModel::new([reply]).serve().await.unwrap();
    let stream = connect(&server).await;
    send(&stream, &streamed_question()).await;
    let mut answer = Vec::new();
    until("the first chunk", || {
        let mut buffer = [0; 4096];
        if let Ok(read) = stream.try_read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8_lossy(&answer).contains("assistant")
    })
    .await;
}
