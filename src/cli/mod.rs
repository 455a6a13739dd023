//! The command line and the terminal: arguments, help, texts, log lines, exit codes.

pub mod arguments;
pub mod exit;
mod help;
pub mod logging;
pub mod terminal;

pub use arguments::{CommandRequest, parse, print_completions, print_manual_page};
pub use help::meaning_for;
