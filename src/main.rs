//! The door: reads arguments, environment and clock once, and leaves with the run's exit code.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;

use asana_access_review::cli::exit::{Exit, FailOn};
use asana_access_review::cli::{self, Asked, logging};
use asana_access_review::clock::Clock;
use asana_access_review::commands::review::{self as command, ReviewError};
use asana_access_review::commands::run::text as words;
use asana_access_review::commands::run::{Done, Failed};
use asana_access_review::commands::{check, connect, run};
use asana_access_review::config::{self, Environment};
use asana_access_review::evidence::{RunIdentity, Tool, Trigger};
use asana_access_review::notify::News;
use asana_access_review::schedule::RunSchedule;
use asana_access_review::signing::PublicKey;
use asana_access_review::store::Store;
use asana_access_review::{notify, verify};
use tokio::runtime::Runtime;
use tracing::{error, info, warn};

/// Where Kubernetes looks for a pod's last words.
const TERMINATION_LOG: &str = "/dev/termination-log";

fn main() -> ExitCode {
    ExitCode::from(Exit::unless_panicked(door).code())
}

fn door() -> Exit {
    let ended = match cli::parse(std::env::args_os()) {
        Asked::Print(text) => {
            say(&text);
            Ok(Exit::Pass)
        }
        Asked::Wrong(text) => {
            complain(&text);
            Err(Exit::Usage)
        }
        Asked::Run => review(),
        Asked::Check(asked) => check_everything(asked),
        Asked::Connect(asked) => make_connection(asked),
        Asked::Verify(asked) => check_evidence(asked),
        Asked::Review(asked) => periodic_review(&asked),
    };
    ended.unwrap_or_else(|early| early)
}

/// Reads the environment and starts logging: what every command begins with.
fn begin() -> (Environment, logging::Progress) {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let environment: Environment = std::env::vars_os().collect();
    let stderr_is_terminal = std::io::stderr().is_terminal();
    let (format, directives) = config::logging(&environment, stderr_is_terminal);
    let progress = logging::start(format, &directives, stderr_is_terminal);
    // The place, and only words of our own: a composed message may quote a name.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload().downcast_ref::<&'static str>().copied();
        error!(place, said, "A fault of the program");
    }));
    (environment, progress)
}

/// What runs the work of a command, until it is over or somebody stops it.
struct Driver {
    /// Until it is dropped.
    runtime: Option<Runtime>,
    /// One for all that is run: between two of them no signal is lost.
    stopped: Pin<Box<dyn Future<Output = Exit>>>,
}

impl Driver {
    fn start() -> Result<Self, Exit> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(|error| {
            complain(&format!(
                "error: the runtime could not be started: {error}\n"
            ));
            Exit::Unexpected
        })?;
        Ok(Self {
            runtime: Some(runtime),
            stopped: Box::pin(stop_signal()),
        })
    }

    /// What the work comes to; the exit code where a signal stopped it.
    fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Exit> {
        let Self { runtime, stopped } = self;
        let Some(runtime) = runtime else {
            return Err(Exit::Unexpected);
        };
        runtime.block_on(async {
            tokio::select! {
                ended = work => Ok(ended),
                stopped = stopped => Err(stopped),
            }
        })
    }
}

impl Drop for Driver {
    /// What is under way on other threads is not awaited: a single create, whole or not at all, or a
    /// question that nobody answers.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Settings that were judged, or every problem, told.
fn settled<T>(loaded: Result<config::Judged<T>, config::Problems>) -> Result<T, Exit> {
    let config::Judged { settings, warnings } = loaded.map_err(|problems| {
        complain(&format!("error: {problems}\n"));
        Exit::Configuration
    })?;
    for warning in warnings {
        warn!("{warning}");
    }
    Ok(settings)
}

/// The keys in files that somebody pins.
fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, String> {
    let read = |path: &PathBuf| {
        let place = path.display();
        let text = std::fs::read(path)
            .map_err(|error| format!("the public key `{place}` cannot be read: {error}"))?;
        PublicKey::from_pem(&text).map_err(|error| format!("`{place}` is no public key: {error}"))
    };
    paths.iter().map(read).collect()
}

fn check_evidence(asked: cli::Verify) -> Result<Exit, Exit> {
    let clock = Clock::start();
    let (environment, progress) = begin();
    let loaded = config::load_store(environment, asked.url, |path| std::fs::read_to_string(path));
    let settings = settled(loaded)?;
    let keys = public_keys(&asked.public_keys).map_err(|problem| {
        complain(&format!("error: {problem}\n"));
        Exit::Configuration
    })?;
    let expected = verify::Expectations {
        keys,
        now: clock.as_of(),
        connection: asked.connection,
        heads: asked.heads,
        every: asked.every,
        period: asked.period,
    };
    let ended = Driver::start()?
        .run(async { verify::verify(&Store::open(&settings).await?, &expected).await });
    progress.clear();
    let verified = ended?.map_err(|error| {
        complain(&words::verify_error(&error));
        error.exit()
    })?;
    if asked.json {
        say(&format!("{:#}\n", verify::as_json(&verified, &expected)));
    } else {
        say(&verify::as_text(&verified, &expected));
    }
    Ok(verified.exit())
}

fn check_everything(asked: cli::Check) -> Result<Exit, Exit> {
    let clock = Clock::start();
    let (environment, progress) = begin();
    let tell = |checked: &check::Checked| {
        if asked.json {
            say(&format!("{:#}\n", check::as_json(checked)));
        } else {
            say(&check::as_text(checked));
        }
        checked.exit()
    };
    let loaded = config::load(environment, |path| std::fs::read_to_string(path));
    let config::Judged {
        mut settings,
        warnings,
    } = match loaded {
        Ok(judged) => judged,
        Err(problems) => {
            let checked = check::Checked::of_problems(problems.all(), &problems.hints());
            return Ok(tell(&checked));
        }
    };
    if let Some((cron, zone)) = asked.schedule.clone() {
        let zone = zone.unwrap_or_else(|| settings.policy.hr_time_zone.clone());
        let schedule = RunSchedule { cron, zone };
        schedule.parse().map_err(|wrong| {
            complain(&format!("error: --zone: {wrong}\n"));
            Exit::Usage
        })?;
        settings.schedule = Some(schedule);
    }
    let within = settings.deadline;
    let ended = Driver::start()?.run(async {
        tokio::time::timeout(
            within,
            check::check(&settings, &warnings, asked.write_probe, &clock),
        )
        .await
    });
    progress.clear();
    let checked = ended?.map_err(|_| {
        complain("error: the check was not over in time (RUN_DEADLINE)\n");
        Exit::Transient
    })?;
    Ok(tell(&checked))
}

fn make_connection(asked: cli::Connect) -> Result<Exit, Exit> {
    let clock = Clock::start();
    if !asked.yes && !std::io::stdin().is_terminal() {
        complain(connect::text::NOBODY_TO_ASK);
        return Err(Exit::Usage);
    }
    let (environment, progress) = begin();
    let loaded = config::load_truto(environment, |path| std::fs::read_to_string(path));
    let settings = connect::Settings {
        truto: settled(loaded)?,
        wanted: asked.wanted.clone(),
        timeout: asked.timeout,
        poll_every: connect::Settings::POLL_EVERY,
    };
    let ended = Driver::start()?.run(connect_and_tell(settings, &asked, &clock, &progress));
    progress.clear();
    let ended = ended.inspect_err(|_| complain(connect::text::STOPPED))?;
    ended.map_err(|error| {
        complain(&connect::text::failure(&error));
        if asked.json {
            say(&format!("{}\n", connect::text::failure_event(&error)));
        }
        error.kind().into()
    })
}

/// Shows what is to be made, asks, makes the link, waits and shows what came of it.
async fn connect_and_tell(
    settings: connect::Settings,
    asked: &cli::Connect,
    clock: &Clock,
    progress: &logging::Progress,
) -> Result<Exit, connect::ConnectError> {
    let wanted = settings.wanted.clone();
    let connecting = connect::Connecting::begin(settings, clock).await?;
    // What machines read is stdout's alone.
    let tell = if asked.json { complain } else { say };
    tell(&connect::text::before(&wanted, connecting.before()));
    if !asked.yes {
        tell(connect::text::QUESTION);
        if !said_yes().await {
            tell(connect::text::DECLINED);
            return Ok(Exit::Interrupted);
        }
    }
    let url = connecting.link().await?;
    if asked.json {
        let event = connect::text::link_event(&wanted, connecting.before(), &url);
        say(&format!("{event}\n"));
    } else {
        say(&connect::text::link(&url));
    }
    let connected = connecting.wait().await?;
    progress.clear();
    if asked.json {
        say(&format!("{}\n", connect::text::connected_event(&connected)));
    } else {
        say(&connect::text::connected(&connected));
    }
    Ok(connect::text::exit(&connected))
}

/// Whether somebody at the terminal agrees. Anything but a yes is a no.
async fn said_yes() -> bool {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    match read.await {
        Ok(Ok(line)) => matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"),
        Ok(Err(_)) | Err(_) => false,
    }
}

fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("BUILD_COMMIT").to_owned(),
    }
}

fn periodic_review(asked: &cli::Review) -> Result<Exit, Exit> {
    let clock = Clock::start();
    let (environment, progress) = begin();
    let loaded = config::load_review(environment, tool(), |path| std::fs::read_to_string(path));
    let settings = settled(loaded)?;
    let moment = command::Moment {
        as_of: clock.as_of(),
        suffix: suffix()?,
    };
    let mut driver = Driver::start()?;
    let ended = driver.run(review_step(asked, &settings, &moment, &clock));
    progress.clear();
    let step = ended?.map_err(|error| {
        complain(&command::failure(&error, asked.names() || is_read()));
        error.exit()
    })?;
    // Said before anybody is told, which takes a while and may be stopped.
    say(&step.text);
    if let Some(news) = step.news {
        driver.run(notify::tell(&settings.notify, || news, &clock))?;
    }
    Ok(step.exit)
}

/// Whether a person reads what is said, and no log keeps it.
fn is_read() -> bool {
    std::io::stdout().is_terminal()
}

/// What came of a command of an access review.
struct Step {
    /// For stdout.
    text: String,
    /// For others, if they are to be told.
    news: Option<News>,
    exit: Exit,
}

async fn review_step(
    asked: &cli::Review,
    settings: &config::ReviewSettings,
    moment: &command::Moment,
    clock: &Clock,
) -> Result<Step, ReviewError> {
    let is_read = is_read();
    Ok(match asked {
        cli::Review::Open(asked) => {
            let opened = command::open(settings, asked, moment, clock).await?;
            Step {
                text: command::opened(&opened, is_read),
                news: Some(opened.news(settings, moment)),
                exit: Exit::Pass,
            }
        }
        cli::Review::Status(asked) => {
            if asked.notify && !settings.notify.has_receiver() {
                let text = "--notify: nobody is to be told; set NOTIFY_WEBHOOK_URL or \
                            NOTIFY_SLACK_WEBHOOK_URL";
                return Err(ReviewError::Asked(text.to_owned()));
            }
            let status = command::status(settings, &asked.of, moment).await?;
            Step {
                text: match asked.json {
                    true => format!("{:#}\n", command::status_json(&status, asked.names)),
                    false => command::status_text(&status, asked.names || is_read),
                },
                news: asked.notify.then(|| status.news(settings, moment)),
                exit: status.exit(),
            }
        }
        cli::Review::Close(asked) => {
            let closed = command::close(settings, asked, moment, clock).await?;
            Step {
                text: command::closed(&closed, is_read),
                news: Some(closed.news(settings, moment)),
                exit: closed.exit(),
            }
        }
    })
}

fn review() -> Result<Exit, Exit> {
    let clock = Clock::start();
    let (environment, progress) = begin();
    let loaded = config::load(environment, |path| std::fs::read_to_string(path));
    let refusal = loaded.as_ref().err().map(ToString::to_string);
    let settings = settled(loaded).inspect_err(|exit| {
        let refusal = refusal.unwrap_or_default();
        leave_last_words(false, words::last_words_of_refusal(*exit, &refusal));
    })?;
    let at_terminal = std::io::stdin().is_terminal();
    let schedule = settings.schedule.as_ref();
    let trigger = Trigger::of(&settings.executor, schedule, clock.as_of(), at_terminal);
    let identity = RunIdentity {
        as_of: clock.as_of(),
        suffix: suffix()?,
        tool: tool(),
        trigger,
        executor: settings.executor.clone(),
    };
    info!(run = identity.run_id(), "Began a review");

    let mut driver = Driver::start()?;
    let about = run::about(&settings, &identity);
    let ended = driver.run(run::run(&settings, identity, clock));
    progress.clear();
    let ended = ended.inspect_err(|stopped| {
        warn!(
            exit = stopped.code(),
            "Stopped by a signal; nothing is half committed"
        );
    })?;
    // Said before anybody is told, which takes a while and may be stopped.
    let exit = say_how_it_ended(&ended, settings.fail_on);
    leave_last_words(ended.is_ok(), words_of(&ended, exit));
    let told = run::tell(&settings, &about, &ended, exit, clock);
    driver.run(told).inspect_err(|stopped| {
        warn!(
            exit = stopped.code(),
            "Stopped by a signal while telling others; what was stored stays"
        );
        leave_last_words(ended.is_ok(), words_of(&ended, *stopped));
    })?;
    Ok(exit)
}

/// For whoever reads along.
fn say_how_it_ended(ended: &Result<Done, Failed>, fail_on: FailOn) -> Exit {
    match ended {
        Ok(done) => {
            say(&words::summary(done, std::io::stdout().is_terminal()));
            Exit::of_verdict(done.judgement.verdict, fail_on)
        }
        Err(failed) => {
            complain(&words::failure(failed));
            failed.trouble.exit()
        }
    }
}

fn words_of(ended: &Result<Done, Failed>, exit: Exit) -> serde_json::Value {
    match ended {
        Ok(done) => words::last_words(done, exit),
        Err(failed) => words::last_words_of_failure(failed, exit),
    }
}

/// Six hex digits that tell apart two runs of one second.
fn suffix() -> Result<String, Exit> {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|error| {
        complain(&format!("error: the system gives no randomness: {error}\n"));
        Exit::Unexpected
    })?;
    Ok(const_hex::encode(bytes))
}

/// Waits for SIGTERM or Ctrl-C.
async fn stop_signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
            _ = terminate.recv() => Exit::Terminated,
            _ = interrupt.recv() => Exit::Interrupted,
        },
        _ => {
            warn!("Signals cannot be listened to: a stop will not be clean");
            std::future::pending().await
        }
    }
}

/// The last words go to the log, and to Kubernetes where it listens.
fn leave_last_words(is_stored: bool, words: serde_json::Value) {
    let line = words::termination_message(words);
    let last_words = line.trim_end();
    if is_stored {
        info!(last_words, "Ended");
    } else {
        error!(last_words, "Ended without a review");
    }
    if Path::new(TERMINATION_LOG).exists()
        && let Err(error) = std::fs::write(TERMINATION_LOG, &line)
    {
        warn!(%error, "The termination message could not be written");
    }
}

/// To stdout. A reader that has gone away is no reason to fail a review.
fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    // A question has no end of line.
    let _ = stdout.flush();
}

/// To stderr.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
