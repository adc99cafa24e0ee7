//! The model over HTTP.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{MockModel, RecordedRequest, exchange::exchange};

/// Between tries to accept while that fails, as it does without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A [`MockModel`] that serves HTTP on a loopback port; made by [`MockModel::serve`].
///
/// Dropping it closes the port and all connections, those of hanging replies too, and leaves no task.
#[derive(Debug)]
pub struct MockServer {
    model: MockModel,
    address: SocketAddr,
    /// The task that accepts. It owns the tasks of the connections.
    accepting: AbortHandle,
    /// As many as there are clones of it, but for this one and that of the task.
    open: Arc<()>,
}

impl MockServer {
    pub(super) async fn start(model: MockModel) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let open = Arc::new(());
        let accepting = accept(listener, model.clone(), Arc::clone(&open));
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { model, address, accepting, open })
    }

    /// What a client takes as its base URL: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The model that is served.
    pub fn model(&self) -> &MockModel {
        &self.model
    }

    /// How many connections are open: in use, or kept by a client for its next request. A client that gives up an answer
    /// closes its connection.
    pub fn open_connections(&self) -> usize {
        Arc::strong_count(&self.open).saturating_sub(2)
    }

    /// See [`MockModel::requests`].
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.model.requests()
    }

    /// See [`MockModel::request_count`].
    pub fn request_count(&self) -> usize {
        self.model.request_count()
    }

    /// See [`MockModel::remaining`].
    pub fn remaining(&self) -> usize {
        self.model.remaining()
    }

    /// See [`MockModel::assert_exhausted`].
    ///
    /// # Panics
    ///
    /// If replies are left, or a request found its script used up.
    #[track_caller]
    pub fn assert_exhausted(&self) {
        self.model.assert_exhausted();
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, model: MockModel, open: Arc<()>) {
    // Dropped with this future, and its tasks with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, model.clone(), Arc::clone(&open)));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
        // Results are kept until they are asked for.
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, model: MockModel, _open: Arc<()>) {
    // Chunks are to arrive as they are sent; without this the kernel may collect them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| exchange(model.clone(), request));
    // An error here is a client that went away, or a break in the connection that the script asked for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
