//! Titles and sentences for the closed sets. The page shows each beside the word that the files use.
//!
//! A title never claims what only the value beside it can show: it reads the same for a check that failed.

use crate::evidence::Trigger;
use crate::judgement::{
    ChangeKind, CheckId, CheckStatus, FeedScope, FindingKind, MatchKind, OffboardingResult,
    Outcome, Severity, Verdict, WithinSla,
};
use crate::model::AgeBasis;

/// A value that has a heading.
pub(crate) trait Title {
    /// Few words, beginning with a capital where they begin a line.
    fn title(&self) -> &'static str;
}

/// A value that needs a sentence.
pub(super) trait Meaning {
    /// One sentence.
    fn meaning(&self) -> &'static str;
}

impl Title for Verdict {
    fn title(&self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::PassWithExceptions => "Pass with exceptions",
            Self::Inconclusive => "Inconclusive",
            Self::Fail => "Fail",
        }
    }
}

impl Meaning for Verdict {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Pass => "No check failed.",
            Self::PassWithExceptions => {
                "No check failed. Each risk acceptance is listed with its approver and last day."
            }
            Self::Inconclusive => {
                "A check failed, or a leaver or an account could not be judged. No access past a \
                 deadline was found, which does not show that there is none."
            }
            Self::Fail => "",
        }
    }
}

impl Meaning for Trigger {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Scheduled => {
                "by the CronJob at a scheduled time, according to the name of its Job"
            }
            Self::Manual => "outside the schedule",
            Self::Unknown => "not known",
        }
    }
}

impl Title for Outcome {
    fn title(&self) -> &'static str {
        match self {
            Self::Rehired => "Rehired",
            Self::Rescinded => "No longer leaving",
            Self::Upcoming => "Work ends later",
            Self::StillActive => "Access past the deadline",
            Self::NotEvaluable => "Not concluded",
            Self::WithinGrace => "Within grace",
            Self::Excepted => "Accepted risk",
            Self::Removed => "Access removed",
            Self::NoAccessFound => "No account found since the first run",
        }
    }
}

impl Title for OffboardingResult {
    fn title(&self) -> &'static str {
        match self {
            Self::InTime => "Removed in time",
            Self::Late => "Removed late",
            Self::NotDemonstrated => "Not demonstrated",
            Self::DateCorrected => "Date corrected too late",
            Self::NoAccount => "No account found",
            Self::Withdrawn => "Withdrawn by HR",
            Self::RehiredBeforeDue => "Rehired before the deadline",
        }
    }
}

impl Meaning for Outcome {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Rehired => "The same person works here again, in a later tenure.",
            Self::Rescinded => "HR named the person as a leaver; the feed now says employed.",
            Self::Upcoming => "The end of work lies after this run.",
            Self::StillActive => "An account of the person has access after the deadline.",
            Self::NotEvaluable => {
                "This run cannot tell whether the person has access. It never counts as removed."
            }
            Self::WithinGrace => {
                "An account has access. Work has ended, and the deadline has not passed."
            }
            Self::Excepted => {
                "An account has access after the deadline. An approved exception accepts the risk."
            }
            Self::Removed => {
                "The account is inactive, or absent from a list that passed every completeness check."
            }
            Self::NoAccessFound => {
                "No run since the first has found an account of the person. An account that was \
                 removed before the first run cannot be seen."
            }
        }
    }
}

impl Title for FindingKind {
    fn title(&self) -> &'static str {
        match self {
            Self::OffboardedAccess => "Access past the deadline",
            Self::AccessAfterConclusion => "Access again after the offboarding was concluded",
            Self::PossibleOffboardedAccess => "Possible access of a leaver",
            Self::LateRemoval => "Removed late",
            Self::AccountWithoutHrRecord => "Account without HR record",
            Self::AccountUnidentifiable => "Account without an identifiable owner",
            Self::ExceptionInvalid => "Exception not valid",
            Self::AliasInvalid => "Alias not valid",
            Self::LeaverWithoutAddress => "Leavers without a usable address",
            Self::RevocationNotDone => "Review decision not carried out",
        }
    }
}

impl Meaning for FindingKind {
    /// What to do about it.
    fn meaning(&self) -> &'static str {
        match self {
            Self::OffboardedAccess => "Remove the account in Asana, or approve an exception.",
            Self::AccessAfterConclusion => {
                "Remove the access that was granted again, or ask HR to record the new tenure."
            }
            Self::PossibleOffboardedAccess => {
                "Find out whose account it is, and write the alias that the note names."
            }
            Self::LateRemoval => "Record why it took so long. The access has ended.",
            Self::AccountWithoutHrRecord => {
                "Ask HR for the owner's record, remove the account, or write a service alias."
            }
            Self::AccountUnidentifiable => "Write an alias that names the owner.",
            Self::ExceptionInvalid | Self::AliasInvalid => "Correct, renew or delete the line.",
            Self::LeaverWithoutAddress => {
                "Ask HR for their addresses, or approve the exception that the note names."
            }
            Self::RevocationNotDone => "Carry it out in Asana, or approve an exception.",
        }
    }
}

impl Title for ChangeKind {
    fn title(&self) -> &'static str {
        match self {
            Self::Added => "Account added",
            Self::Removed => "Account no longer listed",
            Self::Deactivated => "Account deactivated",
            Self::Reactivated => "Account reactivated",
            Self::Rejoined => "Account listed again",
            Self::RoleChanged => "Role changed",
            Self::EmailChanged => "E-mail changed",
            Self::NameChanged => "Name changed",
            Self::LeaverAdded => "New leaver",
            Self::LeaverVanished => "Leaver no longer in the HR feed",
            Self::EndOfWorkMoved => "End of work moved",
            Self::Rehired => "Rehired",
            Self::PolicyChanged => "Rule changed",
        }
    }
}

impl Title for CheckId {
    fn title(&self) -> &'static str {
        match self {
            Self::ConnectionActive => "Status of the Truto connection",
            Self::SourceOrigin => "Server that returned the accounts",
            Self::Clock => "Clock compared with the server's",
            Self::WorkspaceListed => "Workspace of the connection",
            Self::ListComplete => "End of the account list",
            Self::RowsReconcile => "Row counts and second source",
            Self::PopulationSize => "Number of accounts",
            Self::PopulationDrop => "Fall in the number of accounts",
            Self::FieldsKnown => "Address, status and role of the accounts",
            Self::Viewer => "Role of the connected account",
            Self::HrFresh => "Age of the HR feed",
            Self::HrNotEmpty => "People in the HR feed",
            Self::HrRowsAccounted => "Rows of the HR feed",
            Self::HrColumns => "Unread columns of the HR feed",
            Self::HrIdentities => "Person ids of the HR feed",
            Self::HrMatchable => "Mail domains common to HR and Asana",
            Self::HrDrop => "Fall in the number of HR rows",
            Self::PolicyUnchanged => "Rules compared with the run before",
            Self::Cadence => "Time between runs",
            Self::LedgerContinues => "Ledger of earlier runs",
            Self::StoreProtection => "Protection of the stored evidence",
            Self::MappingUnchanged => "Truto's mapping of accounts",
            Self::ReviewDue => "Date of the last access review",
        }
    }
}

impl Title for CheckStatus {
    fn title(&self) -> &'static str {
        match self {
            Self::Pass => "passed",
            Self::Warn => "warning",
            Self::Fail => "failed",
        }
    }
}

impl Title for Severity {
    fn title(&self) -> &'static str {
        self.as_str()
    }
}

impl Title for MatchKind {
    fn title(&self) -> &'static str {
        match self {
            Self::PersonId => "by person id",
            Self::Alias => "by alias",
            Self::Email => "by e-mail",
            Self::DomainAlias => "by e-mail, other domain",
            Self::FormerEmail => "by former e-mail",
        }
    }
}

impl Title for WithinSla {
    fn title(&self) -> &'static str {
        match self {
            Self::Yes => "in time",
            Self::No => "past the deadline",
            Self::Unknown => "not demonstrated",
        }
    }
}

impl Title for FeedScope {
    fn title(&self) -> &'static str {
        match self {
            Self::Leavers => "all leavers",
            Self::RecentLeavers => "recent leavers; rows drop out with time",
            Self::Roster => "roster: all employed people, and possibly leavers",
        }
    }
}

impl Title for AgeBasis {
    fn title(&self) -> &'static str {
        match self {
            Self::FileMtime => "according to the file system",
            Self::HttpLastModified => "according to the HTTP server",
            Self::S3LastModified => "according to S3",
            Self::Live => "when it was read, by the server's clock",
            Self::Unknown => "source unknown",
        }
    }
}
