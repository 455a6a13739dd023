//! Log lines on stderr, and a progress bar at a terminal.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
use crate::model::for_a_log;

/// Events of this target report progress. A terminal shows them in the bar; otherwise, some become log lines.
const PROGRESS: &str = "progress";

/// The event of this target has the outcome of a run, as JSON in the field `outcome`. Text for people omits it, because
/// the summary follows.
pub const OUTCOME: &str = "outcome";

/// The AWS SDK warns about attempts that a retry corrects. `RUST_LOG=aws_config=debug` shows them.
const AWS_INTERNALS: &str = "aws_=error";

/// The interval of logged progress without a terminal. A short run logs none.
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Starts logging. Clear the bar with [`Progress::clear`] before printing.
pub fn start(format: LogFormat, filter: &str, stderr_is_terminal: bool) -> Progress {
    let progress = Progress::new(stderr_is_terminal);
    let filter = EnvFilter::builder()
        .parse(format!("{AWS_INTERNALS},{filter}"))
        .unwrap_or_else(|_| EnvFilter::new("info"))
        .and(ProgressLimit::new(!stderr_is_terminal, LOGGED_EVERY));
    let lines = tracing_subscriber::fmt::layer().with_writer(progress.clone());
    let lines = match format {
        LogFormat::Json => lines.fmt_fields(JsonMembers).event_format(JsonLine).boxed(),
        LogFormat::Text => lines
            .with_target(false)
            .with_ansi(stderr_is_terminal)
            .compact()
            .with_filter(filter_fn(|of| of.target() != OUTCOME))
            .boxed(),
    };
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(stderr_is_terminal.then(|| progress.clone()))
        .try_init();
    progress
}

/// The span of one connection. Its id is on each log line of the connection.
pub fn connection_span(connection: &str) -> tracing::Span {
    // At the level of the most severe events, so that no filter drops it.
    tracing::error_span!("connection", connection)
}

/// Formats the fields of a span as members of a JSON object, each after a comma.
struct JsonMembers;

impl<'w> FormatFields<'w> for JsonMembers {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = JsonFields::default();
        fields.record(&mut members);
        members.write(&mut writer)
    }
}

/// Formats an event as one JSON object.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let level = metadata.level();
        write!(writer, r#"{{"timestamp":"{timestamp}","level":"{level}""#)?;
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(members) = span.extensions().get::<FormattedFields<N>>() {
                writer.write_str(members)?;
            }
        }
        let mut fields = JsonFields::default();
        event.record(&mut fields);
        fields.write(&mut writer)?;
        writeln!(writer, r#","target":"{}"}}"#, metadata.target())
    }
}

#[derive(Default)]
struct JsonFields(Vec<(&'static str, Value)>);

impl JsonFields {
    fn write(self, writer: &mut Writer<'_>) -> fmt::Result {
        for (name, value) in self.0 {
            write!(writer, r#","{name}":{value}"#)?;
        }
        Ok(())
    }
}

impl Visit for JsonFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let json = (field.name() == OUTCOME).then(|| serde_json::from_str(value).ok());
        let value = json.flatten().unwrap_or_else(|| value.into());
        self.0.push((field.name(), value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }
}

/// Passes all events, but limits the rate of progress events.
struct ProgressLimit {
    every: Duration,
    /// When the next progress event is due; none to pass no such event.
    due: Option<Mutex<Instant>>,
}

impl ProgressLimit {
    fn new(is_logged: bool, every: Duration) -> Self {
        Self {
            every,
            due: is_logged.then(|| Mutex::new(Instant::now() + every)),
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let Some(due) = &self.due else {
            return false;
        };
        let mut due = due.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_due = now >= *due;
        if is_due {
            *due = now + self.every;
        }
        is_due
    }
}

impl<S> Filter<S> for ProgressLimit {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target() != PROGRESS || self.due.is_some()
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        event.metadata().target() != PROGRESS || self.is_due(Instant::now())
    }
}

/// The progress bar at a terminal.
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

    /// Prints while the bar is hidden.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

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

/// Writes to stderr while the bar is hidden.
#[derive(Debug)]
pub struct Above<'a> {
    bar: &'a ProgressBar,
}

impl Write for Above<'_> {
    /// Writes one line. Only a terminal gets text from outside and addresses.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            self.bar.suspend(|| stderr.write_all(line))?;
        } else {
            stderr.write_all(for_a_log(&String::from_utf8_lossy(line)).as_bytes())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, MutexGuard};

    use tracing::info;

    use super::*;

    #[test]
    fn progress_is_due_once_in_each_interval() {
        let ten = Duration::from_secs(10);
        let now_and_then = ProgressLimit::new(true, ten);
        let began = Instant::now();
        let due = [1, 9, 11, 12, 20, 22, 60, 61, 71]
            .map(|second| now_and_then.is_due(began + Duration::from_secs(second)));
        assert_eq!(
            due,
            [false, false, true, false, false, true, true, false, true]
        );
        assert!(!ProgressLimit::new(false, Duration::ZERO).is_due(began + ten));
    }

    #[derive(Clone, Default)]
    struct LogLines(Arc<Mutex<Vec<u8>>>);

    impl LogLines {
        fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
            self.0.lock().expect("a lock")
        }
    }

    impl Write for LogLines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The written lines, of three progress events between two others.
    fn written(filter: ProgressLimit) -> Vec<String> {
        let lines = LogLines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .without_time()
            .with_target(false)
            .with_level(false)
            .with_ansi(false)
            .with_filter(EnvFilter::new("info").and(filter));
        let registry = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(registry, || {
            info!("Began");
            for entry in 1..=3 {
                info!(target: PROGRESS, "Checked entry {entry} of 3");
            }
            info!("Ended");
        });
        let text = String::from_utf8(lines.lock().clone()).expect("UTF-8");
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn progress_is_logged_at_intervals_and_only_without_a_terminal() {
        assert_eq!(
            written(ProgressLimit::new(true, Duration::ZERO)),
            [
                "Began",
                "Checked entry 1 of 3",
                "Checked entry 2 of 3",
                "Checked entry 3 of 3",
                "Ended"
            ]
        );
        for quiet in [
            ProgressLimit::new(true, LOGGED_EVERY),
            ProgressLimit::new(false, Duration::ZERO),
        ] {
            assert_eq!(written(quiet), ["Began", "Ended"]);
        }
    }
}
