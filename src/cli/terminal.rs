//! Texts on stdout and stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

use crate::model::for_a_log;

/// Bold green: good.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bold yellow: needs attention.
pub const ATTENTION: Style = AnsiColor::Yellow.on_default().bold();
/// Bold red: wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// `text` in a style. [`print()`] drops styles where colour is not wanted.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints to stdout, with colour at a terminal, unless `NO_COLOR` or `--color` decides. Without a terminal, text from
/// outside and addresses are omitted. A closed pipe does not fail the run.
pub fn print(text: &str) {
    match is_interactive() {
        true => print_with_names(text),
        false => print_with_names(&for_a_log(text)),
    }
}

/// Prints to stdout without omissions, because names were requested.
pub fn print_with_names(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    // A question has no line end, so it must be flushed.
    let _ = stdout.flush();
}

/// Prints to stderr, like [`print()`].
pub fn print_error(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = match io::stderr().is_terminal() {
        true => stderr.write_all(text.as_bytes()),
        false => stderr.write_all(for_a_log(text).as_bytes()),
    };
}

/// Whether stdout is a terminal. Only then may a text name people, because no log keeps it.
pub fn is_interactive() -> bool {
    io::stdout().is_terminal()
}

/// Whether the person at the terminal agrees. Any answer except `y` or `yes` means no.
pub async fn is_confirmed() -> bool {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    match read.await {
        Ok(Ok(line)) => matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"),
        Ok(Err(_)) | Err(_) => false,
    }
}
