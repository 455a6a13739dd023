//! What was tried, and how it came out.

use serde::Serialize;

use super::feed::FeedReading;
use crate::cli::exit::Exit;
use crate::config::Problems;
use crate::model::words;

words! {
    /// What is tried, in the order people read it.
    Subject {
        /// Every variable, judged.
        Settings = "settings",
        /// The evidence of earlier runs.
        Evidence = "evidence",
        /// What the store does with an object.
        WriteProbe = "write_probe",
        /// The key that signs.
        SigningKey = "signing_key",
        /// Accounts tied by hand, and approved exceptions.
        Directives = "directives",
        /// The HR feed, from its first row to its last.
        HrFeed = "hr_feed",
        /// Truto: name, certificate, and that it answers.
        Truto = "truto",
        /// The API token.
        Token = "token",
        /// Our clock and Truto's.
        Clock = "clock",
        /// The connection to Asana.
        Connection = "connection",
        /// What the connection can be asked.
        Capabilities = "capabilities",
        /// What the connection may see.
        Scopes = "scopes",
        /// The workspace.
        Workspace = "workspace",
        /// Whose account the connection uses.
        Viewer = "viewer",
        /// The list of users.
        Users = "users",
        /// The workspace memberships.
        Memberships = "memberships",
        /// E-mail, status and role of the accounts.
        Fields = "fields",
        /// HR and Asana together.
        Match = "match",
        /// Whether a run falls between end of work and deadline.
        Schedule = "schedule",
        /// Whom a run tells.
        Notify = "notify",
    }
}

words! {
    /// How it came out.
    Mark {
        /// As it should be.
        Ok = "ok",
        /// It works, and somebody should look.
        Warn = "warn",
        /// A run could not do its work.
        Fail = "fail",
        /// It was not tried: something before it failed, or nobody asked.
        Skipped = "skipped",
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What was tried.
    pub subject: Subject,
    /// How it came out.
    pub mark: Mark,
    /// In words, without names and addresses of people.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How a run would end, where it would not do its work.
    #[serde(skip)]
    pub exit: Exit,
}

impl Line {
    /// A line without a hint.
    pub fn new(subject: Subject, mark: Mark, text: impl Into<String>) -> Self {
        Self {
            subject,
            mark,
            text: text.into(),
            hint: None,
            exit: Exit::Pass,
        }
    }

    /// As it should be.
    pub fn ok(subject: Subject, text: impl Into<String>) -> Self {
        Self::new(subject, Mark::Ok, text)
    }

    /// It works, and somebody should look.
    pub fn warn(subject: Subject, text: impl Into<String>) -> Self {
        Self::new(subject, Mark::Warn, text)
    }

    /// A run would end like this.
    pub fn fail(subject: Subject, exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            ..Self::new(subject, Mark::Fail, text)
        }
    }

    /// It was not tried.
    pub fn skipped(subject: Subject, why: impl Into<String>) -> Self {
        Self::new(subject, Mark::Skipped, why)
    }

    /// With what to do about it.
    pub fn hint(self, hint: Option<impl Into<String>>) -> Self {
        Self {
            hint: hint.map(Into::into),
            ..self
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Each line, in the order of subjects.
    pub lines: Vec<Line>,
    /// How the HR feed was read, if it could be.
    pub feed: Option<FeedReading>,
}

impl Checked {
    /// How a run would end: by the first line that would stop it, else inconclusive where something
    /// failed that it would go on with.
    pub fn exit(&self) -> Exit {
        let failed = self.lines.iter().filter(|line| line.mark == Mark::Fail);
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

    /// The settings cannot be judged: nothing else can be tried.
    pub(super) fn of_problems(problems: &Problems) -> Self {
        let one = |problem| Line::fail(Subject::Settings, Exit::Configuration, problem);
        let mut lines: Vec<Line> = problems.all().iter().map(one).collect();
        if let Some(last) = lines.pop() {
            lines.push(last.hint(Some(problems.hints().join("; "))));
        }
        let others = Subject::ALL.iter().filter(|at| **at != Subject::Settings);
        lines.extend(others.map(|at| Line::skipped(*at, "not tried: the settings come first")));
        Self { lines, feed: None }
    }
}
