//! The lines of the result: subject, mark, text, hint.

use serde::Serialize;

use super::feed::FeedReading;
use crate::cli::exit::{Exit, error_chain};
use crate::config::Problems;
use crate::model::words;

words! {
    /// What is checked, in the order of the output.
    Subject {
        Settings = "settings",
        /// The evidence of earlier runs.
        Evidence = "evidence",
        /// What the store does with a new object.
        WriteProbe = "write_probe",
        SigningKey = "signing_key",
        /// Aliases and exceptions.
        Manual = "manual",
        HrFeed = "hr_feed",
        /// Truto: name, certificate, and that it answers.
        Truto = "truto",
        Token = "token",
        /// Our clock compared with Truto's.
        Clock = "clock",
        Connection = "connection",
        /// The requests that the connection supports.
        Capabilities = "capabilities",
        /// The permissions of the connection.
        Scopes = "scopes",
        Workspace = "workspace",
        /// The connected account.
        Viewer = "viewer",
        Users = "users",
        Memberships = "memberships",
        /// E-mail, status and role of the accounts.
        Fields = "fields",
        /// Whether HR and Asana share mail domains.
        Match = "match",
        /// Whether two runs lie close around each deadline.
        Schedule = "schedule",
        /// The receivers of notifications.
        Notify = "notify",
    }
}

words! {
    LineMark {
        Ok = "ok",
        /// It works, and someone should look.
        Warn = "warn",
        /// A run would fail, or be inconclusive.
        Fail = "fail",
        /// Not tried: an earlier check failed, or it was not asked for.
        Skipped = "skipped",
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub subject: Subject,
    pub mark: LineMark,
    /// Without names and addresses of people.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How a run would end, if the mark is `Fail`.
    #[serde(skip)]
    pub exit: Exit,
}

impl Subject {
    fn line(self, mark: LineMark, text: impl Into<String>) -> Line {
        Line {
            subject: self,
            mark,
            text: text.into(),
            hint: None,
            exit: Exit::Pass,
        }
    }

    pub(super) fn ok(self, text: impl Into<String>) -> Line {
        self.line(LineMark::Ok, text)
    }

    pub(super) fn warn(self, text: impl Into<String>) -> Line {
        self.line(LineMark::Warn, text)
    }

    /// A run would end with this exit code.
    pub(super) fn fail(self, exit: Exit, text: impl Into<String>) -> Line {
        Line {
            exit,
            ..self.line(LineMark::Fail, text)
        }
    }

    /// A run would end with this error.
    pub(super) fn failed(
        self,
        error: &dyn std::error::Error,
        exit: impl Into<Exit>,
        hint: Option<String>,
    ) -> Line {
        Line {
            hint,
            ..self.fail(exit.into(), error_chain(error))
        }
    }

    pub(super) fn skipped(self, why: impl Into<String>) -> Line {
        self.line(LineMark::Skipped, why)
    }
}

impl Line {
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

#[derive(Debug, Default)]
pub struct Checked {
    /// Each line, in the order of subjects.
    pub lines: Vec<Line>,
    /// The HR feed as a run would read it, if it is usable.
    pub feed: Option<FeedReading>,
}

impl Checked {
    /// How a run would end: by the first failure that stops it, else inconclusive if there is any failure.
    pub fn exit(&self) -> Exit {
        let failed = self.lines.iter().filter(|line| line.mark == LineMark::Fail);
        let mut exits = failed.map(|line| line.exit);
        let first = exits.next().unwrap_or(Exit::Pass);
        match first {
            Exit::Inconclusive => exits.find(|exit| *exit != first).unwrap_or(first),
            first => first,
        }
    }

    pub(super) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The settings are wrong, so nothing else can be tried.
    pub(super) fn of_problems(problems: &Problems) -> Self {
        let one = |problem| Subject::Settings.fail(Exit::Configuration, problem);
        let mut lines: Vec<Line> = problems.all().iter().map(one).collect();
        if let Some(last) = lines.pop() {
            lines.push(last.hint(problems.hints().join("; ")));
        }
        let others = Subject::ALL.iter().filter(|at| **at != Subject::Settings);
        lines.extend(others.map(|at| at.skipped("not tried: the settings come first")));
        Self { lines, feed: None }
    }
}
