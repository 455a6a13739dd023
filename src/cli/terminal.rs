//! Texts on stdout and stderr.

use std::io::{self, IsTerminal as _, Write as _};

/// Prints to stdout. A reader that has gone away does not make a run fail.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    // A question has no end of line.
    let _ = stdout.flush();
}

/// Prints to stderr.
pub fn print_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether a person reads stdout, and no log keeps it: only then may a text name people.
pub fn is_interactive() -> bool {
    io::stdout().is_terminal()
}
