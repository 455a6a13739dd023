//! Parses the command line, starts the command, and exits with its code.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use asana_access_review::cli::exit::Exit;
use asana_access_review::cli::{self, CommandRequest, logging, terminal};
use asana_access_review::clock::Clock;
use asana_access_review::commands::{
    Session, check, connect, fleet, report, review, run, status, verify,
};
use asana_access_review::config::{self, Environment};
use tracing::error;

fn main() -> ExitCode {
    ExitCode::from(Exit::unless_panicked(dispatch).code())
}

fn dispatch() -> Exit {
    let request = match cli::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(error) if error.use_stderr() => {
            terminal::print_error(&error.render().ansi().to_string());
            return Exit::Usage;
        }
        Err(help) => {
            terminal::print(&help.render().ansi().to_string());
            return Exit::Pass;
        }
    };
    let session = session();
    let has_connections = config::has_connections(&session.environment);
    let ended = match request {
        CommandRequest::Run(arguments) if has_connections => fleet::start(arguments, session),
        CommandRequest::Check(arguments) if has_connections => fleet::check(arguments, session),
        CommandRequest::Run(arguments) => run::start(arguments, session),
        CommandRequest::Check(arguments) => check::start(arguments, session),
        CommandRequest::Connect(arguments) => connect::start(arguments, session),
        CommandRequest::Verify(arguments) => verify::start(arguments, session),
        CommandRequest::Report(arguments) => report::start(arguments, session),
        CommandRequest::Status(arguments) => status::start(&arguments, session),
        CommandRequest::Review(request) => review::start(&request, session),
        CommandRequest::Completions { shell } => Ok(cli::print_completions(shell)),
        CommandRequest::Man => Ok(cli::print_manual_page()),
    };
    ended.unwrap_or_else(|early| early)
}

/// Reads clock and environment, once, and starts logging.
fn session() -> Session {
    let clock = Clock::start();
    #[expect(clippy::disallowed_methods, reason = "the only place that reads it")]
    let environment: Environment = std::env::vars_os().collect();
    let stderr_is_terminal = std::io::stderr().is_terminal();
    let (format, filter) = config::logging(&environment, stderr_is_terminal);
    let progress = logging::start(format, &filter, stderr_is_terminal);
    // Only the place and literal messages: a formatted message may contain a name.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload().downcast_ref::<&'static str>().copied();
        error!(place, message, "A bug in the program");
    }));
    Session {
        clock,
        environment,
        progress,
    }
}
