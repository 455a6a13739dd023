//! The result as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Checked, Line, LineMark, feed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{ATTENTION, BAD, GOOD, styled};
use crate::model::counted;
use crate::report::on_one_line;

impl LineMark {
    fn sign(self) -> String {
        match self {
            Self::Ok => styled(GOOD, "✓"),
            Self::Warn => styled(ATTENTION, "!"),
            Self::Fail => styled(BAD, "✗"),
            Self::Skipped => "–".to_owned(),
        }
    }
}

/// `earlier`: the lines before this one. A hint that one of them has is not repeated.
pub(super) fn one_line(line: &Line, earlier: &[Line]) -> String {
    let (sign, shown) = (line.mark.sign(), on_one_line(&line.text));
    let mut text = format!("{sign} {:<13} {shown}\n", line.subject);
    if let Some(hint) = &line.hint {
        let is_known = earlier.iter().any(|of| of.hint.as_ref() == Some(hint));
        let hint = match is_known {
            true => "the same as above".to_owned(),
            false => on_one_line(hint),
        };
        let _ = writeln!(text, "  {:<13} hint: {hint}", "");
    }
    text
}

/// The text after the lines: the HR feed as read, and the result.
pub(super) fn summary(checked: &Checked) -> String {
    let mut text = String::new();
    if let Some(feed) = &checked.feed {
        text.push('\n');
        text.push_str(&feed::as_text(feed));
    }
    let lines = || checked.lines.iter();
    let count = |mark| lines().filter(|line| line.mark == mark).count();
    let failed = counted(count(LineMark::Fail), "check failed", "checks failed");
    let warned = counted(count(LineMark::Warn), "check warned", "checks warned");
    let exit = checked.exit();
    let _ = match exit {
        Exit::Pass => writeln!(text, "\n{}: {failed}, {warned}", styled(GOOD, "READY")),
        Exit::Inconclusive => writeln!(
            text,
            "\n{}: {failed}, {warned}; a run could not pass: it would exit with 4, or with 3 if it finds access past a \
             deadline",
            styled(BAD, "NOT READY")
        ),
        exit => writeln!(
            text,
            "\n{}: {failed}, {warned}; a run would exit with {} ({})",
            styled(BAD, "NOT READY"),
            exit.code(),
            exit.meaning()
        ),
    };
    text
}

pub(super) fn as_json(checked: &Checked) -> Value {
    let exit = checked.exit();
    let mut lines: Vec<&Line> = checked.lines.iter().collect();
    lines.sort_by_key(|line| line.subject);
    json!({
        "ready": exit == Exit::Pass,
        "exit": exit.code(),
        "lines": lines,
        "feed": checked.feed,
    })
}
