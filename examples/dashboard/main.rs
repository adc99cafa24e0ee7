//! A page with live figures of calls, behind a server that errs.
//!
//! `cargo run --example dashboard`, then open the address that it prints. It plays an hour beforehand, on a paused clock, so that
//! there is something to see at once. No key and no network are needed.
//!
//! It can be reached from this machine only, and asks nobody who he is. In a program of yours, mount
//! [`fcretry::dashboard::router`] where a login is asked for already.

mod args;
mod load;
mod model;

use std::{
    future::pending,
    io::{self, Write as _},
    net::Ipv4Addr,
    process::ExitCode,
    time::Duration,
};

use args::{Args, Asked};
use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header::HOST},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use load::{Callers, STATS};
use tokio::{net::TcpListener, time::timeout};

/// How long each caller waits between two calls, in the mean.
const WAIT: Duration = Duration::from_secs(8);

/// One thread, whose clock can be paused.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Help) => {
            let _ = writeln!(io::stdout(), "{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("dashboard: {fault}; see --help");
            return ExitCode::from(2);
        }
    };
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("dashboard: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> io::Result<()> {
    let callers = Callers::new(args.seed);
    let beforehand = Duration::from_secs(60 * args.history);
    if !beforehand.is_zero() {
        tokio::time::pause();
        let _ = timeout(beforehand, callers.call(WAIT)).await;
        tokio::time::resume();
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    writeln!(
        io::stdout(),
        "http://{}/llm shows what happens; Ctrl-C ends it.",
        listener.local_addr()?
    )?;

    let app = Router::new()
        .nest("/llm", fcretry::dashboard::router(&STATS))
        .layer(from_fn(from_this_machine));
    let end = {
        let seconds = args.seconds;
        async move {
            let is_over = async {
                match seconds {
                    Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = is_over => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        () = callers.call(WAIT) => {}
        () = end => {}
    }
    let now = STATS.snapshot().all;
    writeln!(
        io::stdout(),
        "{} calls, {} without a value, {} requests, {} tokens",
        now.calls,
        now.failed + now.degraded,
        now.wire_requests,
        now.usage.total(),
    )
}

/// A web page elsewhere may have its name mean this machine, and then read what is here: only who asks for this machine by its
/// own name is answered.
async fn from_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "127.0.0.1" | "localhost") {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}
