//! The model: its scripts and what it was asked.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    MockServer, MockService, RecordedRequest, Reply, misuse,
    script::{Mix, Next, Script, Source},
};

/// A scripted model. Clones share one script and one record.
///
/// See the [module's documentation](super) for what it is for.
#[derive(Clone)]
pub struct MockModel {
    shared: Arc<Shared>,
}

struct Shared {
    /// Which model of the process this is.
    number: u64,
    state: Mutex<State>,
}

struct State {
    source: Source,
    /// The scripts of their own that models have.
    by_model: Vec<(String, Script)>,
    requests: Vec<RecordedRequest>,
}

/// What it answers with.
impl MockModel {
    /// Plays `replies` in order over all requests, whatever they ask.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut script = Script::default();
        script.add(replies);
        Self::from_source(Source::Script(script))
    }

    /// Gives the same reply for ever.
    pub fn repeat(reply: Reply) -> Self {
        Self::new([]).then_repeat(reply)
    }

    /// Asks `function` for each reply. It runs in the task of the request, and no lock is held meanwhile.
    ///
    /// ```
    /// use fcretry::testing::{MockModel, Reply};
    ///
    /// MockModel::with(|request| match request.model() {
    ///     "gpt-4o" => Reply::status(503),
    ///     name => Reply::text(format!("I am {name}")),
    /// });
    /// ```
    pub fn with(function: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::from_source(Source::Function(Arc::new(function)))
    }

    /// Gives `good`, or one of `faults` at its share (0 to 1) of the requests. The n-th request gets the same
    /// reply in every run with the same seed.
    ///
    /// ```
    /// use fcretry::testing::{MockModel, Reply};
    ///
    /// let good = Reply::text("fine");
    /// MockModel::mix(7, good, [(0.05, Reply::status(503)), (0.02, Reply::drop_connection())]);
    /// ```
    ///
    /// # Panics
    ///
    /// If a share is not between 0 and 1, or all of them are more than 1 together.
    #[track_caller]
    pub fn mix(seed: u64, good: Reply, faults: impl IntoIterator<Item = (f64, Reply)>) -> Self {
        Self::from_source(Source::Mix(Mix::new(seed, good, faults.into_iter().collect())))
    }

    /// What follows the script, for ever.
    ///
    /// # Panics
    ///
    /// After [`with`](Self::with) and [`mix`](Self::mix), which do not end.
    #[track_caller]
    pub fn then_repeat(self, reply: Reply) -> Self {
        match &mut self.state().source {
            Source::Script(script) => script.then_repeat(reply),
            Source::Function(_) | Source::Mix(_) => {
                misuse("`then_repeat` is for a script, and `with` and `mix` do not end")
            }
        }
        self
    }

    /// A script of their own for requests that name the model `name`; other requests leave it alone.
    ///
    /// ```
    /// use fcretry::testing::{MockModel, Reply};
    ///
    /// MockModel::repeat(Reply::status(404))
    ///     .for_model("gpt-4o-mini", [Reply::status(429), Reply::text("fine")])
    ///     .repeat_for_model("gpt-4o", Reply::status(503));
    /// ```
    pub fn for_model(
        self,
        name: impl Into<String>,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        // Run before the lock is taken: the iterator is somebody else's code.
        let replies: Vec<_> = replies.into_iter().collect();
        self.state().script_of(name.into()).add(replies);
        self
    }

    /// What requests that name the model `name` get for ever, once its script, if it has one, is used up.
    pub fn repeat_for_model(self, name: impl Into<String>, reply: Reply) -> Self {
        self.state().script_of(name.into()).then_repeat(reply);
        self
    }

    fn from_source(source: Source) -> Self {
        static MODELS: AtomicU64 = AtomicU64::new(1);
        let state = State { source, by_model: Vec::new(), requests: Vec::new() };
        let number = MODELS.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::new(Shared { number, state: Mutex::new(state) }) }
    }
}

/// How it is reached.
impl MockModel {
    /// The model without sockets: a service that answers what a `reqwest::Client` would send.
    pub fn service(&self) -> MockService {
        MockService::new(self.clone())
    }

    /// The base URL to use with [`service`](Self::service): one that nothing on the network has, and no other
    /// `MockModel` of the process.
    pub fn base_url_in_process(&self) -> String {
        format!("http://mock-{}.invalid/v1", self.shared.number)
    }

    /// Serves HTTP on a free port of 127.0.0.1 until the [`MockServer`] is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub async fn serve(&self) -> io::Result<MockServer> {
        MockServer::start(self.clone()).await
    }
}

/// What it was asked.
impl MockModel {
    /// The requests for a completion so far, in the order in which they arrived, answered or not.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    /// How many requests for a completion arrived so far.
    pub fn request_count(&self) -> usize {
        self.state().requests.len()
    }

    /// How many replies the scripts still hold. What is repeated is not counted.
    pub fn remaining(&self) -> usize {
        let state = self.state();
        state.scripts().map(Script::remaining).sum()
    }

    /// Checks that the scripts were played to their end, and no further.
    ///
    /// # Panics
    ///
    /// If replies are left, or a request found its script used up.
    #[track_caller]
    pub fn assert_exhausted(&self) {
        let (remaining, unanswered) = {
            let state = self.state();
            (
                state.scripts().map(Script::remaining).sum::<usize>(),
                state.scripts().map(Script::unanswered).sum::<usize>(),
            )
        };
        if remaining > 0 {
            misuse(format_args!("replies of the script that were not asked for: {remaining}"));
        }
        if unanswered > 0 {
            misuse(format_args!("requests that found the script used up: {unanswered}"));
        }
    }

    /// The models that it lists: those with a script of their own, else one. It answers to any name.
    pub(super) fn names(&self) -> Vec<String> {
        let names: Vec<_> = self.state().by_model.iter().map(|(name, _)| name.clone()).collect();
        if names.is_empty() { vec!["mock".to_owned()] } else { names }
    }

    /// Keeps `request` and says what answers it, with the number of the request.
    pub(super) fn answer(&self, request: RecordedRequest) -> (u64, RecordedRequest, Reply) {
        let (number, next) = self.state().next(&request);
        let reply = match next {
            Next::Reply(reply) => reply,
            Next::Function(function) => function(&request),
        };
        (number, request, reply)
    }

    /// Keeps a request that does not get as far as the script.
    pub(super) fn turn_away(&self, request: RecordedRequest) -> u64 {
        self.state().keep(request)
    }

    /// A panic in a test must not hide behind those of a poisoned lock: the state is whole at all times.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn script_of(&mut self, name: String) -> &mut Script {
        let known = self.by_model.iter().position(|(model, _)| *model == name);
        let index = known.unwrap_or(self.by_model.len());
        if known.is_none() {
            self.by_model.push((name, Script::default()));
        }
        #[allow(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.by_model[index].1
    }

    fn scripts(&self) -> impl Iterator<Item = &Script> {
        let shared = match &self.source {
            Source::Script(script) => Some(script),
            Source::Function(_) | Source::Mix(_) => None,
        };
        shared.into_iter().chain(self.by_model.iter().map(|(_, script)| script))
    }

    fn next(&mut self, request: &RecordedRequest) -> (u64, Next) {
        let number = self.keep(request.clone());
        let model = request.model();
        let next = match self.by_model.iter_mut().find(|(name, _)| name == model) {
            Some((name, script)) => Next::Reply(script.next(Some(name))),
            None => self.source.next(),
        };
        (number, next)
    }

    /// The number counts from one.
    fn keep(&mut self, request: RecordedRequest) -> u64 {
        self.requests.push(request);
        u64::try_from(self.requests.len()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for MockModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockModel")
            .field("number", &self.shared.number)
            .field("requests", &self.request_count())
            .field("remaining", &self.remaining())
            .finish()
    }
}
