//! The line that closes a doubt: what to add to `ALIASES_URL` or `EXCEPTIONS_URL`, or which setting to make.

use std::fmt;

use crate::model::EmailAddress;

/// What precedes the line that closes a doubt, in notes and details.
pub(super) const CLOSES_WITH: &str = "; closes with: ";

/// The reason why something could not be judged, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    text: String,
    remedy: Remedy,
}

/// What closes a doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// HR corrects the row, or an exception accepts the person.
    Exception,
    /// A status word gets its meaning. Holds the complete value of the setting.
    Statuses(String),
    /// An alias decides whether two people are one. Holds the key of the other.
    SamePerson(String),
    /// An alias separates an account from the person.
    Different(String),
    /// An alias makes an account a service account.
    Service(String),
    /// An exception accepts the account, because the person has neither id nor address.
    Account(String),
    /// An exception accepts what a check saw, or leavers without a usable address.
    Check(&'static str),
    /// A column is read or ignored. Holds the complete value of the setting.
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

    /// The same about access by an account. It names a person who has neither id nor address.
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

/// What names a person in a line: the id, else an address.
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
