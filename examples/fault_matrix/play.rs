//! Plays a row twice: the fault once, with a good answer after it, and the fault for ever.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_openai::{Client, config::OpenAIConfig};
use fcretry::{
    Backoff, FailureKind, InvalidPolicy, Report, RetryPolicy, Route,
    testing::{MockModel, MockServer, Reply},
};
use serde_json::json;
use tokio::{net::TcpSocket, sync::Semaphore, task::JoinSet};

use crate::{
    ask::{Form, ask},
    row::{End, Expected, Limits, Row, Server, Waited},
};

/// One for all rows: making one reads the system's certificates.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// A row and what came of it.
pub(crate) struct Played {
    pub(crate) row: Row,
    pub(crate) once: Seen,
    pub(crate) lasting: Seen,
}

/// What came of one call.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Requests on the wire, as the server counted them.
    pub(crate) requests: u32,
    pub(crate) end: End,
    /// What the first attempt failed with.
    pub(crate) first: Option<FailureKind>,
    /// What the call failed with.
    pub(crate) last: Option<FailureKind>,
    pub(crate) waited: Duration,
    /// The report counts what the server counts.
    pub(crate) is_counted: bool,
}

impl Played {
    pub(crate) fn is_as_designed(&self) -> bool {
        self.faults().is_empty()
    }

    /// What is not as the row expects.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Self { row, once, lasting } = self;
        let mut faults = Vec::new();
        for (when, seen, expected) in [("once", once, row.once), ("for ever", lasting, row.lasting)]
        {
            let mut check = |is_so: bool, what: String| {
                if !is_so {
                    faults.push(format!("{when}: {what}"));
                }
            };
            let Expected { requests, end } = expected;
            check(seen.requests == requests, format!("{} requests, not {requests}", seen.requests));
            check(seen.end == end, format!("{:?}, not {end:?}", seen.end));
            let name = |kind: Option<FailureKind>| kind.map_or("none", FailureKind::as_str);
            check(seen.first == row.kind, format!("{}, not {}", name(seen.first), name(row.kind)));
            let last = if end == End::Fails { row.kind } else { None };
            check(seen.last == last, format!("ends as {}, not {}", name(seen.last), name(last)));
            check(seen.is_counted, "the report counts other requests than the server".to_owned());
        }
        let (is_so, expected) = match row.waited {
            Waited::Exactly(wait) => (lasting.waited == wait, wait),
            Waited::AtLeast(wait) => (lasting.waited >= wait, wait),
        };
        if !is_so {
            faults.push(format!("for ever: waited {:?}, not {expected:?}", lasting.waited));
        }
        faults
    }
}

/// Rows that are played at the same time: some are about time, and none is to wait for the others.
const AT_ONCE: usize = 16;

/// Plays all rows; they come back in their order.
pub(crate) async fn all(rows: Vec<Row>) -> io::Result<Vec<Played>> {
    LazyLock::force(&HTTP);
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for (place, row) in rows.into_iter().enumerate() {
        let turns = Arc::clone(&turns);
        playing.spawn(async move {
            let _turn = turns.acquire().await.map_err(io::Error::other)?;
            play(row).await.map(|played| (place, played))
        });
    }
    let mut played = Vec::new();
    while let Some(row) = playing.join_next().await {
        played.push(row.map_err(io::Error::other)??);
    }
    played.sort_by_key(|(place, _)| *place);
    Ok(played.into_iter().map(|(_, row)| row).collect())
}

async fn play(row: Row) -> io::Result<Played> {
    let policy = policy(row.limits).map_err(io::Error::other)?;
    let (once, lasting) = match &row.server {
        Server::Nowhere => {
            // Bound, and nobody listens: the port is nobody else's meanwhile.
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            let base_url = format!("http://{}/v1", socket.local_addr()?);
            let seen = call(base_url, &policy, row.form, None, None).await;
            (seen.clone(), seen)
        }
        Server::Replies(fault) => {
            let good = good(row.form);
            let once = MockModel::new([Reply::clone(fault)]).then_repeat(good.clone());
            let lasting = MockModel::repeat(Reply::clone(fault)).repeat_for_model("second", good);
            let elsewhere = row.limits.elsewhere;
            let (once, lasting) = tokio::join!(
                served(once, &policy, row.form, elsewhere),
                served(lasting, &policy, row.form, elsewhere),
            );
            (once?, lasting?)
        }
    };
    Ok(Played { row, once, lasting })
}

/// The default policy, but for waits that nobody has to sit through.
fn policy(limits: Limits) -> Result<RetryPolicy, InvalidPolicy> {
    let backoff =
        Backoff::exponential().base(Duration::from_millis(1)).jitter(fcretry::Jitter::None);
    let mut policy = RetryPolicy::builder().backoff(backoff).deadline(Duration::from_secs(90));
    if let Some(timeout) = limits.timeout {
        policy = policy.timeout(timeout);
    }
    if let Some(first_token) = limits.first_token {
        policy = policy.first_token(first_token);
    }
    if let Some(idle) = limits.idle {
        policy = policy.idle(idle);
    }
    if let Some(deadline) = limits.deadline {
        policy = policy.deadline(deadline);
    }
    if limits.fallback {
        policy = policy.fallback("second");
    }
    policy.build()
}

fn good(form: Form) -> Reply {
    let order = json!({"customer": "Ann Larsen", "count": 2, "size": "small"});
    match form {
        Form::Json | Form::JsonStream => Reply::json(order),
        _ => Reply::tool_call("order", order),
    }
}

async fn served(
    model: MockModel,
    policy: &RetryPolicy,
    form: Form,
    elsewhere: bool,
) -> io::Result<Seen> {
    let server = model.serve().await?;
    if !elsewhere {
        return Ok(call(server.base_url(), policy, form, Some(&server), None).await);
    }
    let spare = MockModel::repeat(good(form)).serve().await?;
    Ok(call(server.base_url(), policy, form, Some(&server), Some(&spare)).await)
}

fn client(base_url: String) -> Client<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("fault_matrix");
    fcretry::openai::client_with(config, HTTP.clone())
}

async fn call(
    base_url: String,
    policy: &RetryPolicy,
    form: Form,
    server: Option<&MockServer>,
    spare: Option<&MockServer>,
) -> Seen {
    let endpoint = |spare: &MockServer| {
        fcretry::openai::endpoint(client(spare.base_url()), "spare").context(1_000_000)
    };
    let route = Route::new(spare.map(endpoint));
    let client = client(base_url);
    let asked = ask(&client, policy, &route, form);
    let (result, report): (_, Report) = fcretry::report(asked).await;
    let requests = server.map(|server| {
        let spared = spare.map_or(0, MockServer::request_count);
        u32::try_from(server.request_count().saturating_add(spared)).unwrap_or(u32::MAX)
    });
    Seen {
        requests: requests.unwrap_or(report.wire_requests),
        end: if result.is_ok() { End::Value } else { End::Fails },
        first: report.attempts.first().map_or(report.kind, |attempt| attempt.kind),
        last: result.err().map(|error| error.kind()),
        waited: report.attempts.iter().map(|attempt| attempt.delay).sum(),
        is_counted: requests.is_none_or(|requests| requests == report.wire_requests),
    }
}
