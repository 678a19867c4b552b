use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use nexios_middleware_core::Event;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level, Metadata, Subscriber};

/// The lines that this thread logs under the target of sessions, for as long as this lives.
pub struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    _guard: DefaultGuard,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    pub level: Level,
    /// The field `event`.
    pub name: String,
    /// The field `repeated`.
    pub repeated: Option<u64>,
    /// All fields, with their names.
    pub text: String,
}

impl Line {
    pub fn event(&self) -> Option<Event> {
        Event::ALL.iter().copied().find(|event| event.name() == self.name)
    }
}

impl Log {
    pub fn new() -> Self {
        keep_a_second_subscriber();
        let lines = Arc::default();
        let guard = tracing::subscriber::set_default(Recorder(Arc::clone(&lines)));
        Self { lines, _guard: guard }
    }

    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    pub fn lines_of(&self, event: Event) -> Vec<Line> {
        self.lines().into_iter().filter(|line| line.event() == Some(event)).collect()
    }
}

struct Recorder(Arc<Mutex<Vec<Line>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "nexios_sessions"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line =
            Line { level: *event.metadata().level(), name: String::new(), repeated: None, text: String::new() };
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields<'a>(&'a mut Line);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0.text, "{}={value:?} ", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            value.clone_into(&mut self.0.name);
        }
        self.record_debug(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "repeated" {
            self.0.repeated = Some(value);
        }
        self.record_debug(field, &value);
    }

    fn record_error(&mut self, field: &Field, mut error: &(dyn Error + 'static)) {
        loop {
            let _ = write!(self.0.text, "{}={error} ({error:?}) ", field.name());
            let Some(source) = error.source() else { return };
            error = source;
        }
    }
}

/// Keeps a second subscriber, to which nothing matters. As long as there is only one, `tracing` asks the thread at hand
/// whether a line is wanted when the line is first reached. Another test, which listens to nothing, then says no for all.
fn keep_a_second_subscriber() {
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(tracing_subscriber::fmt().with_max_level(LevelFilter::OFF).finish()));
}
