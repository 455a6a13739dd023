//! Log lines on stderr, and at a terminal a line that shows how far the run is.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Events of this target say how far the run is. They are shown at a terminal and not logged.
const PROGRESS: &str = "progress";

/// Starts logging. The bar that is returned is cleared by [`Progress::clear`] before the last words.
pub fn start(format: LogFormat, directives: &str, stderr_is_terminal: bool) -> Progress {
    let progress = Progress::new(stderr_is_terminal);
    let filter = EnvFilter::builder()
        .parse(directives)
        .unwrap_or_else(|_| EnvFilter::new("info"))
        .and(filter_fn(|event| event.target() != PROGRESS));
    let lines = tracing_subscriber::fmt::layer().with_writer(progress.clone());
    let registry = tracing_subscriber::registry();
    let bar = stderr_is_terminal.then(|| progress.clone());
    // A second start, as in tests, leaves the first.
    let _ = match format {
        LogFormat::Json => {
            let lines = lines
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false);
            registry
                .with(lines.with_filter(filter))
                .with(bar)
                .try_init()
        }
        LogFormat::Text => {
            let lines = lines
                .with_target(false)
                .with_ansi(stderr_is_terminal)
                .compact();
            registry
                .with(lines.with_filter(filter))
                .with(bar)
                .try_init()
        }
    };
    progress
}

/// The line at a terminal that shows how far the run is.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl<S: Subscriber> Layer<S> for Progress {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == PROGRESS {
            let mut message = Message::default();
            event.record(&mut message);
            self.bar.set_message(message.0);
            self.bar.enable_steady_tick(Duration::from_millis(120));
        }
    }
}

/// The sentence of an event.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Log lines go above the bar.
impl<'a> MakeWriter<'a> for Progress {
    type Writer = Above<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Above { bar: &self.bar }
    }
}

/// Writes to stderr while the bar is away.
#[derive(Debug)]
pub struct Above<'a> {
    bar: &'a ProgressBar,
}

impl Write for Above<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
