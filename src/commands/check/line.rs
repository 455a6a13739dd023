//! What was tried, and how it came out.

use serde::Serialize;

use crate::cli::exit::Exit;
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
