//! The lines of the result: subject, mark, text, hint.

use serde::Serialize;

use super::feed::FeedReading;
use super::text;
use crate::cli::exit::{Exit, error_chain};
use crate::cli::logging::Progress;
use crate::cli::terminal;
use crate::config::Problems;
use crate::model::words;

words! {
    /// What is checked, in the order of importance.
    Subject {
        Settings = "settings",
        /// The evidence of earlier runs.
        Evidence = "evidence",
        /// How the store treats a new object.
        WriteProbe = "write_probe",
        SigningKey = "signing_key",
        /// Aliases and exceptions.
        Manual = "manual",
        HrFeed = "hr_feed",
        /// Truto's name, certificate and answer.
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
        /// Whether two runs are close around each deadline.
        Schedule = "schedule",
        /// The receivers of notifications.
        Notify = "notify",
    }
}

words! {
    LineMark {
        Ok = "ok",
        /// It works, but a person should check it.
        Warn = "warn",
        /// A run would fail, or be inconclusive.
        Fail = "fail",
        /// Not checked: an earlier check failed, or it was not requested.
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
    pub lines: Vec<Line>,
    /// The HR feed as a run would read it, if it is usable.
    pub feed: Option<FeedReading>,
    /// If set, each line is printed as soon as it is known.
    pub(super) prints: Option<Progress>,
}

impl Checked {
    /// How a run would end: by the first failure that stops it, else inconclusive if there is any failure.
    pub fn exit(&self) -> Exit {
        let lines = self.lines.iter();
        let mut failed: Vec<&Line> = lines.filter(|line| line.mark == LineMark::Fail).collect();
        failed.sort_by_key(|line| line.subject);
        let mut exits = failed.into_iter().map(|line| line.exit);
        let first = exits.next().unwrap_or(Exit::Pass);
        match first {
            Exit::Inconclusive => exits.find(|exit| *exit != first).unwrap_or(first),
            first => first,
        }
    }

    pub(super) fn add(&mut self, line: Line) {
        if let Some(progress) = &self.prints {
            progress.suspend(|| terminal::print(&text::one_line(&line, &self.lines)));
        }
        self.lines.push(line);
    }

    /// Wrong settings prevent every other check.
    pub(super) fn add_problems(&mut self, problems: &Problems) {
        let (last, others) = problems.all().split_last().expect("at least one problem");
        let wrong = |problem: &String| Subject::Settings.fail(Exit::Configuration, problem);
        for problem in others {
            self.add(wrong(problem));
        }
        self.add(wrong(last).hint(problems.hints().join("; ")));
    }
}
