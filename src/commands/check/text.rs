//! The result as a table and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Checked, LineMark, feed};
use crate::cli::exit::Exit;
use crate::report::on_one_line;

impl LineMark {
    fn sign(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warn => "!",
            Self::Fail => "✗",
            Self::Skipped => "–",
        }
    }
}

pub(super) fn as_text(checked: &Checked) -> String {
    let mut text = String::new();
    for line in &checked.lines {
        let (sign, shown) = (line.mark.sign(), on_one_line(&line.text));
        let _ = writeln!(text, "{sign} {:<13} {shown}", line.subject);
        if let Some(hint) = &line.hint {
            let _ = writeln!(text, "  {:<13} hint: {}", "", on_one_line(hint));
        }
    }
    if let Some(feed) = &checked.feed {
        text.push('\n');
        text.push_str(&feed::as_text(feed));
    }
    let lines = || checked.lines.iter();
    let count = |mark| lines().filter(|line| line.mark == mark).count();
    let (failed, warned) = (count(LineMark::Fail), count(LineMark::Warn));
    let exit = checked.exit();
    let _ = match exit {
        Exit::Pass => writeln!(
            text,
            "\nnothing that was tried keeps a run from its work; {warned} to look at"
        ),
        exit => writeln!(
            text,
            "\na run could not do its work: {failed} failed, {warned} to look at; it would end with {} ({})",
            exit.code(),
            exit.meaning()
        ),
    };
    text
}

pub(super) fn as_json(checked: &Checked) -> Value {
    let exit = checked.exit();
    json!({
        "ready": exit == Exit::Pass,
        "exit": exit.code(),
        "lines": checked.lines,
        "feed": checked.feed,
    })
}
