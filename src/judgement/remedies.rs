//! The line that closes a doubt: an addition to the file at `ALIASES_URL` or `EXCEPTIONS_URL`, or a setting.

use std::fmt;

use crate::model::EmailAddress;

/// The words before the line that closes a doubt, in notes and details.
pub(super) const CLOSES_WITH: &str = "; closes with: ";

/// The reason why a leaver could not be judged, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    text: String,
    remedy: Remedy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// HR corrects the row, or an exception accepts the person.
    Exception,
    /// The setting gives a status word its meaning: its complete value.
    Statuses(String),
    /// An alias decides whether two people are one: the key of the other person.
    SamePerson(String),
    /// An alias separates the account from the person.
    Different(String),
    /// An alias makes the account a service account.
    Service(String),
    /// An exception accepts the account, because the person has neither id nor address.
    Account(String),
    /// An exception accepts the failure of a check, or leavers without a usable address.
    Check(&'static str),
    /// The setting reads or ignores a column: its complete value.
    Columns(String),
}

impl Doubt {
    pub(super) fn new(text: impl Into<String>, remedy: Remedy) -> Self {
        Self {
            text: text.into(),
            remedy,
        }
    }

    /// The doubt about a person, and the line that closes it.
    pub(super) fn about<'k>(&self, person: impl Into<Key<'k>>) -> String {
        self.about_access(person, "")
    }

    /// The doubt about access by an account. The line names the account if the person has neither id nor address.
    pub(super) fn about_access<'k>(&self, person: impl Into<Key<'k>>, account_id: &str) -> String {
        let line = match (&self.remedy, person.into()) {
            (Remedy::Exception, Key::None) if !account_id.is_empty() => {
                Remedy::Account(account_id.to_owned()).line(Key::None)
            }
            (remedy, key) => remedy.line(key),
        };
        format!("{}{CLOSES_WITH}`{line}`", self.text)
    }
}

impl Remedy {
    /// The line, for a person with this key.
    pub(super) fn line(&self, person: Key<'_>) -> String {
        let (email, id) = match person {
            Key::Id(id) => ("", id),
            Key::Email(email) => (email, ""),
            Key::None => ("", ""),
        };
        match self {
            Self::Exception => {
                format!("EXCEPTIONS_URL: {email},{id},,,<why>,<who>,<today>,<date>")
            }
            Self::Statuses(value) => format!("HR_FEED_STATUSES={value}"),
            Self::SamePerson(other) => {
                format!("ALIASES_URL: ,,{person}={other},same_person,,<why>,<who>,")
            }
            Self::Different(account) => {
                format!("ALIASES_URL: {email},{account},{id},different,,<why>,<who>,")
            }
            Self::Service(account) => {
                format!("ALIASES_URL: ,{account},,service,<owner>,<why>,<who>,<date>")
            }
            Self::Account(account) => {
                format!("EXCEPTIONS_URL: ,,{account},,<why>,<who>,<today>,<date>")
            }
            Self::Check(check) => {
                format!("EXCEPTIONS_URL: ,,,{check},<why>,<who>,<today>,<date>")
            }
            Self::Columns(value) => format!("HR_FEED_COLUMNS={value}"),
        }
    }
}

/// The key of a person in a line: the id, else an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'k> {
    Id(&'k str),
    Email(&'k str),
    None,
}

impl<'k> Key<'k> {
    pub(super) fn of(person_id: Option<&'k str>, emails: &'k [EmailAddress]) -> Self {
        match (person_id, emails.first()) {
            (Some(id), _) => Self::Id(id),
            (None, Some(email)) => Self::Email(email.as_written()),
            (None, None) => Self::None,
        }
    }

    pub(super) fn text(self) -> Option<&'k str> {
        match self {
            Self::Id(text) | Self::Email(text) => Some(text),
            Self::None => None,
        }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().unwrap_or_default())
    }
}
