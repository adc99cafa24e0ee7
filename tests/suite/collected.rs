//! A subscriber that keeps the spans and events of a thread.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, NoSubscriber},
};
use tracing_core::span::Current;

/// The fields of a span or event, as text.
pub(crate) type Fields = BTreeMap<&'static str, String>;

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) fields: Fields,
    /// The index of the span that it is in.
    pub(crate) parent: Option<usize>,
    pub(crate) is_closed: bool,
    handles: usize,
}

impl Seen {
    fn new(metadata: &'static Metadata<'static>, parent: Option<usize>) -> Self {
        Self { metadata, fields: Fields::new(), parent, is_closed: false, handles: 1 }
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.metadata.target() == "fcretry"
    }

    /// The value of a field; empty if it has none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Seen>,
    events: Vec<Seen>,
    entered: Vec<usize>,
}

/// What a thread traced while this is there. Of what is less than `Level` nothing.
pub(crate) struct Collected {
    kept: Arc<Mutex<Kept>>,
    _default: DefaultGuard,
}

/// While there is only one subscriber, whether a span is wanted is asked of the thread that first makes one, which in a test
/// beside this one has none; the answer is then everybody's. Of two each is asked.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

struct Collector {
    most: Level,
    kept: Arc<Mutex<Kept>>,
}

impl Collected {
    pub(crate) fn down_to(most: Level) -> Self {
        LazyLock::force(&ANOTHER);
        let kept = Arc::<Mutex<Kept>>::default();
        let collector = Collector { most, kept: Arc::clone(&kept) };
        Self { kept, _default: tracing::subscriber::set_default(collector) }
    }

    /// All spans, of whatever target, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<Seen> {
        self.kept.lock().unwrap().spans.clone()
    }

    /// Those of ours with this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Seen> {
        let is_it = |span: &Seen| span.is_ours() && span.metadata.name() == name;
        self.spans().into_iter().filter(is_it).collect()
    }

    pub(crate) fn events(&self) -> Vec<Seen> {
        self.kept.lock().unwrap().events.clone()
    }

    /// Whether some span is entered.
    pub(crate) fn is_inside(&self) -> bool {
        !self.kept.lock().unwrap().entered.is_empty()
    }
}

impl Collector {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

fn index_of(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.most
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.most.into())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut kept = self.kept();
        let around = span.is_contextual().then(|| kept.entered.last().copied()).flatten();
        let mut seen = Seen::new(span.metadata(), span.parent().map(index_of).or(around));
        span.record(&mut Written(&mut seen.fields));
        kept.spans.push(seen);
        Id::from_u64(kept.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Written(&mut self.kept().spans[index_of(span)].fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut kept = self.kept();
        let around = event.is_contextual().then(|| kept.entered.last().copied()).flatten();
        let mut seen = Seen::new(event.metadata(), event.parent().map(index_of).or(around));
        event.record(&mut Written(&mut seen.fields));
        kept.events.push(seen);
    }

    fn enter(&self, span: &Id) {
        let mut kept = self.kept();
        assert!(!kept.spans[index_of(span)].is_closed, "entered after it was closed");
        kept.entered.push(index_of(span));
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.kept().entered.pop(), Some(index_of(span)), "held across an await");
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.kept().spans[index_of(span)].handles += 1;
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut kept = self.kept();
        let seen = &mut kept.spans[index_of(&span)];
        seen.handles -= 1;
        seen.is_closed = seen.handles == 0;
        seen.is_closed
    }

    fn current_span(&self) -> Current {
        let kept = self.kept();
        let Some(entered) = kept.entered.last() else { return Current::none() };
        Current::new(Id::from_u64(*entered as u64 + 1), kept.spans[*entered].metadata)
    }
}

struct Written<'a>(&'a mut Fields);

impl Visit for Written<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
